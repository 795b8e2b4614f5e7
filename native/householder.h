// Householder reflectors H = I - tau v v^H with v[0] = 1, one by one and in blocks I - V T V^H, as LAPACK stores and
// signs them (Golub and Van Loan, "Matrix Computations", 5.1 and 5.2; Schreiber and Van Loan 1989 for the blocks).
#pragma once

#include "dense.h"

namespace tt {
inline namespace KERNEL_NS {
namespace dense {

/**
 * The reflector with H^H [alpha; x] = [beta; 0], beta real: x becomes the tail of v, alpha becomes beta.
 * beta has the sign opposite to alpha's real part; tau is 0 where nothing is to do.
 */
template <class T>
inline T make_reflector(i64 tail, T& alpha, T* x) {
  using R = RealOf<T>;
  R size = norm2(tail, x);
  if (size == R(0) && imag(alpha) == R(0)) return T{};
  R beta = -with_sign(hypot2(magnitude(alpha), size), real(alpha));
  constexpr R safe = Limits<R>::tiny / Limits<R>::eps;
  int scalings = 0;
  while (std::fabs(beta) < safe && scalings < 20) {  // v would lose digits: scale up, and beta back at the end
    scale(tail, R(1) / safe, x);
    alpha = (R(1) / safe) * alpha;
    scalings++;
    size = norm2(tail, x);
    beta = -with_sign(hypot2(magnitude(alpha), size), real(alpha));
  }
  const T tau = (R(1) / beta) * (from_real<T>(beta) - alpha);
  scale(tail, from_real<T>(R(1)) / (alpha - from_real<T>(beta)), x);
  for (; scalings > 0; scalings--) beta *= safe;
  alpha = from_real<T>(beta);
  return tau;
}

/** A [m, n] -= factor * v (v^H A). */
template <class T>
inline void reflect_left(i64 m, i64 n, const T* v, T factor, T* a, i64 lda) {
  parallel_for(n, m > 0 ? kVectorGrain / m + 4 : n, [&](i64 begin, i64 end) {
    i64 j = begin;
    T sums[4];
    for (; j + 4 <= end; j += 4) {
      dots<T, 4>(m, v, a + j * lda, lda, sums);
      for (int c = 0; c < 4; c++) axpy(m, -(factor * sums[c]), v, a + (j + c) * lda);
    }
    for (; j < end; j++) axpy(m, -(factor * dot(m, v, a + j * lda)), v, a + j * lda);
  });
}

/** QR of a panel, column by column: R above the diagonal, the tails of the reflectors below it. */
template <class T>
inline void factor_panel(i64 m, i64 n, T* a, i64 lda, T* tau) {
  for (i64 j = 0; j < n && j < m; j++) {
    T* column = a + j + j * lda;
    tau[j] = make_reflector(m - j - 1, *column, column + 1);
    if (j + 1 == n) break;
    const T beta = *column;
    *column = from_real<T>(1);
    reflect_left(m - j, n - j - 1, column, conj(tau[j]), column + lda, lda);
    *column = beta;
  }
}

constexpr i64 kBlock = 32;  // reflectors in a block

/** A block of reflectors with the scratch to apply it. */
template <class T>
struct Reflectors {
  i64 rows = 0, count = 0;
  T* v;       // [rows, count], zeros above the diagonal, ones on it
  T* v_conj;  // its conjugate; v itself for real scalars
  T* t;       // [count, count], upper triangular
  T* w;       // [count, columns]
  T* tw;      // [count, columns]

  /** Scratch for blocks of up to `m` rows, applied to matrices of up to n columns (rows, from the right). */
  static size_t bytes(i64 m, i64 n) {
    return (Traits<T>::is_complex ? 2 : 1) * Work::bytes<T>(m * kBlock) + Work::bytes<T>(kBlock * kBlock) +
           2 * Work::bytes<T>(kBlock * n);
  }
  Reflectors(Work& work, i64 m, i64 n) {
    v = work.take<T>(m * kBlock);
    v_conj = Traits<T>::is_complex ? work.take<T>(m * kBlock) : v;
    t = work.take<T>(kBlock * kBlock);
    w = work.take<T>(kBlock * n);
    tw = work.take<T>(kBlock * n);
  }

  /** Takes the k reflectors whose tails lie below the diagonal of a [m, k]. */
  void set(i64 m, i64 k, const T* a, i64 lda, const T* tau) {
    rows = m;
    count = k;
    for (i64 j = 0; j < k; j++) {
      T* column = v + j * m;
      clear(j, column);
      column[j] = from_real<T>(1);
      copy(m - j - 1, a + j + 1 + j * lda, column + j + 1);
    }
    if constexpr (Traits<T>::is_complex) {
      for (i64 i = 0; i < m * k; i++) v_conj[i] = conj(v[i]);
    }
    make_t(tau);
  }

  /** C [rows, n] = (I - V T V^H) C, or with T^H: the adjoint. */
  void apply_left(bool adjoint, i64 n, T* c, i64 ldc) {
    if (n == 0) return;
    multiply(count, n, rows, 1, transposed(v_conj, rows), plain(c, ldc), 0, w, count);
    times_t(adjoint, n);
    multiply(rows, n, count, -1, plain(v, rows), plain(tw, count), 1, c, ldc);
  }

  /** C [m, rows] = C (I - V T V^H), or with T^H. */
  void apply_right(bool adjoint, i64 m, T* c, i64 ldc) {
    if (m == 0) return;
    // W^T = (C V)^T, so that T works on columns of count elements in both cases.
    multiply(count, m, rows, 1, transposed(v, rows), transposed(c, ldc), 0, w, count);
    times_t_transposed(adjoint, m);
    multiply(m, rows, count, -1, transposed(tw, count), transposed(v_conj, rows), 1, c, ldc);
  }

 private:
  void make_t(const T* tau) {
    for (i64 j = 0; j < count; j++) {
      T* column = t + j * count;
      clear(count, column);
      column[j] = tau[j];
      // t[0:j, j] = -tau_j T[0:j, 0:j] (V[:, 0:j]^H v_j)
      T products[kBlock];
      for (i64 i = 0; i < j; i++) products[i] = -(tau[j] * dot(rows - j, v + j + i * rows, v + j + j * rows));
      for (i64 i = 0; i < j; i++) {
        T sum{};
        for (i64 p = i; p < j; p++) sum += t[i + p * count] * products[p];
        column[i] = sum;
      }
    }
  }
  /** tw = T w, or T^H w. */
  void times_t(bool adjoint, i64 n) {
    for (i64 j = 0; j < n; j++) {
      const T* from = w + j * count;
      T* to = tw + j * count;
      if (adjoint) {
        for (i64 i = 0; i < count; i++) to[i] = dot(i + 1, t + i * count, from);
      } else {
        clear(count, to);
        for (i64 p = 0; p < count; p++) axpy(p + 1, from[p], t + p * count, to);
      }
    }
  }
  /** tw = (w^T T)^T, or (w^T T^H)^T. */
  void times_t_transposed(bool adjoint, i64 n) {
    for (i64 j = 0; j < n; j++) {
      const T* from = w + j * count;
      T* to = tw + j * count;
      for (i64 i = 0; i < count; i++) {
        T sum{};
        if (adjoint) {
          for (i64 p = i; p < count; p++) sum += from[p] * conj(t[i + p * count]);
        } else {
          for (i64 p = 0; p <= i; p++) sum += from[p] * t[p + i * count];
        }
        to[i] = sum;
      }
    }
  }
};

/** A [m, n] = Q R, in place: R on and above the diagonal, the reflectors' tails below; tau [min(m, n)]. */
template <class T>
inline void factor_qr(i64 m, i64 n, T* a, i64 lda, T* tau, Work work) {
  const i64 k = m < n ? m : n;
  if (k <= kBlock + kBlock / 2) return factor_panel(m, n, a, lda, tau);
  Reflectors<T> block(work, m, n);
  for (i64 j = 0; j < k; j += kBlock) {
    const i64 width = min_of(kBlock, k - j);
    T* panel = a + j + j * lda;
    factor_panel(m - j, width, panel, lda, tau + j);
    if (j + width == n) break;
    block.set(m - j, width, panel, lda, tau + j);
    block.apply_left(true, n - j - width, panel + width * lda, lda);
  }
}
template <class T>
size_t factor_qr_bytes(i64 m, i64 n) {
  return Reflectors<T>::bytes(m, n);
}

/**
 * Q [m, n] = the first n columns of H_0 H_1 ... H_{k-1}, k <= n <= m. `v` holds the reflectors' tails below its diagonal
 * and is another matrix than q.
 */
template <class T>
inline void form_q(i64 m, i64 n, i64 k, const T* v, i64 ldv, const T* tau, T* q, i64 ldq, Work work) {
  for (i64 j = 0; j < n; j++) {
    clear(m, q + j * ldq);
    q[j + j * ldq] = from_real<T>(1);
  }
  if (k <= 8) {
    T* column = work.take<T>(m);
    for (i64 j = k - 1; j >= 0; j--) {
      column[0] = from_real<T>(1);
      copy(m - j - 1, v + j + 1 + j * ldv, column + 1);
      reflect_left(m - j, n - j, column, tau[j], q + j + j * ldq, ldq);
    }
    return;
  }
  Reflectors<T> block(work, m, n);
  for (i64 j = (k - 1) / kBlock * kBlock; j >= 0; j -= kBlock) {
    block.set(m - j, min_of(kBlock, k - j), v + j + j * ldv, ldv, tau + j);
    block.apply_left(false, n - j, q + j + j * ldq, ldq);
  }
}
template <class T>
size_t form_q_bytes(i64 m, i64 n) {
  return Reflectors<T>::bytes(m, n);
}

/**
 * C [m, n] = Q C, Q^H C (left) or C Q, C Q^H (right), where Q = H_0 ... H_{k-1} from the tails in v. Q has m rows on the
 * left, n on the right.
 */
template <class T>
inline void apply_q(bool left, bool adjoint, i64 m, i64 n, i64 k, const T* v, i64 ldv, const T* tau, T* c, i64 ldc,
                    Work work) {
  const i64 order = left ? m : n, blocks = (k + kBlock - 1) / kBlock;
  Reflectors<T> block(work, order, left ? n : m);
  const bool forward = left == adjoint;
  for (i64 b = 0; b < blocks; b++) {
    const i64 j = (forward ? b : blocks - 1 - b) * kBlock;
    block.set(order - j, min_of(kBlock, k - j), v + j + j * ldv, ldv, tau + j);
    if (left) {
      block.apply_left(adjoint, n, c + j, ldc);
    } else {
      block.apply_right(adjoint, m, c + j * ldc, ldc);
    }
  }
}
template <class T>
size_t apply_q_bytes(bool left, i64 m, i64 n) {
  return left ? Reflectors<T>::bytes(m, n) : Reflectors<T>::bytes(n, m);
}

}  // namespace dense
}  // namespace KERNEL_NS
}  // namespace tt
