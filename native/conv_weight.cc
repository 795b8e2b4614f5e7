// conv_grad_weight: out [O, C / groups, ...], grad [N, O, ...], input [N, C, ...], groups, then stride, padding (before)
// and dilation of the three dimensions; contiguous, of one dtype as in conv.cc. The gradient of a convolution's weight:
// a product of the output's gradient [O, positions] and the patches [positions, taps * C], summed over windows of
// positions. The slab holds the channels of an element together, so that a patch is a few runs of vectors.
#include <type_traits>

#include "conv.h"

namespace tt {
inline namespace KERNEL_NS {
namespace conv {
namespace {

enum WeightScratch : int { kSumsOfAll = 1, kPackedGrad = 3 };

template <class T, class S>
struct WeightTask {
  Source<S> source;  // the input of the first group, at the positions of the output
  i64 groups, channels, rows;
  const S* grad;
  i64 grad_image, grad_channel;
  S* out;
};

/** n elements of `count` channels, `stride` apart in the source, to cells of `element` values each. */
template <class T, class S>
void transpose_cells(T* to, i64 element, const S* from, i64 channel, i64 count, i64 stride, i64 n) {
  constexpr int L = lanes<T>;
  if constexpr (same_type<T, S>) {
    if (stride == 1 && element % L == 0) {
      for (i64 c = 0; c < count; c += L) {
        pack_transposed<T>(to + c, element, from + c * channel, channel, min_of(L, count - c), n);
      }
      return;
    }
  }
  for (i64 c = 0; c < count; c++) {
    for (i64 i = 0; i < n; i++) to[i * element + c] = widened<T>(from[c * channel + i * stride]);
  }
  for (i64 c = count; c < element; c++) {
    for (i64 i = 0; i < n; i++) to[i * element + c] = T(0);
  }
}

/** Channels [first, first + count) of a window, the channels of one element next to each other. */
template <class T, class S>
View<T> fill_slab_by_element(const Source<S>& s, const Window& w, i64 first, i64 count, i64* taps) {
  constexpr int L = lanes<T>;
  i64 extent[3];
  slab_extents(s, w, extent);
  const Axis& wide = s.axis[2];
  const i64 element = count < L ? count : ceil_div(count, L) * L;
  View<T> v = lay_out<T>(s, extent, element);
  v.channel = 1;
  v.image = s.axis[0].slots * extent[0] * v.step[0];
  tap_offsets(taps, s, extent, v.step);
  const i64 size = w.images * v.image + 8 * L;
  T* slab = scratch<T>(kSlab, size);
  v.data = slab;
  v.end = slab + size;
  for (i64 i = w.images * v.image; i < size; i++) slab[i] = T(0);
  for (i64 n = 0; n < w.images; n++) {
    const S* plane = s.data + (w.image + n) * s.image + first * s.channel;
    each_slab_row(s, w, extent, plane, [&](const S* from, i64 index) {
      T* cells = slab + n * v.image + index * v.step[1];
      for (i64 k = 0; k < wide.slots; k++, cells += extent[2] * element) {
        const Range r = from == nullptr ? Range{extent[2], extent[2]} : range_of(wide, k, w.first[2], extent[2]);
        const i64 begin = r.begin, end = r.end;
        for (i64 i = 0; i < begin * element; i++) cells[i] = T(0);
        for (i64 i = end * element; i < extent[2] * element; i++) cells[i] = T(0);
        if (end <= begin) continue;
        transpose_cells(cells + begin * element, element, from + (w.first[2] + begin) * wide.stride + wide.origin[k], s.channel, count,
                        wide.stride, end - begin);
      }
    });
  }
  return v;
}

/** The output's gradient at a window, in tiles of rows: for each block of rows what pack_a would make. */
template <class T, class S>
void pack_grad(T* to, const WeightTask<T, S>& t, const Window& w, const S* grad, i64 rows) {
  const i64 row_blocks = ceil_div(rows, kBlockRowTiles * Tile<T>::rows), each = w.size / w.images;
  for (i64 ib = 0; ib < row_blocks; ib++) {
    const i64 first = part_start(rows, row_blocks, ib), m = part_start(rows, row_blocks, ib + 1) - first;
    const i64 tiles = ceil_div(m, Tile<T>::rows);
    for (i64 r = 0; r < tiles; r++) {
      const i64 i = first + part_start(m, tiles, r), height = first + part_start(m, tiles, r + 1) - i;
      for (i64 n = 0; n < w.images; n++) {
        const S* from = grad + (w.image + n) * t.grad_image + i * t.grad_channel + w.start;
        pack_panel<T, S>(to + i * w.size + n * each * height, height, from, t.grad_channel, 1, height, each);
      }
    }
  }
}

/** Adds one window to sums [rows][taps * channels] of channels [first, first + channels) of a group. */
template <class T, class S>
void add_window(const WeightTask<T, S>& t, const Source<S>& source, const S* grad, const Window& w, i64 first,
                i64 channels, i64 rows, T* sums, bool add) {
  const i64 taps = source.taps(), n = taps * channels, step = columns_at_once<T>(rows);
  i64* tables = scratch<i64>(kTables, w.size + taps + n);
  i64 *ks = tables, *tap = tables + w.size, *columns = tap + taps;
  const View<T> view = fill_slab_by_element<T, S>(source, w, first, channels, tap);
  position_offsets(ks, source, w, view);
  for (i64 k = 0; k < taps; k++) {
    for (i64 c = 0; c < channels; c++) columns[k * channels + c] = tap[k] + c;
  }
  T* packed = scratch<T>(kPackedGrad, rows * w.size + kPackSlack<T> * kVectorRegisters);
  pack_grad(packed, t, w, grad, rows);
  T* panels = scratch<T>(kPanels, (step + Tile<T>::cols) * w.size + kPackSlack<T>);
  const i64 row_blocks = ceil_div(rows, kBlockRowTiles * Tile<T>::rows);
  Block<T> block;
  block.k = w.size;
  block.panel = Tile<T>::cols;
  block.a_row = block.a_col = block.b_row = 0;
  block.a_packed = block.b_packed = true;
  block.b = panels;
  block.b_edge = nullptr;
  block.c_row = n;
  block.epilogue = Epilogue<T>{T(1), T(add), nullptr, nullptr};
  for (i64 j = 0; j < n; j += step) {
    block.n = min_of(step, n - j);
    pack_columns(panels, view, columns + j, block.n, ks, w.size);
    for (i64 ib = 0; ib < row_blocks; ib++) {
      const i64 i = part_start(rows, row_blocks, ib);
      block.m = part_start(rows, row_blocks, ib + 1) - i;
      block.a = packed + i * w.size;
      block.c = sums + i * n + j;
      run_block(block);
    }
  }
}

/** Sums [rows][taps][channels] to their places [rows][all channels][taps]. */
template <class T, class S>
void store_weights(S* out, const T* sums, i64 rows, i64 channels, i64 first, i64 all, i64 taps) {
  for (i64 r = 0; r < rows; r++) {
    const T* from = sums + r * taps * channels;
    S* to = out + (r * all + first) * taps;
    i64 c = 0;
    if constexpr (same_type<T, S>) {
      if (taps == 1) {
        memcpy(to, from, static_cast<size_t>(channels) * sizeof(T));
        continue;
      }
      // Whole vectors, up to where they would reach beyond the row.
      const i64 most = channels - ceil_div(lanes<T>, taps);
      if (taps <= lanes<T> && most > 0) {
        pack_transposed<T>(to, taps, from, channels, taps, most);
        c = most;
      }
    }
    for (; c < channels; c++) {
      for (i64 k = 0; k < taps; k++) narrow(to[c * taps + k], from[k * channels + c]);
    }
  }
}

/** The first n lanes; the others are zero. */
template <class T>
TT_INLINE Vec<T> keep_first(Vec<T> v, i64 n) {
  using Int = Vec<std::conditional_t<sizeof(T) == 4, int32_t, int64_t>>;
  Int lane;
  TT_UNROLL
  for (int i = 0; i < lanes<T>; i++) lane[i] = i;
  return bit_cast<Vec<T>>(bit_cast<Int>(v) & (lane < static_cast<decltype(lane[0] + 0)>(n)));
}

/** One image and one row of weights of a depthwise gradient: adds lane by lane to N sums. */
template <class T, int N>
TT_INLINE void add_products(T* sums, const T* grad, i64 rows, i64 width, const Window& w, const View<T>& view,
                            const i64* ks) {
  constexpr int L = lanes<T>;
  const i64 chunks = ceil_div(width, L), full = width / L, rest = width % L;
  Vec<T> sum[N];
  i64 at[N];
  TT_UNROLL
  for (int i = 0; i < N; i++) {
    sum[i] = load(sums + i * L);
    at[i] = ks[i];
  }
  i64 h = 0;
  const T* x = view.data;
  for (i64 row = 0; row < rows; row++) {
    for (i64 c = 0; c < full; c++) {
      const Vec<T> g = load(grad + (row * chunks + c) * L);
      TT_UNROLL
      for (int i = 0; i < N; i++) sum[i] = multiply_add(g, load(x + c * L + at[i]), sum[i]);
    }
    if (rest > 0) {
      // What lies past the row is another row: 0 times its infinity would be no 0.
      const Vec<T> g = load(grad + (row * chunks + full) * L);
      TT_UNROLL
      for (int i = 0; i < N; i++) {
        sum[i] = multiply_add(g, keep_first<T>(load(x + full * L + at[i]), rest), sum[i]);
      }
    }
    x += view.step[1];
    if (++h == w.count[1]) {
      h = 0;
      x += view.step[0] - w.count[1] * view.step[1];
    }
  }
  TT_UNROLL
  for (int i = 0; i < N; i++) store(sums + i * L, sum[i]);
}

/** The gradient of one channel of one image, rows filled with zeros to whole vectors. */
template <class T, class S>
void stage_rows(T* to, const S* from, i64 rows, i64 width) {
  constexpr int L = lanes<T>;
  const i64 pitch = ceil_div(width, L) * L;
  for (i64 row = 0; row < rows; row++, from += width, to += pitch) {
    for (i64 i = 0; i < width; i++) to[i] = widened<T>(from[i]);
    for (i64 i = width; i < pitch; i++) to[i] = T(0);
  }
}

/** Whether inner products of vectors of positions pay: depthwise convolutions, and images of a channel or three. */
template <class T, class S>
bool is_direct(const WeightTask<T, S>& t) {
  const i64 depth = t.channels * t.source.taps();
  return (t.rows <= 3 && depth <= 128) || (depth <= 32 && t.source.axis[2].grid >= 12);
}

/** Rows [first, first + rows) of one group by inner products of vectors of positions, image by image. */
template <class T, class S>
void run_direct(const WeightTask<T, S>& t, i64 group, i64 first, i64 rows) {
  constexpr int L = lanes<T>, N = 9;  // the taps of the usual window
  Source<S> source = t.source;
  source.data += group * t.channels * source.channel;
  const i64 taps = source.taps(), depth = t.channels * taps, width = source.axis[2].grid;
  const i64 chunks = ceil_div(width, L);
  i64* tables = scratch<i64>(kTables, taps + depth);
  i64 *tap = tables, *ks = tables + taps;
  T* sums = scratch<T>(kPanels, rows * depth * L);
  for (i64 i = 0; i < rows * depth * L; i++) sums[i] = T(0);
  const i64 row = group * t.rows + first;
  const Division whole{1, 0, false, source.images};
  for (i64 n = 0; n < source.images; n++) {
    const Window w = window_of(source, whole, n);
    const View<T> view = fill_slab<T, S>(source, w, 0, t.channels, tap);
    for (i64 c = 0; c < t.channels; c++) {
      for (i64 k = 0; k < taps; k++) ks[c * taps + k] = c * view.channel + tap[k];
    }
    const i64 lines = w.count[0] * w.count[1];
    T* grad = scratch<T>(kPackedGrad, lines * chunks * L);
    for (i64 r = 0; r < rows; r++) {
      stage_rows(grad, t.grad + n * t.grad_image + (row + r) * t.grad_channel, lines, width);
      T* to = sums + r * depth * L;
      i64 k = 0;
      for (; k + N <= depth; k += N) add_products<T, N>(to + k * L, grad, lines, width, w, view, ks + k);
      for (; k + 3 <= depth; k += 3) add_products<T, 3>(to + k * L, grad, lines, width, w, view, ks + k);
      for (; k < depth; k++) add_products<T, 1>(to + k * L, grad, lines, width, w, view, ks + k);
    }
  }
  for (i64 i = 0; i < rows * depth; i++) {
    T total = T(0);
    for (int lane = 0; lane < L; lane++) total += sums[i * L + lane];
    narrow(t.out[row * depth + i], total);
  }
}

/** A share of one group's rows or channels. */
template <class T, class S>
void run_share(const WeightTask<T, S>& t, T* sums, i64 group, i64 first_row, i64 rows, i64 first, i64 channels) {
  Source<S> source = t.source;
  source.data += group * t.channels * source.channel;
  const Division v = divide(source);
  const i64 taps = source.taps(), row = group * t.rows + first_row;
  const S* grad = t.grad + row * t.grad_channel;
  // Shares of rows and shares of channels (one of the two is whole) lie one after the other.
  T* own = sums + row * t.channels * taps + rows * first * taps;
  for (i64 i = 0; i < v.windows; i++) {
    add_window(t, source, grad, window_of(source, v, i), first, channels, rows, own, i > 0);
  }
  store_weights(t.out + row * t.channels * taps, own, rows, channels, first, t.channels, taps);
}

template <class T, class S>
void run_task(const WeightTask<T, S>& t) {
  const i64 taps = t.source.taps(), depth = t.channels * taps, positions = t.source.images * t.source.grid();
  const i64 size = t.groups * t.rows * depth;
  if (size == 0) return;
  if (positions == 0) {
    memset(static_cast<void*>(t.out), 0, static_cast<size_t>(size) * sizeof(S));
    return;
  }
  const i64 work = t.rows * depth * positions;
  if (is_direct(t)) {
    const i64 shares = t.groups >= tt_num_threads() ? 1 : min_of(t.rows, tt_num_threads());
    return parallel_for(t.groups * shares, ceil_div(kGrain * shares, work), [&](i64 begin, i64 end) {
      for (i64 job = begin; job < end; job++) {
        const i64 first = part_start(t.rows, shares, job % shares);
        run_direct(t, job / shares, first, part_start(t.rows, shares, job % shares + 1) - first);
      }
    });
  }
  T* sums = scratch<T>(kSumsOfAll, size);
  const i64 threads = tt_num_threads(), unit = lanes<T>;
  i64 parts = t.groups >= threads ? 1 : ceil_div(threads, t.groups);
  const bool by_channels = t.channels >= unit * parts;
  if (!by_channels) parts = min_of(parts, ceil_div(t.rows, Tile<T>::rows));
  const i64 part_work = work / parts + 1;
  parallel_for(t.groups * parts, part_work >= kGrain ? 1 : ceil_div(kGrain, part_work), [&](i64 begin, i64 end) {
    for (i64 job = begin; job < end; job++) {
      const i64 group = job / parts, part = job % parts;
      if (by_channels) {
        const i64 units = ceil_div(t.channels, unit);
        const i64 first = part_start(units, parts, part) * unit;
        const i64 last = min_of(t.channels, part_start(units, parts, part + 1) * unit);
        run_share(t, sums, group, 0, t.rows, first, last - first);
      } else {
        const i64 first = part_start(t.rows, parts, part);
        run_share(t, sums, group, first, part_start(t.rows, parts, part + 1) - first, 0, t.channels);
      }
    }
  });
}

struct WeightArgs {
  TensorArg out, grad, in;
  Geometry geometry;
};

template <class T, class S>
void run_weight(const WeightArgs& a) {
  WeightTask<T, S> t;
  const TensorArg &in = a.in, &grad = a.grad;
  t.groups = a.geometry.groups;
  t.channels = a.out.shape[1];
  t.rows = a.out.shape[0] / t.groups;
  t.source.data = in.template as<S>();
  t.source.images = in.shape[0];
  t.source.channel = in.shape[2] * in.shape[3] * in.shape[4];
  t.source.image = in.shape[1] * t.source.channel;
  t.source.end = t.source.data + in.numel();
  forward_axes(t.source.axis, a.geometry, in, a.out, grad);
  t.grad = grad.template as<S>();
  t.grad_channel = grad.shape[2] * grad.shape[3] * grad.shape[4];
  t.grad_image = grad.shape[1] * t.grad_channel;
  t.out = a.out.template as<S>();
  run_task(t);
}

void conv_grad_weight(double* args) {
  Args in(args);
  WeightArgs a;
  in.tensor(a.out);
  in.tensor(a.grad);
  in.tensor(a.in);
  a.geometry = read_geometry(in);
  switch (a.out.dtype) {
    case DType::F32: return run_weight<float, float>(a);
    case DType::F64: return run_weight<double, double>(a);
    case DType::F16: return run_weight<float, F16Bits>(a);
    case DType::BF16: return run_weight<float, BF16Bits>(a);
    default: return run_weight<uint64_t, uint64_t>(a);
  }
}

}  // namespace
}  // namespace conv

extern const KernelEntry conv_weight_kernels[];
const KernelEntry conv_weight_kernels[] = {{"conv_grad_weight", conv::conv_grad_weight}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
