// Convolutions and their transposes over contiguous [N, C, D, H, W].
//
// conv_forward: out [N, O, ...], input [N, C, ...], weight [O, C / groups, ...], has_bias, bias [O], groups, then stride,
//   padding (before) and dilation of the three dimensions.
// conv_grad_input: out [N, C, ...], grad [N, O, ...], weight as above, has_bias, bias [C], and the same numbers: the
//   gradient of the input, and the transposed convolution. It runs one convolution of stride 1 for each residue of
//   positions by the stride, with the taps that meet it: as many multiplications as forward, nothing is scattered.
// All tensors of one dtype: F32, F64, F16, BF16 (summed in single precision) or I64.
#include "conv.h"

namespace tt {
inline namespace KERNEL_NS {
namespace conv {
namespace {

/** One correlation: results of `rows` channels a group at the grid of the source's axes. */
template <class T, class S>
struct Task {
  Source<S> source;  // of the first group
  i64 channels;      // of a group
  i64 source_group;  // stride between groups
  i64 groups, rows;
  const S* weights;       // [groups][rows][channels * taps]
  const T* packed;        // the same in tiles, as pack_weights has them; or null
  const T* bias;     // [groups * rows] or null
  S* out;            // at position 0 of the first channel
  i64 out_image, out_channel, out_step[3];
  i64 depth() const { return channels * source.taps(); }
  /** Positions follow each other in memory. */
  bool flat() const {
    const Axis* a = source.axis;
    return out_step[2] == 1 && (a[1].grid == 1 || out_step[1] == a[2].grid) &&
           (a[0].grid == 1 || out_step[0] == a[1].grid * a[2].grid);
  }
};

/** The division of channels in blocks of the sum. */
template <class T>
i64 depth_blocks(i64 channels, i64 taps) {
  constexpr i64 kBlockK = kBlockBytesK / static_cast<i64>(sizeof(T));
  const i64 k = channels * taps;
  return k <= kBlockK + kBlockK / 2 ? 1 : min_of(channels, ceil_div(k, kBlockK));
}

/** Sums of a window [rows][size], rounded and put to their places in the result. */
template <class T, class S>
void scatter(const Task<T, S>& t, const Window& w, i64 group, i64 first_row, i64 rows, const T* sums) {
  const i64 height = t.source.axis[1].grid, width = t.source.axis[2].grid;
  for (i64 r = 0; r < rows; r++) {
    const i64 channel = group * t.rows + first_row + r;
    const T bias = t.bias == nullptr ? T(0) : t.bias[channel];
    const T* from = sums + r * w.size;
    i64 at = w.start, image = w.image;
    for (i64 j = 0; j < w.size;) {
      const i64 q = at % width, h = at / width % height, d = at / width / height;
      const i64 n = min_of(width - q, w.size - j);
      S* to = t.out + image * t.out_image + channel * t.out_channel + d * t.out_step[0] + h * t.out_step[1] +
              q * t.out_step[2];
      if (t.out_step[2] == 1) {
        for (i64 i = 0; i < n; i++) narrow(to[i], from[j + i] + bias);
      } else {
        for (i64 i = 0; i < n; i++) narrow(to[i * t.out_step[2]], from[j + i] + bias);
      }
      j += n;
      at += n;
      if (at == height * width * t.source.axis[0].grid) {
        at = 0;
        image++;
      }
    }
  }
}

template <class T, class S>
View<T> view_of(const Source<S>& s, const Window& w, i64 first, i64 count, i64* taps) {
  if constexpr (same_type<T, S>) {
    if (reads_in_place<T, S>(s)) return view_in_place(s, w, first, count, taps);
  }
  return fill_slab<T, S>(s, w, first, count, taps);
}

template <class S>
Source<S> source_of_group(const Source<S>& s, i64 step) {
  Source<S> r = s;
  r.data += step;
  return r;
}

/** Rows [first_row, first_row + rows) of one group at one window. packed: the group's weights in tiles, or null to
    read them in place. */
template <class T, class S>
void run_window(const Task<T, S>& t, const T* packed, i64 group, const Window& w, i64 first_row, i64 rows) {
  const Source<S> source = source_of_group(t.source, group * t.source_group);
  const i64 taps = source.taps(), blocks = depth_blocks<T>(t.channels, taps), depth = t.depth();
  const bool direct = same_type<T, S> && w.images == 1 && t.flat();
  T* c = nullptr;
  i64 c_row = w.size;
  if constexpr (same_type<T, S>) {
    if (direct) {
      c = t.out + w.image * t.out_image + (group * t.rows + first_row) * t.out_channel + w.start;
      c_row = t.out_channel;
    }
  }
  if (!direct) c = scratch<T>(kTileSums, rows * w.size);
  const i64 most = ceil_div(t.channels, blocks) * taps, step = columns_at_once<T>(rows);
  i64* tables = scratch<i64>(kTables, w.size + taps + most);
  i64 *columns = tables, *tap = tables + w.size, *ks = tap + taps;
  T* panels = scratch<T>(kPanels, (step + Tile<T>::cols) * most + kPackSlack<T>);
  const i64 row_blocks = ceil_div(t.rows, kBlockRowTiles * Tile<T>::rows);
  for (i64 kb = 0; kb < blocks; kb++) {
    const i64 c0 = part_start(t.channels, blocks, kb), count = part_start(t.channels, blocks, kb + 1) - c0;
    const View<T> view = view_of<T, S>(source, w, c0, count, tap);
    position_offsets(columns, source, w, view);
    for (i64 i = 0; i < count; i++) {
      for (i64 k = 0; k < taps; k++) ks[i * taps + k] = i * view.channel + tap[k];
    }
    Block<T> block;
    block.k = count * taps;
    block.panel = Tile<T>::cols;
    block.b = panels;
    block.b_row = 0;
    block.b_packed = true;
    block.b_edge = nullptr;
    block.c_row = c_row;
    block.a_packed = packed != nullptr;
    block.a_row = block.a_col = 0;
    for (i64 j = 0; j < w.size; j += step) {
      block.n = min_of(step, w.size - j);
      pack_columns(panels, view, columns + j, block.n, ks, block.k);
      for (i64 ib = 0; ib < row_blocks; ib++) {
        const i64 i = part_start(t.rows, row_blocks, ib);
        block.m = part_start(t.rows, row_blocks, ib + 1) - i;
        if (i < first_row || i >= first_row + rows) continue;
        if (packed != nullptr) {
          block.a = packed + t.rows * c0 * taps + i * block.k;
        } else if constexpr (same_type<T, S>) {
          block.a = t.weights + (group * t.rows + i) * depth + c0 * taps;
          block.a_row = depth;
          block.a_col = 1;
        }
        block.c = c + (i - first_row) * c_row + j;
        block.epilogue = Epilogue<T>{T(1), T(kb > 0), nullptr, nullptr};
        if (direct && kb == 0 && t.bias != nullptr) block.epilogue.row_bias = t.bias + group * t.rows + i;
        run_block(block);
      }
    }
  }
  if (!direct) scatter(t, w, group, first_row, rows, c);
}

/** The weights of all groups in tiles, block of channels by block of channels. */
template <class T, class S>
T* pack_weights(const Task<T, S>& t) {
  const i64 taps = t.source.taps(), depth = t.depth(), blocks = depth_blocks<T>(t.channels, taps);
  const i64 row_blocks = ceil_div(t.rows, kBlockRowTiles * Tile<T>::rows);
  T* packed = scratch<T>(kWeights, t.groups * t.rows * depth + kPackSlack<T> * kVectorRegisters);
  // What packing writes past a block belongs to the next one: one thread, in order.
  for (i64 g = 0; g < t.groups; g++) {
    const S* from = t.weights + g * t.rows * depth;
    T* to = packed + g * t.rows * depth;
    for (i64 kb = 0; kb < blocks; kb++) {
      const i64 p = part_start(t.channels, blocks, kb) * taps, k = part_start(t.channels, blocks, kb + 1) * taps - p;
      for (i64 ib = 0; ib < row_blocks; ib++) {
        const i64 i = part_start(t.rows, row_blocks, ib), m = part_start(t.rows, row_blocks, ib + 1) - i;
        pack_a<T, S>(to + t.rows * p + i * k, from + i * depth + p, depth, 1, m, k);
      }
    }
  }
  return packed;
}

/** Few rows of few products, as depthwise convolutions have them. */
template <class T, class S>
bool is_direct(const Task<T, S>& t) {
  return t.rows <= 3 && t.depth() <= 128;
}

/** Rows of one channel's window, `pitch` apart, to their places. The window is whole images. */
template <class T, class S>
void store_rows(const Task<T, S>& t, const Window& w, i64 channel, const T* from, i64 pitch) {
  const i64 width = w.count[2], step = t.out_step[2];
  for (i64 n = 0; n < w.images; n++) {
    S* plane = t.out + (w.image + n) * t.out_image + channel * t.out_channel;
    const S* end = plane + t.source.grid();
    for (i64 d = 0; d < w.count[0]; d++) {
      for (i64 h = 0; h < w.count[1]; h++, from += pitch) {
        S* to = plane + d * t.out_step[0] + h * t.out_step[1];
        if constexpr (same_type<T, S>) {
          // The next row overwrites what a whole vector writes too much.
          if (t.flat() && to + width + lanes<T> <= end) {
            copy_vectors(to, from, 1, width);
            continue;
          }
        }
        if (step == 1) {
          for (i64 i = 0; i < width; i++) narrow(to[i], from[i]);
        } else if (step == 2) {
          for (i64 i = 0; i < width; i++) narrow(to[2 * i], from[i]);
        } else {
          for (i64 i = 0; i < width; i++) narrow(to[i * step], from[i]);
        }
      }
    }
  }
}

/** What every image and group of a direct convolution shares. */
template <class T>
struct DirectPlan {
  Window window;
  i64 extent[3];
  View<T> view;
  i64 units, pitch;  // vectors of a channel's window, elements from row to row
  i64 *products, *base;  // offsets of weights in the slab, and of vectors
  T *values, *sums;
};

constexpr int kTogether = 8;  // vectors in registers

template <class T, class S>
DirectPlan<T> plan_direct(const Task<T, S>& t) {
  constexpr int L = lanes<T>, N = kTogether;
  DirectPlan<T> p;
  const Source<S>& s = t.source;
  p.window = window_of(s, Division{1, 0, false, s.images}, 0);
  slab_extents(s, p.window, p.extent);
  const i64 taps = s.taps(), depth = t.depth(), chunks = ceil_div(p.window.count[2], L);
  p.units = p.window.count[0] * p.window.count[1] * chunks;
  p.pitch = chunks * L;
  i64* tap = scratch<i64>(kTables, taps + depth + p.units + N);
  p.products = tap + taps;
  p.base = p.products + depth;
  p.view = make_slab<T>(s, p.window, p.extent, t.channels, tap, T(0));
  for (i64 c = 0; c < t.channels; c++) {
    for (i64 k = 0; k < taps; k++) p.products[c * taps + k] = c * p.view.channel + tap[k];
  }
  i64 u = 0;
  for (i64 d = 0; d < p.window.count[0]; d++) {
    for (i64 h = 0; h < p.window.count[1]; h++) {
      for (i64 i = 0; i < chunks; i++) p.base[u++] = d * p.view.step[0] + h * p.view.step[1] + i * L;
    }
  }
  for (int i = 0; i < N; i++) p.base[p.units + i] = p.base[p.units - 1];
  p.values = scratch<T>(kPanels, depth);
  p.sums = scratch<T>(kTileSums, (p.units + N) * L);
  return p;
}

/** Few rows of few products (depthwise): sums of some vectors of positions at a time, straight from the slab. */
template <class T, class S>
void run_direct(const Task<T, S>& t, DirectPlan<T>& p, i64 image, i64 group) {
  constexpr int L = lanes<T>, N = kTogether;
  const i64 depth = t.depth();
  p.window.image = image;
  copy_to_slab(const_cast<T*>(p.view.data), p.view, p.extent, t.source,
               t.source.data + image * t.source.image + group * t.source_group, p.window, t.channels, T(0));
  for (i64 r = 0; r < t.rows; r++) {
    const i64 channel = group * t.rows + r;
    for (i64 k = 0; k < depth; k++) p.values[k] = widened<T>(t.weights[channel * depth + k]);
    const T bias = t.bias == nullptr ? T(0) : t.bias[channel];
    for (i64 u = 0; u < p.units; u += N) {
      const T* from[N];
      Vec<T> sum[N];
      TT_UNROLL
      for (int i = 0; i < N; i++) {
        from[i] = p.view.data + p.base[u + i];
        sum[i] = broadcast(bias);
      }
      for (i64 k = 0; k < depth; k++) {
        const Vec<T> x = broadcast(p.values[k]);
        TT_UNROLL
        for (int i = 0; i < N; i++) sum[i] = multiply_add(x, load(from[i] + p.products[k]), sum[i]);
      }
      TT_UNROLL
      for (int i = 0; i < N; i++) store(p.sums + (u + i) * L, sum[i]);
    }
    store_rows(t, p.window, channel, p.sums, p.pitch);
  }
}

/** Nothing to add up: zeros or the bias. */
template <class T, class S>
void fill_empty(const Task<T, S>& t) {
  Window w{0, 1, 0, t.source.grid(), {0, 0, 0}, {0, 0, 0}};
  T* zeros = scratch<T>(kTileSums, w.size);
  for (i64 i = 0; i < w.size; i++) zeros[i] = T(0);
  for (i64 n = 0; n < t.source.images; n++) {
    w.image = n;
    for (i64 r = 0; r < t.groups * t.rows; r++) scatter(t, w, 0, r, 1, zeros);
  }
}

template <class T, class S>
void run_task(const Task<T, S>& t) {
  const i64 grid = t.source.grid(), depth = t.depth();
  if (t.source.images * t.groups * t.rows * grid == 0) return;
  if (depth == 0) return fill_empty(t);
  const i64 work = t.rows * depth * grid;
  if (is_direct(t)) {
    const i64 jobs = t.source.images * t.groups;
    return parallel_for(jobs, work >= kGrain ? 1 : ceil_div(kGrain, work), [&](i64 begin, i64 end) {
      DirectPlan<T> plan = plan_direct(t);
      for (i64 job = begin; job < end; job++) run_direct(t, plan, job / t.groups, job % t.groups);
    });
  }
  const Division v = divide(t.source);
  const i64 columns = t.source.images * grid;
  const bool pack = !same_type<T, S> || packing_a_pays<T>(t.rows, columns, depth, depth, 1);
  const T* packed = t.packed != nullptr ? t.packed : pack ? pack_weights(t) : nullptr;
  const i64 row_blocks = ceil_div(t.rows, kBlockRowTiles * Tile<T>::rows);
  const i64 windows = v.windows * t.groups, threads = tt_num_threads();
  const i64 splits = windows >= threads ? 1 : min_of(row_blocks, ceil_div(threads, windows));
  const i64 jobs = windows * splits, job_work = work * t.source.images / (v.windows * splits) + 1;
  parallel_for(jobs, job_work >= kGrain ? 1 : ceil_div(kGrain, job_work), [&](i64 begin, i64 end) {
    for (i64 job = begin; job < end; job++) {
      const i64 split = job % splits, index = job / splits;
      const i64 first = part_start(t.rows, row_blocks, part_start(row_blocks, splits, split));
      const i64 last = part_start(t.rows, row_blocks, part_start(row_blocks, splits, split + 1));
      const i64 group = index % t.groups;
      run_window(t, packed == nullptr ? nullptr : packed + group * t.rows * depth, group,
                 window_of(t.source, v, index / t.groups), first, last - first);
    }
  });
}

struct ConvArgs {
  TensorArg out, in, weight, bias;
  bool has_bias;
  Geometry geometry;
};

ConvArgs read_args(double* args) {
  Args in(args);
  ConvArgs a;
  in.tensor(a.out);
  in.tensor(a.in);
  in.tensor(a.weight);
  a.has_bias = in.flag();
  if (a.has_bias) in.tensor(a.bias);
  a.geometry = read_geometry(in);
  return a;
}

template <class T, class S>
const T* read_bias(const ConvArgs& a) {
  if (!a.has_bias) return nullptr;
  const i64 n = a.bias.shape[0];
  T* to = scratch<T>(kBiases, n);
  for (i64 i = 0; i < n; i++) to[i] = widened<T>(a.bias.template as<S>()[i * a.bias.strides[0]]);
  return to;
}

i64 spatial(const TensorArg& t) { return t.shape[2] * t.shape[3] * t.shape[4]; }

template <class T, class S>
Task<T, S> task_of(const ConvArgs& a, i64 channels, i64 rows) {
  Task<T, S> t;
  t.groups = a.geometry.groups;
  t.channels = channels;
  t.rows = rows;
  t.source.data = a.in.template as<S>();
  t.source.images = a.in.shape[0];
  t.source.channel = spatial(a.in);
  t.source.image = a.in.shape[1] * t.source.channel;
  t.source.end = t.source.data + a.in.numel();
  t.source_group = channels * t.source.channel;
  t.packed = nullptr;
  t.bias = read_bias<T, S>(a);
  t.out = a.out.template as<S>();
  t.out_channel = spatial(a.out);
  t.out_image = a.out.shape[1] * t.out_channel;
  t.out_step[2] = 1;
  t.out_step[1] = a.out.shape[4];
  t.out_step[0] = a.out.shape[3] * a.out.shape[4];
  return t;
}

struct Forward {
  template <class T, class S>
  static void run(const ConvArgs& a) {
    Task<T, S> t = task_of<T, S>(a, a.weight.shape[1], a.out.shape[1] / a.geometry.groups);
    forward_axes(t.source.axis, a.geometry, a.in, a.weight, a.out);
    t.weights = a.weight.template as<S>();
    run_task(t);
  }
};

/** Taps of one dimension that meet the positions first, first + stride, ...; their indices to `which`. */
void residue_axis(Axis& axis, i64* which, const ConvArgs& a, int d, i64 first) {
  const i64 stride = a.geometry.stride[d], taps = a.weight.shape[2 + d], size = a.out.shape[2 + d];
  axis.size = a.in.shape[2 + d];
  axis.grid = first < size ? ceil_div(size - first, stride) : 0;
  axis.stride = 1;
  axis.taps = 0;
  for (i64 k = 0; k < taps; k++) {
    const i64 reach = first + a.geometry.padding[d] - k * a.geometry.dilation[d];
    if (reach % stride != 0) continue;
    which[axis.taps] = k;
    axis.offset[axis.taps++] = reach / stride;
  }
  if (axis.taps > 0) finish_axis(axis);
}

struct GradInput {
  /** Where the chosen taps lie in a window of the weights. */
  static void choose(i64* to, const ConvArgs& a, const Axis (&axis)[3], i64* const (&which)[3]) {
    const i64 kh = a.weight.shape[3], kw = a.weight.shape[4];
    for (i64 i = 0; i < axis[0].taps; i++) {
      for (i64 j = 0; j < axis[1].taps; j++) {
        for (i64 k = 0; k < axis[2].taps; k++) *to++ = (which[0][i] * kh + which[1][j]) * kw + which[2][k];
      }
    }
  }

  /** The weights of the chosen taps as [groups][C / groups][O / groups * taps]. */
  template <class T, class S>
  static const S* flip(const Task<T, S>& t, const S* from, const i64* chosen, i64 all) {
    const i64 taps = t.source.taps();
    S* const to = scratch<S>(kFlipped, t.groups * t.rows * t.channels * taps + 1);
    S* p = to;
    for (i64 r = 0; r < t.groups * t.rows; r++) {
      for (i64 o = 0; o < t.channels; o++) {
        const S* w = from + ((r / t.rows * t.channels + o) * t.rows + r % t.rows) * all;
        for (i64 k = 0; k < taps; k++) *p++ = w[chosen[k]];
      }
    }
    return to;
  }

  /** [height] weights of each chosen tap from [height][all]. */
  template <class T, class S>
  static void flip_tile(T* __restrict to, const S* __restrict from, const i64* chosen, i64 taps, i64 height, i64 all) {
    for (i64 n = 0; n < taps; n++, to += height) {
      const S* element = from + chosen[n];
      for (i64 i = 0; i < height; i++) to[i] = widened<T>(element[i * all]);
    }
  }

  /** The same in tiles, straight from the weights: a tile's rows are neighbours there. */
  template <class T, class S>
  static const T* flip_packed(const Task<T, S>& t, const S* from, const i64* chosen, i64 all) {
    const i64 taps = t.source.taps(), depth = t.depth(), blocks = depth_blocks<T>(t.channels, taps);
    const i64 row_blocks = ceil_div(t.rows, kBlockRowTiles * Tile<T>::rows);
    T* const packed = scratch<T>(kWeights, t.groups * t.rows * depth + 1);
    // A few tiles together: the weights are read in longer runs, and each tile is written in its order.
    constexpr i64 kTiles = 4;
    const i64 rounds = ceil_div(kBlockRowTiles, kTiles), jobs = t.groups * row_blocks * rounds;
    parallel_for(jobs, ceil_div(64 * 1024, t.rows * depth / (row_blocks * rounds) + 1), [&](i64 begin, i64 end) {
      for (i64 job = begin; job < end; job++) {
        const i64 g = job / (row_blocks * rounds), ib = job / rounds % row_blocks, round = job % rounds;
        const i64 i0 = part_start(t.rows, row_blocks, ib), m = part_start(t.rows, row_blocks, ib + 1) - i0;
        const i64 tiles = ceil_div(m, Tile<T>::rows), last = min_of(tiles, (round + 1) * kTiles);
        if (round * kTiles >= tiles) continue;
        for (i64 kb = 0; kb < blocks; kb++) {
          const i64 c0 = part_start(t.channels, blocks, kb), c1 = part_start(t.channels, blocks, kb + 1);
          T* block = packed + (g * depth + c0 * taps) * t.rows;
          for (i64 c = c0; c < c1; c++) {
            const S* w = from + (g * t.channels + c) * t.rows * all;
            // The next two rows of weights arrive meanwhile: they are pages apart.
            const S* next = w + 2 * t.rows * all + (i0 + part_start(m, tiles, round * kTiles)) * all;
            const i64 length = (part_start(m, tiles, last) - part_start(m, tiles, round * kTiles)) * all;
            for (i64 i = 0; i < length; i += 64 / static_cast<i64>(sizeof(S))) __builtin_prefetch(next + i);
            for (i64 tile = round * kTiles; tile < last; tile++) {
              const i64 first = i0 + part_start(m, tiles, tile), height = i0 + part_start(m, tiles, tile + 1) - first;
              flip_tile(block + (first * (c1 - c0) + (c - c0) * height) * taps, w + first * all, chosen, taps, height,
                        all);
            }
          }
        }
      }
    });
    return packed;
  }

  template <class T, class S>
  static void run(const ConvArgs& a) {
    const i64 rows = a.weight.shape[1], channels = a.weight.shape[0] / a.geometry.groups;
    Task<T, S> t = task_of<T, S>(a, channels, rows);
    S* const start = t.out;
    const i64 plane[3] = {t.out_step[0], t.out_step[1], t.out_step[2]};
    const i64 taps[3] = {a.weight.shape[2], a.weight.shape[3], a.weight.shape[4]};
    const i64* stride = a.geometry.stride;
    place_axes(t.source.axis, taps);
    for (int d = 0; d < 3; d++) t.out_step[d] = plane[d] * stride[d];
    i64 first[3];
    for (first[0] = 0; first[0] < min_of(stride[0], a.out.shape[2]); first[0]++) {
      for (first[1] = 0; first[1] < min_of(stride[1], a.out.shape[3]); first[1]++) {
        for (first[2] = 0; first[2] < min_of(stride[2], a.out.shape[4]); first[2]++) {
          i64* which[3];
          const i64 all = taps[0] * taps[1] * taps[2];
          i64* chosen = scratch<i64>(kTables, all + taps[0] + taps[1] + taps[2]);
          which[0] = chosen + all;
          which[1] = which[0] + taps[0];
          which[2] = which[1] + taps[1];
          t.out = start;
          for (int d = 0; d < 3; d++) {
            residue_axis(t.source.axis[d], which[d], a, d, first[d]);
            t.out += first[d] * plane[d];
          }
          choose(chosen, a, t.source.axis, which);
          const S* weights = a.weight.template as<S>();
          if (is_direct(t)) {
            t.weights = flip(t, weights, chosen, all);
          } else {
            t.packed = flip_packed(t, weights, chosen, all);
          }
          run_task(t);
        }
      }
    }
  }
};

template <class Pass>
void run_pass(double* args) {
  const ConvArgs a = read_args(args);
  switch (a.out.dtype) {
    case DType::F32: return Pass::template run<float, float>(a);
    case DType::F64: return Pass::template run<double, double>(a);
    case DType::F16: return Pass::template run<float, F16Bits>(a);
    case DType::BF16: return Pass::template run<float, BF16Bits>(a);
    default: return Pass::template run<uint64_t, uint64_t>(a);
  }
}

}  // namespace
}  // namespace conv

extern const KernelEntry conv_kernels[];
const KernelEntry conv_kernels[] = {{"conv_forward", conv::run_pass<conv::Forward>},
                                    {"conv_grad_input", conv::run_pass<conv::GradInput>},
                                    {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
