// Layer and RMS normalisation over rows.
#include "rows.h"

namespace tt {
inline namespace KERNEL_NS {
namespace rows {
namespace {

/** An optional vector of n parameters as contiguous T (scratch slot), or null. */
template <class T>
const T* parameters(bool given, const TensorArg& t, i64 n, int slot) {
  if (!given) return nullptr;
  return read_row(t, 0, 1, n, static_cast<T*>(tt_scratch(slot, static_cast<size_t>(n) * sizeof(T))));
}

struct Norm {
  TensorArg out, mean, rstd, in, weight, bias;
  bool has_weight, has_bias;
  double eps;
  i64 n() const { return in.shape[1]; }
};

/** centered: layer_norm; otherwise rms_norm. */
template <class T, bool centered>
void norm_forward(const Norm& p) {
  const i64 n = p.n();
  const T *w = parameters<T>(p.has_weight, p.weight, n, 5), *b = parameters<T>(p.has_bias, p.bias, n, 6);
  parallel_for_any(p.in.shape[0], row_grain(n), [&](i64 begin, i64 end) {
    T* buffer = static_cast<T*>(tt_scratch(7, static_cast<size_t>(2 * n) * sizeof(T)));
    for (i64 r = begin; r < end; r++) {
      const T* x = read_row(p.in, r * n, 1, n, buffer + n);
      const double count = static_cast<double>(n);
      const T shift = centered ? static_cast<T>(sum_run<Identity>(x, n) / count) : T(0);
      double sum, squares;
      deviations(x, n, shift, sum, squares);
      const double rest = centered ? sum / count : 0, variance = squares / count - rest * rest;
      const T mean = static_cast<T>(static_cast<double>(shift) + rest);
      const T rstd = static_cast<T>(1 / std::sqrt((variance < 0 ? 0 : variance) + p.eps));
      T* to = result_row(p.out, r * n, 1, buffer);
      const Vec<T> m = broadcast<T>(mean), s = broadcast<T>(rstd);
      each_vector<T>(n, [&](i64 i, i64 c) {
        Vec<T> y = (get(x + i, c) - m) * s;
        if (w) y = y * get(w + i, c);
        if (b) y = y + get(b + i, c);
        put(to + i, y, c);
      });
      write_row(p.out, r * n, 1, n, to);
      if (centered) write_one(p.mean, r, mean);
      write_one(p.rstd, r, rstd);
    }
  });
}

struct NormGrad {
  TensorArg grad_in, grad_weight, grad_bias, grad, in, mean, rstd, weight;
  bool needs_in, needs_weight, needs_bias, has_weight;
};

/** Sums over rows of the parameters' gradients: in T for up to 32 rows, then in double. */
template <class T>
struct Gradients {
  double* total;
  T* recent;
  i64 n;

  static size_t bytes(i64 n) { return static_cast<size_t>((n + 7) / 8 * 8) * (sizeof(double) + sizeof(T)); }
  Gradients(char* memory, i64 size) : total(reinterpret_cast<double*>(memory)), n(size) {
    recent = reinterpret_cast<T*>(memory + static_cast<size_t>((n + 7) / 8 * 8) * sizeof(double));
    memset(memory, 0, bytes(n));
  }
  void flush() {
    for (i64 i = 0; i < n; i++) {
      total[i] += static_cast<double>(recent[i]);
      recent[i] = 0;
    }
  }
};

/** grad_in = rstd (h - mean(h) - xhat mean(h xhat)), h = grad weight; the mean(h) only when centered. */
template <class T, bool centered>
void norm_backward_row(T* to, const T* g, const T* x, const T* w, T mean, T rstd, i64 n) {
  const Vec<T> m = broadcast<T>(mean), s = broadcast<T>(rstd);
  double sum_h = 0, sum_hx = 0;
  for (i64 at = 0; at < n; at += 2048) {
    Vec<T> h1{}, h2{};
    each_vector<T>(n - at < 2048 ? n - at : 2048, [&](i64 i, i64 c) {
      Vec<T> h = get(g + at + i, c);
      if (w) h = h * get(w + at + i, c);
      h1 += h;
      h2 += h * ((get(x + at + i, c) - m) * s);
    });
    sum_h += add_lanes<T>(h1);
    sum_hx += add_lanes<T>(h2);
  }
  const Vec<T> a = broadcast<T>(static_cast<T>(centered ? sum_h / static_cast<double>(n) : 0));
  const Vec<T> b = broadcast<T>(static_cast<T>(sum_hx / static_cast<double>(n)));
  each_vector<T>(n, [&](i64 i, i64 c) {
    Vec<T> h = get(g + i, c);
    if (w) h = h * get(w + i, c);
    put(to + i, s * ((h - a) - ((get(x + i, c) - m) * s) * b), c);
  });
}

template <class T, bool centered>
void norm_backward(const NormGrad& p) {
  const i64 n = p.grad.shape[1], rows = p.grad.shape[0];
  const T* w = parameters<T>(p.has_weight, p.weight, n, 5);
  const i64 threads = tt_num_threads(), most = (rows + row_grain(n) - 1) / row_grain(n);
  const i64 parts = most < 1 ? 1 : most < threads ? most : threads;
  const size_t bytes = (Gradients<T>::bytes(n) + 63) / 64 * 64;
  char* memory = static_cast<char*>(tt_scratch(6, bytes * 2 * static_cast<size_t>(parts)));
  parallel_for(parts, 1, [&](i64 first, i64 last) {
    T* buffer = static_cast<T*>(tt_scratch(7, static_cast<size_t>(3 * n) * sizeof(T)));
    for (i64 part = first; part < last; part++) {
      char* mine = memory + bytes * 2 * static_cast<size_t>(part);
      Gradients<T> gw(mine, n), gb(mine + bytes, n);
      const i64 begin = rows * part / parts, end = rows * (part + 1) / parts;
      for (i64 r = begin; r < end; r++) {
        const T *g = read_row(p.grad, r * n, 1, n, buffer + n), *x = read_row(p.in, r * n, 1, n, buffer + 2 * n);
        const T mean = centered ? read_one<T>(p.mean, r) : T(0), rstd = read_one<T>(p.rstd, r);
        if (p.needs_in) {
          T* to = result_row(p.grad_in, r * n, 1, buffer);
          norm_backward_row<T, centered>(to, g, x, w, mean, rstd, n);
          write_row(p.grad_in, r * n, 1, n, to);
        }
        if (p.needs_weight)
          for (i64 i = 0; i < n; i++) gw.recent[i] += g[i] * ((x[i] - mean) * rstd);
        if (p.needs_bias)
          for (i64 i = 0; i < n; i++) gb.recent[i] += g[i];
        if ((r - begin) % 32 == 31 || r == end - 1) {
          gw.flush();
          gb.flush();
        }
      }
    }
  });
  for (int k = 0; k < 2; k++) {
    if (!(k == 0 ? p.needs_weight : p.needs_bias)) continue;
    const TensorArg& out = k == 0 ? p.grad_weight : p.grad_bias;
    double* total = reinterpret_cast<double*>(memory + bytes * static_cast<size_t>(k));
    for (i64 part = 1; part < parts; part++) {
      const double* more = reinterpret_cast<double*>(memory + bytes * static_cast<size_t>(2 * part + k));
      for (i64 i = 0; i < n; i++) total[i] += more[i];
    }
    store_convert(out.dtype, out.data, 1, DType::F64, total, n);
  }
}

template <bool centered>
void run_norm(double* args) {
  Args a(args);
  Norm p;
  a.tensor(p.out);
  if (centered) a.tensor(p.mean);
  a.tensor(p.rstd);
  a.tensor(p.in);
  p.has_weight = optional(a, p.weight);
  p.has_bias = centered && optional(a, p.bias);
  p.eps = a.number();
  if (p.in.dtype == DType::F64) return norm_forward<double, centered>(p);
  norm_forward<float, centered>(p);
}
template <bool centered>
void run_norm_backward(double* args) {
  Args a(args);
  NormGrad p;
  p.needs_in = optional(a, p.grad_in);
  p.needs_weight = optional(a, p.grad_weight);
  p.needs_bias = centered && optional(a, p.grad_bias);
  a.tensor(p.grad);
  a.tensor(p.in);
  if (centered) a.tensor(p.mean);
  a.tensor(p.rstd);
  p.has_weight = optional(a, p.weight);
  if (p.in.dtype == DType::F64) return norm_backward<double, centered>(p);
  norm_backward<float, centered>(p);
}

}  // namespace
}  // namespace rows

using namespace rows;

// Inputs and results [rows, n] contiguous, mean and rstd [rows], weight and bias [n]; each optional tensor is a flag,
// then the tensor if the flag is set.
// layer_norm: out, mean, rstd, in, weight?, bias?, eps. rms_norm: out, rstd, in, weight?, eps.
// layer_norm_backward: grad_in?, grad_weight?, grad_bias?, grad, in, mean, rstd, weight?.
// rms_norm_backward: grad_in?, grad_weight?, grad, in, rstd, weight?.
extern const KernelEntry rows_kernels[];
const KernelEntry rows_kernels[] = {
    {"layer_norm", run_norm<true>},
    {"layer_norm_backward", run_norm_backward<true>},
    {"rms_norm", run_norm<false>},
    {"rms_norm_backward", run_norm_backward<false>},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
