// L D L^T (or L D L^H) decomposition of symmetric (or Hermitian) matrices with the pivoting of J. Bunch and L. Kaufman,
// "Some stable methods for calculating inertia and solving symmetric linear systems" (1977): blocks of D are 1 or 2 wide.
// Format and choice of pivots are LAPACK's (sytrf and hetrf of the lower triangle).
//
// Kernel `ldl_factor`: LD [batch, n, n] (A on entry, of which the lower triangle is read; the upper one becomes zero),
// pivots I32 [batch, n], info I32 [batch] (the first zero on D, from 1; 0 for none), hermitian; result: the first matrix
// with an info, from 1. Kernel `ldl_solve`: X [batch, n, k] (right-hand sides on entry), LD, pivots, hermitian.
#include "linalg.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

/** Symmetric or Hermitian: what a mirrored element is. */
template <class T, bool Hermitian>
TT_INLINE T mirrored(T x) {
  return Hermitian ? conj_of(x) : x;
}
template <class T, bool Hermitian>
TT_INLINE T diagonal_of(T x) {
  return Hermitian ? T(real_of(x)) : x;
}

template <class T>
void swap_values(T& a, T& b) {
  const T x = a;
  a = b;
  b = x;
}

struct Choice {
  i64 row, step;
};

/** Bunch and Kaufman's choice of the pivot of column k: which row, and whether a block of two. */
template <class T, bool Hermitian>
Choice choose_pivot(const Matrix<T>& a, i64 k, i64 most_row, Real<T> most, Real<T> own) {
  const Real<T> alpha = static_cast<Real<T>>(0.6403882032022076);  // (1 + sqrt(17)) / 8
  if (own >= alpha * most) return {k, 1};
  Real<T> row_most = 0;
  for (i64 j = k; j < most_row; j++) row_most = std::fmax(row_most, abs1_of(a(most_row, j)));
  for (i64 i = most_row + 1; i < a.rows; i++) row_most = std::fmax(row_most, abs1_of(a(i, most_row)));
  if (own >= alpha * most * (most / row_most)) return {k, 1};
  if (abs1_of(diagonal_of<T, Hermitian>(a(most_row, most_row))) >= alpha * row_most) return {most_row, 1};
  return {most_row, 2};
}

/** Swaps rows and columns `from` and `to` (below it) of the part of the matrix from column k on. */
template <class T, bool Hermitian>
void interchange(const Matrix<T>& a, i64 from, i64 to, i64 k, i64 step) {
  for (i64 i = to + 1; i < a.rows; i++) swap_values(a(i, from), a(i, to));
  for (i64 j = from + 1; j < to; j++) {
    const T x = mirrored<T, Hermitian>(a(j, from));
    a(j, from) = mirrored<T, Hermitian>(a(to, j));
    a(to, j) = x;
  }
  a(to, from) = mirrored<T, Hermitian>(a(to, from));
  const T x = diagonal_of<T, Hermitian>(a(from, from));
  a(from, from) = diagonal_of<T, Hermitian>(a(to, to));
  a(to, to) = x;
  if (step == 2) swap_values(a(k + 1, k), a(to, k));
}

/** Eliminates column k by its diagonal element. */
template <class T, bool Hermitian>
void eliminate_one(const Matrix<T>& a, i64 k) {
  const T scale = T(1) / a(k, k);
  for (i64 j = k + 1; j < a.rows; j++) {
    const T factor = mirrored<T, Hermitian>(a(j, k)) * scale;
    for (i64 i = j; i < a.rows; i++) a(i, j) = a(i, j) - a(i, k) * factor;
    a(j, j) = diagonal_of<T, Hermitian>(a(j, j));
  }
  for (i64 i = k + 1; i < a.rows; i++) a(i, k) = a(i, k) * scale;
}

/** Eliminates columns k and k + 1 by their diagonal block. */
template <class T, bool Hermitian>
void eliminate_two(const Matrix<T>& a, i64 k) {
  // The block over its off-diagonal element (its magnitude, when Hermitian).
  const T off = a(k + 1, k);
  const T size = Hermitian ? T(abs_of(off)) : off;
  const T d11 = a(k + 1, k + 1) / size, d22 = a(k, k) / size, turn = off / size;
  const T scale = T(1) / (d11 * d22 - T(1)) / size;
  for (i64 j = k + 2; j < a.rows; j++) {
    const T first = scale * (d11 * a(j, k) - turn * a(j, k + 1));
    const T second = scale * (d22 * a(j, k + 1) - mirrored<T, Hermitian>(turn) * a(j, k));
    const T u = mirrored<T, Hermitian>(first), v = mirrored<T, Hermitian>(second);
    for (i64 i = j; i < a.rows; i++) a(i, j) = a(i, j) - a(i, k) * u - a(i, k + 1) * v;
    a(j, k) = first;
    a(j, k + 1) = second;
    a(j, j) = diagonal_of<T, Hermitian>(a(j, j));
  }
}

/** Factors the lower triangle; returns the place of the first zero block, from 1, or 0. */
template <class T, bool Hermitian>
i64 factor(const Matrix<T>& a, int32_t* pivots) {
  const i64 n = a.rows;
  i64 zero = 0;
  for (i64 k = 0; k < n;) {
    const Real<T> own = abs1_of(diagonal_of<T, Hermitian>(a(k, k)));
    i64 most_row = k;
    Real<T> most = 0;
    for (i64 i = k + 1; i < n; i++) {
      const Real<T> x = abs1_of(a(i, k));
      if (x > most) {
        most = x;
        most_row = i;
      }
    }
    Choice choice{k, 1};
    if (std::fmax(own, most) == 0 || own != own) {
      if (zero == 0) zero = k + 1;
      a(k, k) = diagonal_of<T, Hermitian>(a(k, k));
    } else {
      choice = choose_pivot<T, Hermitian>(a, k, most_row, most, own);
      const i64 last = k + choice.step - 1;
      if (choice.row != last) interchange<T, Hermitian>(a, last, choice.row, k, choice.step);
      for (i64 j = k; j <= last; j++) a(j, j) = diagonal_of<T, Hermitian>(a(j, j));
      if (choice.step == 1) {
        eliminate_one<T, Hermitian>(a, k);
      } else {
        eliminate_two<T, Hermitian>(a, k);
      }
    }
    const int32_t pivot = static_cast<int32_t>(choice.row + 1);
    pivots[k] = choice.step == 1 ? pivot : -pivot;
    if (choice.step == 2) pivots[k + 1] = -pivot;
    k += choice.step;
  }
  return zero;
}

template <class T>
void swap_rows(const Matrix<T>& x, i64 i, i64 j) {
  if (i == j) return;
  for (i64 c = 0; c < x.cols; c++) swap_values(x(i, c), x(j, c));
}

/** Rows [from, n) of X minus column k of L times row `row` of X. */
template <class T>
void subtract_below(const Matrix<const T>& l, const Matrix<T>& x, i64 k, i64 from) {
  for (i64 c = 0; c < x.cols; c++) {
    const T factor = x(k, c);
    for (i64 i = from; i < x.rows; i++) x(i, c) = x(i, c) - l(i, k) * factor;
  }
}
/** Row k of X minus the product of (mirrored) column k of L with the rows [from, n) of X. */
template <class T, bool Hermitian>
void subtract_above(const Matrix<const T>& l, const Matrix<T>& x, i64 k, i64 from) {
  for (i64 c = 0; c < x.cols; c++) {
    T sum = T(0);
    for (i64 i = from; i < x.rows; i++) sum = sum + mirrored<T, Hermitian>(l(i, k)) * x(i, c);
    x(k, c) = x(k, c) - sum;
  }
}

/** Two rows of X over a block of D. */
template <class T, bool Hermitian>
void divide_by_block(const Matrix<const T>& l, const Matrix<T>& x, i64 k) {
  const T off = l(k + 1, k), up = mirrored<T, Hermitian>(off);
  const T a = l(k, k) / up, b = l(k + 1, k + 1) / off, scale = T(1) / (a * b - T(1));
  for (i64 c = 0; c < x.cols; c++) {
    const T u = x(k, c) / up, v = x(k + 1, c) / off;
    x(k, c) = (b * u - v) * scale;
    x(k + 1, c) = (a * v - u) * scale;
  }
}

template <class T, bool Hermitian>
void solve(const Matrix<const T>& l, const int32_t* pivots, i64 step, const Matrix<T>& x) {
  const i64 n = l.rows;
  for (i64 k = 0; k < n;) {
    const int32_t pivot = pivots[k * step];
    if (pivot > 0 || k + 1 == n) {
      swap_rows(x, k, pivot > 0 ? pivot - 1 : k);
      subtract_below(l, x, k, k + 1);
      for (i64 c = 0; c < x.cols; c++) x(k, c) = x(k, c) / l(k, k);
      k += 1;
    } else {
      swap_rows(x, k + 1, static_cast<i64>(-pivot) - 1);
      subtract_below(l, x, k, k + 2);
      subtract_below(l, x, k + 1, k + 2);
      divide_by_block<T, Hermitian>(l, x, k);
      k += 2;
    }
  }
  for (i64 k = n - 1; k >= 0;) {
    const int32_t pivot = pivots[k * step];
    subtract_above<T, Hermitian>(l, x, k, k + 1);
    if (pivot > 0 || k == 0) {
      swap_rows(x, k, pivot > 0 ? pivot - 1 : k);
      k -= 1;
    } else {
      subtract_above<T, Hermitian>(l, x, k - 1, k + 1);
      swap_rows(x, k, static_cast<i64>(-pivot) - 1);
      k -= 2;
    }
  }
}

void ldl_factor(double* args) {
  Args in(args);
  TensorArg ld, pivots, info;
  in.tensor(ld);
  in.tensor(pivots);
  in.tensor(info);
  const bool hermitian = in.flag();
  const i64 n = ld.shape[1];
  with_scalar(ld.dtype, [&](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    const MatrixBatch<T> batch(ld);
    each_matrix(batch.count, n * n * n / 3, [&](i64 b) {
      const Matrix<T> a = batch[b];
      int32_t* to = pivots.as<int32_t>() + b * n;
      const i64 zero = hermitian ? factor<T, is_complex_scalar<T>>(a, to) : factor<T, false>(a, to);
      info.as<int32_t>()[b] = static_cast<int32_t>(zero);
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

void ldl_solve(double* args) {
  Args in(args);
  TensorArg x, ld, pivots;
  in.tensor(x);
  in.tensor(ld);
  in.tensor(pivots);
  const bool hermitian = in.flag();
  const i64 n = ld.shape[1];
  args[0] = 0;
  for (i64 b = 0; b < pivots.shape[0]; b++) {
    for (i64 i = 0; i < n; i++) {
      const i64 pivot = pivots.as<int32_t>()[b * pivots.strides[0] + i * pivots.strides[1]];
      if (pivot == 0 || pivot > n || -pivot > n) args[0] = 1;
    }
  }
  if (args[0] != 0) return;
  with_scalar(x.dtype, [&](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    const MatrixBatch<T> xs(x);
    const MatrixBatch<const T> factors(ld);
    each_matrix(xs.count, n * n * x.shape[2], [&](i64 b) {
      const int32_t* from = pivots.as<int32_t>() + b * pivots.strides[0];
      if (hermitian) {
        solve<T, is_complex_scalar<T>>(factors[b], from, pivots.strides[1], xs[b]);
      } else {
        solve<T, false>(factors[b], from, pivots.strides[1], xs[b]);
      }
    });
  });
}

}  // namespace

extern const KernelEntry linalg_ldl_kernels[];
const KernelEntry linalg_ldl_kernels[] = {{"ldl_factor", ldl_factor}, {"ldl_solve", ldl_solve}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
