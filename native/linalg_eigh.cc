// Eigenvalues and eigenvectors of symmetric and Hermitian matrices: reduction to tridiagonal form by blocks of reflectors,
// then implicit QL or QR iterations (Golub and Van Loan, "Matrix Computations", 8.3; Dongarra, Sorensen and Hammarling
// 1989 for the blocks).
//
//   linalg_eigh: A [batch, n, n] column-major, its lower triangle read, overwritten by the eigenvectors (or destroyed);
//                w [batch, n] real, ascending; info [batch] int32, 1 where it failed; vectors (flag). Result: 1 + the first failed, or 0
#include "householder.h"
#include "rotations.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace dense;

/** y += the sum of alpha[c] a[:, c], and sums[c] = the sum of conj(a[:, c]) x, reading a once. */
template <class T, int N>
TT_INLINE void add_and_dot(i64 n, const T* alpha, const T* a, i64 lda, const T* x, T* y, T* sums) {
  using R = RealOf<T>;
  constexpr int L = lanes<R>;
  const i64 count = n * Traits<T>::parts;
  const R* xr = reinterpret_cast<const R*>(x);
  R* yr = reinterpret_cast<R*>(y);
  Vec<R> re[N], im[N], straight[N] = {}, crossed[N] = {};
  for (int c = 0; c < N; c++) {
    re[c] = broadcast(real(alpha[c]));
    if constexpr (Traits<T>::is_complex) im[c] = alternating(imag(alpha[c]));
  }
  i64 i = 0;
  const auto step = [&](Vec<R> v, Vec<R>& sum, int c, Vec<R> w) {
    sum = mul_add<R>(re[c], w, sum);
    straight[c] = mul_add<R>(v, w, straight[c]);
    if constexpr (Traits<T>::is_complex) {
      const Vec<R> swapped = swap_pairs<R>(w);
      sum = mul_add<R>(im[c], swapped, sum);
      crossed[c] = mul_add<R>(v, swapped, crossed[c]);
    }
  };
  for (; i + L <= count; i += L) {
    const Vec<R> v = load(xr + i);
    Vec<R> sum = load(yr + i);
    for (int c = 0; c < N; c++) step(v, sum, c, load(reinterpret_cast<const R*>(a + c * lda) + i));
    store(yr + i, sum);
  }
  if (i < count) {
    const Vec<R> v = load_part(xr + i, count - i);
    Vec<R> sum = load_part(yr + i, count - i);
    for (int c = 0; c < N; c++) {
      step(v, sum, c, load_part(reinterpret_cast<const R*>(a + c * lda) + i, count - i));
    }
    store_part(yr + i, sum, count - i);
  }
  for (int c = 0; c < N; c++) {
    if constexpr (Traits<T>::is_complex) {
      R odd = 0;
      for (int l = 0; l < L; l += 2) odd += crossed[c][l + 1] - crossed[c][l];
      sums[c] = T{sum_lanes<R>(straight[c]), odd};
    } else {
      sums[c] = sum_lanes<R>(straight[c]);
    }
  }
}

/** y = A x, of a Hermitian matrix given by its lower triangle. */
template <class T>
void multiply_hermitian(i64 n, const T* a, i64 lda, const T* x, T* y) {
  clear(n, y);
  i64 j = 0;
  T sums[4];
  for (; j + 4 <= n; j += 4) {
    const T* block = a + j + j * lda;
    for (int c = 0; c < 4; c++) {
      y[j + c] += real(block[c + c * lda]) * x[j + c];
      for (int r = c + 1; r < 4; r++) {
        y[j + r] += block[r + c * lda] * x[j + c];
        y[j + c] += conj(block[r + c * lda]) * x[j + r];
      }
    }
    add_and_dot<T, 4>(n - j - 4, x + j, block + 4, lda, x + j + 4, y + j + 4, sums);
    for (int c = 0; c < 4; c++) y[j + c] += sums[c];
  }
  for (; j < n; j++) {
    const T* column = a + j + j * lda;
    y[j] += real(column[0]) * x[j];
    add_and_dot<T, 1>(n - j - 1, x + j, column + 1, lda, x + j + 1, y + j + 1, sums);
    y[j] += sums[0];
  }
}

/** The scratch of a panel of the reduction: reflectors V, and W with A - V W^H - W V^H the reduced matrix. */
template <class T>
struct Panel {
  T *v, *w, *right, *coefficients, *products;
  static size_t bytes(i64 n) { return 2 * Work::bytes<T>(2 * n * kBlock) + 2 * Work::bytes<T>(kBlock); }
  Panel(Work& work, i64 n) {
    v = work.take<T>(2 * n * kBlock);  // V and W side by side
    w = v + n * kBlock;
    right = work.take<T>(2 * n * kBlock);
    coefficients = work.take<T>(kBlock);
    products = work.take<T>(kBlock);
  }
};

/** One column of a panel: column i of the reduced matrix is made, its reflector and its column of W follow. */
template <class T>
void reduce_column(i64 n, i64 i, i64 p, T* a, i64 lda, Panel<T>& x, RealOf<T>* d, RealOf<T>* e, T* tau) {
  const i64 first = i - p;  // the panel's first column
  T* column = a + i * lda;
  for (i64 q = 0; q < p; q++) x.coefficients[q] = conj(x.w[i + q * n]);
  multiply_add(n - i, p, from_real<T>(-1), x.v + i, n, x.coefficients, column + i);
  for (i64 q = 0; q < p; q++) x.coefficients[q] = conj(x.v[i + q * n]);
  multiply_add(n - i, p, from_real<T>(-1), x.w + i, n, x.coefficients, column + i);
  d[i] = real(column[i]);
  if (i + 1 == n) return;
  const i64 below = i + 1, rest = n - below;
  tau[i] = make_reflector(rest - 1, column[below], column + below + 1);
  e[i] = real(column[below]);
  T* v = x.v + p * n;
  T* w = x.w + p * n;
  clear(below - first, v + first);
  clear(below - first, w + first);
  v[below] = from_real<T>(1);
  copy(rest - 1, column + below + 1, v + below + 1);
  multiply_hermitian(rest, a + below + below * lda, lda, v + below, w + below);
  multiply_adjoint(rest, p, x.w + below, n, v + below, x.products);
  multiply_add(rest, p, from_real<T>(-1), x.v + below, n, x.products, w + below);
  multiply_adjoint(rest, p, x.v + below, n, v + below, x.products);
  multiply_add(rest, p, from_real<T>(-1), x.w + below, n, x.products, w + below);
  scale(rest, tau[i], w + below);
  const RealOf<T> half = RealOf<T>(-0.5) * real(conj(tau[i]) * dot(rest, v + below, w + below));
  axpy(rest, from_real<T>(half), v + below, w + below);
}

/** A = Q T Q^H: T's diagonal d and off-diagonal e, the reflectors' tails below the first subdiagonal of A. */
template <class T>
void tridiagonalize(i64 n, T* a, i64 lda, RealOf<T>* d, RealOf<T>* e, T* tau, Work work) {
  Panel<T> x(work, n);
  for (i64 j = 0; j < n; j += kBlock) {
    const i64 width = min_of(kBlock, n - j), next = j + width;
    for (i64 p = 0; p < width; p++) reduce_column(n, j + p, p, a, lda, x, d, e, tau);
    if (next >= n) break;
    for (i64 q = 0; q < width; q++) {
      for (i64 i = next; i < n; i++) {
        x.right[i + q * n] = conj(x.w[i + q * n]);
        x.right[i + (width + q) * n] = conj(x.v[i + q * n]);
      }
    }
    if (width < kBlock) memmove(x.v + width * n, x.w, static_cast<size_t>(n * width) * sizeof(T));
    constexpr i64 kColumns = 96;  // by blocks of columns, as only the lower triangle counts
    for (i64 c = next; c < n; c += kColumns) {
      multiply(n - c, min_of(kColumns, n - c), 2 * width, -1, plain(x.v + c, n), transposed(x.right + c, n), 1,
               a + c + c * lda, lda);
    }
  }
}

/** The eigenvalues of [a b; b c], the one of larger magnitude first, and the unit eigenvector (cs, sn) of that. */
template <class R>
void eigen_2x2(R a, R b, R c, R& large, R& small, R& cs, R& sn) {
  // Jacobi's rotation by the smaller angle diagonalizes the matrix.
  R t = 0;
  if (b != R(0)) {
    const R theta = (c - a) / (R(2) * b);
    t = with_sign(R(1), theta) / (std::fabs(theta) + hypot2(R(1), theta));
  }
  const R cosine = R(1) / std::sqrt(R(1) + t * t), sine = t * cosine;
  const R first = a - t * b, second = c + t * b;  // of (cosine, -sine) and (sine, cosine)
  const bool keep = std::fabs(first) >= std::fabs(second);
  large = keep ? first : second;
  small = keep ? second : first;
  cs = keep ? cosine : sine;
  sn = keep ? -sine : cosine;
}

/** Implicit QL and QR iterations on a symmetric tridiagonal matrix. */
template <class R>
class TridiagonalQR {
 public:
  TridiagonalQR(i64 n, R* d, R* e, RotatedColumns<R>& vectors)
      : d_(d), e_(e), vectors_(vectors), n_(n), budget_(30 * n) {}

  /** False when an eigenvalue does not converge. */
  bool run() {
    for (i64 start = 0; start < n_;) {
      i64 end = start;
      while (end + 1 < n_ && !negligible(end)) end++;
      if (end + 1 < n_) e_[end] = 0;
      // From the end with the smaller elements: graded matrices keep their small eigenvalues.
      const bool done = std::fabs(d_[end]) < std::fabs(d_[start]) ? finish_up(start, end) : finish_down(start, end);
      if (!done) return false;
      start = end + 1;
    }
    return true;
  }

 private:
  R* d_;
  R* e_;
  RotatedColumns<R>& vectors_;
  i64 n_, budget_;

  bool negligible(i64 j) const {
    const R size = std::fabs(e_[j]);
    return size == R(0) ||
           size <= Limits<R>::eps * std::sqrt(std::fabs(d_[j])) * std::sqrt(std::fabs(d_[j + 1])) ||
           size <= Limits<R>::tiny;
  }
  /** Wilkinson's shift from the corner (p, q) with off-diagonal b, less d at the other end. */
  R start_value(R p, R q, R b, R other) const {
    const R g = (q - p) / (R(2) * b);
    return other - p + b / (g + with_sign(hypot2(g, R(1)), g));
  }
  void solve_pair(i64 j) {
    R large, small, c, s;
    eigen_2x2(d_[j], e_[j], d_[j + 1], large, small, c, s);
    vectors_.begin(j, 1, false);
    vectors_.rotate(j, c, s);
    d_[j] = large;
    d_[j + 1] = small;
    e_[j] = 0;
  }

  /** QL: eigenvalues appear at the top of [low, high]. */
  bool finish_down(i64 low, i64 high) {
    while (low <= high) {
      i64 m = low;
      while (m < high && !negligible(m)) m++;
      if (m < high) e_[m] = 0;
      if (m == low) {
        low++;
      } else if (m == low + 1) {
        solve_pair(low);
        low += 2;
      } else {
        if (budget_-- == 0) return false;
        R g = start_value(d_[low], d_[low + 1], e_[low], d_[m]), s = 1, c = 1, p = 0;
        vectors_.begin(low, m - low, true);
        for (i64 i = m - 1; i >= low; i--) {
          const R f = s * e_[i], b = c * e_[i];
          R r;
          make_rotation(g, f, c, s, r);
          if (i != m - 1) e_[i + 1] = r;
          g = d_[i + 1] - p;
          r = (d_[i] - g) * s + R(2) * c * b;
          p = s * r;
          d_[i + 1] = g + p;
          g = c * r - b;
          vectors_.rotate(i, c, -s);
        }
        d_[low] -= p;
        e_[low] = g;
      }
    }
    return true;
  }

  /** QR: eigenvalues appear at the bottom of [low, high]. */
  bool finish_up(i64 low, i64 high) {
    while (high >= low) {
      i64 m = high;
      while (m > low && !negligible(m - 1)) m--;
      if (m > low) e_[m - 1] = 0;
      if (m == high) {
        high--;
      } else if (m == high - 1) {
        solve_pair(m);
        high -= 2;
      } else {
        if (budget_-- == 0) return false;
        R g = start_value(d_[high], d_[high - 1], e_[high - 1], d_[m]), s = 1, c = 1, p = 0;
        vectors_.begin(m, high - m, false);
        for (i64 i = m; i < high; i++) {
          const R f = s * e_[i], b = c * e_[i];
          R r;
          make_rotation(g, f, c, s, r);
          if (i != m) e_[i - 1] = r;
          g = d_[i] - p;
          r = (d_[i + 1] - g) * s + R(2) * c * b;
          p = s * r;
          d_[i] = g + p;
          g = c * r - b;
          vectors_.rotate(i, c, s);
        }
        d_[high] -= p;
        e_[high - 1] = g;
      }
    }
    return true;
  }
};

template <class T>
size_t eigh_bytes(i64 n) {
  using R = RealOf<T>;
  const size_t inner = Panel<T>::bytes(n) + form_q_bytes<T>(n, n) + RotatedColumns<R>::bytes(Traits<T>::parts * n, n);
  return Work::bytes<T>(padded<T>(n) * n) + 2 * Work::bytes<R>(n) + Work::bytes<T>(n) + 2 * Work::bytes<i64>(n) + inner;
}

template <class T>
bool eigh(i64 n, T* a, RealOf<T>* w, bool vectors, Work work) {
  using R = RealOf<T>;
  const i64 ld = padded<T>(n);
  T* h = work.take<T>(ld * n);
  R* d = work.take<R>(n);
  R* e = work.take<R>(n);
  T* tau = work.take<T>(n);
  i64* order = work.take<i64>(n);
  i64* scratch = work.take<i64>(n);
  R size = 0;
  for (i64 j = 0; j < n; j++) {
    a[j + j * n] = from_real<T>(real(a[j + j * n]));
    const R big = largest(n - j, a + j + j * n);
    if (!std::isfinite(big)) return false;
    if (big > size) size = big;
  }
  const R factor = safe_scale(size);
  for (i64 j = 0; j < n; j++) {
    copy(n - j, a + j + j * n, h + j + j * ld);
    if (factor != R(1)) scale(n - j, factor, h + j + j * ld);
  }
  tridiagonalize(n, h, ld, d, e, tau, work);
  const i64 parts = Traits<T>::parts;
  if (vectors) {
    clear(n, a);
    for (i64 j = 0; j < n; j++) a[j * n] = T{};
    a[0] = from_real<T>(1);
    if (n > 1) form_q(n - 1, n - 1, n - 1, h + 1, ld, tau, a + 1 + n, n, work);
  }
  RotatedColumns<R> columns(work, vectors ? n * parts : 0, n, reinterpret_cast<R*>(a), n * parts);
  if (!TridiagonalQR<R>(n, d, e, columns).run()) return false;
  sort_order(n, d, false, order, scratch);
  for (i64 i = 0; i < n; i++) w[i] = d[order[i]] / factor;
  columns.finish(order, nullptr, reinterpret_cast<R*>(a), n * parts);
  return true;
}

void linalg_eigh(double* args) {
  Args in(args);
  TensorArg a, w, info;
  in.tensor(a);
  in.tensor(w);
  in.tensor(info);
  const bool vectors = in.flag();
  const i64 n = a.shape[1];
  by_scalar(a.dtype, [&]<class T>() {
    using R = RealOf<T>;
    parallel_for(a.shape[0], batch_grain(10 * n * n * n), [&](i64 begin, i64 end) {
      const Work work(eigh_bytes<T>(n));
      for (i64 b = begin; b < end; b++) {
        const bool done = n == 0 || eigh(n, a.as<T>() + b * n * n, w.as<R>() + b * n, vectors, work);
        info.as<int32_t>()[b] = done ? 0 : 1;
      }
    });
  });
  report_failure(args, info);
}

}  // namespace

extern const KernelEntry linalg_eigh_kernels[];
const KernelEntry linalg_eigh_kernels[] = {{"linalg_eigh", linalg_eigh}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
