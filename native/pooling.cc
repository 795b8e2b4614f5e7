// Pools over windows of [planes, D, H, W], contiguous, of one dtype: F32, F64, F16, BF16 (single precision within) or I64.
//
// max_pool: out, has_indices, indices (I64: flat positions in the plane), in, then kernel, stride, padding and dilation
//   of the three dimensions. NaN is the largest; of equal elements the first counts.
// avg_pool: out, in, the same numbers, count_include_pad, divisor (0: the number of elements).
// avg_pool_backward: grad_in, grad, and the numbers of avg_pool.
//
// A plane is copied to the slab of conv.h, padded and with the elements that one tap reads at consecutive windows next
// to each other: then every tap of a vector of windows is one load, whatever the stride.
#include <type_traits>

#include "conv.h"

namespace tt {
inline namespace KERNEL_NS {
namespace pooling {
namespace {

using conv::Axis;
using conv::Division;
using conv::Source;
using conv::View;
using conv::Window;
using conv::scratch;

enum PoolScratch : int { kRowTables = 0, kAxisTables = conv::kAxes, kTables = conv::kTables, kRows = 6, kResult = 7 };

template <class T>
using TapOf = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

struct Sizes {
  i64 kernel[3], stride[3], padding[3], dilation[3];
};

Sizes read_sizes(Args& in) {
  Sizes z;
  for (i64* list : {z.kernel, z.stride, z.padding, z.dilation}) {
    for (int d = 0; d < 3; d++) list[d] = in.integer();
  }
  return z;
}

/** The axes of an image [planes, D, H, W] seen from windows [planes, D', H', W']. */
template <class S>
Source<S> source_of(const S* data, const TensorArg& image, const TensorArg& windows, const Sizes& z) {
  Source<S> s;
  s.data = data;
  s.images = image.shape[0];
  s.image = s.channel = image.shape[1] * image.shape[2] * image.shape[3];
  s.end = data + image.numel();
  conv::place_axes(s.axis, z.kernel);
  for (int d = 0; d < 3; d++) {
    Axis& a = s.axis[d];
    a.size = image.shape[1 + d];
    a.grid = windows.shape[1 + d];
    a.stride = z.stride[d];
    a.taps = z.kernel[d];
    for (i64 k = 0; k < a.taps; k++) a.offset[k] = k * z.dilation[d] - z.padding[d];
    finish_axis(a);
  }
  return s;
}

/** The first tap of a window that lies in the image. */
i64 first_inside(const Axis& a, i64 position) {
  i64 k = 0;
  while (k + 1 < a.taps && position * a.stride + a.offset[k] < 0) k++;
  return k;
}

template <class T>
T lowest() {
  if constexpr (std::is_same_v<T, int64_t>) {
    return INT64_MIN;
  } else {
    return -static_cast<T>(__builtin_inf());
  }
}

/** N vectors of neighbouring windows: the largest element and its tap. start: the taps that count where all is lowest. */
template <class T, int N>
TT_INLINE void max_vectors(T* best_to, TapOf<T>* tap_to, const T* from, const i64* taps, i64 count,
                           const TapOf<T>* start, TapOf<T> start_row) {
  using V = Vec<T>;
  using I = Vec<TapOf<T>>;
  constexpr int L = lanes<T>;
  V best[N];
  I tap[N];
  TT_UNROLL
  for (int i = 0; i < N; i++) {
    best[i] = broadcast(lowest<T>());
    tap[i] = load(start + i * L) + start_row;
  }
  for (i64 k = 0; k < count; k++) {
    const T* p = from + taps[k];
    TT_UNROLL
    for (int i = 0; i < N; i++) {
      const V x = load(p + i * L);
      const auto larger = (x > best[i]) | (x != x);
      best[i] = larger ? x : best[i];
      tap[i] = larger ? I{} + static_cast<TapOf<T>>(k) : tap[i];
    }
  }
  TT_UNROLL
  for (int i = 0; i < N; i++) {
    store(best_to + i * L, best[i]);
    store(tap_to + i * L, tap[i]);
  }
}

template <class T, class S>
struct MaxPool {
  Source<S> source;
  S* out;
  i64* indices;          // or null
  const i64* tap_at;     // of each tap: its distance from the window's origin in the plane
  const TapOf<T>* start;  // of each window along the last axis: the first tap inside, readable past the end by vectors
};

template <class T, class S>
void max_plane(const MaxPool<T, S>& p, i64 plane) {
  constexpr int L = lanes<T>;
  using Tap = TapOf<T>;
  const Source<S>& s = p.source;
  const Axis *deep = &s.axis[0], *high = &s.axis[1], *wide = &s.axis[2];
  const Window w = window_of(s, Division{1, 0, false, s.images}, plane);
  const i64 count = s.taps(), width = wide->grid, chunks = ceil_div(width, L), stride = wide->stride;
  i64* taps = scratch<i64>(kTables, count);
  const View<T> view = conv::fill_slab<T, S>(s, w, 0, 1, taps, lowest<T>());
  T* best = scratch<T>(kRows, 2 * (chunks + 1) * L);
  Tap* tap = reinterpret_cast<Tap*>(best + (chunks + 1) * L);
  i64 at = plane * s.grid();
  for (i64 d = 0; d < deep->grid; d++) {
    for (i64 h = 0; h < high->grid; h++, at += width) {
      const T* from = view.data + d * view.step[0] + h * view.step[1];
      const Tap row = static_cast<Tap>((first_inside(*deep, d) * high->taps + first_inside(*high, h)) * wide->taps);
      i64 i = 0;
      for (; i + 2 <= chunks; i += 2) {
        max_vectors<T, 2>(best + i * L, tap + i * L, from + i * L, taps, count, p.start + i * L, row);
      }
      if (i < chunks) max_vectors<T, 1>(best + i * L, tap + i * L, from + i * L, taps, count, p.start + i * L, row);
      S* out = p.out + at;
      for (i64 q = 0; q < width; q++) narrow(out[q], best[q]);
      if (p.indices == nullptr) continue;
      const i64 origin = (d * deep->stride * high->size + h * high->stride) * wide->size;
      i64* index = p.indices + at;
      for (i64 q = 0; q < width; q++) index[q] = origin + q * stride + p.tap_at[tap[q]];
    }
  }
}

/** Pools planes [0, n) in several threads. */
template <class S, class Body>
void each_plane(const Source<S>& s, const Body& body) {
  const i64 work = s.grid() * s.taps() + s.image;
  parallel_for(s.images, ceil_div(32 * 1024, work + 1), [&](i64 begin, i64 end) {
    for (i64 plane = begin; plane < end; plane++) body(plane);
  });
}

struct MaxArgs {
  TensorArg out, indices, in;
  bool has_indices;
  Sizes sizes;
};

template <class T, class S>
void max_pool(const MaxArgs& a) {
  if (a.out.numel() == 0) return;
  MaxPool<T, S> p;
  p.source = source_of(a.in.as<S>(), a.in, a.out, a.sizes);
  p.out = a.out.as<S>();
  p.indices = a.has_indices ? a.indices.as<i64>() : nullptr;
  const Axis *deep = &p.source.axis[0], *high = &p.source.axis[1], *wide = &p.source.axis[2];
  const i64 count = p.source.taps(), padded = wide->grid + 4 * lanes<T>;
  i64* tap_at = scratch<i64>(kRowTables, count + padded);
  TapOf<T>* start = reinterpret_cast<TapOf<T>*>(tap_at + count);
  i64 k = 0;
  for (i64 d = 0; d < deep->taps; d++) {
    for (i64 h = 0; h < high->taps; h++) {
      for (i64 q = 0; q < wide->taps; q++) {
        tap_at[k++] = (deep->offset[d] * high->size + high->offset[h]) * wide->size + wide->offset[q];
      }
    }
  }
  for (i64 q = 0; q < padded; q++) start[q] = static_cast<TapOf<T>>(first_inside(*wide, min_of(q, wide->grid - 1)));
  p.tap_at = tap_at;
  p.start = start;
  each_plane(p.source, [&](i64 plane) { max_plane(p, plane); });
}

template <class T, class S>
struct AvgPool {
  Source<S> source;
  S* image;          // what backward writes
  const S* windows;  // what backward reads
  S* out;            // what forward writes
  i64 divisor;       // or 0: the product of the counts of the three axes
  const i64* counts[3];
};

/** How many elements of each window along an axis count. */
void count_elements(i64* to, const Axis& a, i64 kernel, i64 padding, bool include_pad) {
  for (i64 q = 0; q < a.grid; q++) {
    const i64 start = q * a.stride - padding, end = min_of(start + kernel, a.size + padding);
    to[q] = include_pad ? end - start : min_of(end, a.size) - (start > 0 ? start : 0);
  }
}

/** The divisors of a row of windows. */
template <class T, class S>
void row_divisors(T* to, const AvgPool<T, S>& p, i64 d, i64 h) {
  const i64 width = p.source.axis[2].grid, outer = p.counts[0][d] * p.counts[1][h];
  for (i64 q = 0; q < width; q++) to[q] = static_cast<T>(p.divisor != 0 ? p.divisor : outer * p.counts[2][q]);
}

template <class T, class S>
void avg_plane(const AvgPool<T, S>& p, i64 plane) {
  constexpr int L = lanes<T>;
  const Source<S>& s = p.source;
  const Window w = window_of(s, Division{1, 0, false, s.images}, plane);
  const i64 count = s.taps(), width = s.axis[2].grid, chunks = ceil_div(width, L);
  i64* taps = scratch<i64>(kTables, count);
  const View<T> view = conv::fill_slab<T, S>(s, w, 0, 1, taps);
  T *sums = scratch<T>(kRows, chunks * L), *divisors = scratch<T>(kResult, width);
  S* out = p.out + plane * s.grid();
  for (i64 d = 0; d < s.axis[0].grid; d++) {
    for (i64 h = 0; h < s.axis[1].grid; h++, out += width) {
      const T* from = view.data + d * view.step[0] + h * view.step[1];
      for (i64 i = 0; i < chunks; i++) {
        Vec<T> sum{};
        for (i64 k = 0; k < count; k++) sum += load(from + taps[k] + i * L);
        store(sums + i * L, sum);
      }
      row_divisors(divisors, p, d, h);
      for (i64 q = 0; q < width; q++) narrow(out[q], sums[q] / divisors[q]);
    }
  }
}

/** A slab's rows back to the plane: every element of the plane that a slot holds is written. */
template <class T, class S>
void unfold_slab(S* plane, const Source<S>& s, const Window& w, const View<T>& v) {
  i64 extent[3];
  conv::slab_extents(s, w, extent);
  const Axis& wide = s.axis[2];
  conv::each_slab_row(s, w, extent, static_cast<const S*>(plane), [&](const S* row, i64 index) {
    if (row == nullptr) return;
    S* to = plane + (row - plane);
    for (i64 k = 0; k < wide.slots; k++) {
      const T* from = v.data + index * v.step[1] + k * extent[2];
      S* start = to + wide.origin[k];
      for (i64 i = wide.begin[k]; i < wide.end[k]; i++) narrow(start[i * wide.stride], from[i]);
    }
  });
}

/** A slab of zeros over a whole plane. */
template <class T, class S>
View<T> empty_slab(const Source<S>& s, const Window& w, i64* taps) {
  i64 extent[3];
  conv::slab_extents(s, w, extent);
  View<T> v = conv::lay_out<T>(s, extent, 1);
  tap_offsets(taps, s, extent, v.step);
  const i64 size = s.axis[0].slots * extent[0] * v.step[0] + 8 * lanes<T>;
  T* slab = scratch<T>(conv::kSlab, size);
  for (i64 i = 0; i < size; i++) slab[i] = T(0);
  v.data = slab;
  v.end = slab + size;
  return v;
}

template <class T, class S>
void avg_plane_backward(const AvgPool<T, S>& p, i64 plane) {
  constexpr int L = lanes<T>;
  const Source<S>& s = p.source;
  const Window w = window_of(s, Division{1, 0, false, s.images}, plane);
  const i64 count = s.taps(), width = s.axis[2].grid, chunks = ceil_div(width, L);
  i64* taps = scratch<i64>(kTables, count);
  const View<T> view = empty_slab<T>(s, w, taps);
  T *shares = scratch<T>(kRows, chunks * L), *divisors = scratch<T>(kResult, width);
  for (i64 q = width; q < chunks * L; q++) shares[q] = T(0);
  const S* grad = p.windows + plane * s.grid();
  for (i64 d = 0; d < s.axis[0].grid; d++) {
    for (i64 h = 0; h < s.axis[1].grid; h++, grad += width) {
      row_divisors(divisors, p, d, h);
      for (i64 q = 0; q < width; q++) shares[q] = widened<T>(grad[q]) / divisors[q];
      T* to = const_cast<T*>(view.data) + d * view.step[0] + h * view.step[1];
      for (i64 k = 0; k < count; k++) {
        for (i64 i = 0; i < chunks; i++) store(to + taps[k] + i * L, load(to + taps[k] + i * L) + load(shares + i * L));
      }
    }
  }
  S* image = p.image + plane * s.image;
  memset(static_cast<void*>(image), 0, static_cast<size_t>(s.image) * sizeof(S));
  unfold_slab(image, s, w, view);
}

struct AvgArgs {
  TensorArg to, from;
  Sizes sizes;
  bool include_pad, backward;
  i64 divisor;
};

template <class T, class S>
void avg_pool(const AvgArgs& a) {
  if (a.to.numel() == 0) return;
  const TensorArg &image = a.backward ? a.to : a.from, &windows = a.backward ? a.from : a.to;
  AvgPool<T, S> p;
  p.source = source_of<S>(image.as<S>(), image, windows, a.sizes);
  p.image = image.as<S>();
  p.windows = windows.as<S>();
  p.out = windows.as<S>();
  p.divisor = a.divisor;
  i64* counts = scratch<i64>(kRowTables, windows.shape[1] + windows.shape[2] + windows.shape[3]);
  for (int d = 0; d < 3; d++) {
    count_elements(counts, p.source.axis[d], a.sizes.kernel[d], a.sizes.padding[d], a.include_pad);
    p.counts[d] = counts;
    counts += windows.shape[1 + d];
  }
  each_plane(p.source, [&](i64 plane) { a.backward ? avg_plane_backward(p, plane) : avg_plane(p, plane); });
}

void run_max_pool(double* args) {
  Args in(args);
  MaxArgs a;
  in.tensor(a.out);
  a.has_indices = in.flag();
  if (a.has_indices) in.tensor(a.indices);
  in.tensor(a.in);
  a.sizes = read_sizes(in);
  switch (a.out.dtype) {
    case DType::F32: return max_pool<float, float>(a);
    case DType::F64: return max_pool<double, double>(a);
    case DType::F16: return max_pool<float, F16Bits>(a);
    case DType::BF16: return max_pool<float, BF16Bits>(a);
    default: return max_pool<int64_t, int64_t>(a);
  }
}

template <bool Backward>
void run_avg_pool(double* args) {
  Args in(args);
  AvgArgs a;
  in.tensor(a.to);
  in.tensor(a.from);
  a.sizes = read_sizes(in);
  a.include_pad = in.flag();
  a.divisor = in.integer();
  a.backward = Backward;
  switch (a.to.dtype) {
    case DType::F32: return avg_pool<float, float>(a);
    case DType::F64: return avg_pool<double, double>(a);
    case DType::F16: return avg_pool<float, F16Bits>(a);
    case DType::BF16: return avg_pool<float, BF16Bits>(a);
    default: return avg_pool<int64_t, int64_t>(a);
  }
}

}  // namespace
}  // namespace pooling

extern const KernelEntry pooling_kernels[];
const KernelEntry pooling_kernels[] = {{"max_pool", pooling::run_max_pool},
                                       {"avg_pool", pooling::run_avg_pool<false>},
                                       {"avg_pool_backward", pooling::run_avg_pool<true>},
                                       {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
