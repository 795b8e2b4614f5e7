// Matrix multiplication for every dtype and layout: orientation, division among threads, and the choice
// between packed tiles, tiles in place and blocks of dot products.
//
// Kernel `gemm`: C [batch, m, n], A [batch, m, k], B [batch, k, n], alpha, beta, has_bias, then bias [n] if
// set: C = alpha * A @ B + beta * C + bias. With beta == 0, C is not read. Any strides; C overlaps neither
// A nor B. Every element of C is summed by one thread in one order, so results depend on no thread count.
//
// Kernel `dot`: out [], x [n], y [n].
#include "gemm.h"

#include "gemm_complex.h"
#include "linalg.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

constexpr i64 kGrain = 128 * 1024;  // multiply-adds worth a thread of their own

/** A batch of products of one storage type, and what both sides of the equation need. */
template <class T, class S>
struct Batch {
  i64 count;
  Product<S, S> first;
  i64 a_step, b_step, c_step;
  Epilogue<T> epilogue;
};

struct Grid {
  i64 rows, cols;
};

/** Splits one product among `parts` threads: the slowest part's tiles and packing decide. */
template <class T>
Grid grid_of(i64 m, i64 n, i64 k, i64 parts) {
  Grid best{1, 1};
  double best_cost = -1;
  for (i64 rows = 1; rows <= parts; rows++) {
    const i64 cols = parts / rows;
    const i64 pm = ceil_div(m, rows), pn = ceil_div(n, cols);
    const double tiles = static_cast<double>(ceil_div(pm, Tile<T>::rows) * Tile<T>::rows) *
                         static_cast<double>(ceil_div(pn, lanes<T>) * lanes<T>);
    const double cost = (tiles + 8.0 * static_cast<double>(pm + pn)) * static_cast<double>(k + 1);
    if (best_cost < 0 || cost < best_cost) {
      best_cost = cost;
      best = Grid{rows, cols};
    }
  }
  return best;
}

template <class T, class S>
void run_part(const Batch<T, S>& x, const Grid& grid, i64 job) {
  const i64 per_product = grid.rows * grid.cols;
  const i64 index = job / per_product, r = job % per_product / grid.cols, c = job % grid.cols;
  Product<S, S> p = x.first;
  Epilogue<T> e = x.epilogue;
  const i64 i = part_start(p.m, grid.rows, r);
  // Columns are dealt by whole vectors.
  const i64 groups = ceil_div(p.n, lanes<T>);
  const i64 j = min_of(p.n, part_start(groups, grid.cols, c) * lanes<T>);
  const i64 j_end = min_of(p.n, part_start(groups, grid.cols, c + 1) * lanes<T>);
  p.m = part_start(p.m, grid.rows, r + 1) - i;
  p.n = j_end - j;
  if (p.m <= 0 || p.n <= 0) return;
  p.a += index * x.a_step + i * p.a_row;
  p.b += index * x.b_step + j * p.b_col;
  p.c += index * x.c_step + i * p.c_row + j * p.c_col;
  if (e.bias != nullptr) e.bias += j;
  if (e.row_bias != nullptr) e.row_bias += i;
  if constexpr (same_type<T, S> && is_real<T>) {
    if (dot_pays<T, S>(x.first)) return gemm_dot<T>(p, e);
  }
  const bool one_row = streams_one_row<T, S>(x.first);
  if constexpr (same_type<T, S>) {
    if (p.c_col == 1) return gemm_serial<T, S>(p, e, one_row);
  }
  gemm_serial_any<T, S>(p, e, one_row);
}

/** Columns of C along its contiguous dimension, and that dimension the longer one of a vector. */
template <class T, class S>
void orient(Batch<T, S>& x) {
  Product<S, S>& p = x.first;
  const bool row_major = p.c_col == 1 || p.n == 1, column_major = p.c_row == 1 || p.m == 1;
  if (column_major && (!row_major || p.n < p.m)) {
    const Product<S, S> q = p;
    p = Product<S, S>{q.n, q.m, q.k, q.b, q.b_col, q.b_row, q.a, q.a_col, q.a_row, q.c, q.c_col, q.c_row};
    const i64 b_step = x.b_step;
    x.b_step = x.a_step;
    x.a_step = b_step;
    // Only now: the caller's bias is one value per column.
    x.epilogue.row_bias = x.epilogue.bias;
    x.epilogue.bias = nullptr;
  }
  // The stride of a dimension of one element is free.
  if (p.k == 1) p.a_col = p.b_row = 1;
  if (p.n == 1) p.c_col = p.b_col = 1;
  if (p.m == 1) p.a_row = 1;
}

/** A batch over one B, or with C and A stacked by rows, is one product of more rows. */
template <class T, class S>
void collapse(Batch<T, S>& x) {
  Product<S, S>& p = x.first;
  if (p.m == 1) {
    p.a_row = x.a_step;
    p.c_row = x.c_step;
  }
  if (x.count > 1 && x.b_step == 0 && x.a_step == p.m * p.a_row && x.c_step == p.m * p.c_row) {
    p.m *= x.count;
    x.count = 1;
  }
}

/** A product of one element is an inner product, which divides k among the threads. */
template <class T, class S>
void run_inner(const Batch<T, S>& x) {
  const Product<S, S>& p = x.first;
  const Epilogue<T>& e = x.epilogue;
  T v = e.alpha * inner_product<T, S>(p.a, p.a_col, p.b, p.b_row, p.k);
  if (e.bias != nullptr) v += e.bias[0];
  if (e.row_bias != nullptr) v += e.row_bias[0];
  if (e.beta != T(0)) v += e.beta * widened<T>(*p.c);
  narrow(*p.c, v);
}

template <class T, class S>
void run_batch(Batch<T, S>& x) {
  collapse(x);
  orient(x);
  const Product<S, S>& p = x.first;
  if (x.count == 1 && p.m == 1 && p.n == 1) return run_inner(x);
  const i64 work = p.m * p.n * (p.k + 4);
  const i64 threads = tt_num_threads();
  Grid grid{1, 1};
  const bool whole_products = x.count % threads == 0 || x.count >= 4 * threads;
  if (threads > 1 && !whole_products && work * x.count >= 2 * kGrain) {
    const i64 parts = min_of(threads, work * x.count / kGrain);
    grid = grid_of<T>(p.m, p.n, p.k, parts);
  }
  const i64 jobs = x.count * grid.rows * grid.cols;
  const i64 job_work = work / (grid.rows * grid.cols) + 1;
  const i64 grain = job_work >= kGrain ? 1 : ceil_div(kGrain, job_work);
  parallel_for(jobs, grain, [&](i64 begin, i64 end) {
    for (i64 job = begin; job < end; job++) run_part<T, S>(x, grid, job);
  });
}

struct GemmArgs {
  TensorArg c, a, b, bias;
  double alpha, beta;
  bool has_bias;
};

template <class S>
Product<S, S> product_of(const GemmArgs& g) {
  return Product<S, S>{g.c.shape[1],   g.c.shape[2],   g.a.shape[2],   g.a.template as<S>(),
                       g.a.strides[1], g.a.strides[2], g.b.template as<S>(), g.b.strides[1],
                       g.b.strides[2], g.c.template as<S>(), g.c.strides[1], g.c.strides[2]};
}

/** A scalar as the type of the sum; a negative integer wraps. */
template <class T>
T scalar_of(double v) {
  if constexpr (is_real<T>) {
    return static_cast<T>(v);
  } else {
    return static_cast<T>(static_cast<i64>(v));
  }
}

template <class T, class S>
void run_gemm(const GemmArgs& g) {
  Batch<T, S> x;
  x.count = g.c.shape[0];
  x.first = product_of<S>(g);
  x.a_step = g.a.strides[0];
  x.b_step = g.b.strides[0];
  x.c_step = g.c.strides[0];
  x.epilogue = Epilogue<T>{scalar_of<T>(g.alpha), scalar_of<T>(g.beta), nullptr, nullptr};
  const i64 n = x.first.n;
  if (x.count == 0 || x.first.m == 0 || n == 0) return;
  if (g.has_bias) {
    T* bias = gemm_scratch<T>(kBias, n + 8 * lanes<T>);
    const S* from = g.bias.template as<S>();
    for (i64 j = 0; j < n; j++) bias[j] = widened<T>(from[j * g.bias.strides[0]]);
    x.epilogue.bias = bias;
  }
  run_batch(x);
}

/** A batch of complex products. */
template <class T>
struct ComplexBatch {
  i64 count;
  Product<Complex<T>, Complex<T>> first;
  i64 a_step, b_step, c_step;
  T alpha, beta;
  const Complex<T>* bias;
  i64 bias_stride;
};

/** Where the parts of a complex matrix lie: rows of real parts, then rows of imaginary ones (or columns), the longer
    dimension of memory as in the matrix itself, so that splitting and joining walk through both in order. */
template <class T>
struct Parts {
  T* re;
  T* im;
  i64 row, col;
  bool by_rows;

  /** stacked: the imaginary parts lie below the real ones, otherwise beside them. */
  Parts(T* memory, i64 m, i64 n, bool in_rows, bool stacked) : re(memory), by_rows(in_rows) {
    const i64 height = stacked ? 2 * m : m, width = stacked ? n : 2 * n;
    row = in_rows ? width : 1;
    col = in_rows ? 1 : height;
    im = memory + (stacked ? m * row : n * col);
  }
  /** body(lines, ...) over lines of memory: rows or columns. */
  template <class Body>
  void each_line(i64 m, i64 n, const Body& body) const {
    const i64 outer = by_rows ? m : n, inner = by_rows ? n : m;
    parallel_for(outer, 65536 / (inner + 1) + 1, [&](i64 begin, i64 end) {
      for (i64 o = begin; o < end; o++) body(o * (by_rows ? row : col), o, inner);
    });
  }
};

/** The parts of m by n elements. */
template <class T>
void split_parts(const Parts<T>& to, const Complex<T>* from, i64 from_row, i64 from_col, i64 m, i64 n) {
  const i64 outer = to.by_rows ? from_row : from_col, step = to.by_rows ? from_col : from_row;
  to.each_line(m, n, [&](i64 at, i64 o, i64 count) {
    const Complex<T>* x = from + o * outer;
    T *re = to.re + at, *im = to.im + at;
    if (step == 1) {
      for (i64 i = 0; i < count; i++) {
        re[i] = x[i].re;
        im[i] = x[i].im;
      }
    } else {
      for (i64 i = 0; i < count; i++) {
        re[i] = x[i * step].re;
        im[i] = x[i * step].im;
      }
    }
  });
}

/** C = alpha * (the four products of parts) + beta * C + bias; those of A's imaginary parts lie `below` the others. */
template <class T>
void join_parts(const ComplexBatch<T>& x, const Parts<T>& c, i64 below, Complex<T>* out, i64 out_row, i64 out_col, i64 m,
                i64 n, const Complex<T>* bias) {
  const i64 outer = c.by_rows ? out_row : out_col, step = c.by_rows ? out_col : out_row;
  c.each_line(m, n, [&](i64 at, i64 o, i64 count) {
    const T *rr = c.re + at, *ri = c.im + at, *ir = rr + below, *ii = ri + below;
    Complex<T>* to = out + o * outer;
    for (i64 i = 0; i < count; i++, to += step) {
      Complex<T> v = Complex<T>{rr[i] - ii[i], ri[i] + ir[i]} * x.alpha;
      if (x.beta != T(0)) v += *to * x.beta;
      if (bias != nullptr) v += bias[(c.by_rows ? i : o) * x.bias_stride];
      *to = v;
    }
  });
}

/** A large complex product by real ones: [Ar; Ai] @ [Br, Bi] holds the four products of parts. Takes the scratch slot of
    the bias, which the real product has not, for a few megabytes: columns and rows are dealt in blocks. */
template <class T>
void gemm_complex_parts(const ComplexBatch<T>& x, const Product<Complex<T>, Complex<T>>& p) {
  constexpr i64 kHeld = i64(1) << 20;
  const auto at_least = [](i64 low, i64 v) { return v < low ? low : v; };
  const i64 k = p.k;
  const i64 columns = min_of(p.n, at_least(128, kHeld / (2 * k)));
  const i64 rows = min_of(p.m, at_least(64, min_of(kHeld / (4 * columns), kHeld / k)));
  T* b_memory = gemm_scratch<T>(kBias, 2 * k * columns + 2 * rows * k + 4 * rows * columns);
  T* a_memory = b_memory + 2 * k * columns;
  T* c_memory = a_memory + 2 * rows * k;
  for (i64 j0 = 0; j0 < p.n; j0 += columns) {
    const i64 n = min_of(columns, p.n - j0);
    const Parts<T> b(b_memory, k, n, p.b_col <= p.b_row, false);
    split_parts(b, p.b + j0 * p.b_col, p.b_row, p.b_col, k, n);
    for (i64 i0 = 0; i0 < p.m; i0 += rows) {
      const i64 m = min_of(rows, p.m - i0);
      const Parts<T> a(a_memory, m, k, p.a_col <= p.a_row, true);
      split_parts(a, p.a + i0 * p.a_row, p.a_row, p.a_col, m, k);
      const Parts<T> c(c_memory, 2 * m, n, p.c_col <= p.c_row, false);
      Batch<T, T> sums{1, Product<T, T>{2 * m, 2 * n, k, a.re, a.row, a.col, b.re, b.row, b.col, c.re, c.row, c.col},
                       0, 0, 0, Epilogue<T>{T(1), T(0), nullptr, nullptr}};
      run_batch(sums);
      join_parts(x, c, m * c.row, p.c + i0 * p.c_row + j0 * p.c_col, p.c_row, p.c_col, m, n,
                 x.bias == nullptr ? nullptr : x.bias + j0 * x.bias_stride);
    }
  }
}

template <class T>
void run_complex_batch(const ComplexBatch<T>& x) {
  using C = Complex<T>;
  const Product<C, C>& first = x.first;
  const i64 batch = x.count;
  if (batch == 0 || first.m == 0 || first.n == 0) return;
  if (first.m >= 16 && first.n >= 16 && first.k >= 16 && first.m * first.n * first.k >= 32 * 1024) {
    const i64 threads = tt_num_threads();
    parallel_for(batch, batch >= threads ? 1 : batch, [&](i64 begin, i64 end) {
      for (i64 i = begin; i < end; i++) {
        Product<C, C> p = first;
        p.a += i * x.a_step;
        p.b += i * x.b_step;
        p.c += i * x.c_step;
        gemm_complex_parts(x, p);
      }
    });
    return;
  }
  // Each part packs all of B again: few parts, but enough for the threads.
  const i64 share = ceil_div(first.m * batch, tt_num_threads());
  const i64 rows = share < 32 ? 32 : min_of(share, 256);
  const i64 parts = ceil_div(first.m, rows);
  const i64 grain = ceil_div(kGrain / 4, min_of(rows, first.m) * first.n * (first.k + 4));
  parallel_for(batch * parts, grain, [&](i64 begin, i64 end) {
    for (i64 job = begin; job < end; job++) {
      Product<C, C> p = first;
      p.a += job / parts * x.a_step;
      p.b += job / parts * x.b_step;
      p.c += job / parts * x.c_step;
      const i64 row = job % parts * rows;
      gemm_complex_rows<T>(p, x.alpha, x.beta, x.bias, x.bias_stride, row, min_of(first.m, row + rows));
    }
  });
}

template <class T>
void run_gemm_complex(const GemmArgs& g) {
  using C = Complex<T>;
  run_complex_batch(ComplexBatch<T>{g.c.shape[0], product_of<C>(g), g.a.strides[0], g.b.strides[0], g.c.strides[0],
                                    static_cast<T>(g.alpha), static_cast<T>(g.beta),
                                    g.has_bias ? g.bias.as<C>() : nullptr, g.has_bias ? g.bias.strides[0] : 0});
}

void run_any(const GemmArgs& g) {
  switch (g.c.dtype) {
    case DType::Bool: return run_gemm<uint32_t, BoolByte>(g);
    case DType::U8: return run_gemm<uint32_t, uint8_t>(g);
    case DType::I8: return run_gemm<uint32_t, int8_t>(g);
    case DType::I16: return run_gemm<uint32_t, int16_t>(g);
    case DType::I32: return run_gemm<uint32_t, uint32_t>(g);
    case DType::I64: return run_gemm<uint64_t, uint64_t>(g);
    case DType::F16: return run_gemm<float, F16Bits>(g);
    case DType::BF16: return run_gemm<float, BF16Bits>(g);
    case DType::F32: return run_gemm<float, float>(g);
    case DType::F64: return run_gemm<double, double>(g);
    case DType::C64: return run_gemm_complex<float>(g);
    case DType::C128: return run_gemm_complex<double>(g);
  }
}

void gemm(double* args) {
  Args in(args);
  GemmArgs g;
  in.tensor(g.c);
  in.tensor(g.a);
  in.tensor(g.b);
  g.alpha = in.number();
  g.beta = in.number();
  g.has_bias = in.flag();
  if (g.has_bias) in.tensor(g.bias);
  run_any(g);
}

struct DotArgs {
  TensorArg out, x, y;
};

template <class T, class S>
void dot_of(const DotArgs& d) {
  narrow(*d.out.as<S>(), inner_product<T, S>(d.x.as<S>(), d.x.strides[0], d.y.as<S>(), d.y.strides[0], d.x.shape[0]));
}

template <class T>
void dot_complex_of(const DotArgs& d) {
  using C = Complex<T>;
  run_dot_complex<T>(d.out.as<C>(), d.x.as<C>(), d.x.strides[0], d.y.as<C>(), d.y.strides[0], d.x.shape[0]);
}

void dot(double* args) {
  Args in(args);
  DotArgs d;
  in.tensor(d.out);
  in.tensor(d.x);
  in.tensor(d.y);
  switch (d.out.dtype) {
    case DType::Bool: return dot_of<uint32_t, BoolByte>(d);
    case DType::U8: return dot_of<uint32_t, uint8_t>(d);
    case DType::I8: return dot_of<uint32_t, int8_t>(d);
    case DType::I16: return dot_of<uint32_t, int16_t>(d);
    case DType::I32: return dot_of<uint32_t, uint32_t>(d);
    case DType::I64: return dot_of<uint64_t, uint64_t>(d);
    case DType::F16: return dot_of<float, F16Bits>(d);
    case DType::BF16: return dot_of<float, BF16Bits>(d);
    case DType::F32: return dot_of<float, float>(d);
    case DType::F64: return dot_of<double, double>(d);
    case DType::C64: return dot_complex_of<float>(d);
    case DType::C128: return dot_complex_of<double>(d);
  }
}

}  // namespace

void gemm_into(const TensorArg& c, const TensorArg& a, const TensorArg& b, double alpha, double beta) {
  GemmArgs g;
  g.c = c;
  g.a = a;
  g.b = b;
  g.alpha = alpha;
  g.beta = beta;
  g.has_bias = false;
  run_any(g);
}

template <class T>
void product_into(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b, Real<T> alpha, Real<T> beta) {
  if (c.rows == 0 || c.cols == 0) return;
  const Product<T, T> p{c.rows, c.cols, a.cols, a.data, a.rs, a.cs, b.data, b.rs, b.cs, c.data, c.rs, c.cs};
  if constexpr (is_complex_scalar<T>) {
    run_complex_batch(ComplexBatch<Real<T>>{1, p, 0, 0, 0, alpha, beta, nullptr, 0});
  } else {
    Batch<T, T> x{1, p, 0, 0, 0, Epilogue<T>{alpha, beta, nullptr, nullptr}};
    run_batch(x);
  }
}
#define TT_PRODUCT_INTO(T) \
  template void product_into<T>(const Matrix<T>&, const Matrix<const T>&, const Matrix<const T>&, Real<T>, Real<T>);
TT_PRODUCT_INTO(float)
TT_PRODUCT_INTO(double)
TT_PRODUCT_INTO(Complex<float>)
TT_PRODUCT_INTO(Complex<double>)
#undef TT_PRODUCT_INTO

extern const KernelEntry gemm_kernels[];
const KernelEntry gemm_kernels[] = {{"gemm", gemm}, {"dot", dot}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
