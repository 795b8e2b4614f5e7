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

/** One row of the packed sides: minus the rows that are known, divided by the diagonal. */
template <class T>
void substitute_row(const SmallTriangle<T>& a, T* x, i64 i, i64 width) {
  const i64 begin = a.triangle == Triangle::Lower ? 0 : i + 1, end = a.triangle == Triangle::Lower ? i : a.n;
  T* to = x + i * width;
  const T* row = a.rows + i * kSmall;
  i64 j = begin;
  for (; j + 4 <= end; j += 4) {
    const T a0 = row[j], a1 = row[j + 1], a2 = row[j + 2], a3 = row[j + 3];
    const T *x0 = x + j * width, *x1 = x0 + width, *x2 = x1 + width, *x3 = x2 + width;
    for (i64 c = 0; c < width; c++) to[c] = to[c] - a0 * x0[c] - a1 * x1[c] - a2 * x2[c] - a3 * x3[c];
  }
  for (; j < end; j++) {
    const T a0 = row[j];
    const T* x0 = x + j * width;
    for (i64 c = 0; c < width; c++) to[c] = to[c] - a0 * x0[c];
  }
  if (a.diagonal == Diagonal::Unit) return;
  const T d = row[i];
  for (i64 c = 0; c < width; c++) to[c] = to[c] / d;
}

template <class T>
void substitute(const SmallTriangle<T>& a, T* x, i64 width) {
  if (a.triangle == Triangle::Lower) {
    for (i64 i = 0; i < a.n; i++) substitute_row(a, x, i, width);
  } else {
    for (i64 i = a.n - 1; i >= 0; i--) substitute_row(a, x, i, width);
  }
}

/** Copies between a matrix and packed rows, in the order of the matrix's memory. */
template <class T>
void pack_sides(const Matrix<T>& b, T* to, i64 width) {
  if (b.cs <= b.rs) {
    for (i64 i = 0; i < b.rows; i++) {
      for (i64 j = 0; j < b.cols; j++) to[i * width + j] = b(i, j);
    }
  } else {
    for (i64 j = 0; j < b.cols; j++) {
      for (i64 i = 0; i < b.rows; i++) to[i * width + j] = b(i, j);
    }
  }
}
template <class T>
void unpack_sides(const T* from, i64 width, const Matrix<T>& b) {
  if (b.cs <= b.rs) {
    for (i64 i = 0; i < b.rows; i++) {
      for (i64 j = 0; j < b.cols; j++) b(i, j) = from[i * width + j];
    }
  } else {
    for (i64 j = 0; j < b.cols; j++) {
      for (i64 i = 0; i < b.rows; i++) b(i, j) = from[i * width + j];
    }
  }
}

template <class T>
void solve_small(const Matrix<const T>& a, const Matrix<T>& b, Triangle triangle, Diagonal diagonal) {
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
