// Singular value decomposition: QR first where there are many more rows than columns, reduction to bidiagonal form by
// blocks of reflectors, then implicit QR iterations with and without shift, which find small singular values to full
// relative accuracy (Golub and Van Loan, "Matrix Computations", 8.6; Demmel and Kahan, "Accurate singular values of
// bidiagonal matrices", 1990).
//
//   linalg_svd: A [batch, n, m] column-major m by n, m >= n, destroyed; S [batch, n] real, descending; info [batch]
//               int32, 1 where it failed; vectors (flag), then if set U [batch, m or n, m] and V [batch, n, n],
//               column-major, with A = U S V^H
#include "householder.h"
#include "rotations.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace dense;

/** Reflectors of a panel, V from the left and U from the right; A - V Y^H - X U^H is the reduced matrix. */
template <class T>
struct Panel {
  T *v, *x, *y, *u, *right, *coefficients;
  static size_t bytes(i64 m, i64 n) {
    return Work::bytes<T>(2 * m * kBlock) + 2 * Work::bytes<T>(2 * n * kBlock) + Work::bytes<T>(kBlock + 1);
  }
  Panel(Work& work, i64 m, i64 n) {
    v = work.take<T>(2 * m * kBlock);  // V and X side by side
    y = work.take<T>(2 * n * kBlock);  // Y and U side by side
    right = Traits<T>::is_complex ? work.take<T>(2 * n * kBlock) : y;
    coefficients = work.take<T>(kBlock + 1);
    x = v + m * kBlock;
    u = y + n * kBlock;
  }
};

/** What the reduction leaves: diagonal, superdiagonal, factors of the reflectors, and (in rows) those from the right. */
template <class T>
struct Bidiagonal {
  RealOf<T> *d, *e;
  T *tau_left, *tau_right;
  T* right;  // [n, n]: column k has the tail of reflector k below its row k + 1
  i64 ld;
};

/** Column i of the reduced matrix, its reflector, and the column of Y. */
template <class T>
void reduce_column(i64 m, i64 n, i64 i, i64 p, T* a, i64 lda, Panel<T>& x, Bidiagonal<T>& out) {
  T* column = a + i + i * lda;
  const i64 rows = m - i, after = i + 1, rest = n - after;
  for (i64 q = 0; q < p; q++) x.coefficients[q] = conj(x.y[i + q * n]);
  multiply_add(rows, p, from_real<T>(-1), x.v + i, m, x.coefficients, column);
  for (i64 q = 0; q < p; q++) x.coefficients[q] = conj(x.u[i + q * n]);
  multiply_add(rows, p, from_real<T>(-1), x.x + i, m, x.coefficients, column);
  out.tau_left[i] = make_reflector(rows - 1, column[0], column + 1);
  out.d[i] = real(column[0]);
  T* v = x.v + p * m;
  clear(i, v);
  v[i] = from_real<T>(1);
  copy(rows - 1, column + 1, v + i + 1);
  if (rest == 0) return;
  T* y = x.y + p * n;
  clear(after, y);
  multiply_adjoint(rows, rest, a + i + after * lda, lda, v + i, y + after);
  multiply_adjoint(rows, p, x.v + i, m, v + i, x.coefficients);
  multiply_add(rest, p, from_real<T>(-1), x.y + after, n, x.coefficients, y + after);
  multiply_adjoint(rows, p, x.x + i, m, v + i, x.coefficients);
  multiply_add(rest, p, from_real<T>(-1), x.u + after, n, x.coefficients, y + after);
  scale(rest, out.tau_left[i], y + after);
}

/** Row i of the reduced matrix right of the diagonal, its reflector, and the column of X. */
template <class T>
void reduce_row(i64 m, i64 n, i64 i, i64 p, T* a, i64 lda, Panel<T>& x, Bidiagonal<T>& out) {
  const i64 after = i + 1, rest = n - after, rows = m - after;
  T* row = out.right + i * out.ld + after;  // the row's conjugate
  for (i64 j = 0; j < rest; j++) row[j] = conj(a[i + (after + j) * lda]);
  for (i64 q = 0; q <= p; q++) x.coefficients[q] = conj(x.v[i + q * m]);
  multiply_add(rest, p + 1, from_real<T>(-1), x.y + after, n, x.coefficients, row);
  for (i64 q = 0; q < p; q++) x.coefficients[q] = conj(x.x[i + q * m]);
  multiply_add(rest, p, from_real<T>(-1), x.u + after, n, x.coefficients, row);
  out.tau_right[i] = make_reflector(rest - 1, row[0], row + 1);
  out.e[i] = real(row[0]);
  T* u = x.u + p * n;
  clear(after, u);
  u[after] = from_real<T>(1);
  copy(rest - 1, row + 1, u + after + 1);
  T* column = x.x + p * m;
  clear(m, column);
  multiply_add(rows, rest, from_real<T>(1), a + after + after * lda, lda, u + after, column + after);
  multiply_adjoint(rest, p + 1, x.y + after, n, u + after, x.coefficients);
  multiply_add(rows, p + 1, from_real<T>(-1), x.v + after, m, x.coefficients, column + after);
  multiply_adjoint(rest, p, x.u + after, n, u + after, x.coefficients);
  multiply_add(rows, p, from_real<T>(-1), x.x + after, m, x.coefficients, column + after);
  scale(rows, out.tau_right[i], column + after);
}

/** A [m, n] = Q B P^H, m >= n, B upper bidiagonal; the tails of Q's reflectors stay below A's diagonal. */
template <class T>
void bidiagonalize(i64 m, i64 n, T* a, i64 lda, Bidiagonal<T>& out, Work work) {
  Panel<T> x(work, m, n);
  for (i64 j = 0; j < n; j += kBlock) {
    const i64 width = min_of(kBlock, n - j), next = j + width;
    for (i64 p = 0; p < width; p++) {
      reduce_column(m, n, j + p, p, a, lda, x, out);
      if (j + p + 1 < n) reduce_row(m, n, j + p, p, a, lda, x, out);
    }
    if (next >= n) break;
    if constexpr (Traits<T>::is_complex) {
      for (i64 i = 0; i < 2 * n * kBlock; i++) x.right[i] = conj(x.y[i]);
    }
    multiply(m - next, n - next, 2 * kBlock, -1, plain(x.v + next, m), transposed(x.right + next, n), 1,
             a + next + next * lda, lda);
  }
}

/** The smaller singular value of [f g; 0 h]. */
template <class R>
R smaller_singular_value(R f, R g, R h) {
  const R a = std::fabs(f), b = std::fabs(h), x = std::fabs(g), low = a < b ? a : b, high = a < b ? b : a;
  if (low == R(0)) return 0;
  const R sum = R(1) + low / high, difference = (high - low) / high;
  if (x < high) {
    const R t = x / high, square = t * t;
    return low * (R(2) / (std::sqrt(sum * sum + square) + std::sqrt(difference * difference + square)));
  }
  const R t = high / x;
  if (t == R(0)) return low * high / x;
  const R u = sum * t, v = difference * t;
  return R(2) * (low * (R(1) / (std::sqrt(R(1) + u * u) + std::sqrt(R(1) + v * v)))) * t;
}

/** Implicit QR iterations on an upper bidiagonal matrix. */
template <class R>
class BidiagonalQR {
 public:
  BidiagonalQR(i64 n, R* d, R* e, RotatedColumns<R>& left, RotatedColumns<R>& right)
      : n_(n), d_(d), e_(e), left_(left), right_(right) {}

  /** False when it does not converge. */
  bool run() {
    tolerance_ = Limits<R>::eps * (sizeof(R) == 4 ? R(10) : R(90));
    threshold_ = least_threshold();
    i64 budget = 6 * n_ * n_ + 12, last_start = -1, last_end = -1;
    bool down = true;
    i64 end = n_ - 1;
    while (end > 0) {
      if (budget <= 0) return false;
      if (std::fabs(d_[end]) <= threshold_) d_[end] = 0;
      R large = std::fabs(d_[end]);
      i64 start = end;
      while (start > 0 && std::fabs(e_[start - 1]) > threshold_) {
        start--;
        if (std::fabs(d_[start]) <= threshold_) d_[start] = 0;
        large = max(large, max(std::fabs(d_[start]), std::fabs(e_[start])));
      }
      if (start > 0) e_[start - 1] = 0;
      if (start == end) {
        end--;
        continue;
      }
      // A new block is chased from its end with the larger elements to the other.
      if (start > last_end || end < last_start) down = std::fabs(d_[start]) >= std::fabs(d_[end]);
      last_start = start;
      last_end = end;
      R small = 0;
      if (converged(start, end, down, small)) continue;
      const R shift = choose_shift(start, end, down, small, large);
      budget -= end - start;
      left_.begin(start, end - start, !down);
      right_.begin(start, end - start, !down);
      if (shift == R(0)) {
        down ? zero_shift_down(start, end) : zero_shift_up(start, end);
      } else {
        down ? shifted_down(start, end, shift) : shifted_up(start, end, shift);
      }
    }
    return true;
  }

 private:
  i64 n_;
  R* d_;
  R* e_;
  RotatedColumns<R>& left_;
  RotatedColumns<R>& right_;
  R tolerance_ = 0, threshold_ = 0;

  static R max(R a, R b) { return a > b ? a : b; }

  /** Below this an element counts as zero: the tolerance times a lower bound of the smallest singular value. */
  R least_threshold() const {
    R bound = std::fabs(d_[0]), mu = bound;
    for (i64 i = 1; i < n_ && bound > R(0); i++) {
      mu = std::fabs(d_[i]) * (mu / (mu + std::fabs(e_[i - 1])));
      if (mu < bound) bound = mu;
    }
    const R count = static_cast<R>(n_);
    return max(tolerance_ * bound / std::sqrt(count), R(6) * count * (count * Limits<R>::tiny));
  }

  /** Zeroes a negligible superdiagonal element, if there is one; else `small` bounds the smallest singular value. */
  bool converged(i64 start, i64 end, bool down, R& small) {
    const i64 corner = down ? end - 1 : start;
    if (std::fabs(e_[corner]) <= tolerance_ * std::fabs(d_[down ? end : start])) {
      e_[corner] = 0;
      return true;
    }
    R mu = std::fabs(d_[down ? start : end]);
    small = mu;
    for (i64 k = 0; k < end - start; k++) {
      const i64 j = down ? start + k : end - 1 - k;
      const R size = std::fabs(e_[j]);
      if (size <= tolerance_ * mu) {
        e_[j] = 0;
        return true;
      }
      mu = std::fabs(d_[down ? j + 1 : j]) * (mu / (mu + size));
      if (mu < small) small = mu;
    }
    return false;
  }

  /** 0 where a shift would spoil the relative accuracy of small singular values, or gain nothing. */
  R choose_shift(i64 start, i64 end, bool down, R small, R large) const {
    if (static_cast<R>(n_) * tolerance_ * (small / large) <= max(Limits<R>::eps, R(0.01) * tolerance_)) return 0;
    const i64 corner = down ? end - 1 : start;
    const R shift = smaller_singular_value(d_[corner], e_[corner], d_[corner + 1]);
    const R ratio = shift / std::fabs(d_[down ? start : end]);
    return ratio * ratio < Limits<R>::eps || !std::isfinite(ratio) ? R(0) : shift;
  }

  void zero_shift_down(i64 start, i64 end) {
    R c = 1, s = 0, old_c = 1, old_s = 0, r;
    for (i64 i = start; i < end; i++) {
      make_rotation(d_[i] * c, e_[i], c, s, r);
      if (i > start) e_[i - 1] = old_s * r;
      make_rotation(old_c * r, d_[i + 1] * s, old_c, old_s, d_[i]);
      right_.rotate(i, c, s);
      left_.rotate(i, old_c, old_s);
    }
    const R h = d_[end] * c;
    d_[end] = h * old_c;
    e_[end - 1] = h * old_s;
  }
  void zero_shift_up(i64 start, i64 end) {
    R c = 1, s = 0, old_c = 1, old_s = 0, r;
    for (i64 i = end; i > start; i--) {
      make_rotation(d_[i] * c, e_[i - 1], c, s, r);
      if (i < end) e_[i] = old_s * r;
      make_rotation(old_c * r, d_[i - 1] * s, old_c, old_s, d_[i]);
      left_.rotate(i - 1, c, -s);
      right_.rotate(i - 1, old_c, -old_s);
    }
    const R h = d_[start] * c;
    d_[start] = h * old_c;
    e_[start] = h * old_s;
  }
  /** The first element of the shifted matrix B^T B - shift^2, over d. */
  static R shifted_start(R d, R shift) { return (std::fabs(d) - shift) * (with_sign(R(1), d) + shift / d); }

  void shifted_down(i64 start, i64 end, R shift) {
    R f = shifted_start(d_[start], shift), g = e_[start], c, s, r;
    for (i64 i = start; i < end; i++) {
      make_rotation(f, g, c, s, r);
      right_.rotate(i, c, s);
      if (i > start) e_[i - 1] = r;
      f = c * d_[i] + s * e_[i];
      e_[i] = c * e_[i] - s * d_[i];
      g = s * d_[i + 1];
      d_[i + 1] = c * d_[i + 1];
      make_rotation(f, g, c, s, r);
      left_.rotate(i, c, s);
      d_[i] = r;
      f = c * e_[i] + s * d_[i + 1];
      d_[i + 1] = c * d_[i + 1] - s * e_[i];
      if (i + 1 < end) {
        g = s * e_[i + 1];
        e_[i + 1] = c * e_[i + 1];
      }
    }
    e_[end - 1] = f;
  }
  void shifted_up(i64 start, i64 end, R shift) {
    R f = shifted_start(d_[end], shift), g = e_[end - 1], c, s, r;
    for (i64 i = end; i > start; i--) {
      make_rotation(f, g, c, s, r);
      left_.rotate(i - 1, c, -s);
      if (i < end) e_[i] = r;
      f = c * d_[i] + s * e_[i - 1];
      e_[i - 1] = c * e_[i - 1] - s * d_[i];
      g = s * d_[i - 1];
      d_[i - 1] = c * d_[i - 1];
      make_rotation(f, g, c, s, r);
      right_.rotate(i - 1, c, -s);
      d_[i] = r;
      f = c * e_[i - 1] + s * d_[i - 1];
      d_[i - 1] = c * d_[i - 1] - s * e_[i - 1];
      if (i - 1 > start) {
        g = s * e_[i - 2];
        e_[i - 2] = c * e_[i - 2];
      }
    }
    e_[start] = f;
  }
};

/** Enough more rows than columns that QR before the reduction saves work. */
TT_INLINE bool is_tall(i64 m, i64 n) { return 5 * m > 8 * n; }

template <class T>
size_t svd_bytes(i64 m, i64 n, i64 columns) {
  using R = RealOf<T>;
  constexpr i64 parts = Traits<T>::parts;
  size_t total = Work::bytes<T>(padded<T>(m) * n) + Work::bytes<T>(padded<T>(n) * n) + 3 * Work::bytes<T>(n);
  total += 2 * Work::bytes<R>(n) + 2 * Work::bytes<i64>(n) + Work::bytes<bool>(n) + Work::bytes<T>(padded<T>(n) * n);
  total += Panel<T>::bytes(m, n) + Reflectors<T>::bytes(m, max_of(n, columns)) + 2 * Work::bytes<T>(n * n);
  return total + RotatedColumns<R>::bytes(parts * m, n) + RotatedColumns<R>::bytes(parts * n, n);
}

template <class T>
struct Svd {
  i64 m, n, columns;  // of U
  T *a, *u, *v;       // u and v null for singular values only
  RealOf<T>* s;
};

/** The matrix that is made bidiagonal: A itself, or R of its QR decomposition. */
template <class T>
struct Reduced {
  T* h;
  i64 rows, ld;
  bool tall;
  T *a, *tau;  // the QR decomposition of a tall A
  i64 lda;
};

/** A scaled copy of A, by QR to fewer rows when it is tall. */
template <class T>
Reduced<T> reduce_rows(const Svd<T>& x, RealOf<T> factor, Work& work) {
  const i64 n = x.n, ld = padded<T>(x.m), ldn = padded<T>(n);
  T* a = work.take<T>(ld * n);
  for (i64 j = 0; j < n; j++) {
    copy(x.m, x.a + j * x.m, a + j * ld);
    if (factor != RealOf<T>(1)) scale(x.m, factor, a + j * ld);
  }
  T* tau = work.take<T>(n);
  if (!is_tall(x.m, n)) return {a, x.m, ld, false, a, tau, ld};
  factor_qr(x.m, n, a, ld, tau, work);
  T* h = work.take<T>(ldn * n);
  for (i64 j = 0; j < n; j++) {
    copy(j + 1, a + j * ld, h + j * ldn);
    clear(n - j - 1, h + j + 1 + j * ldn);
  }
  return {h, n, ldn, true, a, tau, ld};
}

/** Iterates with vectors: U and V from the reflectors of the reduction, rotated, in descending order of the values. */
template <class T>
bool with_vectors(const Svd<T>& x, const Reduced<T>& r, const Bidiagonal<T>& b, i64* order, Work work) {
  using R = RealOf<T>;
  constexpr i64 parts = Traits<T>::parts;
  const i64 n = x.n;
  bool* negative = work.take<bool>(n);
  i64* scratch = work.take<i64>(n);
  T* q = r.tall ? work.take<T>(n * n) : x.u;
  form_q(r.rows, r.tall ? n : x.columns, n, r.h, r.ld, b.tau_left, q, r.rows, work);
  for (i64 j = 0; j < n; j++) x.v[j * n] = T{};
  clear(n, x.v);
  x.v[0] = from_real<T>(1);
  if (n > 1) form_q(n - 1, n - 1, n - 1, b.right + 1, b.ld, b.tau_right, x.v + 1 + n, n, work);
  RotatedColumns<R> left(work, r.rows * parts, n, reinterpret_cast<R*>(q), r.rows * parts);
  RotatedColumns<R> right(work, n * parts, n, reinterpret_cast<R*>(x.v), n * parts);
  if (!BidiagonalQR<R>(n, b.d, b.e, left, right).run()) return false;
  for (i64 i = 0; i < n; i++) {
    negative[i] = std::signbit(b.d[i]);
    b.d[i] = std::fabs(b.d[i]);
  }
  sort_order(n, b.d, true, order, scratch);
  right.finish(order, negative, reinterpret_cast<R*>(x.v), n * parts);
  if (r.tall) {
    for (i64 j = 0; j < x.columns; j++) {
      clear(x.m, x.u + j * x.m);
      if (j >= n) x.u[j + j * x.m] = from_real<T>(1);
    }
  }
  left.finish(order, nullptr, reinterpret_cast<R*>(x.u), x.m * parts);
  if (r.tall) apply_q(true, false, x.m, x.columns, n, r.a, r.lda, r.tau, x.u, x.m, work);
  return true;
}

/** Iterates for the values alone. */
template <class T>
bool without_vectors(i64 n, const Bidiagonal<T>& b, i64* order, Work work) {
  using R = RealOf<T>;
  RotatedColumns<R> none(work, 0, n, nullptr, 0);
  if (!BidiagonalQR<R>(n, b.d, b.e, none, none).run()) return false;
  for (i64 i = 0; i < n; i++) b.d[i] = std::fabs(b.d[i]);
  sort_order(n, b.d, true, order, work.take<i64>(n));
  return true;
}

template <class T>
bool svd(const Svd<T>& x, Work work) {
  using R = RealOf<T>;
  const i64 n = x.n, ldn = padded<T>(n);
  const R size = largest(x.m * n, x.a);
  if (!std::isfinite(size)) return false;
  const R factor = safe_scale(size);
  const Reduced<T> r = reduce_rows(x, factor, work);
  Bidiagonal<T> b{work.take<R>(n), work.take<R>(n), work.take<T>(n), work.take<T>(n), work.take<T>(ldn * n), ldn};
  bidiagonalize(r.rows, n, r.h, r.ld, b, work);
  i64* order = work.take<i64>(n);
  if (!(x.u != nullptr ? with_vectors(x, r, b, order, work) : without_vectors(n, b, order, work))) return false;
  for (i64 i = 0; i < n; i++) x.s[i] = b.d[order[i]] / factor;
  return true;
}

void linalg_svd(double* args) {
  Args in(args);
  TensorArg a, s, info, u, v;
  in.tensor(a);
  in.tensor(s);
  in.tensor(info);
  const bool vectors = in.flag();
  if (vectors) {
    in.tensor(u);
    in.tensor(v);
  }
  const i64 n = a.shape[1], m = a.shape[2], columns = vectors ? u.shape[1] : 0;
  by_scalar(a.dtype, [&]<class T>() {
    using R = RealOf<T>;
    parallel_for(a.shape[0], batch_grain(20 * m * n * n), [&](i64 begin, i64 end) {
      const Work work(svd_bytes<T>(m, n, columns));
      for (i64 b = begin; b < end; b++) {
        const Svd<T> x{m,
                       n,
                       columns,
                       a.as<T>() + b * m * n,
                       vectors ? u.as<T>() + b * m * columns : nullptr,
                       vectors ? v.as<T>() + b * n * n : nullptr,
                       s.as<R>() + b * n};
        info.as<int32_t>()[b] = svd(x, work) ? 0 : 1;
      }
    });
  });
  report_failure(args, info);
}

}  // namespace

extern const KernelEntry linalg_svd_kernels[];
const KernelEntry linalg_svd_kernels[] = {{"linalg_svd", linalg_svd}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
