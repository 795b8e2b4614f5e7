// Sums, products, extremes and truth reductions.
#include <cmath>

#include "reduce.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

constexpr i64 kColumnRows = 512;  // rows that one level of partial column results spans
constexpr i64 kColumns = 1024;    // most outputs of a tile (the driver's piece)

// ---- sums of mapped elements: sum, mean, nansum ----

struct Identity {
  template <class V>
  static TT_INLINE V apply(V x) {
    return x;
  }
};
struct NanToZero {
  template <class V>
  static TT_INLINE V apply(V x) {
    return x == x ? x : V{};
  }
};

/**
 * The sum of n mapped elements. Blocks of 128 vectors in eight accumulators, so that no chain of roundings is
 * longer than about 20; the blocks' sums add up in double with Neumaier's compensation.
 */
template <class Map, class A>
double sum_run(const A* p, i64 n) {
  constexpr i64 L = lanes<A>;
  double total = 0, lost = 0;
  if (n < L) {
    for (i64 i = 0; i < n; i++) total += static_cast<double>(Map::apply(p[i]));
    return total;
  }
  const auto plus = [](Vec<A> a, Vec<A> b) { return a + b; };
  while (n >= L) {
    const i64 vectors = n / L < 128 ? n / L : 128;
    Vec<A> acc[8] = {};
    i64 v = 0;
    for (; v + 8 <= vectors; v += 8)
      for (int k = 0; k < 8; k++) acc[k] += Map::apply(load(p + (v + k) * L));
    for (; v < vectors; v++) acc[v & 1] += Map::apply(load(p + v * L));
    p += vectors * L;
    n -= vectors * L;
    if (n > 0 && n < L) {  // the last elements: a vector that overlaps the one before
      acc[2] += replace_first<A>(Map::apply(load(p + n - L)), L - n, Vec<A>{});
      n = 0;
    }
    const double s = static_cast<double>(
        fold<A>(((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7])), plus));
    const double t = total + s;
    const double error = std::fabs(total) >= std::fabs(s) ? (total - t) + s : (s - t) + total;
    if (error == error) lost += error;  // infinities have none
    total = t;
  }
  return total + lost;
}

template <class Map, class A>
void sum_columns(double* __restrict s, const A* p, i64 cols, i64 n, i64 pitch) {
  if (n > kColumnRows) {
    double part[kColumns];
    for (i64 r = 0; r < n; r += kColumnRows) {
      for (i64 j = 0; j < cols; j++) part[j] = 0;
      sum_columns<Map>(part, p + r * pitch, cols, n - r < kColumnRows ? n - r : kColumnRows, pitch);
      for (i64 j = 0; j < cols; j++) s[j] += part[j];
    }
    return;
  }
  i64 r = 0;
  for (; r + 16 <= n; r += 16) {
    const A* q = p + r * pitch;
    for (i64 j = 0; j < cols; j++) {
      A sum[4];
      for (int k = 0; k < 4; k++) {
        const A* x = q + k * 4 * pitch + j;
        sum[k] = (Map::apply(x[0]) + Map::apply(x[pitch])) + (Map::apply(x[2 * pitch]) + Map::apply(x[3 * pitch]));
      }
      s[j] += static_cast<double>((sum[0] + sum[1]) + (sum[2] + sum[3]));
    }
  }
  for (; r + 4 <= n; r += 4) {
    const A* x = p + r * pitch;
    for (i64 j = 0; j < cols; j++)
      s[j] += static_cast<double>((Map::apply(x[j]) + Map::apply(x[pitch + j])) +
                                  (Map::apply(x[2 * pitch + j]) + Map::apply(x[3 * pitch + j])));
  }
  for (; r < n; r++)
    for (i64 j = 0; j < cols; j++) s[j] += static_cast<double>(Map::apply(p[r * pitch + j]));
}

template <class S, int value>
void init_value(States s, i64 k) {
  S* a = s.field<S>(0);
  for (i64 i = 0; i < k; i++) a[i] = static_cast<S>(value);
}
template <class S>
void merge_sum(States s, States o, i64 k) {
  S* a = s.field<S>(0);
  const S* b = o.field<S>(0);
  for (i64 i = 0; i < k; i++) a[i] += b[i];
}
void finish_nothing(States, i64, i64, double) {}
void finish_mean(States s, i64 k, i64 count, double) {
  double* a = s.field<double>(0);
  for (i64 i = 0; i < k; i++) a[i] /= static_cast<double>(count);
}

template <class Map, class A>
void absorb_sum(States s, const Tile& t, double) {
  const A* p = t.as<A>();
  double* a = s.field<double>(0);
  if (!t.rows) return sum_columns<Map>(a, p, t.outputs, t.n, t.pitch);
  for (i64 k = 0; k < t.outputs; k++) a[k] += sum_run<Map>(p + k * t.pitch, t.n);
}

template <class Map, class A>
constexpr ReduceOp sum_op(DType span, void (*finish)(States, i64, i64, double)) {
  return {span, DType::F64, DType::F64, 1, init_value<double, 0>, absorb_sum<Map, A>, merge_sum<double>, finish};
}

// ---- folds with one rule from element to element: integer sums, products, extremes, truth ----

struct Add {
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return a + b;
  }
};
struct Multiply {
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return a * b;
  }
};
/** NaN wins, and stays. */
struct Largest {
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return (b > a) | (b != b) ? b : a;
  }
};
struct Smallest {
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return (b < a) | (b != b) ? b : a;
  }
};
struct And {
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return a & b;
  }
};
struct Or {
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return a | b;
  }
};

/** The fold of n >= 1 elements. The last partial vector overlaps, unless repeating elements would matter. */
template <class F, bool repeatable, class A>
A fold_run(const A* p, i64 n) {
  constexpr i64 L = lanes<A>;
  A r = p[0];
  i64 i = 1;
  if (n >= 4 * L) {
    Vec<A> acc[4];
    for (int k = 0; k < 4; k++) acc[k] = load(p + k * L);
    for (i = 4 * L; i + 4 * L <= n; i += 4 * L)
      for (int k = 0; k < 4; k++) acc[k] = F::apply(acc[k], load(p + i + k * L));
    for (; i + L <= n; i += L) acc[0] = F::apply(acc[0], load(p + i));
    if (repeatable && i < n) {
      acc[1] = F::apply(acc[1], load(p + n - L));
      i = n;
    }
    const auto f = [](Vec<A> a, Vec<A> b) { return F::apply(a, b); };
    r = fold<A>(F::apply(F::apply(acc[0], acc[1]), F::apply(acc[2], acc[3])), f);
  }
  for (; i < n; i++) r = F::apply(r, p[i]);
  return r;
}

template <class F, class S, class A>
void fold_columns(S* __restrict s, const A* p, i64 cols, i64 n, i64 pitch) {
  i64 r = 0;
  for (; r + 8 <= n; r += 8) {
    const A* q = p + r * pitch;
    for (i64 j = 0; j < cols; j++) {
      A m[4];
      for (int k = 0; k < 4; k++) m[k] = F::apply(q[2 * k * pitch + j], q[(2 * k + 1) * pitch + j]);
      s[j] = F::apply(s[j], static_cast<S>(F::apply(F::apply(m[0], m[1]), F::apply(m[2], m[3]))));
    }
  }
  for (; r < n; r++)
    for (i64 j = 0; j < cols; j++) s[j] = F::apply(s[j], static_cast<S>(p[r * pitch + j]));
}

template <class F, bool repeatable, class S, class A>
void absorb_fold(States s, const Tile& t, double) {
  const A* p = t.as<A>();
  S* a = s.field<S>(0);
  if (!t.rows) return fold_columns<F>(a, p, t.outputs, t.n, t.pitch);
  for (i64 k = 0; k < t.outputs; k++)
    a[k] = F::apply(a[k], static_cast<S>(fold_run<F, repeatable>(p + k * t.pitch, t.n)));
}
template <class F, class S>
void merge_fold(States s, States o, i64 k) {
  S* a = s.field<S>(0);
  const S* b = o.field<S>(0);
  for (i64 i = 0; i < k; i++) a[i] = F::apply(a[i], b[i]);
}

template <class S, bool largest>
void init_extreme(States s, i64 k) {
  S* a = s.field<S>(0);
  S start;
  if constexpr (static_cast<S>(0.5) != 0) {
    start = largest ? -INFINITY : INFINITY;
  } else {
    start = largest ? INT64_MIN : INT64_MAX;
  }
  for (i64 i = 0; i < k; i++) a[i] = start;
}

template <class F, bool repeatable, class S, class A>
constexpr ReduceOp fold_op(DType span, void (*init)(States, i64)) {
  constexpr DType state = static_cast<S>(0.5) != 0 ? DType::F64 : DType::I64;
  return {span, state, state, 1, init, absorb_fold<F, repeatable, S, A>, merge_fold<F, S>, finish_nothing};
}

// ---- complex products, and counts ----

void init_one(States s, i64 k) {
  for (i64 i = 0; i < k; i++) {
    s.field<double>(0)[i] = 1;
    s.field<double>(1)[i] = 0;
  }
}
TT_INLINE void multiply_into(States s, i64 k, double re, double im) {
  double &x = s.field<double>(0)[k], &y = s.field<double>(1)[k];
  const double a = x * re - y * im, b = x * im + y * re;
  x = a;
  y = b;
}
void absorb_complex_prod(States s, const Tile& t, double) {
  const double* p = t.as<double>();
  for (i64 k = 0; k < t.outputs; k++)
    for (i64 i = 0; i < t.n; i++) {
      const double* z = p + 2 * (t.rows ? k * t.pitch + i : i * t.pitch + k);
      multiply_into(s, k, z[0], z[1]);
    }
}
void merge_complex_prod(States s, States o, i64 k) {
  for (i64 i = 0; i < k; i++) multiply_into(s, i, o.field<double>(0)[i], o.field<double>(1)[i]);
}

void absorb_count(States s, const Tile& t, double) {
  const u8* p = t.as<u8>();
  i64* a = s.field<i64>(0);
  for (i64 k = 0; t.rows && k < t.outputs; k++) {
    i64 count = 0;
    for (i64 i = 0; i < t.n; i++) count += p[k * t.pitch + i];
    a[k] += count;
  }
  for (i64 i = 0; !t.rows && i < t.n; i++)
    for (i64 k = 0; k < t.outputs; k++) a[k] += p[i * t.pitch + k];
}

// ---- the table ----

template <class F, bool largest>
void run_extreme(double* args) {
  static constexpr ReduceOp kF32 = fold_op<F, true, double, float>(DType::F32, init_extreme<double, largest>);
  static constexpr ReduceOp kF64 = fold_op<F, true, double, double>(DType::F64, init_extreme<double, largest>);
  static constexpr ReduceOp kI64 = fold_op<F, true, i64, i64>(DType::I64, init_extreme<i64, largest>);
  Args a(args);
  TensorArg out, in;
  bool dims[kMaxDims];
  a.tensor(out);
  a.tensor(in);
  read_dims(a, in, dims);
  const DType acc = accumulator(in.dtype);
  reduce(acc == DType::F32 ? kF32 : acc == DType::F64 ? kF64 : kI64, &out, 1, in, dims, 0);
}

/** Sums: real and complex, the latter as two sums. */
template <class Map, bool mean>
void run_sum(double* args) {
  constexpr auto finish = mean ? finish_mean : finish_nothing;
  static constexpr ReduceOp kF32 = sum_op<Map, float>(DType::F32, finish);
  static constexpr ReduceOp kF64 = sum_op<Map, double>(DType::F64, finish);
  static constexpr ReduceOp kI64 = fold_op<Add, false, i64, i64>(DType::I64, init_value<i64, 0>);
  Args a(args);
  TensorArg out, in;
  bool dims[kMaxDims + 1];
  a.tensor(out);
  a.tensor(in);
  read_dims(a, in, dims);
  const DType acc = accumulator(out.dtype);
  if (is_complex(out.dtype)) {
    view_as_real(out);
    view_as_real(in);
    dims[in.ndim - 1] = false;
  }
  reduce(acc == DType::F32 ? kF32 : acc == DType::F64 ? kF64 : kI64, &out, 1, in, dims, 0);
}

void run_prod(double* args) {
  static constexpr ReduceOp kF32 = fold_op<Multiply, false, double, float>(DType::F32, init_value<double, 1>);
  static constexpr ReduceOp kF64 = fold_op<Multiply, false, double, double>(DType::F64, init_value<double, 1>);
  static constexpr ReduceOp kI64 = fold_op<Multiply, false, i64, i64>(DType::I64, init_value<i64, 1>);
  static constexpr ReduceOp kComplex = {
      DType::C128, DType::C128, DType::F64, 2, init_one, absorb_complex_prod, merge_complex_prod, finish_nothing};
  Args a(args);
  TensorArg out, in;
  bool dims[kMaxDims];
  a.tensor(out);
  a.tensor(in);
  read_dims(a, in, dims);
  const DType acc = accumulator(out.dtype);
  const ReduceOp& real = acc == DType::F32 ? kF32 : acc == DType::F64 ? kF64 : kI64;
  reduce(is_complex(out.dtype) ? kComplex : real, &out, 1, in, dims, 0);
}

void run_truth(double* args, const ReduceOp& op) {
  Args a(args);
  TensorArg out, in;
  bool dims[kMaxDims];
  a.tensor(out);
  a.tensor(in);
  read_dims(a, in, dims);
  reduce(op, &out, 1, in, dims, 0);
}
void run_all(double* args) {
  static constexpr ReduceOp op = fold_op<And, true, i64, u8>(DType::Bool, init_value<i64, 1>);
  run_truth(args, op);
}
void run_any(double* args) {
  static constexpr ReduceOp op = fold_op<Or, true, i64, u8>(DType::Bool, init_value<i64, 0>);
  run_truth(args, op);
}
void run_count_nonzero(double* args) {
  static constexpr ReduceOp op = {
      DType::Bool, DType::I64, DType::I64, 1, init_value<i64, 0>, absorb_count, merge_sum<i64>, finish_nothing};
  run_truth(args, op);
}

}  // namespace

// Arguments of each: out, in, r, dim_1 ... dim_r. `out` has the input's ndim and size 1 at the reduced
// dimensions; both of any strides. A dtype of `out` other than the input's casts while loading; complex from
// real is the caller's to cast.
extern const KernelEntry reduce_kernels[];
const KernelEntry reduce_kernels[] = {
    {"reduce_sum", run_sum<Identity, false>},
    {"reduce_mean", run_sum<Identity, true>},
    {"reduce_nansum", run_sum<NanToZero, false>},
    {"reduce_prod", run_prod},
    {"reduce_amax", run_extreme<Largest, true>},
    {"reduce_amin", run_extreme<Smallest, false>},
    {"reduce_all", run_all},
    {"reduce_any", run_any},
    {"reduce_count_nonzero", run_count_nonzero},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
