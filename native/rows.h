// Rows of one accumulator type: a tensor's rows read and written in place where its dtype is that type and through
// a scratch row otherwise, and loops over a row's vectors.
#pragma once

#include "reduce_loops.h"
#include "vmath_exp.h"

namespace tt {
inline namespace KERNEL_NS {
namespace rows {

using reduction::deviations;
using reduction::fold;
using reduction::fold_run;
using reduction::Identity;
using reduction::Largest;
using reduction::sum_run;

template <class T>
constexpr DType kSpan = sizeof(T) == 8 ? DType::F64 : DType::F32;

/** body(i, c) for each vector of a row: c elements from i on, a whole vector but for the last. */
template <class T, class Body>
TT_INLINE void each_vector(i64 n, const Body& body) {
  i64 i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) body(i, i64(lanes<T>));
  if (i < n) body(i, n - i);
}
template <class T>
TT_INLINE Vec<T> get(const T* p, i64 c) {
  return c == lanes<T> ? load(p) : load_part(p, c);
}
template <class T>
TT_INLINE void put(T* p, Vec<T> v, i64 c) {
  if (c == lanes<T>) {
    store(p, v);
  } else {
    store_part(p, v, c);
  }
}
/** The first c lanes, zero in the others. */
template <class T>
TT_INLINE Vec<T> only(Vec<T> v, i64 c) {
  using I = typename reduction::IndexOf<T>::type;
  return c == lanes<T> ? v : reduction::lane_numbers<T>() < broadcast<I>(static_cast<I>(c)) ? v : Vec<T>{};
}
template <class T>
TT_INLINE double add_lanes(Vec<T> v) {
  return static_cast<double>(fold<T>(v, [](Vec<T> a, Vec<T> b) { return a + b; }));
}

/** n elements, `stride` apart, as contiguous T: in place, or converted into the buffer. */
template <class T>
TT_INLINE const T* read_row(const TensorArg& t, i64 offset, i64 stride, i64 n, T* buffer) {
  const char* p = t.data + offset * item_size(t.dtype);
  if (t.dtype == kSpan<T> && stride == 1) return reinterpret_cast<const T*>(p);
  load_convert(kSpan<T>, p, t.dtype, stride, buffer, n);
  return buffer;
}
/** Where to compute a row of results; write_row then brings them to the tensor. */
template <class T>
TT_INLINE T* result_row(const TensorArg& t, i64 offset, i64 stride, T* buffer) {
  return t.dtype == kSpan<T> && stride == 1 ? t.as<T>() + offset : buffer;
}
template <class T>
TT_INLINE void write_row(const TensorArg& t, i64 offset, i64 stride, i64 n, const T* row) {
  if (t.dtype == kSpan<T> && stride == 1) return;
  store_convert(t.dtype, t.data + offset * item_size(t.dtype), stride, kSpan<T>, row, n);
}
template <class T>
TT_INLINE void write_one(const TensorArg& t, i64 offset, T value) {
  store_convert(t.dtype, t.data + offset * item_size(t.dtype), 1, kSpan<T>, &value, 1);
}
template <class T>
TT_INLINE T read_one(const TensorArg& t, i64 offset) {
  T value;
  load_convert(kSpan<T>, t.data + offset * item_size(t.dtype), t.dtype, 1, &value, 1);
  return value;
}

/** Optional tensor: a flag, then the tensor if set. */
inline bool optional(Args& a, TensorArg& t) {
  const bool given = a.flag();
  if (given) a.tensor(t);
  return given;
}

/** Rows of n elements that make a thread's share worth its start. */
constexpr i64 row_grain(i64 n) { return 1 + 16384 / (n + 1); }

}  // namespace rows
}  // namespace KERNEL_NS
}  // namespace tt
