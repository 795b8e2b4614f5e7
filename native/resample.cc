// resample: each element along one dimension as a weighted sum of a few elements of the input there, and the
// transpose of that map. Every interpolation (nearest, linear, cubic, antialiased) is one such map per dimension;
// the caller computes places and weights.
#include "simd.h"

namespace tt {
inline namespace KERNEL_NS {
namespace resampling {

/** The map of one dimension: output j sums weights[j * taps + t] times element index[j * taps + t], -1 for none. */
struct Map {
  const i64* index;
  const double* weights;
  i64 outputs;  // size of the dimension on the side of the sums
  i64 inputs;   // size on the side that is read
  i64 taps;
};

template <class T>
TT_INLINE void add_scaled(T* to, const T* from, T weight, i64 n) {
  for (i64 i = 0; i < n; i++) to[i] += weight * from[i];
}

/** Slices [begin, end) of one element per place: sums of gathers. */
template <class T>
void forward_lines(T* out, const T* in, const Map& m, i64 begin, i64 end) {
  bool full = m.taps == 2;
  for (i64 i = 0; full && i < 2 * m.outputs; i++) full = m.index[i] >= 0;
  for (i64 o = begin; o < end; o++) {
    T* to = out + o * m.outputs;
    const T* from = in + o * m.inputs;
    const i64* index = m.index;
    const double* weights = m.weights;
    if (full) {
      for (i64 j = 0; j < m.outputs; j++, index += 2, weights += 2) {
        to[j] = static_cast<T>(weights[0]) * from[index[0]] + static_cast<T>(weights[1]) * from[index[1]];
      }
      continue;
    }
    for (i64 j = 0; j < m.outputs; j++, index += m.taps, weights += m.taps) {
      T sum = 0;
      for (i64 t = 0; t < m.taps; t++) {
        if (index[t] >= 0) sum += static_cast<T>(weights[t]) * from[index[t]];
      }
      to[j] = sum;
    }
  }
}

/** Rows [begin, end) of [outer * outputs] of out, whose inner elements lie together. */
template <class T>
void forward_rows(T* out, const T* in, const Map& m, i64 inner, i64 begin, i64 end) {
  i64 o = begin / m.outputs, j = begin % m.outputs;
  for (i64 r = begin; r < end; r++) {
    T* to = out + r * inner;
    const T* from = in + o * m.inputs * inner;
    const i64* index = m.index + j * m.taps;
    const double* weights = m.weights + j * m.taps;
    for (i64 i = 0; i < inner; i++) to[i] = 0;
    for (i64 t = 0; t < m.taps; t++) {
      if (index[t] >= 0) add_scaled(to, from + index[t] * inner, static_cast<T>(weights[t]), inner);
    }
    if (++j == m.outputs) {
      j = 0;
      o++;
    }
  }
}

/** The transpose, for outer slices [begin, end): `out` has the sizes of the map's inputs. */
template <class T>
void transposed_slices(T* out, const T* in, const Map& m, i64 inner, i64 begin, i64 end) {
  for (i64 o = begin; o < end; o++) {
    T* to = out + o * m.inputs * inner;
    const T* from = in + o * m.outputs * inner;
    for (i64 i = 0; i < m.inputs * inner; i++) to[i] = 0;
    if (inner == 1) {
      for (i64 j = 0, n = 0; j < m.outputs; j++) {
        for (i64 t = 0; t < m.taps; t++, n++) {
          if (m.index[n] >= 0) to[m.index[n]] += static_cast<T>(m.weights[n]) * from[j];
        }
      }
      continue;
    }
    for (i64 j = 0; j < m.outputs; j++) {
      for (i64 t = 0; t < m.taps; t++) {
        const i64 at = m.index[j * m.taps + t];
        if (at >= 0) add_scaled(to + at * inner, from + j * inner, static_cast<T>(m.weights[j * m.taps + t]), inner);
      }
    }
  }
}

template <class T>
void run(const TensorArg& out, const TensorArg& in, const Map& m, bool transposed) {
  const i64 outer = out.shape[0], inner = out.shape[2];
  T* to = out.as<T>();
  const T* from = in.as<T>();
  const i64 grain = 16384;
  if (!transposed && inner == 1) {
    parallel_for(outer, grain / (m.taps * m.outputs + 1) + 1,
                 [&](i64 begin, i64 end) { forward_lines<T>(to, from, m, begin, end); });
  } else if (!transposed) {
    parallel_for(outer * m.outputs, grain / (inner * m.taps + 1) + 1,
                 [&](i64 begin, i64 end) { forward_rows<T>(to, from, m, inner, begin, end); });
  } else {
    parallel_for(outer, grain / (inner * m.taps * m.outputs + 1) + 1,
                 [&](i64 begin, i64 end) { transposed_slices<T>(to, from, m, inner, begin, end); });
  }
}

/** resample out, in, index, weights, transposed: out and in are contiguous [outer, size, inner] of one float type. */
void resample(double* args) {
  Args a(args);
  TensorArg out, in, index, weights;
  a.tensor(out);
  a.tensor(in);
  a.tensor(index);
  a.tensor(weights);
  const bool transposed = a.flag();
  const Map m{index.as<i64>(), weights.as<double>(), index.shape[0], transposed ? out.shape[1] : in.shape[1], index.shape[1]};
  if (out.dtype == DType::F64) {
    run<double>(out, in, m, transposed);
  } else {
    run<float>(out, in, m, transposed);
  }
}

}  // namespace resampling

extern const KernelEntry resample_kernels[];
const KernelEntry resample_kernels[] = {
    {"resample", resampling::resample},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
