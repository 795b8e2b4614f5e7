// Cholesky decomposition of Hermitian positive definite matrices: recursion by halves, so that most of the work is
// triangular solves and matrix products. The lower triangle counts; callers transpose for the upper one.
//
// Kernel `cholesky`: L [batch, n, n] (A on entry, of which the lower triangle is read; the upper one becomes zero), info
// I32 [batch] (the order of the first minor that is not positive definite; 0 for none); result: the first matrix with an
// info, from 1. Kernel `cholesky_inverse`: X [batch, n, n], L, upper: the inverse of L @ L^H, or L^H @ L of an upper L;
// result: the place of the first zero on a diagonal, from 1, n for each matrix; 0 for none.
#include "linalg.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

constexpr i64 kSmall = 16;
constexpr int kScratchConjugate = 5;

/** Column by column; returns the order of the first minor that is not positive definite, or 0. */
template <class T>
i64 factor_small(const Matrix<T>& a) {
  const i64 n = a.rows;
  for (i64 j = 0; j < n; j++) {
    Real<T> d = real_of(a(j, j));
    for (i64 k = 0; k < j; k++) d -= norm_of(a(j, k));
    if (!(d > Real<T>(0))) {
      a(j, j) = T(d);
      return j + 1;
    }
    const Real<T> root = std::sqrt(d);
    a(j, j) = T(root);
    for (i64 k = 0; k < j; k++) {
      const T factor = conj_of(a(j, k));
      for (i64 i = j + 1; i < n; i++) a(i, j) = a(i, j) - a(i, k) * factor;
    }
    for (i64 i = j + 1; i < n; i++) a(i, j) = a(i, j) / root;
  }
  return 0;
}

/** The lower triangle of C -= X @ Y, where Y is the conjugate transpose of X. */
template <class T>
void subtract_square(const Matrix<T>& c, const Matrix<const T>& x, const Matrix<const T>& y) {
  const i64 n = c.rows;
  if (n <= 96) return product_into<T>(c, x, y, Real<T>(-1), Real<T>(1));
  const i64 half = n / 2;
  const Matrix<const T> x1 = x.block(0, 0, half, x.cols), x2 = x.block(half, 0, n - half, x.cols);
  const Matrix<const T> y1 = y.block(0, 0, y.rows, half), y2 = y.block(0, half, y.rows, n - half);
  subtract_square<T>(c.block(0, 0, half, half), x1, y1);
  product_into<T>(c.block(half, 0, n - half, half), x2, y1, Real<T>(-1), Real<T>(1));
  subtract_square<T>(c.block(half, half, n - half, n - half), x2, y2);
}

template <class T>
i64 factor(const Matrix<T>& a) {
  const i64 n = a.rows;
  if (n <= kSmall) return factor_small(a);
  const i64 half = n <= 2 * kSmall ? kSmall : (n / 2 + kSmall - 1) / kSmall * kSmall, rest = n - half;
  const Matrix<T> a11 = a.block(0, 0, half, half), a21 = a.block(half, 0, rest, half);
  const i64 first = factor(a11);
  if (first != 0) return first;
  // A21 = X @ L11^H, so conj(L11) @ X^T = A21^T.
  conjugate(a21);
  solve_triangular<T>(a11, a21.transposed(), Triangle::Lower, Diagonal::Stored);
  if constexpr (is_complex_scalar<T>) {
    // Now a21 is the conjugate of X: its transpose is X^H.
    T* kept = scratch_of<T>(kScratchConjugate, half * rest);
    const Matrix<T> adjoint{kept, half, rest, rest, 1};
    for (i64 j = 0; j < half; j++) {
      for (i64 i = 0; i < rest; i++) adjoint(j, i) = a21(i, j);
    }
    conjugate(a21);
    subtract_square<T>(a.block(half, half, rest, rest), a21, adjoint);
  } else {
    subtract_square<T>(a.block(half, half, rest, rest), a21, a21.transposed());
  }
  const i64 second = factor(a.block(half, half, rest, rest));
  return second == 0 ? 0 : half + second;
}

void cholesky(double* args) {
  Args in(args);
  TensorArg l, info;
  in.tensor(l);
  in.tensor(info);
  const i64 n = l.shape[1];
  with_scalar(l.dtype, [&](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    const MatrixBatch<T> batch(l);
    each_matrix(batch.count, n * n * n / 3, [&](i64 b) {
      const Matrix<T> a = batch[b];
      info.as<int32_t>()[b] = static_cast<int32_t>(factor(a));
      for (i64 j = 1; j < n; j++) {
        for (i64 i = 0; i < j; i++) a(i, j) = T(0);
      }
    });
  });
  args[0] = 0;
  for (i64 b = 0; b < info.shape[0] && args[0] == 0; b++) {
    if (info.as<int32_t>()[b] != 0) args[0] = static_cast<double>(b + 1);
  }
}

/** The inverse of L @ L^H for a lower L, conjugated when `conjugated`. */
template <class T>
void invert_square(const Matrix<T>& x, const Matrix<const T>& l, bool conjugated) {
  const i64 n = l.rows;
  for (i64 j = 0; j < n; j++) {
    for (i64 i = 0; i < n; i++) x(i, j) = T(i == j);
  }
  solve_triangular(l, x, Triangle::Lower, Diagonal::Stored);
  conjugate(x);
  solve_triangular(l.transposed(), x, Triangle::Upper, Diagonal::Stored);
  if (!conjugated) conjugate(x);
  for (i64 j = 1; j < n; j++) {
    for (i64 i = 0; i < j; i++) x(i, j) = conj_of(x(j, i));
  }
}

void cholesky_inverse(double* args) {
  Args in(args);
  TensorArg x, l;
  in.tensor(x);
  in.tensor(l);
  const bool upper = in.flag();
  const i64 n = l.shape[1];
  args[0] = 0;
  with_scalar(x.dtype, [&](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    const MatrixBatch<T> xs(x);
    const MatrixBatch<const T> ls(l);
    for (i64 b = 0; b < ls.count; b++) {
      for (i64 i = 0; i < n; i++) {
        if (ls[b](i, i) != T(0)) continue;
        args[0] = static_cast<double>(b * n + i + 1);
        return;
      }
    }
    // U^H @ U is the conjugate of L @ L^H with L = U^T.
    each_matrix(xs.count, n * n * n, [&](i64 b) { invert_square<T>(xs[b], upper ? ls[b].transposed() : ls[b], upper); });
  });
}

}  // namespace

extern const KernelEntry linalg_chol_kernels[];
const KernelEntry linalg_chol_kernels[] = {
    {"cholesky", cholesky}, {"cholesky_inverse", cholesky_inverse}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
