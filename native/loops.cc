#include "loops.h"

#include <utility>

#include "staging.h"

namespace tt {
inline namespace KERNEL_NS {

namespace {

/** Elements below which a loop stays in one thread. */
constexpr i64 kGrain = 32768;
/** Bytes that all blocks of one step share: they and what passes through stay in the L1 cache. */
constexpr i64 kStageBytes = 24 * 1024;
constexpr i64 kMinBlock = 512;
constexpr i64 kMaxBlock = 2048;
/** Columns of a tile where an input is transposed: runs that long keep the output's lines whole as well. */
constexpr i64 kTileColumns = 128;
/** The slot of tt_scratch that the staging blocks of this file live in. */
constexpr int kScratchSlot = 0;

constexpr i64 magnitude(i64 x) { return x < 0 ? -x : x; }
constexpr i64 round_up(i64 x, i64 multiple) { return (x + multiple - 1) / multiple * multiple; }

struct Operand {
  char* data;
  DType dtype;
  DType span;
  i64 strides[kMaxDims];

  bool converts() const { return dtype != span; }
};

/** One pointwise computation: operands[0] is the output. Without a span the only input is copied to it. */
struct Loop {
  Span span;
  int count;
  int ndim;
  i64 shape[kMaxDims];
  Operand operands[1 + kMaxInputs];
};

// ---- Contiguous operands and scalars ----

/** Elements per block when the staged operands take this many bytes per element. */
i64 block_elements(i64 bytes_per_element) {
  if (bytes_per_element == 0) return kMaxBlock;
  const i64 fit = kStageBytes / bytes_per_element / 64 * 64;
  return fit < kMinBlock ? kMinBlock : fit > kMaxBlock ? kMaxBlock : fit;
}

/** True when the output is an array of its span dtype and each input either is or repeats one element. */
bool is_flat(const Loop& loop) {
  if (loop.ndim > 1) return false;
  const Operand& out = loop.operands[0];
  const bool single = loop.ndim == 0 || loop.shape[0] == 1;
  if (out.converts() || !(single || out.strides[0] == 1)) return false;
  for (int i = 1; i < loop.count; i++) {
    const Operand& in = loop.operands[i];
    if (!(single || in.strides[0] == 0 || (in.strides[0] == 1 && !in.converts()))) return false;
  }
  return true;
}

/** Runs the span over elements [begin, end) of a flat loop, with scalars expanded to one block each. */
void run_flat_scalars(const Loop& loop, const bool* is_scalar, i64 begin, i64 end) {
  i64 sizes[1 + kMaxInputs], staged = 0;
  for (int i = 0; i < loop.count; i++) {
    sizes[i] = item_size(loop.operands[i].span);
    if (is_scalar[i]) staged += sizes[i];
  }
  const i64 fit = block_elements(staged);
  const i64 block = end - begin < fit ? end - begin : fit;
  char* scratch = static_cast<char*>(tt_scratch(kScratchSlot, static_cast<size_t>(staged * block + 64 * loop.count)));
  const void* in[kMaxInputs];
  for (int i = 1; i < loop.count; i++) {
    const Operand& operand = loop.operands[i];
    if (is_scalar[i]) {
      load_convert(operand.span, operand.data, operand.dtype, 0, scratch, block);
      in[i - 1] = scratch;
      scratch += round_up(block * sizes[i], 64);
    } else {
      in[i - 1] = operand.data + begin * sizes[i];
    }
  }
  char* out = loop.operands[0].data + begin * sizes[0];
  for (i64 i = begin; i < end; i += block) {
    const i64 n = end - i < block ? end - i : block;
    loop.span(out, in, n);
    out += n * sizes[0];
    for (int k = 1; k < loop.count; k++) {
      if (!is_scalar[k]) in[k - 1] = static_cast<const char*>(in[k - 1]) + n * sizes[k];
    }
  }
}

void run_flat(const Loop& loop) {
  const i64 n = loop.ndim == 0 ? 1 : loop.shape[0];
  bool is_scalar[1 + kMaxInputs], scalars = false;
  is_scalar[0] = false;
  for (int i = 1; i < loop.count; i++) {
    const Operand& in = loop.operands[i];
    is_scalar[i] = in.converts() || (n > 1 && in.strides[0] == 0);
    scalars |= is_scalar[i];
  }
  if (scalars) {
    parallel_for_any(n, kGrain, [&](i64 begin, i64 end) { run_flat_scalars(loop, is_scalar, begin, end); });
    return;
  }
  parallel_for_any(n, kGrain, [&](i64 begin, i64 end) {
    const void* in[kMaxInputs];
    for (int i = 1; i < loop.count; i++) {
      in[i - 1] = loop.operands[i].data + (begin ? begin * item_size(loop.operands[i].span) : 0);
    }
    loop.span(loop.operands[0].data + (begin ? begin * item_size(loop.operands[0].span) : 0), in, end - begin);
  });
}

// ---- Any strides ----

/**
 * Drops dims of size one, orders the others by the output's strides (largest first) and merges neighbours
 * that are one run in every operand. False when there are no elements.
 */
bool canonicalise(Loop& loop) {
  int order[kMaxDims], n = 0;
  const i64* out = loop.operands[0].strides;
  for (int d = 0; d < loop.ndim; d++) {
    if (loop.shape[d] == 0) return false;
    if (loop.shape[d] == 1) continue;
    int at = n++;
    for (; at > 0 && magnitude(out[order[at - 1]]) < magnitude(out[d]); at--) order[at] = order[at - 1];
    order[at] = d;
  }
  // Built in temporaries row by row: the order is a permutation of the dims being overwritten.
  i64 sorted[kMaxDims];
  for (int d = 0; d < n; d++) sorted[d] = loop.shape[order[d]];
  for (int d = 0; d < n; d++) loop.shape[d] = sorted[d];
  for (int i = 0; i < loop.count; i++) {
    i64* strides = loop.operands[i].strides;
    for (int d = 0; d < n; d++) sorted[d] = strides[order[d]];
    for (int d = 0; d < n; d++) strides[d] = sorted[d];
  }
  int last = 0;
  for (int d = 1; d < n; d++) {
    bool joins = true;
    for (int i = 0; i < loop.count && joins; i++) {
      const i64* strides = loop.operands[i].strides;
      joins = strides[last] == strides[d] * loop.shape[d];
    }
    if (joins) {
      loop.shape[last] *= loop.shape[d];
    } else {
      loop.shape[++last] = loop.shape[d];
    }
    for (int i = 0; i < loop.count; i++) loop.operands[i].strides[last] = loop.operands[i].strides[d];
  }
  loop.ndim = n == 0 ? 0 : last + 1;
  return true;
}

/** How the iteration space divides into boxes that each become one block. */
struct Tiling {
  i64 extent[kMaxDims];
  i64 count[kMaxDims];
  i64 elements;  // of a full box
  i64 boxes;
};

/** The dim along which some input is densest while it strides widely along the innermost one, or -1. */
int transposed_dim(const Loop& loop) {
  const int inner = loop.ndim - 1;
  for (int i = 1; i < loop.count; i++) {
    const Operand& in = loop.operands[i];
    const i64 stride = magnitude(in.strides[inner]);
    if (stride * item_size(in.dtype) < 64) continue;
    int densest = inner;
    for (int d = 0; d < inner; d++) {
      const i64 here = magnitude(in.strides[d]);
      if (here != 0 && here < magnitude(in.strides[densest])) densest = d;
    }
    if (densest != inner) return densest;
  }
  return -1;
}

/**
 * Boxes of at most capacity elements: whole inner dims as long as they fit and an even part of the next.
 * Where an input is transposed, kTileColumns of the innermost dim and then rows of the dim it is dense in, so
 * that every cache line it reads is used whole.
 */
void choose_tiling(const Loop& loop, i64 capacity, Tiling& tiling) {
  const int inner = loop.ndim - 1;
  for (int d = 0; d < loop.ndim; d++) tiling.extent[d] = 1;
  i64 room = capacity;
  const auto take = [&](int d, i64 limit) {
    const i64 size = loop.shape[d];
    if (size <= limit) {
      tiling.extent[d] = size;
    } else {
      const i64 even = (size + (size + limit - 1) / limit - 1) / ((size + limit - 1) / limit);
      const i64 aligned = round_up(even, 16);
      tiling.extent[d] = aligned < limit ? aligned : limit;
    }
    room /= tiling.extent[d];
    return tiling.extent[d] == size && room > 1;
  };
  const int transposed = transposed_dim(loop);
  bool more = true;
  if (transposed >= 0) {
    take(inner, kTileColumns);
    more = take(transposed, room) && tiling.extent[inner] == loop.shape[inner];
  }
  for (int d = inner; d >= 0 && more; d--) {
    if (tiling.extent[d] == 1) more = take(d, room);
  }
  tiling.elements = tiling.boxes = 1;
  for (int d = 0; d < loop.ndim; d++) {
    tiling.count[d] = (loop.shape[d] + tiling.extent[d] - 1) / tiling.extent[d];
    tiling.boxes *= tiling.count[d];
    tiling.elements *= tiling.extent[d];
  }
}

/** Calls body(extents, starts, changed) for boxes [begin, end); changed says that the extents differ from the last. */
template <class Body>
void for_each_box(const Loop& loop, const Tiling& tiling, i64 begin, i64 end, const Body& body) {
  i64 index[kMaxDims], extent[kMaxDims], start[kMaxDims];
  i64 rest = begin;
  for (int d = loop.ndim - 1; d >= 0; d--) {
    index[d] = rest % tiling.count[d];
    rest /= tiling.count[d];
    extent[d] = 0;
  }
  for (i64 box = begin; box < end; box++) {
    bool changed = box == begin;
    for (int d = 0; d < loop.ndim; d++) {
      start[d] = index[d] * tiling.extent[d];
      const i64 left = loop.shape[d] - start[d];
      const i64 here = left < tiling.extent[d] ? left : tiling.extent[d];
      changed |= here != extent[d];
      extent[d] = here;
    }
    body(extent, start, changed);
    for (int d = loop.ndim - 1; d >= 0; d--) {
      if (++index[d] < tiling.count[d]) break;
      index[d] = 0;
    }
  }
}

/** Where the box at start begins in an operand. */
char* address(const Loop& loop, const Operand& operand, i64 size, const i64* start) {
  i64 offset = 0;
  for (int d = 0; d < loop.ndim; d++) offset += start[d] * operand.strides[d];
  return operand.data + offset * size;
}

/** How one operand passes between its tensor and the blocks that spans see. */
struct Stage {
  Convert convert;
  i64 size;  // bytes of an element in the tensor
  i64 span_size;
  char* block;
  const char* held;  // what an input's block holds
  Box box;           // of the present extents
};

/** The box of an input as a contiguous array of its span dtype: in place where it is one, else written to block. */
const char* load_block(Stage& stage, bool converts, const char* src, char* block, char* temporary, i64 n) {
  const Box& box = stage.box;
  if (box.src_contiguous()) {
    if (!converts) return src;
    stage.convert(block, src, n);
  } else if (box.src_uniform()) {
    alignas(16) char value[16];
    stage.convert(value, src, 1);
    fill_items(stage.span_size, block, value, n);
  } else if (!converts) {
    move_box(box, stage.size, block, src);
  } else {
    move_box(box, stage.size, temporary, src);
    stage.convert(block, temporary, n);
  }
  return block;
}

void store_block(const Stage& stage, bool converts, char* dst, const char* block, char* temporary, i64 n) {
  const Box& box = stage.box;
  if (box.dst_contiguous()) {
    stage.convert(dst, block, n);
  } else if (!converts) {
    move_box(box, stage.size, dst, block);
  } else {
    stage.convert(temporary, block, n);
    move_box(box, stage.size, dst, temporary);
  }
}

/** Runs the span over boxes [begin, end). */
void run_boxes(const Loop& loop, const Tiling& tiling, i64 begin, i64 end) {
  Stage stages[1 + kMaxInputs];
  i64 bytes = round_up(tiling.elements * 16, 64) + 64;
  for (int i = 0; i < loop.count; i++) {
    const Operand& operand = loop.operands[i];
    stages[i].convert = i == 0 ? converter(operand.span, operand.dtype) : converter(operand.dtype, operand.span);
    stages[i].size = item_size(operand.dtype);
    stages[i].span_size = item_size(operand.span);
    stages[i].held = nullptr;
    bytes += round_up(tiling.elements * stages[i].span_size, 64) + 64;
  }
  char* temporary = static_cast<char*>(tt_scratch(kScratchSlot, static_cast<size_t>(bytes)));
  char* next = temporary + round_up(tiling.elements * 16, 64) + 64;
  for (int i = 0; i < loop.count; i++) {
    stages[i].block = next;
    next += round_up(tiling.elements * stages[i].span_size, 64) + 64;
  }
  i64 n = 0;
  for_each_box(loop, tiling, begin, end, [&](const i64* extent, const i64* start, bool changed) {
    if (changed) {
      n = 1;
      for (int d = 0; d < loop.ndim; d++) n *= extent[d];
      make_box(stages[0].box, loop.ndim, extent, loop.operands[0].strides, nullptr);
      for (int i = 1; i < loop.count; i++) {
        make_box(stages[i].box, loop.ndim, extent, nullptr, loop.operands[i].strides);
        stages[i].held = nullptr;
      }
    }
    const Operand& out = loop.operands[0];
    char* dst = address(loop, out, stages[0].size, start);
    const bool direct = !out.converts() && stages[0].box.dst_contiguous();
    char* result = direct ? dst : stages[0].block;
    const void* in[kMaxInputs];
    for (int i = 1; i < loop.count; i++) {
      Stage& stage = stages[i];
      const char* src = address(loop, loop.operands[i], stage.size, start);
      // A copy reads straight into its output; other blocks are kept while the operand repeats itself.
      char* block = loop.span || !direct ? stage.block : result;
      if (src == stage.held && loop.span) {
        in[i - 1] = block;
        continue;
      }
      const char* loaded = load_block(stage, loop.operands[i].converts(), src, block, temporary, n);
      stage.held = loaded == block ? src : nullptr;
      in[i - 1] = loaded;
    }
    if (loop.span) {
      loop.span(result, in, n);
    } else {
      result = static_cast<char*>(const_cast<void*>(in[0]));
    }
    if (!direct) store_block(stages[0], out.converts(), dst, result, temporary, n);
  });
}

/** Runs a canonical loop box by box. */
void run_staged(Loop& loop) {
  if (loop.ndim == 0) {
    loop.ndim = 1;
    loop.shape[0] = 1;
    for (int i = 0; i < loop.count; i++) loop.operands[i].strides[0] = 1;
  }
  i64 bytes_per_element = 0;
  for (int i = 0; i < loop.count; i++) bytes_per_element += item_size(loop.operands[i].span);
  Tiling tiling;
  choose_tiling(loop, block_elements(bytes_per_element), tiling);
  const i64 grain = kGrain / tiling.elements;
  parallel_for_any(tiling.boxes, grain, [&](i64 begin, i64 end) { run_boxes(loop, tiling, begin, end); });
}

void run(Loop& loop) {
  if (is_flat(loop)) {
    if (loop.ndim == 0 || loop.shape[0] > 0) run_flat(loop);
  } else if (canonicalise(loop)) {
    if (is_flat(loop)) {
      run_flat(loop);
    } else {
      run_staged(loop);
    }
  }
}

/** Whether the table has a span for a compute dtype: span id, dtype; becomes 0 or 1. */
void has_span(double* p) {
  Args args(p);
  const i64 id = args.integer();
  p[0] = span_table[id].spans[args.integer()] != nullptr ? 1 : 0;
}

/**
 * Runs one span over broadcast operands: span id, compute dtype, number of inputs, ndim, shape[ndim], then
 * for the output and each input: address, dtype, span dtype, strides[ndim] (0 where broadcast).
 */
void pointwise(double* p) {
  Args args(p);
  Loop loop;
  const i64 id = args.integer();
  loop.span = span_table[id].spans[args.integer()];
  loop.count = static_cast<int>(args.integer()) + 1;
  loop.ndim = static_cast<int>(args.integer());
  for (int d = 0; d < loop.ndim; d++) loop.shape[d] = args.integer();
  int i = 0;
  do {
    Operand& operand = loop.operands[i];
    operand.data = args.pointer<char>();
    operand.dtype = static_cast<DType>(args.integer());
    operand.span = static_cast<DType>(args.integer());
    for (int d = 0; d < loop.ndim; d++) operand.strides[d] = args.integer();
  } while (++i < loop.count);
  run(loop);
}

// ---- Copies ----

/** Bytes of one box of a copy without conversion: source and destination together stay in the L1 cache. */
constexpr i64 kCopyBytes = 16 * 1024;

/** Copies without conversion: loop.operands hold the destination and the source. */
void copy_items(Loop& loop) {
  if (!canonicalise(loop)) return;
  const i64 size = item_size(loop.operands[0].dtype);
  char* dst = loop.operands[0].data;
  const char* src = loop.operands[1].data;
  if (loop.ndim == 0) {
    memcpy(dst, src, static_cast<size_t>(size));
    return;
  }
  if (loop.ndim == 1 && loop.operands[0].strides[0] == 1 && loop.operands[1].strides[0] == 1) {
    parallel_for_any(loop.shape[0], 4 * kGrain / size, [&](i64 begin, i64 end) {
      memcpy(dst + begin * size, src + begin * size, static_cast<size_t>((end - begin) * size));
    });
    return;
  }
  Tiling tiling;
  choose_tiling(loop, kCopyBytes / size, tiling);
  const i64 grain = kGrain / tiling.elements;
  parallel_for_any(tiling.boxes, grain > 0 ? grain : 1, [&](i64 begin, i64 end) {
    Box box;
    for_each_box(loop, tiling, begin, end, [&](const i64* extent, const i64* start, bool changed) {
      if (changed) make_box(box, loop.ndim, extent, loop.operands[0].strides, loop.operands[1].strides);
      move_box(box, size, address(loop, loop.operands[0], size, start), address(loop, loop.operands[1], size, start));
    });
  });
}

/** Copies src over dst (same number of dims and sizes), converting between any two dtypes. */
void copy_tensor(const TensorArg& dst, const TensorArg& src) {
  Loop loop;
  loop.span = nullptr;
  loop.count = 2;
  loop.ndim = dst.ndim;
  const bool converts = dst.dtype != src.dtype;
  const DType through = converts ? convert_through(src.dtype, dst.dtype) : dst.dtype;
  loop.operands[0].data = dst.data;
  loop.operands[0].dtype = dst.dtype;
  loop.operands[0].span = through;
  loop.operands[1].data = src.data;
  loop.operands[1].dtype = src.dtype;
  loop.operands[1].span = through;
  for (int d = 0; d < dst.ndim; d++) {
    loop.shape[d] = dst.shape[d];
    loop.operands[0].strides[d] = dst.strides[d];
    loop.operands[1].strides[d] = src.strides[d];
  }
  if (!converts) {
    copy_items(loop);
  } else if (canonicalise(loop)) {
    run_staged(loop);
  }
}

/** Arguments: out tensor, in tensor of the same shape; any strides and dtypes. They must not overlap. */
void copy(double* p) {
  Args args(p);
  TensorArg dst, src;
  args.tensor(dst);
  args.tensor(src);
  copy_tensor(dst, src);
}

/** Arguments: number of parts, then for each an out tensor (a view of the result) and an in tensor, as for copy. */
void copy_many(double* p) {
  Args args(p);
  TensorArg dst, src;
  for (i64 parts = args.integer(); parts > 0; parts--) {
    args.tensor(dst);
    args.tensor(src);
    copy_tensor(dst, src);
  }
}

/** Arguments: out tensor (any strides), value as a tensor without dims. */
void fill(double* p) {
  Args args(p);
  TensorArg dst, value;
  args.tensor(dst);
  args.tensor(value);
  alignas(16) char converted[16], middle[16];
  const DType through = convert_through(value.dtype, dst.dtype);
  converter(value.dtype, through)(middle, value.data, 1);
  converter(through, dst.dtype)(converted, middle, 1);
  value.data = converted;
  value.dtype = dst.dtype;
  for (int d = 0; d < dst.ndim; d++) value.strides[d] = 0;
  copy_tensor(dst, value);
}

}  // namespace

extern const KernelEntry loops_kernels[] = {
    {"pointwise", pointwise}, {"has_span", has_span}, {"copy", copy}, {"copy_many", copy_many}, {"fill", fill}, {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
