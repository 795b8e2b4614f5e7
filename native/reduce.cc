// Sums, products, extremes and truth reductions.
#include "reduce_loops.h"

namespace tt {
inline namespace KERNEL_NS {
namespace reduction {
namespace {

// ---- sums ----

template <class S, int value>
void init_value(States s, i64 k) {
  S* a = s.field<S>(0);
  for (i64 i = 0; i < k; i++) a[i] = static_cast<S>(value);
}
template <class S>
void merge_sum(States s, States o, i64 k) {
  S* a = s.field<S>(0);
  const S* b = o.field<S>(0);
  for (i64 i = 0; i < k; i++) a[i] = add_wrapping(a[i], b[i]);
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
    return add_wrapping(a, b);
  }
};
struct Multiply {
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return multiply_wrapping(a, b);
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

constexpr ReduceOp kCount = {
    DType::Bool, DType::I64, DType::I64, 1, init_value<i64, 0>, absorb_count, merge_sum<i64>, finish_nothing};

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
  if (in.dtype == DType::Bool && acc == DType::I64) return reduce(kCount, &out, 1, in, dims, 0);
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
  run_truth(args, kCount);
}

}  // namespace
}  // namespace reduction

using namespace reduction;

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
