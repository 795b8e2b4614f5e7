// Softmax, log-softmax and cross entropy over rows.
#include "rows.h"

namespace tt {
inline namespace KERNEL_NS {
namespace rows {
namespace {

constexpr i64 kChunk = 2048;  // elements whose exponentials add up in T before they join a double

/** Writes exp(x - max) and returns its sum; without `out` only the sum. */
template <class T, bool keep>
double exponentials(T* out, const T* in, i64 n, T high, T low) {
  double total = 0;
  const Vec<T> h = broadcast<T>(high), l = broadcast<T>(low);
  for (i64 at = 0; at < n; at += kChunk) {
    Vec<T> acc{};
    each_vector<T>(n - at < kChunk ? n - at : kChunk, [&](i64 i, i64 c) {
      const Vec<T> e = v_exp((get(in + at + i, c) - h) - l);
      if (keep) put(out + at + i, e, c);
      acc += only<T>(e, c);
    });
    total += add_lanes<T>(acc);
  }
  return total;
}

template <class T, bool log>
void softmax_row(T* out, const T* in, i64 n) {
  const T max = fold_run<Largest, true>(in, n);
  if (log) {
    const double sum = exponentials<T, false>(out, in, n, max, T(0));
    const Vec<T> m = broadcast<T>(max), l = broadcast<T>(static_cast<T>(std::log(sum)));
    each_vector<T>(n, [&](i64 i, i64 c) { put(out + i, (get(in + i, c) - m) - l, c); });
  } else {
    const double sum = exponentials<T, true>(out, in, n, max, T(0));
    const Vec<T> scale = broadcast<T>(static_cast<T>(1 / sum));
    each_vector<T>(n, [&](i64 i, i64 c) { put(out + i, get(out + i, c) * scale, c); });
  }
}

/** softmax: (g - sum(g o)) o; log_softmax: g - exp(o) sum(g). */
template <class T, bool log>
void softmax_backward_row(T* to, const T* g, const T* o, i64 n) {
  double total = 0;
  if (log) {
    total = sum_run<Identity>(g, n);
  } else {
    for (i64 at = 0; at < n; at += kChunk) {
      Vec<T> acc{};
      each_vector<T>(n - at < kChunk ? n - at : kChunk,
                     [&](i64 i, i64 c) { acc += get(g + at + i, c) * get(o + at + i, c); });
      total += add_lanes<T>(acc);
    }
  }
  const Vec<T> s = broadcast<T>(static_cast<T>(total));
  each_vector<T>(n, [&](i64 i, i64 c) {
    const Vec<T> x = get(g + i, c), y = get(o + i, c);
    put(to + i, log ? x - v_exp(y) * s : (x - s) * y, c);
  });
}

/** Tensors [outer, n, inner]: row r of outer * inner starts at this offset, its elements `inner` apart. */
TT_INLINE i64 row_offset(i64 r, i64 n, i64 inner) { return r / inner * n * inner + r % inner; }

/**
 * Softmax down K vectors of neighbouring columns of a contiguous [n, inner] matrix, c elements of the last one. Sums
 * add up in T over kChunk rows, then in double.
 */
template <class T, bool log, int K>
void softmax_columns(T* out, const T* in, i64 n, i64 inner, i64 c) {
  const auto each = [&](const auto& body) {
    for (int k = 0; k < K; k++) body(k, k * lanes<T>, k == K - 1 ? c : i64(lanes<T>));
  };
  Vec<T> high[K], scale[K];
  double total[K][lanes<T>] = {};
  each([&](int k, i64 at, i64 m) { high[k] = get(in + at, m); });
  for (i64 i = 1; i < n; i++)
    each([&](int k, i64 at, i64 m) {
      const Vec<T> x = get(in + i * inner + at, m);
      high[k] = x > high[k] ? x : high[k];
    });
  for (i64 first = 0; first < n; first += kChunk) {
    const i64 end = n - first < kChunk ? n : first + kChunk;
    Vec<T> sum[K] = {};
    for (i64 i = first; i < end; i++)
      each([&](int k, i64 at, i64 m) {
        const Vec<T> e = v_exp(get(in + i * inner + at, m) - high[k]);
        if (!log) put(out + i * inner + at, e, m);
        sum[k] += e;
      });
    each([&](int k, i64, i64) {
      for (int l = 0; l < lanes<T>; l++) total[k][l] += static_cast<double>(sum[k][l]);
    });
  }
  each([&](int k, i64, i64) {
    for (int l = 0; l < lanes<T>; l++) scale[k][l] = static_cast<T>(log ? std::log(total[k][l]) : 1 / total[k][l]);
  });
  for (i64 i = 0; i < n; i++)
    each([&](int k, i64 at, i64 m) {
      const i64 p = i * inner + at;
      put(out + p, log ? (get(in + p, m) - high[k]) - scale[k] : get(out + p, m) * scale[k], m);
    });
}

/** Softmax along the middle of contiguous [outer, n, inner], where lines lie side by side. */
template <class T, bool log>
void softmax_planes(const TensorArg& out, const TensorArg& in) {
  constexpr i64 kTile = 4 * lanes<T>;
  const i64 n = in.shape[1], inner = in.shape[2], tiles = (inner + kTile - 1) / kTile;
  parallel_for_any(in.shape[0] * tiles, 1 + 16384 / (n * kTile), [&](i64 begin, i64 end) {
    for (i64 k = begin; k < end; k++) {
      const i64 column = k % tiles * kTile, at = k / tiles * n * inner + column;
      const i64 width = inner - column < kTile ? inner - column : kTile;
      T* to = out.as<T>() + at;
      const T* from = in.as<T>() + at;
      if (width == kTile) {
        softmax_columns<T, log, 4>(to, from, n, inner, lanes<T>);
      } else {
        each_vector<T>(width, [&](i64 i, i64 c) { softmax_columns<T, log, 1>(to + i, from + i, n, inner, c); });
      }
    }
  });
}

template <class T, bool log>
void softmax_rows(const TensorArg& out, const TensorArg& in) {
  const i64 n = in.shape[1], inner = in.shape[2];
  if (inner > 1 && out.dtype == kSpan<T> && in.dtype == kSpan<T>) return softmax_planes<T, log>(out, in);
  parallel_for_any(in.shape[0] * inner, row_grain(n), [&](i64 begin, i64 end) {
    T* buffer = static_cast<T*>(tt_scratch(7, static_cast<size_t>(2 * n) * sizeof(T)));
    for (i64 r = begin; r < end; r++) {
      const i64 at = row_offset(r, n, inner);
      T* to = result_row(out, at, inner, buffer + n);
      softmax_row<T, log>(to, read_row(in, at, inner, n, buffer), n);
      write_row(out, at, inner, n, to);
    }
  });
}
template <class T, bool log>
void softmax_backward_rows(const TensorArg& out, const TensorArg& g, const TensorArg& o) {
  const i64 n = g.shape[1], inner = g.shape[2];
  parallel_for_any(g.shape[0] * inner, row_grain(n), [&](i64 begin, i64 end) {
    T* buffer = static_cast<T*>(tt_scratch(7, static_cast<size_t>(3 * n) * sizeof(T)));
    for (i64 r = begin; r < end; r++) {
      const i64 at = row_offset(r, n, inner);
      T* to = result_row(out, at, inner, buffer);
      softmax_backward_row<T, log>(to, read_row(g, at, inner, n, buffer + n), read_row(o, at, inner, n, buffer + 2 * n), n);
      write_row(out, at, inner, n, to);
    }
  });
}

template <bool log>
void run_softmax(double* args) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  if (in.numel() == 0) return;
  if (in.dtype == DType::F64 || out.dtype == DType::F64) return softmax_rows<double, log>(out, in);
  softmax_rows<float, log>(out, in);
}
template <bool log>
void run_softmax_backward(double* args) {
  Args a(args);
  TensorArg out, g, o;
  a.tensor(out);
  a.tensor(g);
  a.tensor(o);
  if (g.numel() == 0) return;
  if (g.dtype == DType::F64) return softmax_backward_rows<double, log>(out, g, o);
  softmax_backward_rows<float, log>(out, g, o);
}

// ---- cross entropy ----

struct CrossEntropy {
  TensorArg in, lse, total, target, weight;
  bool weighted;
  i64 ignore, reduction;  // 0 none, 1 mean, 2 sum
  double smoothing;

  void read_rest(Args& a) {
    a.tensor(target);
    weighted = optional(a, weight);
    ignore = a.integer();
    reduction = a.integer();
    smoothing = a.number();
  }
  i64 rows() const { return in.shape[0]; }
  i64 classes() const { return in.shape[1]; }
  i64 label(i64 row) const { return target.as<i64>()[row * target.strides[0]]; }
};

/** The class weights as T, or null; their sum (or the number of classes) in `sum`. */
template <class T>
const T* class_weights(const CrossEntropy& ce, double& sum) {
  const i64 classes = ce.classes();
  sum = static_cast<double>(classes);
  if (!ce.weighted) return nullptr;
  T* w = static_cast<T*>(tt_scratch(6, static_cast<size_t>(classes) * sizeof(T)));
  load_convert(kSpan<T>, ce.weight.data, ce.weight.dtype, ce.weight.strides[0], w, classes);
  sum = sum_run<Identity>(w, classes);
  return w;
}

/** Sum of w_c x_c, w_c = 1 without weights. */
template <class T>
double weighted_sum(const T* w, const T* x, i64 n) {
  if (!w) return sum_run<Identity>(x, n);
  double s = 0;
  for (i64 i = 0; i < n; i++) s += static_cast<double>(w[i]) * static_cast<double>(x[i]);
  return s;
}

template <class T>
void cross_entropy_forward(const CrossEntropy& ce, const TensorArg& loss) {
  const i64 n = ce.classes(), rows = ce.rows();
  double weight_sum;
  const T* w = class_weights<T>(ce, weight_sum);
  double* losses = static_cast<double*>(tt_scratch(5, static_cast<size_t>(rows + 1) * sizeof(double)));
  double* lses = ce.lse.as<double>();
  parallel_for(rows, row_grain(n), [&](i64 begin, i64 end) {
    T* buffer = static_cast<T*>(tt_scratch(7, static_cast<size_t>(n) * sizeof(T)));
    for (i64 r = begin; r < end; r++) {
      const i64 t = ce.label(r);
      const T* x = read_row(ce.in, r * n, 1, n, buffer);
      const T max = fold_run<Largest, true>(x, n);
      const double lse = static_cast<double>(max) + std::log(exponentials<T, false>(nullptr, x, n, max, T(0)));
      lses[r] = lse;
      losses[r] = 0;
      if (t == ce.ignore) continue;
      const double nll = (w ? static_cast<double>(w[t]) : 1) * (lse - static_cast<double>(x[t]));
      losses[r] = nll;
      if (ce.smoothing > 0) {
        const double all = weight_sum * lse - weighted_sum(w, x, n);
        losses[r] = (1 - ce.smoothing) * nll + ce.smoothing / static_cast<double>(n) * all;
      }
    }
  });
  double total = 0, sum = 0;
  for (i64 r = 0; r < rows; r++) {
    const i64 t = ce.label(r);
    if (t != ce.ignore) total += w ? static_cast<double>(w[t]) : 1;
    sum += losses[r];
  }
  *ce.total.as<double>() = total;
  if (ce.reduction == 0) {
    store_convert(loss.dtype, loss.data, loss.strides[0], DType::F64, losses, rows);
  } else {
    write_one<double>(loss, 0, ce.reduction == 1 ? sum / total : sum);
  }
}

template <class T>
void cross_entropy_backward(const CrossEntropy& ce, const TensorArg& out, const TensorArg& grad) {
  const i64 n = ce.classes();
  double weight_sum;
  const T* w = class_weights<T>(ce, weight_sum);
  const double share = ce.smoothing / static_cast<double>(n), *lses = ce.lse.as<double>();
  const double whole = ce.reduction == 0 ? 0 : read_one<double>(grad, 0) / (ce.reduction == 1 ? *ce.total.as<double>() : 1);
  parallel_for(ce.rows(), row_grain(n), [&](i64 begin, i64 end) {
    T* buffer = static_cast<T*>(tt_scratch(7, static_cast<size_t>(2 * n) * sizeof(T)));
    for (i64 r = begin; r < end; r++) {
      const i64 t = ce.label(r);
      T* to = result_row(out, r * n, 1, buffer);
      if (t == ce.ignore) {
        memset(to, 0, static_cast<size_t>(n) * sizeof(T));
      } else {
        const T* x = read_row(ce.in, r * n, 1, n, buffer + n);
        const double g = ce.reduction == 0 ? read_one<double>(grad, r * grad.strides[0]) : whole;
        const double mine = (1 - ce.smoothing) * (w ? static_cast<double>(w[t]) : 1);
        const T high = static_cast<T>(lses[r]), low = static_cast<T>(lses[r] - static_cast<double>(high));
        const Vec<T> h = broadcast<T>(high), l = broadcast<T>(low);
        const Vec<T> scale = broadcast<T>(static_cast<T>(g * (mine + share * weight_sum)));
        const Vec<T> less = broadcast<T>(static_cast<T>(g * share));
        each_vector<T>(n, [&](i64 i, i64 c) {
          const Vec<T> p = v_exp((get(x + i, c) - h) - l) * scale;
          put(to + i, w ? p - less * get(w + i, c) : p - less, c);
        });
        to[t] -= static_cast<T>(g * mine);
      }
      write_row(out, r * n, 1, n, to);
    }
  });
}

void run_cross_entropy(double* args) {
  Args a(args);
  CrossEntropy ce;
  TensorArg loss;
  a.tensor(loss);
  a.tensor(ce.lse);
  a.tensor(ce.total);
  a.tensor(ce.in);
  ce.read_rest(a);
  for (i64 r = 0; r < ce.rows(); r++) {
    const i64 t = ce.label(r);
    if (t != ce.ignore && (t < 0 || t >= ce.classes())) {
      args[0] = static_cast<double>(r + 1);
      return;
    }
  }
  args[0] = 0;
  if (ce.in.dtype == DType::F64) return cross_entropy_forward<double>(ce, loss);
  cross_entropy_forward<float>(ce, loss);
}
void run_cross_entropy_backward(double* args) {
  Args a(args);
  CrossEntropy ce;
  TensorArg out, grad;
  a.tensor(out);
  a.tensor(grad);
  a.tensor(ce.lse);
  a.tensor(ce.total);
  a.tensor(ce.in);
  ce.read_rest(a);
  if (ce.in.dtype == DType::F64) return cross_entropy_backward<double>(ce, out, grad);
  cross_entropy_backward<float>(ce, out, grad);
}

}  // namespace
}  // namespace rows

using namespace rows;

// softmax, log_softmax: out, in. softmax_backward, log_softmax_backward: grad_in, grad, out. Each [outer, n, inner],
// contiguous; over n.
// cross_entropy: loss ([N] or one element), lse [N] F64, total weight (one F64), in [N, C] contiguous, target [N] I64,
// flag and weight [C], ignore_index, reduction (0 none, 1 mean, 2 sum), label_smoothing. Sets args[0] to 1 + the first row
// whose target is out of range (then nothing is computed), else to 0.
// cross_entropy_backward: grad_in [N, C] contiguous, grad (as loss), then as above from lse on.
extern const KernelEntry softmax_kernels[];
const KernelEntry softmax_kernels[] = {
    {"softmax", run_softmax<false>},
    {"log_softmax", run_softmax<true>},
    {"softmax_backward", run_softmax_backward<false>},
    {"log_softmax_backward", run_softmax_backward<true>},
    {"cross_entropy", run_cross_entropy},
    {"cross_entropy_backward", run_cross_entropy_backward},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
