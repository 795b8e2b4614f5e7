// LU decomposition with partial pivoting: recursion over the columns (S. Toledo, "Locality of reference in LU
// decomposition with partial pivoting", 1997), so that most of the work is matrix products; and what follows from it.
//
// A kernel that can fail says so by its first result.
//
// Kernel `lu_factor`: LU [batch, m, n] (A on entry, factored in place), pivots I32 [batch, min(m, n)] (LAPACK's: row i was
// swapped with row pivots[i], from 1), info I32 [batch] (the first zero on the diagonal of U, from 1; 0 for none),
// pivoting; result: the first matrix with an info, from 1. Kernel `lu_solve`: X [batch, n, k] (right-hand sides on
// entry), LU, pivots, transposed, conjugated: solves op(A) @ X = B; result: 1 or 2 for a pivot below or above the rows.
// Kernel `lu_permutation`: permutation I64 [batch, m], pivots, inverse: row i of P^T A is row permutation[i] of A, or
// with inverse row i of P A; result as lu_solve's.
// Kernel `lu_det`: det [batch], LU, pivots. Kernel `lu_slogdet`: sign [batch], logabsdet (real) [batch], LU, pivots.
#include "linalg.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

constexpr i64 kPanel = 8;  // columns that are factored one by one

template <class T>
void swap_rows(const Matrix<T>& a, i64 i, i64 j) {
  for (i64 c = 0; c < a.cols; c++) {
    const T x = a(i, c);
    a(i, c) = a(j, c);
    a(j, c) = x;
  }
}

/** Applies the swaps of pivots[begin, end), which count from 1, forwards or backwards. */
template <class T>
void apply_pivots(const Matrix<T>& a, const int32_t* pivots, i64 step, i64 count, bool forwards) {
  if (a.cs == 1) {
    for (i64 k = 0; k < count; k++) {
      const i64 i = forwards ? k : count - 1 - k, j = pivots[i * step] - 1;
      if (i != j) swap_rows(a, i, j);
    }
    return;
  }
  // Column by column: each stays in the cache while its elements move.
  for (i64 c = 0; c < a.cols; c++) {
    T* column = a.data + c * a.cs;
    for (i64 k = 0; k < count; k++) {
      const i64 i = forwards ? k : count - 1 - k, j = pivots[i * step] - 1;
      const T x = column[i * a.rs];
      column[i * a.rs] = column[j * a.rs];
      column[j * a.rs] = x;
    }
  }
}

/** The row of the largest element (by LAPACK's magnitude) of column j, from row j on. */
template <class T>
i64 find_pivot(const Matrix<T>& a, i64 j) {
  i64 at = j;
  Real<T> most = abs1_of(a(j, j));
  for (i64 i = j + 1; i < a.rows; i++) {
    const Real<T> x = abs1_of(a(i, j));
    if (x > most) {
      most = x;
      at = i;
    }
  }
  return at;
}

/** What the recursion fills. Unpivoted: every row stays where it is. */
struct Pivots {
  int32_t* at;
  bool pivoting;
  i64 zero;  // the first zero on the diagonal of U, from 1; 0 for none
};

/** target -= factor * source, both n elements with the stride of a column. */
template <class T>
void subtract_column(T* target, const T* source, T factor, i64 n, i64 step) {
  if (step == 1) {
    for (i64 i = 0; i < n; i++) target[i] = target[i] - source[i] * factor;
  } else {
    for (i64 i = 0; i < n; i++) target[i * step] = target[i * step] - source[i * step] * factor;
  }
}

/** Factors a narrow panel column by column. `first` is the index of its first column in the whole matrix. */
template <class T>
void factor_panel(const Matrix<T>& a, Pivots& pivots, i64 first) {
  const i64 k = a.rows < a.cols ? a.rows : a.cols;
  for (i64 j = 0; j < k; j++) {
    const i64 p = pivots.pivoting ? find_pivot(a, j) : j;
    pivots.at[first + j] = static_cast<int32_t>(p + 1);
    if (p != j) swap_rows(a, j, p);
    const T d = a(j, j);
    if (d == T(0)) {
      if (pivots.zero == 0) pivots.zero = first + j + 1;
    } else {
      for (i64 i = j + 1; i < a.rows; i++) a(i, j) = a(i, j) / d;
    }
    for (i64 c = j + 1; c < a.cols; c++) {
      subtract_column(&a(j, c) + a.rs, &a(j, j) + a.rs, a(j, c), a.rows - j - 1, a.rs);
    }
  }
}

/** Factors all columns; pivots count from the first row of `a`, which is row `first` of the whole matrix. */
template <class T>
void factor(const Matrix<T>& a, Pivots& pivots, i64 first) {
  const i64 m = a.rows, n = a.cols, k = m < n ? m : n;
  if (k <= kPanel) return factor_panel(a, pivots, first);
  const i64 half = n > m ? m : k <= 2 * kPanel ? kPanel : (k / 2 + kPanel - 1) / kPanel * kPanel;
  const Matrix<T> left = a.block(0, 0, m, half), right = a.block(0, half, m, n - half);
  factor(left, pivots, first);
  if (pivots.pivoting) apply_pivots(right, pivots.at + first, 1, half, true);
  const Matrix<T> top = right.block(0, 0, half, n - half), bottom = right.block(half, 0, m - half, n - half);
  solve_triangular<T>(a.block(0, 0, half, half), top, Triangle::Lower, Diagonal::Unit);
  if (m == half) return;
  product_into<T>(bottom, a.block(half, 0, m - half, half), top, Real<T>(-1), Real<T>(1));
  factor(bottom, pivots, first + half);
  if (pivots.pivoting) apply_pivots(a.block(half, 0, m - half, half), pivots.at + first + half, 1, k - half, true);
  for (i64 j = half; j < k; j++) pivots.at[first + j] += static_cast<int32_t>(half);
}

/** The first matrix of the batch with an info, from 1; 0 for none. */
double first_failure(const TensorArg& info) {
  for (i64 i = 0; i < info.shape[0]; i++) {
    if (info.as<int32_t>()[i] != 0) return static_cast<double>(i + 1);
  }
  return 0;
}

/** 0 if every pivot is a row from 1 to n, 1 for one that is too small, 2 for one that is too large. */
double wrong_pivot(const TensorArg& pivots, i64 n) {
  for (i64 b = 0; b < pivots.shape[0]; b++) {
    for (i64 i = 0; i < pivots.shape[1]; i++) {
      const int32_t p = pivots.as<int32_t>()[b * pivots.strides[0] + i * pivots.strides[1]];
      if (p < 1) return 1;
      if (p > n) return 2;
    }
  }
  return 0;
}

void lu_factor(double* args) {
  Args in(args);
  TensorArg lu, pivots, info;
  in.tensor(lu);
  in.tensor(pivots);
  in.tensor(info);
  const bool pivoting = in.flag();
  with_scalar(lu.dtype, [&](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    const MatrixBatch<T> a(lu);
    const i64 m = lu.shape[1], n = lu.shape[2], k = m < n ? m : n;
    each_matrix(a.count, m * n * k / 2, [&](i64 i) {
      Pivots found{pivots.as<int32_t>() + i * k, pivoting, 0};
      factor(a[i], found, 0);
      info.as<int32_t>()[i] = static_cast<int32_t>(found.zero);
    });
  });
  args[0] = first_failure(info);
}

/** A @ X = B, or A^T @ X = B. */
template <class T>
void solve_factored(const Matrix<const T>& lu, const int32_t* pivots, i64 step, const Matrix<T>& x, bool transposed) {
  if (!transposed) {
    apply_pivots(x, pivots, step, lu.rows, true);
    solve_triangular(lu, x, Triangle::Lower, Diagonal::Unit);
    solve_triangular(lu, x, Triangle::Upper, Diagonal::Stored);
  } else {
    solve_triangular(lu.transposed(), x, Triangle::Lower, Diagonal::Stored);
    solve_triangular(lu.transposed(), x, Triangle::Upper, Diagonal::Unit);
    apply_pivots(x, pivots, step, lu.rows, false);
  }
}

void lu_solve(double* args) {
  Args in(args);
  TensorArg x, lu, pivots;
  in.tensor(x);
  in.tensor(lu);
  in.tensor(pivots);
  const bool transposed = in.flag(), conjugated = in.flag();
  args[0] = wrong_pivot(pivots, lu.shape[1]);
  if (args[0] != 0) return;
  with_scalar(x.dtype, [&](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    const MatrixBatch<T> xs(x);
    const MatrixBatch<const T> factors(lu);
    each_matrix(xs.count, x.shape[1] * x.shape[1] * x.shape[2], [&](i64 i) {
      if (conjugated) conjugate(xs[i]);
      solve_factored(factors[i], pivots.as<int32_t>() + i * pivots.strides[0], pivots.strides[1], xs[i], transposed);
      if (conjugated) conjugate(xs[i]);
    });
  });
}

void lu_permutation(double* args) {
  Args in(args);
  TensorArg out, pivots;
  in.tensor(out);
  in.tensor(pivots);
  const bool inverse = in.flag();
  args[0] = wrong_pivot(pivots, out.shape[1]);
  if (args[0] != 0) return;
  const i64 m = out.shape[1], k = pivots.shape[1];
  for (i64 b = 0; b < out.shape[0]; b++) {
    i64* p = out.as<i64>() + b * m;
    const int32_t* from = pivots.as<int32_t>() + b * pivots.strides[0];
    for (i64 i = 0; i < m; i++) p[i] = i;
    for (i64 step = 0; step < k; step++) {
      const i64 i = inverse ? k - 1 - step : step, j = from[i * pivots.strides[1]] - 1, x = p[i];
      p[i] = p[j];
      p[j] = x;
    }
  }
}

/** Whether an odd number of swaps was made. */
bool odd_swaps(const TensorArg& pivots, i64 batch) {
  bool odd = false;
  for (i64 i = 0; i < pivots.shape[1]; i++) {
    odd ^= pivots.as<int32_t>()[batch * pivots.strides[0] + i * pivots.strides[1]] != i + 1;
  }
  return odd;
}

void lu_det(double* args) {
  Args in(args);
  TensorArg det, lu, pivots;
  in.tensor(det);
  in.tensor(lu);
  in.tensor(pivots);
  with_scalar(lu.dtype, [&](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    const MatrixBatch<const T> a(lu);
    for (i64 b = 0; b < a.count; b++) {
      const Matrix<const T> m = a[b];
      T product = T(1);
      for (i64 i = 0; i < m.rows; i++) product = product * m(i, i);
      det.as<T>()[b] = odd_swaps(pivots, b) ? -product : product;
    }
  });
}

float sign_of(float x) { return static_cast<float>((x > 0) - (x < 0)); }
double sign_of(double x) { return (x > 0) - (x < 0); }
template <class T>
Complex<T> sign_of(Complex<T> x) {
  const T r = abs_of(x);
  return r == T(0) ? x : x / r;
}

void lu_slogdet(double* args) {
  Args in(args);
  TensorArg sign, logabs, lu, pivots;
  in.tensor(sign);
  in.tensor(logabs);
  in.tensor(lu);
  in.tensor(pivots);
  with_scalar(lu.dtype, [&](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    const MatrixBatch<const T> a(lu);
    for (i64 b = 0; b < a.count; b++) {
      const Matrix<const T> m = a[b];
      T product = T(1);
      double sum = 0;
      for (i64 i = 0; i < m.rows; i++) {
        product = product * sign_of(m(i, i));
        sum += std::log(static_cast<double>(abs_of(m(i, i))));
      }
      sign.as<T>()[b] = odd_swaps(pivots, b) ? -product : product;
      logabs.as<Real<T>>()[b] = static_cast<Real<T>>(sum);
    }
  });
}

}  // namespace

extern const KernelEntry linalg_lu_kernels[];
const KernelEntry linalg_lu_kernels[] = {{"lu_factor", lu_factor},
                                         {"lu_solve", lu_solve},
                                         {"lu_permutation", lu_permutation},
                                         {"lu_det", lu_det},
                                         {"lu_slogdet", lu_slogdet},
                                         {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
