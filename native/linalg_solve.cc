// Triangular systems: recursion by halves, so that most of the work is matrix products; small triangles by
// substitution over packed blocks of right-hand sides.
//
// Kernel `solve_triangular`: X [batch, n, k] (the right-hand sides on entry, solved in place), A [batch, n, n] (strides
// of 0 repeat a matrix), upper, unit diagonal, conjugated: A @ X = B, or conj(A) @ X = B. Any strides; X overlaps not A.
#include "linalg.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

constexpr int kSmall = 32;        // rows of a triangle that substitution solves
constexpr int kScratchSides = 4;  // scratch slot of packed right-hand sides

/** Right-hand sides that are packed together: a few vectors. */
template <class T>
constexpr i64 kSides = 512 / static_cast<i64>(sizeof(T));

/** A small triangle by rows. */
template <class T>
struct SmallTriangle {
  T rows[kSmall * kSmall];
  i64 n;
  Triangle triangle;
  Diagonal diagonal;

  SmallTriangle(const Matrix<const T>& a, Triangle which, Diagonal d) : n(a.rows), triangle(which), diagonal(d) {
    for (i64 i = 0; i < n; i++) {
      const i64 begin = which == Triangle::Lower ? 0 : i, end = which == Triangle::Lower ? i + 1 : n;
      for (i64 j = begin; j < end; j++) rows[i * kSmall + j] = a(i, j);
    }
  }
};

/** to[0, width) minus the rows `from`, each times its factor. */
template <class T>
void subtract_rows(T* to, const T* from, i64 width, const T* factors, i64 count) {
  i64 j = 0;
  for (; j + 4 <= count; j += 4) {
    const T a0 = factors[j], a1 = factors[j + 1], a2 = factors[j + 2], a3 = factors[j + 3];
    const T *x0 = from + j * width, *x1 = x0 + width, *x2 = x1 + width, *x3 = x2 + width;
    for (i64 c = 0; c < width; c++) to[c] = to[c] - a0 * x0[c] - a1 * x1[c] - a2 * x2[c] - a3 * x3[c];
  }
  for (; j < count; j++) {
    const T a0 = factors[j];
    const T* x0 = from + j * width;
    for (i64 c = 0; c < width; c++) to[c] = to[c] - a0 * x0[c];
  }
}
/** Complex rows are packed as their real parts, then their imaginary parts. */
template <class T, int N>
TT_INLINE void subtract_complex_rows(T* __restrict re, T* __restrict im, const T* __restrict from, i64 width,
                                     const Complex<T>* factors) {
  for (i64 c = 0; c < width; c++) {
    T r = re[c], i = im[c];
    for (int j = 0; j < N; j++) {
      const T xr = from[2 * j * width + c], xi = from[(2 * j + 1) * width + c];
      r = r - factors[j].re * xr + factors[j].im * xi;
      i = i - factors[j].re * xi - factors[j].im * xr;
    }
    re[c] = r;
    im[c] = i;
  }
}
template <class T>
void subtract_rows(Complex<T>* to, const Complex<T>* from, i64 width, const Complex<T>* factors, i64 count) {
  T* re = reinterpret_cast<T*>(to);
  const T* x = reinterpret_cast<const T*>(from);
  i64 j = 0;
  for (; j + 4 <= count; j += 4) subtract_complex_rows<T, 4>(re, re + width, x + 2 * j * width, width, factors + j);
  for (; j < count; j++) subtract_complex_rows<T, 1>(re, re + width, x + 2 * j * width, width, factors + j);
}

template <class T>
void divide_row(T* to, i64 width, T by) {
  for (i64 c = 0; c < width; c++) to[c] = to[c] / by;
}
template <class T>
void divide_row(Complex<T>* to, i64 width, Complex<T> by) {
  T* re = reinterpret_cast<T*>(to);
  T* im = re + width;
  const Complex<T> inverse = Complex<T>(T(1)) / by;
  for (i64 c = 0; c < width; c++) {
    const Complex<T> x = Complex<T>{re[c], im[c]} * inverse;
    re[c] = x.re;
    im[c] = x.im;
  }
}

/** One row of the packed sides: minus the rows that are known, divided by the diagonal. */
template <class T>
void substitute_row(const SmallTriangle<T>& a, T* x, i64 i, i64 width) {
  const i64 begin = a.triangle == Triangle::Lower ? 0 : i + 1, end = a.triangle == Triangle::Lower ? i : a.n;
  const T* row = a.rows + i * kSmall;
  subtract_rows(x + i * width, x + begin * width, width, row + begin, end - begin);
  if (a.diagonal == Diagonal::Stored) divide_row(x + i * width, width, row[i]);
}

template <class T>
void substitute(const SmallTriangle<T>& a, T* x, i64 width) {
  if (a.triangle == Triangle::Lower) {
    for (i64 i = 0; i < a.n; i++) substitute_row(a, x, i, width);
  } else {
    for (i64 i = a.n - 1; i >= 0; i--) substitute_row(a, x, i, width);
  }
}

template <class T>
TT_INLINE T packed_at(const T* row, i64, i64 j) {
  return row[j];
}
template <class T>
TT_INLINE Complex<T> packed_at(const Complex<T>* row, i64 width, i64 j) {
  const T* re = reinterpret_cast<const T*>(row);
  return {re[j], re[width + j]};
}
template <class T>
TT_INLINE void pack_at(T* row, i64, i64 j, T x) {
  row[j] = x;
}
template <class T>
TT_INLINE void pack_at(Complex<T>* row, i64 width, i64 j, Complex<T> x) {
  T* re = reinterpret_cast<T*>(row);
  re[j] = x.re;
  re[width + j] = x.im;
}

/** Copies between a matrix and packed rows, in the order of the matrix's memory. */
template <class T>
void pack_sides(const Matrix<T>& b, T* to, i64 width) {
  if (b.cs <= b.rs) {
    for (i64 i = 0; i < b.rows; i++) {
      for (i64 j = 0; j < b.cols; j++) pack_at(to + i * width, width, j, b(i, j));
    }
  } else {
    for (i64 j = 0; j < b.cols; j++) {
      for (i64 i = 0; i < b.rows; i++) pack_at(to + i * width, width, j, b(i, j));
    }
  }
}
template <class T>
void unpack_sides(const T* from, i64 width, const Matrix<T>& b) {
  if (b.cs <= b.rs) {
    for (i64 i = 0; i < b.rows; i++) {
      for (i64 j = 0; j < b.cols; j++) b(i, j) = packed_at(from + i * width, width, j);
    }
  } else {
    for (i64 j = 0; j < b.cols; j++) {
      for (i64 i = 0; i < b.rows; i++) b(i, j) = packed_at(from + i * width, width, j);
    }
  }
}

/** A lower triangle of N rows, one right-hand side after the other in registers. */
template <int N, class T>
void solve_lower(const Matrix<const T>& a, const Matrix<T>& b, Diagonal diagonal) {
  T l[N * N];
  for (int j = 0; j < N; j++) {
    for (int i = j; i < N; i++) l[i * N + j] = a(i, j);
    if (diagonal == Diagonal::Unit) l[j * N + j] = T(1);
  }
  for (i64 c = 0; c < b.cols; c++) {
    T x[N];
    for (int i = 0; i < N; i++) x[i] = b(i, c);
    for (int j = 0; j < N; j++) {
      x[j] = x[j] / l[j * N + j];
      for (int i = j + 1; i < N; i++) x[i] = x[i] - l[i * N + j] * x[j];
    }
    for (int i = 0; i < N; i++) b(i, c) = x[i];
  }
}

/** Few rows. An upper triangle is a lower one when rows and columns are counted from the end. */
template <class T>
void solve_tiny(Matrix<const T> a, Matrix<T> b, Triangle triangle, Diagonal diagonal) {
  if (triangle == Triangle::Upper) {
    a = Matrix<const T>{&a(a.rows - 1, a.rows - 1), a.rows, a.cols, -a.rs, -a.cs};
    b = Matrix<T>{&b(b.rows - 1, 0), b.rows, b.cols, -b.rs, b.cs};
  }
  switch (a.rows) {
    case 1: return solve_lower<1>(a, b, diagonal);
    case 2: return solve_lower<2>(a, b, diagonal);
    case 3: return solve_lower<3>(a, b, diagonal);
    case 4: return solve_lower<4>(a, b, diagonal);
    case 5: return solve_lower<5>(a, b, diagonal);
    default: return solve_lower<6>(a, b, diagonal);
  }
}

template <class T>
void solve_small(const Matrix<const T>& a, const Matrix<T>& b, Triangle triangle, Diagonal diagonal) {
  if (a.rows <= 6 && b.cols <= 16) return solve_tiny(a, b, triangle, diagonal);
  const SmallTriangle<T> small(a, triangle, diagonal);
  const i64 blocks = (b.cols + kSides<T> - 1) / kSides<T>;
  const i64 grain = 65536 / (a.rows * a.rows * kSides<T> / 2 + 1) + 1;
  parallel_for(blocks, grain, [&](i64 begin, i64 end) {
    T* packed = scratch_of<T>(kScratchSides, kSmall * kSides<T>);
    for (i64 block = begin; block < end; block++) {
      const i64 j = block * kSides<T>, cols = b.cols - j < kSides<T> ? b.cols - j : kSides<T>;
      const Matrix<T> part = b.block(0, j, b.rows, cols);
      pack_sides(part, packed, cols);
      substitute(small, packed, cols);
      unpack_sides(packed, cols, part);
    }
  });
}

}  // namespace

template <class T>
void solve_triangular(const Matrix<const T>& a, const Matrix<T>& b, Triangle triangle, Diagonal diagonal) {
  const i64 n = a.rows;
  if (n == 0 || b.cols == 0) return;
  if (n <= kSmall) return solve_small(a, b, triangle, diagonal);
  const i64 half = n <= 2 * kSmall ? kSmall : (n / 2 + kSmall - 1) / kSmall * kSmall;
  const Matrix<const T> a11 = a.block(0, 0, half, half), a22 = a.block(half, half, n - half, n - half);
  const Matrix<T> b1 = b.block(0, 0, half, b.cols), b2 = b.block(half, 0, n - half, b.cols);
  if (triangle == Triangle::Lower) {
    solve_triangular(a11, b1, triangle, diagonal);
    product_into<T>(b2, a.block(half, 0, n - half, half), b1, Real<T>(-1), Real<T>(1));
    solve_triangular(a22, b2, triangle, diagonal);
  } else {
    solve_triangular(a22, b2, triangle, diagonal);
    product_into<T>(b1, a.block(0, half, half, n - half), b2, Real<T>(-1), Real<T>(1));
    solve_triangular(a11, b1, triangle, diagonal);
  }
}
#define TT_SOLVE_TRIANGULAR(T) \
  template void solve_triangular<T>(const Matrix<const T>&, const Matrix<T>&, Triangle, Diagonal);
TT_SOLVE_TRIANGULAR(float)
TT_SOLVE_TRIANGULAR(double)
TT_SOLVE_TRIANGULAR(Complex<float>)
TT_SOLVE_TRIANGULAR(Complex<double>)
#undef TT_SOLVE_TRIANGULAR

namespace {

void run_solve_triangular(double* args) {
  Args in(args);
  TensorArg x, a;
  in.tensor(x);
  in.tensor(a);
  const Triangle triangle = in.flag() ? Triangle::Upper : Triangle::Lower;
  const Diagonal diagonal = in.flag() ? Diagonal::Unit : Diagonal::Stored;
  const bool conjugated = in.flag();
  with_scalar(x.dtype, [&](auto* p) {
    using T = std::remove_pointer_t<decltype(p)>;
    const MatrixBatch<T> xs(x);
    const MatrixBatch<const T> as(a);
    each_matrix(xs.count, a.shape[1] * a.shape[1] * x.shape[2] / 2, [&](i64 i) {
      // conj(A) @ X = B is A @ conj(X) = conj(B).
      if (conjugated) conjugate(xs[i]);
      solve_triangular(as[i], xs[i], triangle, diagonal);
      if (conjugated) conjugate(xs[i]);
    });
  });
}

}  // namespace

extern const KernelEntry linalg_solve_kernels[];
const KernelEntry linalg_solve_kernels[] = {{"solve_triangular", run_solve_triangular}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
