// What the kernels that move data by index share: walks over strided operands, dispatch by item size or
// by number type, half-precision conversion, and the status convention.
//
// Status: a kernel that checks its indices writes 0 to args[0] when all were in range; otherwise 1 to
// args[0], the first bad value (in row-major order) to args[1] and its position to args[2], and leaves its
// output partly written.
#pragma once

#include <cmath>

#include "kernel.h"
#include "simd.h"

namespace tt {
inline namespace KERNEL_NS {
namespace indexing {

// ---- numbers -----------------------------------------------------------------------------------------

struct Bits16 {
  uint64_t low, high;
};

template <class T>
struct ComplexOf {
  T re, im;
  friend ComplexOf operator+(ComplexOf a, ComplexOf b) { return {a.re + b.re, a.im + b.im}; }
  friend ComplexOf operator*(ComplexOf a, ComplexOf b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
};

TT_INLINE float float_of_bf16(uint16_t h) {
  const uint32_t u = static_cast<uint32_t>(h) << 16;
  float f;
  memcpy(&f, &u, 4);
  return f;
}

TT_INLINE uint16_t bf16_of_float(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  if ((u & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
  return static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

TT_INLINE float float_of_f16(uint16_t h) {
  uint32_t u = static_cast<uint32_t>(h & 0x7fff) << 13;
  float f;
  memcpy(&f, &u, 4);
  f *= 0x1p112f;  // rebias the exponent; subnormal halves become normal floats
  memcpy(&u, &f, 4);
  if ((h & 0x7fff) >= 0x7c00) u |= 0x7f800000u;
  u |= static_cast<uint32_t>(h & 0x8000) << 16;
  memcpy(&f, &u, 4);
  return f;
}

TT_INLINE uint16_t f16_of_float(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  const uint32_t sign = (u >> 16) & 0x8000u;
  u &= 0x7fffffffu;
  if (u > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
  if (u >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);
  if (u < 0x38800000u) {  // a subnormal half: the unit in the last place of 0.5f is the smallest half
    memcpy(&f, &u, 4);
    f += 0.5f;
    memcpy(&u, &f, 4);
    return static_cast<uint16_t>(sign | (u - 0x3f000000u));
  }
  u += 0xfffu + ((u >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((u - 0x38000000u) >> 13));
}

TT_INLINE bool is_half(DType t) { return t == DType::F16 || t == DType::BF16; }

TT_INLINE float float_of_half(DType t, uint16_t h) { return t == DType::F16 ? float_of_f16(h) : float_of_bf16(h); }
TT_INLINE uint16_t half_of_float(DType t, float f) { return t == DType::F16 ? f16_of_float(f) : bf16_of_float(f); }

// ---- dispatch ----------------------------------------------------------------------------------------

/** Calls f.operator()<T>() with an unsigned type of the items' size: for kernels that only move bits. */
template <class F>
inline void by_size(DType t, const F& f) {
  switch (item_size(t)) {
    case 1:
      return f.template operator()<uint8_t>();
    case 2:
      return f.template operator()<uint16_t>();
    case 4:
      return f.template operator()<uint32_t>();
    case 8:
      return f.template operator()<uint64_t>();
    default:
      return f.template operator()<Bits16>();
  }
}

/** Sums and products: integers as unsigned (wrapping is defined, the bits are the same); halves are the caller's. */
template <class F>
inline void by_ring(DType t, const F& f) {
  switch (t) {
    case DType::Bool:
      return f.template operator()<bool>();
    case DType::U8:
    case DType::I8:
      return f.template operator()<uint8_t>();
    case DType::I16:
      return f.template operator()<uint16_t>();
    case DType::I32:
      return f.template operator()<uint32_t>();
    case DType::I64:
      return f.template operator()<uint64_t>();
    case DType::F32:
      return f.template operator()<float>();
    case DType::F64:
      return f.template operator()<double>();
    case DType::C64:
      return f.template operator()<ComplexOf<float>>();
    case DType::C128:
      return f.template operator()<ComplexOf<double>>();
    default:
      return;
  }
}

/** Types with an order; halves are the caller's. */
template <class F>
inline void by_ordered(DType t, const F& f) {
  switch (t) {
    case DType::Bool:
    case DType::U8:
      return f.template operator()<uint8_t>();
    case DType::I8:
      return f.template operator()<int8_t>();
    case DType::I16:
      return f.template operator()<int16_t>();
    case DType::I32:
      return f.template operator()<int32_t>();
    case DType::I64:
      return f.template operator()<int64_t>();
    case DType::F32:
      return f.template operator()<float>();
    case DType::F64:
      return f.template operator()<double>();
    default:
      return;
  }
}

template <class T>
constexpr bool is_floating = false;
template <>
inline constexpr bool is_floating<float> = true;
template <>
inline constexpr bool is_floating<double> = true;

template <class T>
TT_INLINE bool is_nan(T x) {
  return x != x;
}

// ---- walks -------------------------------------------------------------------------------------------

/**
 * N operands walked together in row-major order over one shape. Dimensions of size 1 are dropped and
 * neighbours that every operand can cross with one stride are merged, so that the innermost run is long.
 */
template <int N>
struct Walk {
  int ndim = 0;
  i64 count = 1;
  i64 shape[kMaxDims];
  i64 strides[N][kMaxDims];

  /** Appends a dimension as the new innermost. */
  void add(i64 size, const i64 (&step)[N]) {
    count *= size;
    if (size == 1) return;
    bool merges = ndim > 0;
    for (int k = 0; merges && k < N; k++) merges = strides[k][ndim - 1] == size * step[k];
    if (!merges) shape[ndim++] = 1;
    shape[ndim - 1] *= size;
    for (int k = 0; k < N; k++) strides[k][ndim - 1] = step[k];
  }
  i64 inner_size() const { return ndim > 0 ? shape[ndim - 1] : 1; }
  i64 inner_stride(int k) const { return ndim > 0 ? strides[k][ndim - 1] : 0; }

  /** Calls body(offsets, n) for each innermost run of the positions [begin, end); body returns false to stop. */
  template <class Body>
  bool run(i64 begin, i64 end, const Body& body) const {
    if (begin >= end) return true;
    i64 offsets[N] = {};
    if (ndim == 0) return body(static_cast<const i64*>(offsets), i64(1));
    i64 at[kMaxDims];
    i64 rest = begin;
    for (int d = ndim - 1; d >= 0; d--) {
      at[d] = rest % shape[d];
      rest /= shape[d];
      for (int k = 0; k < N; k++) offsets[k] += at[d] * strides[k][d];
    }
    const int last = ndim - 1;
    i64 left = end - begin;
    for (;;) {
      const i64 room = shape[last] - at[last];
      const i64 n = room < left ? room : left;
      if (!body(static_cast<const i64*>(offsets), n)) return false;
      left -= n;
      if (left == 0) return true;
      for (int k = 0; k < N; k++) offsets[k] -= at[last] * strides[k][last];
      at[last] = 0;
      for (int d = last - 1; d >= 0; d--) {
        for (int k = 0; k < N; k++) offsets[k] += strides[k][d];
        if (++at[d] < shape[d]) break;
        for (int k = 0; k < N; k++) offsets[k] -= shape[d] * strides[k][d];
        at[d] = 0;
      }
    }
  }
};

/** The walk over the first ndim dimensions (from dimension `first`) of a shape. */
template <int N>
inline Walk<N> walk_over(const i64* shape, int first, int ndim, const i64* const (&strides)[N]) {
  Walk<N> walk;
  for (int d = first; d < ndim; d++) {
    i64 step[N];
    for (int k = 0; k < N; k++) step[k] = strides[k][d];
    walk.add(shape[d], step);
  }
  return walk;
}

inline Walk<1> walk_over(const TensorArg& t) { return walk_over<1>(t.shape, 0, t.ndim, {t.strides}); }

/** A tensor without dimensions becomes one of shape [1]. */
inline void at_least_1d(TensorArg& t) {
  if (t.ndim > 0) return;
  t.ndim = 1;
  t.shape[0] = 1;
  t.strides[0] = 1;
}

/** Gives t row-major strides. */
inline void set_contiguous(TensorArg& t) {
  i64 step = 1;
  for (int d = t.ndim - 1; d >= 0; d--) {
    t.strides[d] = step;
    step *= t.shape[d];
  }
}

template <class T>
TT_INLINE void copy_strided(T* to, i64 to_step, const T* from, i64 from_step, i64 n) {
  if (to_step == 1 && from_step == 1) {
    memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
    return;
  }
  for (i64 j = 0; j < n; j++) to[j * to_step] = from[j * from_step];
}

/** The positions a thread takes at least, for kernels whose cost per position is a few nanoseconds. */
constexpr i64 kGrain = 16384;

/** As many steps of `items` elements each as make up a grain. */
inline i64 grain_of(i64 items) { return items >= kGrain ? 1 : kGrain / (items > 0 ? items : 1); }

// ---- half tensors through float ----------------------------------------------------------------------

/** A contiguous float copy of a half tensor in scratch memory. */
inline TensorArg float_copy(const TensorArg& t, int slot) {
  TensorArg f = t;
  f.dtype = DType::F32;
  set_contiguous(f);
  const i64 n = t.numel();
  float* to = static_cast<float*>(tt_scratch(slot, static_cast<size_t>(n) * 4 + 4));
  f.data = reinterpret_cast<char*>(to);
  const uint16_t* from = t.as<uint16_t>();
  const Walk<2> walk = walk_over<2>(t.shape, 0, t.ndim, {f.strides, t.strides});
  const i64 so = walk.inner_stride(0), si = walk.inner_stride(1);
  parallel_for(n, kGrain, [&](i64 begin, i64 end) {
    walk.run(begin, end, [&](const i64* off, i64 m) {
      for (i64 j = 0; j < m; j++) to[off[0] + j * so] = float_of_half(t.dtype, from[off[1] + j * si]);
      return true;
    });
  });
  return f;
}

/** Rounds a float_copy back into its half tensor. */
inline void store_float_copy(const TensorArg& t, const TensorArg& f) {
  uint16_t* to = t.as<uint16_t>();
  const float* from = f.as<float>();
  const Walk<2> walk = walk_over<2>(t.shape, 0, t.ndim, {t.strides, f.strides});
  const i64 so = walk.inner_stride(0), si = walk.inner_stride(1);
  parallel_for(t.numel(), kGrain, [&](i64 begin, i64 end) {
    walk.run(begin, end, [&](const i64* off, i64 m) {
      for (i64 j = 0; j < m; j++) to[off[0] + j * so] = half_of_float(t.dtype, from[off[1] + j * si]);
      return true;
    });
  });
}

// ---- status ------------------------------------------------------------------------------------------

TT_INLINE void raise(bool& failed) { __atomic_store_n(&failed, true, __ATOMIC_RELAXED); }

TT_INLINE bool out_of_range(i64 v, i64 low, i64 high) { return v < low || v >= high; }

/** Writes the status: when failed, searches the index tensor for its first value outside [low, high). */
inline void report(double* args, bool failed, const TensorArg& index, i64 low, i64 high) {
  args[0] = failed ? 1 : 0;
  if (!failed) return;
  const Walk<1> walk = walk_over(index);
  const i64* p = index.as<i64>();
  const i64 step = walk.inner_stride(0);
  i64 position = 0;
  walk.run(0, walk.count, [&](const i64* off, i64 n) {
    for (i64 j = 0; j < n; j++, position++) {
      const i64 v = p[off[0] + j * step];
      if (!out_of_range(v, low, high)) continue;
      args[1] = static_cast<double>(v);
      args[2] = static_cast<double>(position);
      return false;
    }
    return true;
  });
}

}  // namespace indexing
}  // namespace KERNEL_NS
}  // namespace tt
