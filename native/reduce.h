// Reductions: one driver walks any strided input; an operation supplies how partial results absorb a tile of
// elements, merge with each other and finish.
#pragma once

#include "simd.h"
#include "staging.h"

namespace tt {
inline namespace KERNEL_NS {
namespace reduction {

/**
 * Partial results of many outputs, in fields of 8 bytes (double or i64, as the operation chooses): field f of
 * output k lies at base[f * pitch + k].
 */
struct States {
  double* base;
  i64 pitch;

  template <class S>
  S* field(int f) const {
    static_assert(sizeof(S) == sizeof(double), "a field has 8 bytes");
    return reinterpret_cast<S*>(base + f * pitch);
  }
  States at(i64 k) const { return {base + k, pitch}; }
};

/**
 * The elements that `outputs` neighbouring outputs absorb: n each. Element i of output k lies at
 * data[k * pitch + i] when rows, at data[i * pitch + k] when columns.
 */
struct Tile {
  const void* data;
  bool rows;
  i64 outputs;
  i64 n;
  i64 pitch;
  i64 first;  // position of element 0 along the (only) reduced dimension, for the operations that return positions

  template <class A>
  const A* as() const {
    return static_cast<const A*>(data);
  }
};

/** What a reduction computes. `param` is the operation's extra number (the order of a norm, a correction). */
struct ReduceOp {
  DType span;     // element type of the tiles: F32, F64, I64, Bool or C128
  DType result0;  // element type of field 0 once finished: F64 or I64, or C128 for fields 0 and 1 together
  DType result1;  // of field 1, where the reduction has two outputs
  int fields;
  void (*init)(States, i64 outputs);
  void (*absorb)(States, const Tile&, double param);
  void (*merge)(States into, States from, i64 outputs);
  void (*finish)(States, i64 outputs, i64 count, double param);
};

/**
 * Reduces the flagged dimensions of `in` into n_out (1 or 2) tensors of the same ndim, whose size at the
 * reduced dimensions is 1. Any strides. Deterministic for a fixed thread count.
 */
void reduce(const ReduceOp& op, const TensorArg* outs, int n_out, const TensorArg& in, const bool* reduced, double param);

/** Variance (divided by count - correction) and mean of `in` over the flagged dimensions, as reduce() lays them out. */
void variance_mean(const TensorArg& variance, const TensorArg& mean, const TensorArg& in, const bool* reduced, double correction);

/** Reads "r, dim_1 ... dim_r" into flags. */
inline void read_dims(Args& args, const TensorArg& in, bool* reduced) {
  for (int d = 0; d < in.ndim; d++) reduced[d] = false;
  for (i64 r = args.integer(); r > 0; r--) reduced[args.integer()] = true;
}

constexpr bool is_complex(DType t) { return t == DType::C64 || t == DType::C128; }
constexpr bool is_floating(DType t) { return t >= DType::F16 && t <= DType::F64; }

/** A complex tensor as a real one with a last dimension of 2. */
inline void view_as_real(TensorArg& t) {
  for (int d = 0; d < t.ndim; d++) t.strides[d] *= 2;
  t.shape[t.ndim] = 2;
  t.strides[t.ndim++] = 1;
  t.dtype = t.dtype == DType::C64 ? DType::F32 : DType::F64;
}

/** The type in which a result of dtype `out` accumulates: halves in float, integers in i64. */
constexpr DType accumulator(DType out) {
  return out == DType::F64 || out == DType::C128 ? DType::F64 : is_floating(out) || is_complex(out) ? DType::F32 : DType::I64;
}

/** Sums and products of integers wrap, as PyTorch's do: computed without a sign, whose overflow would be undefined. */
template <class T>
struct Wrapping {
  using type = T;
};
template <>
struct Wrapping<int64_t> {
  using type = uint64_t;
};
template <>
struct Wrapping<Vec<int64_t>> {
  using type = Vec<uint64_t>;
};
template <class T>
TT_INLINE T add_wrapping(T a, T b) {
  using U = typename Wrapping<T>::type;
  return (T)((U)a + (U)b);
}
template <class T>
TT_INLINE T multiply_wrapping(T a, T b) {
  using U = typename Wrapping<T>::type;
  return (T)((U)a * (U)b);
}

// ---- helpers of vectors that fold to one element ----

template <class T>
struct IndexOf;
template <>
struct IndexOf<float> {
  using type = int32_t;
};
template <>
struct IndexOf<double> {
  using type = int64_t;
};
template <>
struct IndexOf<int64_t> {
  using type = int64_t;
};
template <>
struct IndexOf<uint8_t> {
  using type = int8_t;
};
template <class T>
using LaneIndex = Vec<typename IndexOf<T>::type>;

/** 0, 1, 2, ... */
template <class T>
TT_INLINE LaneIndex<T> lane_numbers() {
  LaneIndex<T> v{};
  for (int i = 0; i < lanes<T>; i++) v[i] = static_cast<typename IndexOf<T>::type>(i);
  return v;
}

/** The lanes of v combined to one: fold(v, f) with f on vectors, associative up to rounding. */
template <class T, class F>
TT_INLINE T fold(Vec<T> v, const F& f) {
  return fold_lanes<T>(v, f)[0];
}

/** v with its first k lanes replaced by those of `neutral`. */
template <class T>
TT_INLINE Vec<T> replace_first(Vec<T> v, i64 k, Vec<T> neutral) {
  using I = typename IndexOf<T>::type;
  return lane_numbers<T>() >= broadcast<I>(static_cast<I>(k)) ? v : neutral;
}

}  // namespace reduction
}  // namespace KERNEL_NS
}  // namespace tt
