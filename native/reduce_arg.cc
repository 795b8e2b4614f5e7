// Extremes and their positions along one dimension. NaN is more extreme than any number; the first position wins.
#include "reduce_loops.h"

namespace tt {
inline namespace KERNEL_NS {
namespace reduction {
namespace {

/** Fields: the extreme, and its position (-1: none yet). */
template <class S>
void init_position(States s, i64 k) {
  for (i64 i = 0; i < k; i++) {
    s.field<S>(0)[i] = 0;
    s.field<S>(1)[i] = -1;
  }
}

/** Whether candidate b, at a later position, replaces a. */
template <class F, class T>
TT_INLINE bool replaces(T a, T b) {
  return a == a && (b != b || (b != a && F::apply(a, b) == b));
}
template <class F, class S>
TT_INLINE void offer(States s, i64 k, S value, i64 position) {
  S &v = s.field<S>(0)[k], &at = s.field<S>(1)[k];
  if (at >= 0 && !replaces<F>(v, value)) return;
  v = value;
  at = static_cast<S>(position);
}
template <class F, class S>
void merge_position(States s, States o, i64 k) {
  for (i64 i = 0; i < k; i++)
    if (o.field<S>(1)[i] >= 0) offer<F>(s, i, o.field<S>(0)[i], static_cast<i64>(o.field<S>(1)[i]));
}

/** The first position of value (or of NaN), which is there. */
template <class A>
i64 find(const A* p, i64 n, A value) {
  constexpr i64 L = lanes<A>;
  i64 i = 0;
  if (value != value) {
    while (p[i] == p[i]) i++;
    return i;
  }
  const Vec<A> v = broadcast<A>(value);
  for (; i + 4 * L <= n; i += 4 * L) {
    LaneIndex<A> hit{};
    for (int k = 0; k < 4; k++) hit |= load(p + i + k * L) == v;
    hit = fold_lanes<A>(hit, [](LaneIndex<A> x, LaneIndex<A> y) { return x | y; });
    if (hit[0]) break;
  }
  while (p[i] != value) i++;
  return i;
}

template <class F, class S, class A>
void position_columns(States s, const A* p, i64 n, i64 pitch, i64 first) {
  using I = typename IndexOf<A>::type;
  Vec<A> m = load(p);
  LaneIndex<A> at{};
  for (i64 r = 1; r < n; r++) {
    const Vec<A> x = load(p + r * pitch);
    const auto change = (m == m) & ((x != x) | ((x != m) & (F::apply(m, x) == x)));
    m = change ? x : m;
    at = change ? broadcast<I>(static_cast<I>(r)) : at;
  }
  for (i64 j = 0; j < lanes<A>; j++) offer<F>(s, j, static_cast<S>(m[j]), first + at[j]);
}

template <class F, class S, class A>
void absorb_position(States s, const Tile& t, double) {
  constexpr i64 kBlock = 2048;
  const A* p = t.as<A>();
  for (i64 k = 0; t.rows && k < t.outputs; k++)
    for (i64 i = 0; i < t.n; i += kBlock) {
      const A* x = p + k * t.pitch + i;
      const i64 n = t.n - i < kBlock ? t.n - i : kBlock;
      const A value = fold_run<F, true>(x, n);
      const S v = s.field<S>(0)[k];
      if (s.field<S>(1)[k] < 0 || replaces<F>(v, static_cast<S>(value)))
        offer<F>(s, k, static_cast<S>(value), t.first + i + find(x, n, value));
    }
  for (i64 r = 0; !t.rows && r < t.n; r += 64) {
    const i64 h = t.n - r < 64 ? t.n - r : 64;
    i64 j = 0;
    for (; j + lanes<A> <= t.outputs; j += lanes<A>)
      position_columns<F, S>(s.at(j), p + r * t.pitch + j, h, t.pitch, t.first + r);
    for (; j < t.outputs; j++)
      for (i64 i = 0; i < h; i++) offer<F>(s, j, static_cast<S>(p[(r + i) * t.pitch + j]), t.first + r + i);
  }
}

void finish_both(States, i64, i64, double) {}
void finish_position(States s, i64 k, i64, double) {
  memcpy(s.base, s.base + s.pitch, static_cast<size_t>(k) * sizeof(double));  // of either type
}

/** outs: [position] or [extreme, position]. */
template <class F, bool with_value>
void run_position(double* args) {
  constexpr auto finish = with_value ? finish_both : finish_position;
  static constexpr ReduceOp kF32 = {DType::F32, DType::F64, DType::F64, 2, init_position<double>,
                                    absorb_position<F, double, float>, merge_position<F, double>, finish};
  static constexpr ReduceOp kF64 = {DType::F64, DType::F64, DType::F64, 2, init_position<double>,
                                    absorb_position<F, double, double>, merge_position<F, double>, finish};
  static constexpr ReduceOp kI64 = {DType::I64, DType::I64, DType::I64, 2, init_position<i64>,
                                    absorb_position<F, i64, i64>, merge_position<F, i64>, finish};
  Args a(args);
  TensorArg outs[2], in;
  bool dims[kMaxDims];
  for (int i = 0; i < (with_value ? 2 : 1); i++) a.tensor(outs[i]);
  a.tensor(in);
  const i64 dim = a.integer();
  for (int d = 0; d < in.ndim; d++) dims[d] = d == dim;
  const DType acc = accumulator(in.dtype);
  reduce(acc == DType::F32 ? kF32 : acc == DType::F64 ? kF64 : kI64, outs, with_value ? 2 : 1, in, dims, 0);
}

}  // namespace
}  // namespace reduction

using namespace reduction;

// reduce_argmax, reduce_argmin: positions (I64), in, dim. reduce_max_dim, reduce_min_dim: values, positions, in, dim.
// The outputs have the input's ndim and size 1 at dim. A 0-d input takes no dim (pass -1).
extern const KernelEntry reduce_arg_kernels[];
const KernelEntry reduce_arg_kernels[] = {
    {"reduce_argmax", run_position<Largest, false>},
    {"reduce_argmin", run_position<Smallest, false>},
    {"reduce_max_dim", run_position<Largest, true>},
    {"reduce_min_dim", run_position<Smallest, true>},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
