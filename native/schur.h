// Schur forms of Hessenberg matrices by QR iterations: Francis's double shift for real matrices, Wilkinson's single shift
// for complex ones (Golub and Van Loan, "Matrix Computations", 7.5; the test for negligible elements is that of Ahues and
// Tisseur, LAPACK Working Note 122).
#pragma once

#include "householder.h"
#include "rotations.h"

namespace tt {
inline namespace KERNEL_NS {
namespace dense {

constexpr int kIterations = 30;   // for one eigenvalue, times the order
constexpr int kExceptional = 10;  // a shift of another kind after so many without success

/** H [n, n], zero below the subdiagonal and upper triangular but for rows and columns [low, high]; Z [n, n]
    collects the transformations, or is null. */
template <class T>
struct SchurForm {
  i64 n, low, high;
  T* h;
  i64 ldh;
  T* z;
  i64 ldz;

  TT_INLINE T& at(i64 i, i64 j) const { return h[i + j * ldh]; }
  bool vectors() const { return z != nullptr; }

  /** Whether the element below the diagonal in column k - 1 counts as zero. */
  bool negligible(i64 k) const {
    using R = RealOf<T>;
    const R tiny = Limits<R>::tiny / (R(2) * Limits<R>::eps) * static_cast<R>(n), below = size1(at(k, k - 1));
    if (below <= tiny) return true;
    R size = size1(at(k - 1, k - 1)) + size1(at(k, k));
    if (size == R(0)) {
      if (k - 2 >= low) size += size1(at(k - 1, k - 2));
      if (k + 1 <= high) size += size1(at(k + 1, k));
    }
    constexpr R ulp = R(2) * Limits<R>::eps;
    if (below > ulp * size) return false;
    const R above = size1(at(k - 1, k)), own = size1(at(k, k)), difference = size1(at(k - 1, k - 1) - at(k, k));
    const R ab = above > below ? above : below, ba = above > below ? below : above;
    const R aa = own > difference ? own : difference, bb = own > difference ? difference : own;
    const R s = aa + ab, bound = ulp * (bb * (aa / s));
    return ba * (ab / s) <= (tiny > bound ? tiny : bound);
  }
};

/** Three columns times I - t [1 v2 v3]^T [1 v2 v3]. */
template <class R>
inline void reflect_columns(i64 rows, R* __restrict a, R* __restrict b, R* __restrict c, R t, R v2, R v3) {
  const R t2 = t * v2, t3 = t * v3;
  for (i64 i = 0; i < rows; i++) {
    const R sum = a[i] + v2 * b[i] + v3 * c[i];
    a[i] -= sum * t;
    b[i] -= sum * t2;
    c[i] -= sum * t3;
  }
}
template <class R>
inline void reflect_columns(i64 rows, R* __restrict a, R* __restrict b, R t, R v2) {
  const R t2 = t * v2;
  for (i64 i = 0; i < rows; i++) {
    const R sum = a[i] + v2 * b[i];
    a[i] -= sum * t;
    b[i] -= sum * t2;
  }
}
/** Two complex columns times I - t [1 v2]^T [1 conj(v2)]. */
template <class R>
inline void reflect_columns(i64 rows, Cx<R>* __restrict a, Cx<R>* __restrict b, Cx<R> t, Cx<R> v2) {
  const Cx<R> t2 = t * conj(v2), tv = t * v2, tvv = t2 * v2;
  for (i64 i = 0; i < rows; i++) {
    const Cx<R> x = a[i], y = b[i];
    a[i] = x - (t * x + tv * y);
    b[i] = y - (t2 * x + tvv * y);
  }
}

// ---- real matrices -------------------------------------------------------------------------------------

/** A 2 by 2 block [a b; c d] and the rotation (cs, sn) that brings it to standard form: c = 0, or a = d and b c < 0. */
template <class R>
struct Block2 {
  R a, b, c, d, cs = 1, sn = 0;

  void standardize() {
    if (c == R(0)) return;
    if (b == R(0)) {
      turn(0, 1);
    } else if (a - d != R(0) || (b > R(0)) == (c > R(0))) {
      const R p = R(0.5) * (a - d), big = std::fmax(std::fabs(b), std::fabs(c));
      const R small = std::fmin(std::fabs(b), std::fabs(c)) * ((b > R(0)) == (c > R(0)) ? R(1) : R(-1));
      const R scale = std::fmax(std::fabs(p), big), z = p / scale * p + big / scale * small;
      if (z >= R(8) * Limits<R>::eps) {
        real_pair(p + with_sign(std::sqrt(scale) * std::sqrt(z), p), big, small);
      } else {
        equal_diagonal();
      }
    }
  }

 private:
  /** Rotates rows and columns. */
  void turn(R c1, R s1) {
    const R aa = a * c1 + b * s1, bb = b * c1 - a * s1, cc = c * c1 + d * s1, dd = d * c1 - c * s1;
    a = aa * c1 + cc * s1;
    b = bb * c1 + dd * s1;
    c = cc * c1 - aa * s1;
    d = dd * c1 - bb * s1;
    const R t = cs * c1 - sn * s1;
    sn = cs * s1 + sn * c1;
    cs = t;
  }
  /** z: the distance from d to the eigenvalue farther from it. */
  void real_pair(R z, R big, R small) {
    const R length = hypot2(c, z);
    cs = z / length;
    sn = c / length;
    a = d + z;
    d -= big / z * small;
    b -= c;
    c = 0;
  }
  void equal_diagonal() {
    const R sigma = b + c, difference = a - d, length = hypot2(sigma, difference);
    const R c1 = std::sqrt(R(0.5) * (R(1) + std::fabs(sigma) / length));
    turn(c1, -(R(0.5) * difference / (length * c1)) * with_sign(R(1), sigma));
    const R middle = R(0.5) * (a + d);
    a = d = middle;
    if (c == R(0)) return;
    if (b == R(0)) {
      turn(0, 1);
    } else if ((b > R(0)) == (c > R(0))) {  // two real eigenvalues after all
      const R sb = std::sqrt(std::fabs(b)), sc = std::sqrt(std::fabs(c)), length1 = R(1) / std::sqrt(std::fabs(b + c));
      const R p = with_sign(sb * sc, c), c2 = sb * length1, s2 = sc * length1, t = cs * c2 - sn * s2;
      sn = cs * s2 + sn * c2;
      cs = t;
      a = middle + p;
      d = middle - p;
      b -= c;
      c = 0;
    }
  }
};

/** The real Schur form, with 2 by 2 blocks for complex pairs of eigenvalues. */
template <class R>
class RealSchur {
 public:
  explicit RealSchur(const SchurForm<R>& form) : f_(form) {}

  /** False when an eigenvalue does not converge. */
  bool run(R* re, R* im) {
    for (i64 i = 0; i < f_.n; i++) {
      if (i >= f_.low && i <= f_.high) continue;
      re[i] = f_.at(i, i);
      im[i] = 0;
    }
    i64 budget = kIterations * max_of(10, f_.high - f_.low + 1);
    for (i64 i = f_.high; i >= f_.low;) {
      i64 start = f_.low;
      bool found = false;
      for (int since = 0; budget > 0 && !found; budget--, since++) {
        i64 k = i;
        while (k > start && !f_.negligible(k)) k--;
        start = k;
        if (start > f_.low) f_.at(start, start - 1) = 0;
        found = start >= i - 1;
        if (!found) sweep(start, i, since);
      }
      if (!found) return false;
      if (start == i) {
        re[i] = f_.at(i, i);
        im[i] = 0;
      } else {
        split(i, re, im);
      }
      i = start - 1;
    }
    return true;
  }

 private:
  SchurForm<R> f_;
  R shift_re_[2], shift_im_[2];

  void choose_shifts(i64 start, i64 end, int since) {
    R h11, h21, h12, h22;
    if (since > 0 && since % kExceptional == 0) {
      const bool top = since % (2 * kExceptional) != 0;
      const R s = top ? std::fabs(f_.at(start + 1, start)) + std::fabs(f_.at(start + 2, start + 1))
                      : std::fabs(f_.at(end, end - 1)) + std::fabs(f_.at(end - 1, end - 2));
      h11 = R(0.75) * s + (top ? f_.at(start, start) : f_.at(end, end));
      h12 = R(-0.4375) * s;
      h21 = s;
      h22 = h11;
    } else {
      h11 = f_.at(end - 1, end - 1);
      h21 = f_.at(end, end - 1);
      h12 = f_.at(end - 1, end);
      h22 = f_.at(end, end);
    }
    shift_re_[0] = shift_re_[1] = shift_im_[0] = shift_im_[1] = 0;
    const R s = std::fabs(h11) + std::fabs(h12) + std::fabs(h21) + std::fabs(h22);
    if (s == R(0)) return;
    h11 /= s;
    h21 /= s;
    h12 /= s;
    h22 /= s;
    const R half = (h11 + h22) / R(2), det = (h11 - half) * (h22 - half) - h12 * h21, root = std::sqrt(std::fabs(det));
    if (det >= R(0)) {  // a complex pair
      shift_re_[0] = shift_re_[1] = half * s;
      shift_im_[0] = root * s;
      shift_im_[1] = -shift_im_[0];
    } else {  // the closer one to the corner, twice
      const R a = half + root, b = half - root;
      shift_re_[0] = shift_re_[1] = (std::fabs(a - h22) <= std::fabs(b - h22) ? a : b) * s;
    }
  }

  /** The first column of (H - s1)(H - s2) from row m on, up to a factor. */
  void first_column(i64 m, R* v) const {
    const R h11 = f_.at(m, m), h22 = f_.at(m + 1, m + 1);
    const R s = std::fabs(h11 - shift_re_[1]) + std::fabs(shift_im_[1]) + std::fabs(f_.at(m + 1, m));
    const R below = f_.at(m + 1, m) / s;
    v[0] = below * f_.at(m, m + 1) + (h11 - shift_re_[0]) * ((h11 - shift_re_[1]) / s) -
           shift_im_[0] * (shift_im_[1] / s);
    v[1] = below * (h11 + h22 - shift_re_[0] - shift_re_[1]);
    v[2] = below * f_.at(m + 2, m + 1);
    const R size = std::fabs(v[0]) + std::fabs(v[1]) + std::fabs(v[2]);
    for (int j = 0; j < 3; j++) v[j] /= size;
  }

  /** One double-shift step on rows and columns [start, end]. */
  void sweep(i64 start, i64 end, int since) {
    choose_shifts(start, end, since);
    R v[3];
    i64 m = end - 2;
    for (;; m--) {  // from where two consecutive subdiagonal elements are small
      first_column(m, v);
      if (m == start) break;
      const R near = std::fabs(f_.at(m - 1, m - 1)) + std::fabs(f_.at(m, m)) + std::fabs(f_.at(m + 1, m + 1));
      if (std::fabs(f_.at(m, m - 1)) * (std::fabs(v[1]) + std::fabs(v[2])) <=
          R(2) * Limits<R>::eps * std::fabs(v[0]) * near) {
        break;
      }
    }
    const i64 first = f_.vectors() ? 0 : start, last = f_.vectors() ? f_.n - 1 : end;
    for (i64 k = m; k < end; k++) {
      const i64 size = min_of(3, end - k + 1);
      if (k > m) copy(size, &f_.at(k, k - 1), v);
      const R t = make_reflector(size - 1, v[0], v + 1);
      if (k > m) {
        f_.at(k, k - 1) = v[0];
        for (i64 r = 1; r < size; r++) f_.at(k + r, k - 1) = 0;
      } else if (m > start) {
        f_.at(k, k - 1) *= R(1) - t;
      }
      apply(k, size, t, v[1], size == 3 ? v[2] : R(0), first, last, min_of(k + 3, end));
    }
  }

  void apply(i64 k, i64 size, R t, R v2, R v3, i64 first, i64 last, i64 bottom) {
    const R t2 = t * v2, t3 = t * v3;
    R* column = &f_.at(k, k);
    if (size == 3) {
      for (i64 j = k; j <= last; j++, column += f_.ldh) {
        const R sum = column[0] + v2 * column[1] + v3 * column[2];
        column[0] -= sum * t;
        column[1] -= sum * t2;
        column[2] -= sum * t3;
      }
      reflect_columns(bottom - first + 1, &f_.at(first, k), &f_.at(first, k + 1), &f_.at(first, k + 2), t, v2, v3);
      if (!f_.vectors()) return;
      R* z = f_.z + f_.low + k * f_.ldz;
      reflect_columns(f_.high - f_.low + 1, z, z + f_.ldz, z + 2 * f_.ldz, t, v2, v3);
    } else {
      for (i64 j = k; j <= last; j++, column += f_.ldh) {
        const R sum = column[0] + v2 * column[1];
        column[0] -= sum * t;
        column[1] -= sum * t2;
      }
      reflect_columns(bottom - first + 1, &f_.at(first, k), &f_.at(first, k + 1), t, v2);
      if (!f_.vectors()) return;
      R* z = f_.z + f_.low + k * f_.ldz;
      reflect_columns(f_.high - f_.low + 1, z, z + f_.ldz, t, v2);
    }
  }

  /** The block at (i - 1, i) in standard form. */
  void split(i64 i, R* re, R* im) {
    Block2<R> x{f_.at(i - 1, i - 1), f_.at(i - 1, i), f_.at(i, i - 1), f_.at(i, i)};
    x.standardize();
    f_.at(i - 1, i - 1) = x.a;
    f_.at(i - 1, i) = x.b;
    f_.at(i, i - 1) = x.c;
    f_.at(i, i) = x.d;
    re[i - 1] = x.a;
    re[i] = x.d;
    im[i - 1] = x.c == R(0) ? R(0) : std::sqrt(std::fabs(x.b)) * std::sqrt(std::fabs(x.c));
    im[i] = -im[i - 1];
    if (!f_.vectors()) return;
    for (i64 j = i + 1; j < f_.n; j++) rotate(f_.at(i - 1, j), f_.at(i, j), x.cs, x.sn);
    for (i64 j = 0; j < i - 1; j++) rotate(f_.at(j, i - 1), f_.at(j, i), x.cs, x.sn);
    for (i64 j = f_.low; j <= f_.high; j++) {
      rotate(f_.z[j + (i - 1) * f_.ldz], f_.z[j + i * f_.ldz], x.cs, x.sn);
    }
  }
  static void rotate(R& x, R& y, R c, R s) {
    const R t = c * x + s * y;
    y = c * y - s * x;
    x = t;
  }
};

// ---- complex matrices ----------------------------------------------------------------------------------

template <class R>
inline Cx<R> square_root(Cx<R> z) {
  const R size = hypot2(z.re, z.im);
  if (size == R(0)) return {0, 0};
  const R t = std::sqrt((std::fabs(z.re) + size) / R(2));
  return z.re >= R(0) ? Cx<R>{t, z.im / (R(2) * t)} : Cx<R>{std::fabs(z.im) / (R(2) * t), with_sign(t, z.im)};
}

/** The complex Schur form: upper triangular. */
template <class R>
class ComplexSchur {
 public:
  using C = Cx<R>;
  explicit ComplexSchur(const SchurForm<C>& form) : f_(form) {}

  /** False when an eigenvalue does not converge. */
  bool run(C* w) {
    i64 budget = kIterations * max_of(10, f_.high - f_.low + 1);
    for (i64 i = f_.high; i >= f_.low; i--) {
      i64 start = f_.low;
      bool found = false;
      for (int since = 0; budget > 0 && !found; budget--, since++) {
        i64 k = i;
        while (k > start && !f_.negligible(k)) k--;
        start = k;
        if (start > f_.low) f_.at(start, start - 1) = C{0, 0};
        found = start == i;
        if (!found) sweep(start, i, since);
      }
      if (!found) return false;
    }
    for (i64 i = 0; i < f_.n; i++) w[i] = f_.at(i, i);
    return true;
  }

 private:
  SchurForm<C> f_;

  C choose_shift(i64 start, i64 end, int since) const {
    if (since > 0 && since % kExceptional == 0) {
      const bool top = since % (2 * kExceptional) != 0;
      const R s = R(0.75) * size1(top ? f_.at(start + 1, start) : f_.at(end, end - 1));
      return C{s, 0} + (top ? f_.at(start, start) : f_.at(end, end));
    }
    const C corner = f_.at(end, end), u = square_root(f_.at(end - 1, end)) * square_root(f_.at(end, end - 1));
    const R us = size1(u);
    if (us == R(0)) return corner;
    const C x = R(0.5) * (f_.at(end - 1, end - 1) - corner);
    const R xs = size1(x), s = us > xs ? us : xs;
    const C xn = (R(1) / s) * x, un = (R(1) / s) * u;
    C y = s * square_root(xn * xn + un * un);
    if (xs > R(0) && (x.re / xs) * y.re + (x.im / xs) * y.im < R(0)) y = -y;
    return corner - u * (u / (x + y));
  }

  /** One step on rows and columns [start, end]. */
  void sweep(i64 start, i64 end, int since) {
    const C shift = choose_shift(start, end, since);
    const i64 first = f_.vectors() ? 0 : start, last = f_.vectors() ? f_.n - 1 : end;
    C head = f_.at(start, start) - shift, tail = f_.at(start + 1, start);
    for (i64 k = start; k < end; k++) {
      if (k > start) {
        head = f_.at(k, k - 1);
        tail = f_.at(k + 1, k - 1);
      }
      const C t = make_reflector(1, head, &tail);
      if (k > start) {
        f_.at(k, k - 1) = head;
        f_.at(k + 1, k - 1) = C{0, 0};
      }
      const C tc = conj(t), v = tail, vc = conj(tail);
      C* column = &f_.at(k, k);
      for (i64 j = k; j <= last; j++, column += f_.ldh) {
        const C sum = tc * (column[0] + vc * column[1]);
        column[0] -= sum;
        column[1] -= sum * v;
      }
      const i64 bottom = min_of(k + 2, end);
      reflect_columns(bottom - first + 1, &f_.at(first, k), &f_.at(first, k + 1), t, v);
      if (!f_.vectors()) continue;
      C* z = f_.z + f_.low + k * f_.ldz;
      reflect_columns(f_.high - f_.low + 1, z, z + f_.ldz, t, v);
    }
  }
};

}  // namespace dense
}  // namespace KERNEL_NS
}  // namespace tt
