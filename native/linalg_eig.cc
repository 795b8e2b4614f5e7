// Eigenvalues and right eigenvectors of general matrices: balancing, reduction to Hessenberg form, the Schur form, and
// back substitution for the vectors, which have norm 1 and a largest component without imaginary part, as LAPACK's geev
// has them.
//
//   linalg_eig: A [batch, n, n] column-major, destroyed; w [batch, n] complex; info [batch] int32, 1 where it failed;
//               vectors (flag), then if set V [batch, n, n] complex, column-major. Result: 1 + the first failed, or 0
#include "balance.h"
#include "schur.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace dense;

/** What must not be smaller when it divides, and the size at which vectors are scaled down. */
template <class R>
struct Guards {
  R smallest, big;
  explicit Guards(R norm) {
    smallest = std::fmax(Limits<R>::eps * norm, Limits<R>::tiny / Limits<R>::eps);
    big = R(1) / std::sqrt(Limits<R>::tiny / Limits<R>::eps);
  }
};

/** z = a / b for b that may be almost 0. */
template <class R>
Cx<R> guarded(Cx<R> a, Cx<R> b, const Guards<R>& guards) {
  if (size1(b) < guards.smallest) b = Cx<R>{guards.smallest, 0};
  return a / b;
}

// ---- complex matrices ----------------------------------------------------------------------------------

/** Eigenvectors of the upper triangular T: the columns of X, upper triangular. */
template <class R>
void triangular_vectors(i64 n, const Cx<R>* t, i64 ldt, Cx<R>* x, i64 ldx, R norm) {
  const Guards<R> guards(norm);
  for (i64 k = 0; k < n; k++) {
    Cx<R>* v = x + k * ldx;
    const Cx<R> own = t[k + k * ldt];
    clear(n, v);
    v[k] = Cx<R>{1, 0};
    for (i64 i = 0; i < k; i++) v[i] = -t[i + k * ldt];
    for (i64 i = k - 1; i >= 0; i--) {
      v[i] = guarded(v[i], t[i + i * ldt] - own, guards);
      const R size = size1(v[i]);
      if (size > guards.big) scale(k + 1, R(1) / size, v);
      axpy(i, -v[i], t + i * ldt, v);
    }
  }
}

/** To norm 1, the largest component real. */
template <class R>
void normalize(i64 n, Cx<R>* v) {
  const R size = norm2(n, v);
  if (!(size > R(0))) return;
  scale(n, R(1) / size, v);
  i64 top = 0;
  R best = -1;
  for (i64 i = 0; i < n; i++) {
    const R square = v[i].re * v[i].re + v[i].im * v[i].im;
    if (square > best) {
      best = square;
      top = i;
    }
  }
  const Cx<R> turn = (R(1) / std::sqrt(best)) * conj(v[top]);
  scale(n, turn, v);
  v[top].im = 0;
}

// ---- real matrices -------------------------------------------------------------------------------------

/** Back substitution with a quasi-triangular T for one eigenvalue, real or of a complex pair. */
template <class R>
class QuasiTriangular {
 public:
  QuasiTriangular(i64 n, const R* t, i64 ldt, R norm) : n_(n), t_(t), ldt_(ldt), guards_(norm) {}

  /** The vector of the real eigenvalue at k. */
  void real_vector(i64 k, R* x) {
    start(at(k, k), R(0), x, nullptr);
    clear(n_, x);
    x[k] = 1;
    for (i64 i = 0; i < k; i++) x[i] = -at(i, k);
    solve(k);
  }
  /** Real and imaginary part of the vector of the eigenvalue with positive imaginary part at (k - 1, k). */
  void complex_vector(i64 k, R im, R* x, R* y) {
    start(at(k, k), im, x, y);
    clear(n_, x);
    clear(n_, y);
    if (std::fabs(at(k - 1, k)) >= std::fabs(at(k, k - 1))) {
      x[k - 1] = 1;
      y[k] = im / at(k - 1, k);
    } else {
      y[k - 1] = im / at(k, k - 1);
      x[k] = 1;
    }
    for (i64 i = 0; i < k - 1; i++) {
      x[i] = -(x[k - 1] * at(i, k - 1) + x[k] * at(i, k));
      y[i] = -(y[k - 1] * at(i, k - 1) + y[k] * at(i, k));
    }
    solve(k - 1);
  }

 private:
  i64 n_;
  const R* t_;
  i64 ldt_;
  Guards<R> guards_;
  R re_ = 0, im_ = 0;
  R* x_ = nullptr;
  R* y_ = nullptr;  // null for a real vector

  TT_INLINE R at(i64 i, i64 j) const { return t_[i + j * ldt_]; }
  void start(R re, R im, R* x, R* y) {
    re_ = re;
    im_ = im;
    x_ = x;
    y_ = y;
  }
  Cx<R> value(i64 i) const { return {x_[i], y_ == nullptr ? R(0) : y_[i]}; }
  void set(i64 i, Cx<R> v) {
    x_[i] = v.re;
    if (y_ != nullptr) y_[i] = v.im;
    const R size = size1(v);
    if (!(size > guards_.big)) return;
    scale(n_, R(1) / size, x_);
    if (y_ != nullptr) scale(n_, R(1) / size, y_);
  }
  void eliminate(i64 i, i64 rows) {
    axpy(rows, -x_[i], t_ + i * ldt_, x_);
    if (y_ != nullptr) axpy(rows, -y_[i], t_ + i * ldt_, y_);
  }

  /** (T - lambda) v = rhs for the first `count` rows. */
  void solve(i64 count) {
    for (i64 i = count - 1; i >= 0;) {
      if (i > 0 && at(i, i - 1) != R(0)) {
        solve_pair(i);
        eliminate(i, i - 1);
        eliminate(i - 1, i - 1);
        i -= 2;
      } else {
        set(i, guarded(value(i), Cx<R>{at(i, i) - re_, -im_}, guards_));
        eliminate(i, i);
        i--;
      }
    }
  }
  /** Gaussian elimination with the larger pivot of the 2 by 2 block at (i - 1, i). */
  void solve_pair(i64 i) {
    using C = Cx<R>;
    C a{at(i - 1, i - 1) - re_, -im_}, b{at(i - 1, i), 0}, c{at(i, i - 1), 0}, d{at(i, i) - re_, -im_};
    C p = value(i - 1), q = value(i);
    if (size1(c) > size1(a)) {
      exchange(a, c);
      exchange(b, d);
      exchange(p, q);
    }
    const C factor = guarded(c, a, guards_);
    const C second = guarded(q - factor * p, d - factor * b, guards_);
    const C first = guarded(p - b * second, a, guards_);
    const R size = std::fmax(size1(first), size1(second));
    if (size > guards_.big) {  // both are of one scale
      const R down = R(1) / size;
      scale(n_, down, x_);
      if (y_ != nullptr) scale(n_, down, y_);
      set(i, down * second);
      set(i - 1, down * first);
      return;
    }
    set(i, second);
    set(i - 1, first);
  }
  static void exchange(Cx<R>& x, Cx<R>& y) {
    const Cx<R> t = x;
    x = y;
    y = t;
  }
};

template <class R>
void triangular_vectors(i64 n, const R* t, i64 ldt, const R* im, R* x, i64 ldx, R norm) {
  QuasiTriangular<R> solver(n, t, ldt, norm);
  for (i64 k = n - 1; k >= 0; k--) {
    if (im[k] == R(0)) {
      solver.real_vector(k, x + k * ldx);
    } else {
      solver.complex_vector(k, im[k - 1], x + (k - 1) * ldx, x + k * ldx);
      k--;
    }
  }
}

/** Vectors in real columns (pairs: real and imaginary part) to complex ones of norm 1. */
template <class R>
void unpack_vectors(i64 n, const R* im, R* v, i64 ldv, Cx<R>* out) {
  for (i64 k = 0; k < n; k++) {
    R* x = v + k * ldv;
    Cx<R>* to = out + k * n;
    if (im[k] == R(0)) {
      const R size = norm2(n, x);
      for (i64 i = 0; i < n; i++) to[i] = Cx<R>{size > R(0) ? x[i] / size : x[i], 0};
      continue;
    }
    R* y = x + ldv;
    const R size = hypot2(norm2(n, x), norm2(n, y));
    R best = -1, c = 1, s = 0, r;
    i64 top = 0;
    for (i64 i = 0; i < n; i++) {
      x[i] /= size;
      y[i] /= size;
      const R square = x[i] * x[i] + y[i] * y[i];
      if (square > best) {
        best = square;
        top = i;
      }
    }
    make_rotation(x[top], y[top], c, s, r);
    for (i64 i = 0; i < n; i++) {
      to[i] = Cx<R>{c * x[i] + s * y[i], i == top ? R(0) : c * y[i] - s * x[i]};
      to[i + n] = conj(to[i]);
    }
    k++;
  }
}

// ---- the whole -----------------------------------------------------------------------------------------

template <class T>
size_t eig_bytes(i64 n) {
  using R = RealOf<T>;
  const size_t matrices = 4 * Work::bytes<T>(padded<T>(n) * n);
  const size_t vectors = 4 * Work::bytes<T>(n) + 3 * Work::bytes<R>(n) + Work::bytes<i64>(n);
  return matrices + vectors + form_q_bytes<T>(n, n);
}

/** Q of the reduction, as a whole matrix. */
template <class T>
void form_transformation(i64 n, i64 low, i64 high, const T* h, i64 ld, const T* tau, T* z, i64 ldz, Work work) {
  for (i64 j = 0; j < n; j++) {
    clear(n, z + j * ldz);
    z[j + j * ldz] = from_real<T>(1);
  }
  const i64 size = high - low;  // rows low + 1 to high
  if (size > 1) {
    form_q(size, size, size - 1, h + low + 1 + low * ld, ld, tau + low, z + low + 1 + (low + 1) * ldz, ldz, work);
  }
}

template <class T>
bool eig(i64 n, const T* a, Cx<RealOf<T>>* w, Cx<RealOf<T>>* v, Work work) {
  using R = RealOf<T>;
  const i64 ld = padded<T>(n);
  const R size = largest(n * n, a);
  if (!std::isfinite(size)) return false;
  const R factor = safe_scale(size);
  T* h = work.take<T>(ld * n);
  for (i64 j = 0; j < n; j++) {
    copy(n, a + j * n, h + j * ld);
    if (factor != R(1)) scale(n, factor, h + j * ld);
  }
  Balance<R> balanced{0, n - 1, work.take<R>(n), work.take<i64>(n)};
  balance(n, h, ld, balanced);
  const i64 low = balanced.low, high = balanced.high;
  T* tau = work.take<T>(n);
  make_hessenberg(n, low, high, h, ld, tau, work);
  T* z = nullptr;
  if (v != nullptr) {
    z = work.take<T>(ld * n);
    form_transformation(n, low, high, h, ld, tau, z, ld, work);
  }
  for (i64 j = 0; j + 2 < n; j++) clear(n - j - 2, h + j + 2 + j * ld);
  const SchurForm<T> form{n, low, high, h, ld, z, ld};
  R* re = work.take<R>(n);
  R* im = work.take<R>(n);
  if constexpr (Traits<T>::is_complex) {
    if (!ComplexSchur<R>(form).run(w)) return false;
  } else {
    if (!RealSchur<R>(form).run(re, im)) return false;
    for (i64 i = 0; i < n; i++) w[i] = Cx<R>{re[i], im[i]};
  }
  if (v != nullptr) {
    R norm = 0;
    for (i64 j = 0; j < n; j++) norm = std::fmax(norm, largest(j + 1, h + j * ld));
    T* x = work.take<T>(ld * n);
    if constexpr (Traits<T>::is_complex) {
      triangular_vectors(n, h, ld, x, ld, norm);
      multiply(n, n, n, 1, plain(z, ld), plain(x, ld), 0, v, n);
      undo_balance(n, balanced, n, v, n);
      for (i64 j = 0; j < n; j++) normalize(n, v + j * n);
    } else {
      triangular_vectors(n, h, ld, im, x, ld, norm);
      T* y = work.take<T>(ld * n);
      multiply(n, n, n, 1, plain(z, ld), plain(x, ld), 0, y, ld);
      undo_balance(n, balanced, n, y, ld);
      unpack_vectors(n, im, y, ld, v);
    }
  }
  for (i64 i = 0; i < n; i++) w[i] = (R(1) / factor) * w[i];
  return true;
}

void linalg_eig(double* args) {
  Args in(args);
  TensorArg a, w, info, v;
  in.tensor(a);
  in.tensor(w);
  in.tensor(info);
  const bool vectors = in.flag();
  if (vectors) in.tensor(v);
  const i64 n = a.shape[1];
  by_scalar(a.dtype, [&]<class T>() {
    using C = Cx<RealOf<T>>;
    parallel_for(a.shape[0], batch_grain(25 * n * n * n), [&](i64 begin, i64 end) {
      const Work work(eig_bytes<T>(n));
      for (i64 b = begin; b < end; b++) {
        C* to = vectors ? v.as<C>() + b * n * n : nullptr;
        info.as<int32_t>()[b] = eig(n, a.as<T>() + b * n * n, w.as<C>() + b * n, to, work) ? 0 : 1;
      }
    });
  });
  report_failure(args, info);
}

}  // namespace

extern const KernelEntry linalg_eig_kernels[];
const KernelEntry linalg_eig_kernels[] = {{"linalg_eig", linalg_eig}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
