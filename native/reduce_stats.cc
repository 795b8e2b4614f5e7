// Norms, variances and logsumexp.
#include "reduce_loops.h"
#include "vmath_exp.h"

namespace tt {
inline namespace KERNEL_NS {
namespace reduction {
namespace {

void init_zero(States s, i64 k) {
  for (i64 i = 0; i < k; i++) s.field<double>(0)[i] = 0;
}
void merge_add(States s, States o, i64 k) {
  for (i64 i = 0; i < k; i++) s.field<double>(0)[i] += o.field<double>(0)[i];
}

// ---- norms ----

struct Magnitude {
  template <class V>
  static TT_INLINE V apply(V x) {
    return x < V{} ? -x : x;
  }
};
struct Square {
  template <class V>
  static TT_INLINE V apply(V x) {
    return x * x;
  }
};

template <class Map, class A>
void absorb_mapped(States s, const Tile& t, double) {
  const A* p = t.as<A>();
  double* a = s.field<double>(0);
  if (!t.rows) return sum_columns<Map>(a, p, t.outputs, t.n, t.pitch);
  for (i64 k = 0; k < t.outputs; k++) a[k] += sum_run<Map>(p + k * t.pitch, t.n);
}
void finish_as_is(States, i64, i64, double) {}
void finish_root(States s, i64 k, i64, double) {
  for (i64 i = 0; i < k; i++) s.field<double>(0)[i] = std::sqrt(s.field<double>(0)[i]);
}

/** One more magnitude m in the norm of order p. */
TT_INLINE double add_magnitude(double state, double m, double p) {
  if (p == INFINITY) return Largest::apply(state, m);
  if (p == -INFINITY) return Smallest::apply(state, m);
  if (p == 0) return state + (m != 0 ? 1 : 0);
  return state + (p == 1 ? m : p == 2 ? m * m : std::pow(m, p));
}
void init_largest(States s, i64 k) { init_zero(s, k); }
void init_smallest(States s, i64 k) {
  for (i64 i = 0; i < k; i++) s.field<double>(0)[i] = INFINITY;
}
void merge_largest(States s, States o, i64 k) {
  for (i64 i = 0; i < k; i++) s.field<double>(0)[i] = Largest::apply(s.field<double>(0)[i], o.field<double>(0)[i]);
}
void merge_smallest(States s, States o, i64 k) {
  for (i64 i = 0; i < k; i++) s.field<double>(0)[i] = Smallest::apply(s.field<double>(0)[i], o.field<double>(0)[i]);
}
template <class A, bool complex>
void absorb_magnitudes(States s, const Tile& t, double p) {
  double* a = s.field<double>(0);
  for (i64 k = 0; k < t.outputs; k++) {
    double r = a[k];
    for (i64 i = 0; i < t.n; i++) {
      const i64 at = t.rows ? k * t.pitch + i : i * t.pitch + k;
      const A* x = t.as<A>() + (complex ? 2 * at : at);
      r = add_magnitude(r, complex ? std::hypot(x[0], x[1]) : std::fabs(static_cast<double>(x[0])), p);
    }
    a[k] = r;
  }
}
void finish_norm(States s, i64 k, i64, double p) {
  if (p == 0 || p == 1 || p == INFINITY || p == -INFINITY) return;
  for (i64 i = 0; i < k; i++) s.field<double>(0)[i] = std::pow(s.field<double>(0)[i], 1 / p);
}

constexpr ReduceOp norm_op(DType span, void (*absorb)(States, const Tile&, double), void (*finish)(States, i64, i64, double)) {
  return {span, DType::F64, DType::F64, 1, init_zero, absorb, merge_add, finish};
}

void run_norm(double* args) {
  Args a(args);
  TensorArg out, in;
  bool dims[kMaxDims + 1];
  a.tensor(out);
  a.tensor(in);
  read_dims(a, in, dims);
  const double p = a.number();
  if (is_complex(in.dtype) && p == 2) {  // the squares of both parts add up
    view_as_real(in);
    dims[in.ndim - 1] = true;
    out.shape[out.ndim] = 1;
    out.strides[out.ndim++] = 0;
  }
  ReduceOp op;
  const DType span = is_complex(in.dtype) ? DType::C128 : out.dtype == DType::F64 ? DType::F64 : DType::F32;
  if (span == DType::F32 && (p == 1 || p == 2)) {
    op = p == 1 ? norm_op(span, absorb_mapped<Magnitude, float>, finish_as_is) : norm_op(span, absorb_mapped<Square, float>, finish_root);
  } else if (span == DType::F64 && (p == 1 || p == 2)) {
    op = p == 1 ? norm_op(span, absorb_mapped<Magnitude, double>, finish_as_is) : norm_op(span, absorb_mapped<Square, double>, finish_root);
  } else {
    op = norm_op(span, span == DType::C128  ? absorb_magnitudes<double, true>
                       : span == DType::F64 ? absorb_magnitudes<double, false>
                                            : absorb_magnitudes<float, false>, finish_norm);
    if (p == INFINITY) op.init = init_largest, op.merge = merge_largest;
    if (p == -INFINITY) op.init = init_smallest, op.merge = merge_smallest;
  }
  reduce(op, &out, 1, in, dims, p);
}

// ---- variances: Chan, Golub, LeVeque (1983), blocks merged in double ----

constexpr i64 kBlock = 512;  // elements, or columns, that are read twice while they are near

/** Fields: sum of squared deviations, mean, count. */
void init_moments(States s, i64 k) {
  for (int f = 0; f < 3; f++)
    for (i64 i = 0; i < k; i++) s.field<double>(f)[i] = 0;
}
TT_INLINE void add_moments(States s, i64 k, double m2, double mean, double count) {
  double &a2 = s.field<double>(0)[k], &am = s.field<double>(1)[k], &an = s.field<double>(2)[k];
  if (count == 0) return;
  const double delta = mean - am, n = an + count;
  am = an == 0 ? mean : am + delta * (count / n);
  a2 += m2 + (an == 0 ? 0 : delta * delta * (an * count / n));
  an = n;
}
void merge_moments(States s, States o, i64 k) {
  for (i64 i = 0; i < k; i++)
    add_moments(s, i, o.field<double>(0)[i], o.field<double>(1)[i], o.field<double>(2)[i]);
}

template <class A>
void moments_columns(States s, const A* p, i64 cols, i64 n, i64 pitch) {
  double sum[kBlock], squares[kBlock];
  A shift[kBlock], ds[kBlock], dq[kBlock];
  for (i64 j0 = 0; j0 < cols; j0 += kBlock) {
    const i64 c = cols - j0 < kBlock ? cols - j0 : kBlock;
    for (i64 r = 0; r < n; r += 32) {
      const i64 h = n - r < 32 ? n - r : 32;
      const A* q = p + r * pitch + j0;
      for (i64 j = 0; j < c; j++) sum[j] = squares[j] = 0;
      sum_columns<Identity>(sum, q, c, h, pitch);
      for (i64 j = 0; j < c; j++) {
        shift[j] = static_cast<A>(sum[j] / static_cast<double>(h));
        ds[j] = dq[j] = 0;
      }
      for (i64 i = 0; i < h; i++)
        for (i64 j = 0; j < c; j++) {
          const A d = q[i * pitch + j] - shift[j];
          ds[j] += d;
          dq[j] += d * d;
        }
      for (i64 j = 0; j < c; j++) {
        const double rest = static_cast<double>(ds[j]) / static_cast<double>(h);
        add_moments(s, j0 + j, static_cast<double>(dq[j]) - rest * static_cast<double>(ds[j]),
                    static_cast<double>(shift[j]) + rest, static_cast<double>(h));
      }
    }
  }
}

template <class A>
void absorb_moments(States s, const Tile& t, double) {
  if (!t.rows) return moments_columns(s, t.as<A>(), t.outputs, t.n, t.pitch);
  for (i64 k = 0; k < t.outputs; k++)
    for (i64 i = 0; i < t.n; i += 2 * kBlock) {
      const A* p = t.as<A>() + k * t.pitch + i;
      const i64 n = t.n - i < 2 * kBlock ? t.n - i : 2 * kBlock;
      const double count = static_cast<double>(n);
      const A shift = static_cast<A>(sum_run<Identity>(p, n) / count);
      double sum, squares;
      deviations(p, n, shift, sum, squares);
      add_moments(s, k, squares - sum * sum / count, static_cast<double>(shift) + sum / count, count);
    }
}

template <bool root>
void finish_moments(States s, i64 k, i64 count, double correction) {
  const double divisor = static_cast<double>(count) > correction ? static_cast<double>(count) - correction : 0;
  double *v = s.field<double>(0), *mean = s.field<double>(1);
  for (i64 i = 0; i < k; i++) {
    v[i] = (v[i] < 0 ? 0 : v[i]) / divisor;
    if (root) v[i] = std::sqrt(v[i]);
    if (count == 0) mean[i] = NAN;
  }
}

template <class A, bool root>
constexpr ReduceOp kMoments = {sizeof(A) == 8 ? DType::F64 : DType::F32, DType::F64, DType::F64, 3, init_moments,
                               absorb_moments<A>, merge_moments, finish_moments<root>};

template <bool root, int n_out>
void run_moments(double* args) {
  Args a(args);
  TensorArg outs[2], in;
  bool dims[kMaxDims];
  for (int i = 0; i < n_out; i++) a.tensor(outs[i]);
  a.tensor(in);
  read_dims(a, in, dims);
  reduce(outs[0].dtype == DType::F64 ? kMoments<double, root> : kMoments<float, root>, outs, n_out, in, dims, a.number());
}

// ---- logsumexp: fields maximum, and sum of exp(x - maximum) ----

void init_logsumexp(States s, i64 k) {
  for (i64 i = 0; i < k; i++) {
    s.field<double>(0)[i] = -INFINITY;
    s.field<double>(1)[i] = 0;
  }
}
/** Infinite maxima carry no sum: the result is that infinity. NaN stays NaN. */
TT_INLINE void add_exponentials(States s, i64 k, double max, double sum) {
  double &m = s.field<double>(0)[k], &a = s.field<double>(1)[k];
  const double top = Largest::apply(m, max);
  if (top == INFINITY || top == -INFINITY) {
    a = top > 0 ? 1 : 0;
  } else {
    a = a * (m == top ? 1 : std::exp(m - top)) + sum * (max == top ? 1 : std::exp(max - top));
  }
  m = top;
}
void merge_logsumexp(States s, States o, i64 k) {
  for (i64 i = 0; i < k; i++) add_exponentials(s, i, o.field<double>(0)[i], o.field<double>(1)[i]);
}

template <class A>
double exponentials(const A* p, i64 n, A max) {
  constexpr i64 L = lanes<A>;
  const Vec<A> m = broadcast<A>(max);
  Vec<A> acc{};
  i64 i = 0;
  for (; i + L <= n; i += L) acc += v_exp(load(p + i) - m);
  if (i < n) {
    A last[L];
    for (i64 j = 0; j < L; j++) last[j] = i + j < n ? p[i + j] : -static_cast<A>(INFINITY);
    acc += v_exp(load(last) - m);
  }
  return static_cast<double>(fold<A>(acc, [](Vec<A> a, Vec<A> b) { return a + b; }));
}

/** Up to a vector's width of columns. */
template <class A>
void logsumexp_columns(States s, const A* p, i64 cols, i64 n, i64 pitch) {
  constexpr i64 L = lanes<A>;
  const auto row = [&](i64 r) { return cols == L ? load(p + r * pitch) : load_part(p + r * pitch, cols); };
  Vec<A> m = row(0), sum{};
  for (i64 r = 1; r < n; r++) m = Largest::apply(m, row(r));
  for (i64 r = 0; r < n; r++) sum += v_exp(row(r) - m);
  for (i64 j = 0; j < cols; j++) add_exponentials(s, j, static_cast<double>(m[j]), static_cast<double>(sum[j]));
}

template <class A>
void absorb_logsumexp(States s, const Tile& t, double) {
  const A* p = t.as<A>();
  for (i64 k = 0; t.rows && k < t.outputs; k++)
    for (i64 i = 0; i < t.n; i += 1024) {
      const i64 n = t.n - i < 1024 ? t.n - i : 1024;
      const A* x = p + k * t.pitch + i;
      const A max = fold_run<Largest, true>(x, n);
      add_exponentials(s, k, static_cast<double>(max), exponentials(x, n, max));
    }
  for (i64 r = 0; !t.rows && r < t.n; r += 32)
    for (i64 j = 0; j < t.outputs; j += lanes<A>) {
      const i64 c = t.outputs - j < lanes<A> ? t.outputs - j : lanes<A>;
      logsumexp_columns(s.at(j), p + r * t.pitch + j, c, t.n - r < 32 ? t.n - r : 32, t.pitch);
    }
}
void finish_logsumexp(States s, i64 k, i64, double) {
  for (i64 i = 0; i < k; i++) s.field<double>(0)[i] += std::log(s.field<double>(1)[i]);
}

void run_logsumexp(double* args) {
  static constexpr ReduceOp kF32 = {DType::F32,      DType::F64, DType::F64, 2, init_logsumexp, absorb_logsumexp<float>,
                                    merge_logsumexp, finish_logsumexp};
  static constexpr ReduceOp kF64 = {DType::F64,      DType::F64, DType::F64, 2, init_logsumexp, absorb_logsumexp<double>,
                                    merge_logsumexp, finish_logsumexp};
  Args a(args);
  TensorArg out, in;
  bool dims[kMaxDims];
  a.tensor(out);
  a.tensor(in);
  read_dims(a, in, dims);
  reduce(out.dtype == DType::F64 ? kF64 : kF32, &out, 1, in, dims, 0);
}

}  // namespace

void variance_mean(const TensorArg& variance, const TensorArg& mean, const TensorArg& in, const bool* reduced, double correction) {
  const TensorArg outs[2] = {variance, mean};
  reduce(variance.dtype == DType::F64 ? kMoments<double, false> : kMoments<float, false>, outs, 2, in, reduced, correction);
}

}  // namespace reduction

using namespace reduction;

// Arguments: the outputs, in, r, dim_1 ... dim_r, then p (norm) or the correction (var, std and their _mean forms,
// whose outputs are the variance or deviation, and the mean). Complex input: norms only.
extern const KernelEntry reduce_stats_kernels[];
const KernelEntry reduce_stats_kernels[] = {
    {"reduce_norm", run_norm},
    {"reduce_var", run_moments<false, 1>},
    {"reduce_std", run_moments<true, 1>},
    {"reduce_var_mean", run_moments<false, 2>},
    {"reduce_std_mean", run_moments<true, 2>},
    {"reduce_logsumexp", run_logsumexp},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
