// What the kernels of torch.linalg share: matrices with strides, batches of them, products and triangular
// solves. Templates over float, double, Complex<float> and Complex<double>.
#pragma once

#include <type_traits>

#include "complex_scalar.h"
#include "kernel.h"

namespace tt {
inline namespace KERNEL_NS {

/** A matrix of any strides: a view, which owns nothing. T may be const. */
template <class T>
struct Matrix {
  T* data;
  i64 rows, cols;
  i64 rs, cs;  // from one row to the next, from one column to the next

  TT_INLINE T& operator()(i64 i, i64 j) const { return data[i * rs + j * cs]; }
  /** m rows and n columns from (i, j). */
  TT_INLINE Matrix block(i64 i, i64 j, i64 m, i64 n) const { return {data + i * rs + j * cs, m, n, rs, cs}; }
  TT_INLINE Matrix transposed() const { return {data, cols, rows, cs, rs}; }
  TT_INLINE operator Matrix<const T>() const { return {data, rows, cols, rs, cs}; }
};

/** Columns one after the other, as LAPACK has them. */
template <class T>
TT_INLINE Matrix<T> column_major(T* data, i64 rows, i64 cols) {
  return {data, rows, cols, 1, rows};
}

/** C = alpha * A @ B + beta * C; with beta == 0, C is not read. In several threads, unless called from a parallel
    loop. Takes scratch slots 0 to 3. Compiled in gemm.cc. */
template <class T>
void product_into(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b, Real<T> alpha, Real<T> beta);

enum class Triangle { Lower, Upper };
/** Whether the diagonal counts as ones, whatever lies there. */
enum class Diagonal { Stored, Unit };

/** B becomes X with A @ X = B for a triangular A. X @ A = B is the same with every matrix transposed, and the other
    triangle. By columns of B when it is wide, and large parts by products. Takes scratch slots 0 to 4. Compiled in
    linalg_solve.cc. */
template <class T>
void solve_triangular(const Matrix<const T>& a, const Matrix<T>& b, Triangle triangle, Diagonal diagonal);

/** Conjugates in place; nothing for real elements. */
template <class T>
inline void conjugate(const Matrix<T>& a) {
  if constexpr (is_complex_scalar<T>) {
    const bool by_rows = a.cs < a.rs;
    const i64 outer = by_rows ? a.rows : a.cols, inner = by_rows ? a.cols : a.rows;
    const i64 outer_step = by_rows ? a.rs : a.cs, step = by_rows ? a.cs : a.rs;
    for (i64 i = 0; i < outer; i++) {
      for (i64 j = 0; j < inner; j++) a.data[i * outer_step + j * step].im = -a.data[i * outer_step + j * step].im;
    }
  }
}

/** A tensor [batch, m, n] (or [batch, n], as columns of n rows) of any strides, matrix by matrix. */
template <class T>
struct MatrixBatch {
  Matrix<T> first;
  i64 count, step;

  explicit MatrixBatch(const TensorArg& t) {
    first = Matrix<T>{t.as<T>(), t.shape[1], t.ndim > 2 ? t.shape[2] : 1, t.strides[1], t.ndim > 2 ? t.strides[2] : 1};
    count = t.shape[0];
    step = t.strides[0];
  }
  Matrix<T> operator[](i64 i) const {
    Matrix<T> m = first;
    m.data += i * step;
    return m;
  }
};

/** Scratch of this thread for n elements; products take slots 0 to 3. */
template <class T>
TT_INLINE T* scratch_of(int slot, i64 n) {
  return static_cast<T*>(tt_scratch(slot, static_cast<size_t>(n) * sizeof(T) + 64));
}

/** Calls body(i) for every matrix of a batch: in several threads when they are many, else in this one, so that the
    products inside can use the threads. work: multiply-adds of one matrix. */
template <class Body>
inline void each_matrix(i64 count, i64 work, const Body& body) {
  const i64 threads = tt_num_threads();
  if (count == 1 || threads == 1 || (count < threads && work > (i64(1) << 20))) {
    for (i64 i = 0; i < count; i++) body(i);
    return;
  }
  const i64 grain = work > 65536 ? 1 : 65536 / (work + 1) + 1;
  parallel_for(count, grain, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; i++) body(i);
  });
}

/** Calls f with a null pointer to the element type of a floating dtype: `with_scalar(t.dtype, [&](auto* p) { … })`. */
template <class F>
inline void with_scalar(DType dtype, const F& f) {
  switch (dtype) {
    case DType::F32: return f(static_cast<float*>(nullptr));
    case DType::F64: return f(static_cast<double*>(nullptr));
    case DType::C64: return f(static_cast<Complex<float>*>(nullptr));
    case DType::C128: return f(static_cast<Complex<double>*>(nullptr));
    default: return;
  }
}

}  // namespace KERNEL_NS
}  // namespace tt
