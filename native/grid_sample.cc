// Sampling of images [N, C, S...] at places [N, P, D] (x first, -1 to 1), D of 2 or 3; all contiguous, F32 or F64.
//
// grid_sample: out [N, C, P], in, grid, mode (0 linear, 1 nearest, 2 cubic), padding (0 zeros, 1 border, 2 reflection),
//   align_corners.
// grid_sample_backward: has_grad_in, grad_in?, has_grad_grid, grad_grid?, grad [N, C, P], in, grid, mode, padding,
//   align_corners.
//
// Along each axis a place reads one, two or four elements (taps) with weights that depend on it. For a block of places
// the products of taps over the axes are written to tables once: offset in the image (-1 outside), weight, and the
// weight's derivatives by the place; every channel then is a few gathers.
#include "gemm_core.h"

namespace tt {
inline namespace KERNEL_NS {
namespace grid {
namespace {

enum class Mode : int { Linear, Nearest, Cubic };
enum class Padding : int { Zeros, Border, Reflection };
enum GridScratch : int { kTables = 4 };

constexpr i64 kPlaces = 128;  // of a block

struct Sampling {
  i64 images, channels, places;
  int dims;
  i64 size[3];  // of the image, x first
  Mode mode;
  Padding padding;
  bool align;
  i64 area() const { return size[0] * size[1] * (dims == 3 ? size[2] : 1); }
  int taps_along() const { return mode == Mode::Linear ? 2 : mode == Mode::Nearest ? 1 : 4; }
  int taps() const {
    const int k = taps_along();
    return dims == 3 ? k * k * k : k * k;
  }
};

TT_INLINE float floor_of(float x) { return __builtin_floorf(x); }
TT_INLINE double floor_of(double x) { return __builtin_floor(x); }
TT_INLINE float trunc_of(float x) { return __builtin_truncf(x); }
TT_INLINE double trunc_of(double x) { return __builtin_trunc(x); }
TT_INLINE float rint_of(float x) { return __builtin_rintf(x); }
TT_INLINE double rint_of(double x) { return __builtin_rint(x); }
TT_INLINE float size_of(float x) { return __builtin_fabsf(x); }
TT_INLINE double size_of(double x) { return __builtin_fabs(x); }

/** A position and the factor of its derivative. */
template <class T>
struct Place {
  T at, factor;
};

template <class T>
TT_INLINE T unnormalized(T x, i64 size, bool align, bool flat) {
  const T n = static_cast<T>(size);
  if (align) return flat ? (x + 1) * ((n - 1) / 2) : (x + 1) / 2 * (n - 1);
  return flat ? (x + 1) * (n / 2) - T(0.5) : ((x + 1) * n - 1) / 2;
}

template <class T>
TT_INLINE Place<T> reflected(Place<T> p, i64 size, bool align) {
  const T low = align ? T(0) : T(-0.5), span = static_cast<T>(align ? size - 1 : size);
  if (span == 0) return {T(0), T(0)};
  const T distance = size_of(p.at - low), twice = 2 * span;
  const T flips = trunc_of(distance / twice);
  const T rest = distance - flips * twice;
  const bool back = rest > span;
  const bool negative = p.at < low;
  return {(back ? twice - rest : rest) + low, back != negative ? -p.factor : p.factor};
}

template <class T>
TT_INLINE Place<T> clipped(Place<T> p, i64 size) {
  const T last = static_cast<T>(size - 1);
  if (!(p.at > 0)) return {T(0), T(0)};
  if (!(p.at < last)) return {last, T(0)};
  return p;
}

template <class T>
TT_INLINE Place<T> padded(Place<T> p, i64 size, Padding padding, bool align) {
  if (padding == Padding::Zeros) return p;
  return clipped(padding == Padding::Reflection ? reflected(p, size, align) : p, size);
}

/** The element at a whole position: -1 outside, which no conversion of a NaN or of a large value sees. */
template <class T>
TT_INLINE int32_t element_at(T at, i64 size) {
  return at >= 0 && at <= static_cast<T>(size - 1) ? static_cast<int32_t>(at) : -1;
}

/** Keys' cubic kernel with a = -0.75 and its derivative, within and beyond 1. */
template <class T>
TT_INLINE T near_weight(T t) {
  return ((T(1.25) * t - T(2.25)) * t) * t + 1;
}
template <class T>
TT_INLINE T far_weight(T t) {
  return ((T(-0.75) * t + T(3.75)) * t - 6) * t + 3;
}
template <class T>
TT_INLINE T near_slope(T t) {
  return (T(3.75) * t - T(4.5)) * t;
}
template <class T>
TT_INLINE T far_slope(T t) {
  return (T(-2.25) * t + T(7.5)) * t - 6;
}

/** The taps of a block of places along one axis. */
template <class T>
struct AxisTaps {
  alignas(64) int32_t at[4][kPlaces];
  alignas(64) T weight[4][kPlaces], slope[4][kPlaces];
};

template <class T, Mode M, Padding P>
void axis_taps(AxisTaps<T>& to, const T* places, int d, const Sampling& s, i64 count) {
  const i64 size = s.size[d];
  const bool align = s.align, flat = s.dims == 2;
  const T factor = static_cast<T>(align ? size - 1 : size) / 2;
  for (i64 p = 0; p < count; p++) {
    const T at = unnormalized(places[p * s.dims + d], size, align, flat);
    if constexpr (M == Mode::Cubic) {
      const T first = floor_of(at), t = at - first;
      for (int k = 0; k < 4; k++) {
        to.at[k][p] = element_at(padded(Place<T>{first + static_cast<T>(k - 1), T(1)}, size, P, align).at, size);
      }
      to.weight[0][p] = far_weight(t + 1);
      to.weight[1][p] = near_weight(t);
      to.weight[2][p] = near_weight(1 - t);
      to.weight[3][p] = far_weight(2 - t);
      to.slope[0][p] = far_slope(t + 1) * factor;
      to.slope[1][p] = near_slope(t) * factor;
      to.slope[2][p] = -near_slope(1 - t) * factor;
      to.slope[3][p] = -far_slope(2 - t) * factor;
    } else {
      const Place<T> place = padded(Place<T>{at, factor}, size, P, align);
      if constexpr (M == Mode::Nearest) {
        to.at[0][p] = element_at(rint_of(place.at), size);
        to.weight[0][p] = 1;
        to.slope[0][p] = 0;
      } else {
        const T first = floor_of(place.at), right = place.at - first;
        to.at[0][p] = element_at(first, size);
        to.at[1][p] = element_at(first + 1, size);
        to.weight[0][p] = 1 - right;
        to.weight[1][p] = right;
        to.slope[0][p] = -place.factor;
        to.slope[1][p] = place.factor;
      }
    }
  }
}

template <class T>
using AxisTapsOf = void (*)(AxisTaps<T>&, const T*, int, const Sampling&, i64);

template <class T, Mode M>
AxisTapsOf<T> axis_taps_of(Padding padding) {
  if (padding == Padding::Zeros) return axis_taps<T, M, Padding::Zeros>;
  return padding == Padding::Border ? axis_taps<T, M, Padding::Border> : axis_taps<T, M, Padding::Reflection>;
}

template <class T>
AxisTapsOf<T> axis_taps_of(const Sampling& s) {
  if (s.mode == Mode::Linear) return axis_taps_of<T, Mode::Linear>(s.padding);
  return s.mode == Mode::Nearest ? axis_taps_of<T, Mode::Nearest>(s.padding) : axis_taps_of<T, Mode::Cubic>(s.padding);
}

/** Tables of a block of places: [taps][kPlaces], slopes [dims][taps][kPlaces]. */
template <class T>
struct Tables {
  int32_t* offset;
  T* weight;
  T* slope;  // or null
  T* rows;   // dims rows of kPlaces for sums
};

template <class T>
Tables<T> make_tables(const Sampling& s) {
  const i64 n = s.taps() * kPlaces;
  char* p = static_cast<char*>(tt_scratch(
      kTables, static_cast<size_t>(n) * (sizeof(int32_t) + (1 + static_cast<size_t>(s.dims)) * sizeof(T)) + 4 * kPlaces * sizeof(T)));
  Tables<T> t;
  t.weight = reinterpret_cast<T*>(p);
  t.slope = t.weight + n;
  t.rows = t.slope + s.dims * n;
  t.offset = reinterpret_cast<int32_t*>(t.rows + 4 * kPlaces);
  return t;
}

/** Fills the tables for `count` places. */
template <class T>
void fill_tables(const Tables<T>& t, const Sampling& s, const T* places, i64 count, bool slopes) {
  const int along = s.taps_along(), deep = s.dims == 3 ? along : 1;
  const i64 all = s.taps() * kPlaces, width = s.size[0], height = s.size[1];
  const AxisTapsOf<T> find = axis_taps_of<T>(s);
  AxisTaps<T> x, y, z;
  find(x, places, 0, s, count);
  find(y, places, 1, s, count);
  if (s.dims == 3) {
    find(z, places, 2, s, count);
  } else {
    for (i64 p = 0; p < count; p++) {
      z.at[0][p] = 0;
      z.weight[0][p] = 1;
    }
  }
  i64 n = 0;
  for (int c = 0; c < deep; c++) {
    for (int b = 0; b < along; b++) {
      for (int a = 0; a < along; a++, n += kPlaces) {
        int32_t* offset = t.offset + n;
        T* weight = t.weight + n;
        for (i64 p = 0; p < count; p++) {
          const int32_t i = x.at[a][p], j = y.at[b][p], k = z.at[c][p];
          const int32_t place = static_cast<int32_t>((k * height + j) * width + i);
          offset[p] = (i | j | k) < 0 ? -1 : place;
          weight[p] = x.weight[a][p] * y.weight[b][p] * z.weight[c][p];
        }
        if (!slopes) continue;
        T *sx = t.slope + n, *sy = sx + all, *sz = sy + all;
        for (i64 p = 0; p < count; p++) {
          sx[p] = x.slope[a][p] * y.weight[b][p] * z.weight[c][p];
          sy[p] = x.weight[a][p] * y.slope[b][p] * z.weight[c][p];
          if (s.dims == 3) sz[p] = x.weight[a][p] * y.weight[b][p] * z.slope[c][p];
        }
      }
    }
  }
}

/** What lies outside counts as zero, whatever the image holds. */
template <class T>
TT_INLINE T value_at(const T* image, int32_t offset) {
  const T x = image[offset < 0 ? 0 : offset];
  return offset < 0 ? T(0) : x;
}

/** One channel at a block of places. */
template <class T>
void gather(T* to, const T* image, const Tables<T>& t, int taps, i64 count) {
  alignas(64) T sums[kPlaces];  // of no other array's memory, as the compiler can see: the loops become gathers
  for (i64 p = 0; p < count; p++) sums[p] = value_at(image, t.offset[p]) * t.weight[p];
  for (int k = 1; k < taps; k++) {
    const int32_t* offset = t.offset + k * kPlaces;
    const T* weight = t.weight + k * kPlaces;
    for (i64 p = 0; p < count; p++) sums[p] += value_at(image, offset[p]) * weight[p];
  }
  for (i64 p = 0; p < count; p++) to[p] = sums[p];
}

template <class T>
void sample(const Sampling& s, T* out, const T* in, const T* grid) {
  const i64 blocks = ceil_div(s.places, kPlaces);
  const i64 work = kPlaces * s.taps() * (s.channels + 16);
  parallel_for(s.images * blocks, ceil_div(32 * 1024, work), [&](i64 begin, i64 end) {
    const Tables<T> t = make_tables<T>(s);
    for (i64 job = begin; job < end; job++) {
      const i64 n = job / blocks, first = job % blocks * kPlaces, count = min_of(kPlaces, s.places - first);
      fill_tables(t, s, grid + (n * s.places + first) * s.dims, count, false);
      for (i64 c = 0; c < s.channels; c++) {
        T* to = out + (n * s.channels + c) * s.places + first;
        gather(to, in + (n * s.channels + c) * s.area(), t, s.taps(), count);
      }
    }
  });
}

template <class T>
struct Gradients {
  T* in;    // or null
  T* grid;  // or null
  const T* out;
};

/** One channel's share of the gradients at a block of places. */
template <class T>
void spread(const Sampling& s, const Tables<T>& t, T* grad_image, const T* image, const T* grad, i64 count) {
  const i64 all = s.taps() * kPlaces;
  for (int k = 0; k < s.taps(); k++) {
    const int32_t* offset = t.offset + k * kPlaces;
    if (grad_image != nullptr) {
      const T* weight = t.weight + k * kPlaces;
      for (i64 p = 0; p < count; p++) {
        if (offset[p] >= 0) grad_image[offset[p]] += grad[p] * weight[p];
      }
    }
    if (image == nullptr) continue;
    alignas(64) T values[kPlaces];
    for (i64 p = 0; p < count; p++) values[p] = value_at(image, offset[p]) * grad[p];
    for (int d = 0; d < s.dims; d++) {
      const T* slope = t.slope + d * all + k * kPlaces;
      T* sum = t.rows + d * kPlaces;
      for (i64 p = 0; p < count; p++) sum[p] += values[p] * slope[p];
    }
  }
}

template <class T>
void sample_backward(const Sampling& s, const Gradients<T>& g, const T* in, const T* grid) {
  const bool slopes = g.grid != nullptr && s.mode != Mode::Nearest;
  const i64 plane = s.channels * s.area();
  parallel_for(s.images, 1, [&](i64 begin, i64 end) {
    const Tables<T> t = make_tables<T>(s);
    for (i64 n = begin; n < end; n++) {
      if (g.in != nullptr) memset(static_cast<void*>(g.in + n * plane), 0, static_cast<size_t>(plane) * sizeof(T));
      for (i64 first = 0; first < s.places; first += kPlaces) {
        const i64 count = min_of(kPlaces, s.places - first);
        fill_tables(t, s, grid + (n * s.places + first) * s.dims, count, slopes);
        for (i64 i = 0; i < s.dims * kPlaces; i++) t.rows[i] = T(0);
        for (i64 c = 0; c < s.channels; c++) {
          const i64 at = (n * s.channels + c) * s.area();
          spread(s, t, g.in == nullptr ? nullptr : g.in + at, slopes ? in + at : nullptr,
                 g.out + (n * s.channels + c) * s.places + first, count);
        }
        if (g.grid == nullptr) continue;
        T* to = g.grid + (n * s.places + first) * s.dims;
        for (i64 p = 0; p < count; p++) {
          for (int d = 0; d < s.dims; d++) to[p * s.dims + d] = t.rows[d * kPlaces + p];
        }
      }
    }
  });
}

Sampling read_sampling(Args& a, const TensorArg& in, const TensorArg& grid) {
  Sampling s;
  s.images = in.shape[0];
  s.channels = in.shape[1];
  s.dims = in.ndim - 2;
  s.places = grid.shape[1];
  for (int d = 0; d < 3; d++) s.size[d] = d < s.dims ? in.shape[in.ndim - 1 - d] : 1;
  s.mode = static_cast<Mode>(a.integer());
  s.padding = static_cast<Padding>(a.integer());
  s.align = a.flag();
  return s;
}

void grid_sample(double* args) {
  Args a(args);
  TensorArg out, in, grid;
  a.tensor(out);
  a.tensor(in);
  a.tensor(grid);
  const Sampling s = read_sampling(a, in, grid);
  if (out.dtype == DType::F64) return sample(s, out.as<double>(), in.as<double>(), grid.as<double>());
  sample(s, out.as<float>(), in.as<float>(), grid.as<float>());
}

void grid_sample_backward(double* args) {
  Args a(args);
  TensorArg grad_in, grad_grid, grad, in, grid;
  const bool needs_in = a.flag();
  if (needs_in) a.tensor(grad_in);
  const bool needs_grid = a.flag();
  if (needs_grid) a.tensor(grad_grid);
  a.tensor(grad);
  a.tensor(in);
  a.tensor(grid);
  const Sampling s = read_sampling(a, in, grid);
  const auto run = [&](auto type) {
    using T = decltype(type);
    const Gradients<T> g{needs_in ? grad_in.as<T>() : nullptr, needs_grid ? grad_grid.as<T>() : nullptr, grad.as<T>()};
    sample_backward(s, g, in.as<T>(), grid.as<T>());
  };
  in.dtype == DType::F64 ? run(0.0) : run(0.0f);
}

}  // namespace
}  // namespace grid

extern const KernelEntry grid_sample_kernels[];
const KernelEntry grid_sample_kernels[] = {{"grid_sample", grid::grid_sample},
                                           {"grid_sample_backward", grid::grid_sample_backward},
                                           {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
