// What convolutions share: how a source image is read through taps, and how what they read is packed.
//
// Every pass of a convolution (forward, gradient of the input, gradient of the weight) reads a source image at
// position * stride + offset of a tap, in three spatial dimensions, and multiplies. A window of positions is
// copied to a slab in cache first: padded with zeros, converted, and with the elements that one tap reads at
// consecutive positions next to each other, whatever the stride. Panels of a matrix are then packed from the slab
// as runs of whole vectors: no matrix of patches is ever formed ("implicit GEMM").
#pragma once

#include "gemm_core.h"

namespace tt {
inline namespace KERNEL_NS {
namespace conv {

// Scratch slots: the first four belong to the calling thread, the others to the thread that runs a part.
enum Scratch : int { kWeights = 0, kFlipped = 1, kAxes = 2, kBiases = 3, kTables = 4, kSlab = 5, kPanels = 6, kTileSums = 7 };

constexpr i64 kWindow = 512;        // positions in a window
constexpr i64 kGrain = 128 * 1024;  // multiply-adds worth a thread of their own

template <class T>
T* scratch(int slot, i64 count) {
  return static_cast<T*>(tt_scratch(slot, static_cast<size_t>(count) * sizeof(T)));
}

/** One spatial dimension of a source: position q and tap k read element q * stride + offset[k]; outside is zero. */
struct Axis {
  i64 size = 1;  // elements of the source
  i64 grid = 1;  // positions
  i64 stride = 1;
  i64 taps = 0;
  i64* offset = nullptr;
  // Offsets that differ by a multiple of the stride read the same elements: they share a slot of the slab.
  i64 slots = 0;
  i64* origin = nullptr;  // of each slot: the element at position 0, shift 0
  i64* slot = nullptr;    // of each tap
  i64* shift = nullptr;   // of each tap, in positions
  i64 reach = 0;          // the largest shift
  // Elements of each slot, from position 0 to grid + reach, that lie in the source: [begin, end).
  i64* begin = nullptr;
  i64* end = nullptr;
  bool inside = true;     // no tap reads outside
};

/** Derives the slots from the offsets. */
inline void finish_axis(Axis& a) {
  i64 least = a.offset[0], most = a.offset[0];
  for (i64 k = 1; k < a.taps; k++) {
    least = min_of(least, a.offset[k]);
    most = a.offset[k] > most ? a.offset[k] : most;
  }
  a.slots = a.reach = 0;
  for (i64 k = 0; k < a.taps; k++) {
    const i64 origin = least + (a.offset[k] - least) % a.stride;
    i64 s = 0;
    while (s < a.slots && a.origin[s] != origin) s++;
    if (s == a.slots) a.origin[a.slots++] = origin;
    a.slot[k] = s;
    a.shift[k] = (a.offset[k] - least) / a.stride;
    a.reach = a.shift[k] > a.reach ? a.shift[k] : a.reach;
  }
  a.inside = least >= 0 && (a.grid - 1) * a.stride + most < a.size;
  const i64 extent = a.grid + a.reach;
  for (i64 s = 0; s < a.slots; s++) {
    const i64 at = a.origin[s], left = a.size - at;
    a.begin[s] = at >= 0 ? 0 : min_of(extent, ceil_div(-at, a.stride));
    a.end[s] = left <= 0 ? 0 : min_of(extent, ceil_div(left, a.stride));
    if (a.end[s] < a.begin[s]) a.end[s] = a.begin[s];
  }
}

/** Room for the tables of three axes of at most that many taps each. */
inline void place_axes(Axis (&axis)[3], const i64 (&taps)[3]) {
  i64* p = scratch<i64>(kAxes, 6 * (taps[0] + taps[1] + taps[2]));
  for (int d = 0; d < 3; d++) {
    axis[d].offset = p;
    axis[d].origin = p + taps[d];
    axis[d].slot = p + 2 * taps[d];
    axis[d].shift = p + 3 * taps[d];
    axis[d].begin = p + 4 * taps[d];
    axis[d].end = p + 5 * taps[d];
    p += 6 * taps[d];
  }
}

/** Sizes and steps of a convolution of [N, C, D, H, W] with [O, C / groups, kD, kH, kW] to [N, O, D', H', W']. */
struct Geometry {
  i64 groups;
  i64 stride[3], padding[3], dilation[3];
};

inline Geometry read_geometry(Args& in) {
  Geometry g;
  g.groups = in.integer();
  for (int d = 0; d < 3; d++) g.stride[d] = in.integer();
  for (int d = 0; d < 3; d++) g.padding[d] = in.integer();
  for (int d = 0; d < 3; d++) g.dilation[d] = in.integer();
  return g;
}

/** The axes that read the input at the positions of the output. */
inline void forward_axes(Axis (&axis)[3], const Geometry& g, const TensorArg& input, const TensorArg& weight,
                         const TensorArg& out) {
  const i64 taps[3] = {weight.shape[2], weight.shape[3], weight.shape[4]};
  place_axes(axis, taps);
  for (int d = 0; d < 3; d++) {
    Axis& a = axis[d];
    a.size = input.shape[2 + d];
    a.grid = out.shape[2 + d];
    a.stride = g.stride[d];
    a.taps = taps[d];
    for (i64 k = 0; k < a.taps; k++) a.offset[k] = k * g.dilation[d] - g.padding[d];
    finish_axis(a);
  }
}

/** The source of one group: spatially contiguous images. */
template <class S>
struct Source {
  const S* data;
  i64 image, channel;  // strides
  i64 images;
  const S* end;  // of the whole tensor: what may be read
  Axis axis[3];
  i64 taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
  i64 grid() const { return axis[0].grid * axis[1].grid * axis[2].grid; }
};

/** Positions that are worked on together: a part of one image, or several whole images. */
struct Window {
  i64 image, images;
  i64 start;               // first position within the image
  i64 size;                // positions in all
  i64 first[3], count[3];  // the box of positions around it
};

/** How the positions are divided in windows. */
struct Division {
  i64 parts;     // of an image
  i64 pieces;    // of a row, where rows are long: then no part has more than one row; or 0
  bool stacked;  // several images in a window
  i64 windows;
};

template <class S>
Division divide(const Source<S>& s) {
  const i64 grid = s.grid(), row = s.axis[2].grid;
  Division v{1, 0, false, s.images};
  if (row >= kWindow) {
    v.pieces = ceil_div(row, kWindow);
    v.parts = grid / row * v.pieces;
    v.windows = s.images * v.parts;
  } else if (grid > kWindow + kWindow / 4) {
    v.parts = ceil_div(grid, kWindow);
    v.windows = s.images * v.parts;
  } else if (grid > 0 && 2 * grid <= kWindow) {
    const i64 threads = tt_num_threads();
    v.windows = ceil_div(s.images, kWindow / grid);
    if (s.images >= threads) v.windows = ceil_div(v.windows, threads) * threads;
    v.windows = min_of(v.windows, s.images);
    v.stacked = true;
  }
  return v;
}

template <class S>
Window window_of(const Source<S>& s, const Division& v, i64 index) {
  Window w;
  const i64 grid = s.grid();
  for (int d = 0; d < 3; d++) {
    w.first[d] = 0;
    w.count[d] = s.axis[d].grid;
  }
  if (v.stacked) {
    w.image = part_start(s.images, v.windows, index);
    w.images = part_start(s.images, v.windows, index + 1) - w.image;
    w.start = 0;
    w.size = w.images * grid;
    return w;
  }
  w.image = index / v.parts;
  w.images = 1;
  // Parts begin at whole vectors of the result.
  const i64 unit = 16, part = index % v.parts, units = ceil_div(grid, unit);
  if (v.pieces > 0) {
    const i64 line = part / v.pieces, piece = part % v.pieces, all = s.axis[2].grid, in_row = ceil_div(all, unit);
    w.first[2] = part_start(in_row, v.pieces, piece) * unit;
    w.count[2] = min_of(all, part_start(in_row, v.pieces, piece + 1) * unit) - w.first[2];
    w.first[1] = line % s.axis[1].grid;
    w.first[0] = line / s.axis[1].grid;
    w.count[0] = w.count[1] = 1;
    w.start = line * all + w.first[2];
    w.size = w.count[2];
    return w;
  }
  w.start = part_start(units, v.parts, part) * unit;
  w.size = min_of(grid, part_start(units, v.parts, part + 1) * unit) - w.start;
  const i64 height = s.axis[1].grid, row = s.axis[2].grid, last = w.start + w.size - 1;
  w.first[0] = w.start / (height * row);
  w.count[0] = last / (height * row) - w.first[0] + 1;
  if (w.count[0] == 1) {
    w.first[1] = w.start / row % height;
    w.count[1] = last / row % height - w.first[1] + 1;
  }
  return w;
}

/** Where the elements of a window lie: strides of images, channels and positions, and the end of what may be read. */
template <class T>
struct View {
  const T* data;
  const T* end;
  i64 image, channel, step[3];
};

/** The offset of every tap from a position's element, for a slab whose axes have these extents. */
template <class S>
void tap_offsets(i64* to, const Source<S>& s, const i64 (&extent)[3], const i64 (&step)[3]) {
  for (i64 a = 0; a < s.axis[0].taps; a++) {
    for (i64 b = 0; b < s.axis[1].taps; b++) {
      for (i64 c = 0; c < s.axis[2].taps; c++) {
        const i64 k[3] = {a, b, c};
        i64 offset = 0;
        for (int d = 0; d < 3; d++) offset += (s.axis[d].slot[k[d]] * extent[d] + s.axis[d].shift[k[d]]) * step[d];
        *to++ = offset;
      }
    }
  }
}

/** The offset of every position of a window. */
template <class T, class S>
void position_offsets(i64* to, const Source<S>& s, const Window& w, const View<T>& v) {
  const i64 height = s.axis[1].grid, row = s.axis[2].grid;
  i64 q = w.start % row, h = w.start / row % height, d = w.start / row / height, n = 0;
  for (i64 j = 0; j < w.size; j++) {
    to[j] = n * v.image + (d - w.first[0]) * v.step[0] + (h - w.first[1]) * v.step[1] + (q - w.first[2]) * v.step[2];
    if (++q < row) continue;
    q = 0;
    if (++h < height) continue;
    h = 0;
    if (++d < s.axis[0].grid) continue;
    d = 0;
    n++;
  }
}

template <class T, class S>
TT_INLINE void copy_strided(T* to, const S* from, i64 stride, i64 n) {
  if (stride == 1) {
    for (i64 i = 0; i < n; i++) to[i] = widened<T>(from[i]);
  } else if (stride == 2) {
    for (i64 i = 0; i < n; i++) to[i] = widened<T>(from[2 * i]);
  } else {
    for (i64 i = 0; i < n; i++) to[i] = widened<T>(from[i * stride]);
  }
}

/** The even elements of a and b. */
template <class V, int... I>
TT_INLINE V even_lanes(V a, V b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}

/** copy_strided that may read 2 vectors too much and write one too much. */
template <class T>
TT_INLINE void copy_vectors(T* to, const T* from, i64 stride, i64 n) {
  constexpr int L = lanes<T>;
  if (stride == 1) {
    for (i64 i = 0; i < n; i += L) store(to + i, load(from + i));
  } else {
    constexpr auto lane = std::make_integer_sequence<int, L>{};
    for (i64 i = 0; i < n; i += L) store(to + i, even_lanes(load(from + 2 * i), load(from + 2 * i + L), lane));
  }
}

/** n elements of one value, written as whole vectors. */
template <class T>
TT_INLINE void fill_vectors(T* to, i64 n, T value) {
  const Vec<T> v = broadcast(value);
  for (i64 i = 0; i < n; i += lanes<T>) store(to + i, v);
}

/** The elements of a slot over a window that lie in the source: [begin, end) of `extent` from the window's first. */
struct Range {
  i64 begin, end;
};
inline Range range_of(const Axis& a, i64 slot, i64 first, i64 extent) {
  const auto within = [&](i64 e) { return e < first ? 0 : min_of(e - first, extent); };
  return Range{within(a.begin[slot]), within(a.end[slot])};
}

/** One row of a slot: `extent` elements, those outside of the source having one value. What is written past them (at
    most a vector) belongs to the rows that follow. */
template <class T, class S>
TT_INLINE void fill_row(T* cells, const S* from, const Axis& a, i64 slot, i64 origin, Range r, i64 extent, T outside,
                        const S* end) {
  if (from == nullptr) return fill_vectors(cells, extent, outside);
  const i64 first = r.begin, last = r.end, n = last - first;
  if (first > 0) fill_vectors(cells, first, outside);
  if (n > 0) {
    const S* start = from + (origin + first) * a.stride + a.origin[slot];
    bool done = false;
    if constexpr (same_type<T, S>) {
      if (a.stride <= 2 && start + (n + lanes<T>) * a.stride <= end) {
        copy_vectors(cells + first, start, a.stride, n);
        done = true;
      }
    }
    if (!done) copy_strided(cells + first, start, a.stride, n);
  }
  if (last < extent) fill_vectors(cells + last, extent - last, outside);
}

/** Extents of a slab over a window. */
template <class S>
void slab_extents(const Source<S>& s, const Window& w, i64 (&extent)[3]) {
  for (int d = 0; d < 3; d++) extent[d] = w.count[d] + s.axis[d].reach;
}

/** Calls row(source row or null, index of the slab's row) for every row of a slab of one plane. */
template <class S, class Row>
void each_slab_row(const Source<S>& s, const Window& w, const i64 (&extent)[3], const S* plane, const Row& row) {
  const Axis &deep = s.axis[0], &high = s.axis[1];
  i64 index = 0;
  for (i64 sd = 0; sd < deep.slots; sd++) {
    for (i64 ed = 0; ed < extent[0]; ed++) {
      const i64 z = (w.first[0] + ed) * deep.stride + deep.origin[sd];
      for (i64 sh = 0; sh < high.slots; sh++) {
        for (i64 eh = 0; eh < extent[1]; eh++, index++) {
          const i64 y = (w.first[1] + eh) * high.stride + high.origin[sh];
          const bool valid = z >= 0 && z < deep.size && y >= 0 && y < high.size;
          row(valid ? plane + (z * high.size + y) * s.axis[2].size : nullptr, index);
        }
      }
    }
  }
}

/** The strides of a slab over a window whose elements are `element` apart. */
template <class T, class S>
View<T> lay_out(const Source<S>& s, const i64 (&extent)[3], i64 element) {
  View<T> v;
  v.step[2] = element;
  v.step[1] = s.axis[2].slots * extent[2] * element;
  v.step[0] = s.axis[1].slots * extent[1] * v.step[1];
  return v;
}

/** `count` channels of a window from `data` (the first one's first element) to a slab that is laid out as v, with
    `outside` where taps leave the source. Writes up to a vector past the slab. */
template <class T, class S>
void copy_to_slab(T* slab, const View<T>& v, const i64 (&extent)[3], const Source<S>& s, const S* data, const Window& w,
                  i64 count, T outside) {
  constexpr i64 kKept = 4;
  const Axis& wide = s.axis[2];
  Range kept[kKept];
  for (i64 k = 0; k < min_of(kKept, wide.slots); k++) kept[k] = range_of(wide, k, w.first[2], extent[2]);
  for (i64 n = 0; n < w.images; n++) {
    for (i64 c = 0; c < count; c++) {
      T* to = slab + n * v.image + c * v.channel;
      each_slab_row(s, w, extent, data + n * s.image + c * s.channel, [&](const S* from, i64 index) {
        T* cells = to + index * v.step[1];
        for (i64 k = 0; k < wide.slots; k++, cells += extent[2]) {
          const Range r = k < kKept ? kept[k] : range_of(wide, k, w.first[2], extent[2]);
          fill_row(cells, from, wide, k, w.first[2], r, extent[2], outside, s.end);
        }
      });
    }
  }
}

/** A slab for `count` channels of a window, and its taps' offsets; what follows its elements may be read. */
template <class T, class S>
View<T> make_slab(const Source<S>& s, const Window& w, const i64 (&extent)[3], i64 count, i64* taps, T outside) {
  View<T> v = lay_out<T>(s, extent, 1);
  v.channel = s.axis[0].slots * extent[0] * v.step[0];
  v.image = count * v.channel;
  tap_offsets(taps, s, extent, v.step);
  const i64 size = w.images * v.image + 8 * lanes<T>;
  T* slab = scratch<T>(kSlab, size);
  v.data = slab;
  v.end = slab + size;
  for (i64 i = w.images * v.image; i < size; i++) slab[i] = outside;
  return v;
}

/** Channels [first, first + count) of a window, channel by channel. Fills taps' offsets too. */
template <class T, class S>
View<T> fill_slab(const Source<S>& s, const Window& w, i64 first, i64 count, i64* taps, T outside = T(0)) {
  i64 extent[3];
  slab_extents(s, w, extent);
  const View<T> v = make_slab<T>(s, w, extent, count, taps, outside);
  copy_to_slab(const_cast<T*>(v.data), v, extent, s, s.data + w.image * s.image + first * s.channel, w, count, outside);
  return v;
}

/** Whether the source can be read in place: rows of unit stride that no tap leaves. */
template <class T, class S>
bool reads_in_place(const Source<S>& s) {
  return same_type<T, S> && s.axis[2].stride == 1 && s.axis[0].inside && s.axis[1].inside && s.axis[2].inside;
}

template <class T>
View<T> view_in_place(const Source<T>& s, const Window& w, i64 first, i64 channels, i64* taps) {
  const i64 row = s.axis[2].size, plane = s.axis[1].size * row;
  View<T> v;
  v.image = s.image;
  v.channel = s.channel;
  v.step[0] = s.axis[0].stride * plane;
  v.step[1] = s.axis[1].stride * row;
  v.step[2] = 1;
  const T* start = s.data + w.image * s.image + first * s.channel;
  v.end = start + (w.images - 1) * s.image + (channels - 1) * s.channel + s.axis[0].size * plane;
  v.data = start + w.first[0] * v.step[0] + w.first[1] * v.step[1] + w.first[2] * v.step[2];
  for (i64 a = 0; a < s.axis[0].taps; a++) {
    for (i64 b = 0; b < s.axis[1].taps; b++) {
      for (i64 c = 0; c < s.axis[2].taps; c++) {
        *taps++ = s.axis[0].offset[a] * plane + s.axis[1].offset[b] * row + s.axis[2].offset[c];
      }
    }
  }
  return v;
}

/** Neighbouring columns of a panel that are neighbours in the view too. */
struct Run {
  i64 from;
  int to, length, vectors;
};

template <class T>
int find_runs(Run* runs, const i64* columns, i64 count) {
  int n = 0;
  for (i64 i = 0; i < count; i++) {
    if (n > 0 && runs[n - 1].from + runs[n - 1].length == columns[i]) {
      runs[n - 1].length++;
    } else {
      runs[n++] = Run{columns[i], static_cast<int>(i), 1, 0};
    }
  }
  for (int r = 0; r < n; r++) runs[r].vectors = (runs[r].length + lanes<T> - 1) / lanes<T>;
  return n;
}

/** Panel [k][width] of the elements columns[i] + ks[p] of the view. Runs are stored as whole vectors, in order, so that
    what one writes too much, the next overwrites; the last writes past the end (kPackSlack). */
template <class T>
void pack_runs(T* to, i64 width, const View<T>& v, const i64* columns, i64 count, const i64* ks, i64 k) {
  constexpr int L = lanes<T>;
  Run runs[Tile<T>::cols];
  const int n = find_runs<T>(runs, columns, count);
  i64 farthest = 0, highest = 0;
  for (int r = 0; r < n; r++) {
    const i64 end = runs[r].from + runs[r].vectors * L;
    farthest = end > farthest ? end : farthest;
  }
  for (i64 p = 0; p < k; p++) highest = ks[p] > highest ? ks[p] : highest;
  if (v.data + highest + farthest > v.end) {
    for (i64 p = 0; p < k; p++) {
      const T* from = v.data + ks[p];
      for (int r = 0; r < n; r++) {
        memcpy(to + p * width + runs[r].to, from + runs[r].from, static_cast<size_t>(runs[r].length) * sizeof(T));
      }
      for (i64 i = count; i < width; i++) to[p * width + i] = T(0);
    }
    return;
  }
  if (n == 1 && width == 2 * L && runs[0].vectors == 2) {
    const T* data = v.data + runs[0].from;
    for (i64 p = 0; p < k; p++) {
      const T* from = data + ks[p];
      const Vec<T> x = load(from), y = load(from + L);
      store(to + p * width, x);
      store(to + p * width + L, y);
    }
    return;
  }
  for (i64 p = 0; p < k; p++) {
    const T* from = v.data + ks[p];
    T* row = to + p * width;
    for (int r = 0; r < n; r++) {
      const T* x = from + runs[r].from;
      T* y = row + runs[r].to;
      for (int i = 0; i < runs[r].vectors; i++) store(y + i * L, load(x + i * L));
    }
  }
}

/** Panels of columns [0, n), one after the other, as run_block takes them. */
template <class T>
void pack_columns(T* to, const View<T>& v, const i64* columns, i64 n, const i64* ks, i64 k) {
  constexpr i64 kCols = Tile<T>::cols;
  for (i64 j = 0; j < n; j += kCols) {
    const i64 cols = min_of(kCols, n - j);
    pack_runs(to + j * k, ceil_div(cols, lanes<T>) * lanes<T>, v, columns + j, cols, ks, k);
  }
}

/** Panels packed before they are used: a few, so that they stay in cache. */
template <class T>
i64 columns_at_once(i64 rows) {
  return (rows <= 2 * kBlockRowTiles * Tile<T>::rows ? 1 : 8) * Tile<T>::cols;
}

}  // namespace conv
}  // namespace KERNEL_NS
}  // namespace tt
