// Batch normalisation over [N, C, L], statistics per channel.
#include "rows.h"

namespace tt {
inline namespace KERNEL_NS {
namespace rows {
namespace {

constexpr i64 kColumns = 64;  // channels summed together when L is 1

struct Batch {
  TensorArg out, mean, var, rstd, in, weight, bias;
  bool has_weight, has_bias, training;
  double eps;
  i64 n() const { return in.shape[0]; }
  i64 channels() const { return in.shape[1]; }
  i64 length() const { return in.shape[2]; }
};

/** A vector [C] as the [1, C, 1] that a reduction of [N, C, L] writes. */
TensorArg as_reduced(const TensorArg& t) {
  TensorArg r;
  r.data = t.data;
  r.dtype = t.dtype;
  r.ndim = 3;
  r.shape[0] = r.shape[2] = 1;
  r.shape[1] = t.shape[0];
  r.strides[0] = r.strides[2] = 0;
  r.strides[1] = t.strides[0];
  return r;
}
template <class T>
void read_channels(bool given, const TensorArg& t, i64 c, T* to, T otherwise) {
  if (given) return load_convert(kSpan<T>, t.data, t.dtype, t.strides[0], to, c);
  for (i64 i = 0; i < c; i++) to[i] = otherwise;
}

/** y = (x - mean) scale + bias over slices of L elements of one channel, or over whole rows of channels when L is 1. */
template <class T>
void normalize(const Batch& p, const T* mean, const T* scale, const T* bias) {
  const i64 c = p.channels(), length = p.length(), size = length == 1 ? c : length;
  parallel_for(length == 1 ? p.n() : p.n() * c, row_grain(size), [&](i64 begin, i64 end) {
    T* buffer = static_cast<T*>(tt_scratch(7, static_cast<size_t>(2 * size) * sizeof(T)));
    for (i64 r = begin; r < end; r++) {
      const T* x = read_row(p.in, r * size, 1, size, buffer + size);
      T* to = result_row(p.out, r * size, 1, buffer);
      if (length == 1) {
        each_vector<T>(c, [&](i64 i, i64 k) {
          put(to + i, (get(x + i, k) - get(mean + i, k)) * get(scale + i, k) + get(bias + i, k), k);
        });
      } else {
        const Vec<T> m = broadcast<T>(mean[r % c]), s = broadcast<T>(scale[r % c]), b = broadcast<T>(bias[r % c]);
        each_vector<T>(size, [&](i64 i, i64 k) { put(to + i, (get(x + i, k) - m) * s + b, k); });
      }
      write_row(p.out, r * size, 1, size, to);
    }
  });
}

template <class T>
void batch_norm(const Batch& p) {
  const i64 c = p.channels();
  if (p.training) {
    const bool dims[3] = {true, false, true};
    reduction::variance_mean(as_reduced(p.var), as_reduced(p.mean), p.in, dims, 0);
  }
  T* mean = static_cast<T*>(tt_scratch(5, static_cast<size_t>(3 * c) * sizeof(T)));
  T *scale = mean + c, *bias = scale + c;
  read_channels<T>(true, p.mean, c, mean, 0);
  read_channels<T>(true, p.var, c, scale, 0);
  for (i64 i = 0; i < c; i++) scale[i] = static_cast<T>(1 / std::sqrt(static_cast<double>(scale[i]) + p.eps));
  store_convert(p.rstd.dtype, p.rstd.data, p.rstd.strides[0], kSpan<T>, scale, c);
  read_channels<T>(p.has_weight, p.weight, c, bias, 1);
  for (i64 i = 0; i < c; i++) scale[i] *= bias[i];
  read_channels<T>(p.has_bias, p.bias, c, bias, 0);
  if (p.in.numel() > 0) normalize(p, mean, scale, bias);
}

struct BatchGrad {
  TensorArg grad_in, grad_weight, grad_bias, grad, in, mean, rstd, weight;
  bool needs_in, needs_weight, needs_bias, has_weight, training;
  i64 n() const { return in.shape[0]; }
  i64 channels() const { return in.shape[1]; }
  i64 length() const { return in.shape[2]; }
};

/** Per channel, the sums of grad and of grad (x - mean): slices of one channel. */
template <class T>
void sum_slices(const BatchGrad& p, const T* mean, double* sums, double* products) {
  const i64 c = p.channels(), length = p.length();
  parallel_for(c, row_grain(p.n() * length), [&](i64 begin, i64 end) {
    T* buffer = static_cast<T*>(tt_scratch(7, static_cast<size_t>(2 * length) * sizeof(T)));
    for (i64 k = begin; k < end; k++) {
      const Vec<T> m = broadcast<T>(mean[k]);
      sums[k] = products[k] = 0;
      for (i64 b = 0; b < p.n(); b++) {
        const i64 at = (b * c + k) * length;
        const T *g = read_row(p.grad, at, 1, length, buffer), *x = read_row(p.in, at, 1, length, buffer + length);
        for (i64 from = 0; from < length; from += 2048) {
          Vec<T> s{}, q{};
          each_vector<T>(length - from < 2048 ? length - from : 2048, [&](i64 i, i64 w) {
            const Vec<T> h = get(g + from + i, w);
            s += h;
            q += only<T>(h * (get(x + from + i, w) - m), w);
          });
          sums[k] += add_lanes<T>(s);
          products[k] += add_lanes<T>(q);
        }
      }
    }
  });
}

/** The same where L is 1: columns of [N, C], in T for up to 32 rows, then in double. */
template <class T>
void sum_columns_of(const BatchGrad& p, const T* mean, double* sums, double* products) {
  const i64 c = p.channels(), blocks = (c + kColumns - 1) / kColumns;
  parallel_for(blocks, row_grain(p.n() * kColumns), [&](i64 begin, i64 end) {
    T gs[kColumns], xs[kColumns], s[kColumns], q[kColumns];
    for (i64 block = begin; block < end; block++) {
      const i64 c0 = block * kColumns, w = c - c0 < kColumns ? c - c0 : kColumns;
      for (i64 j = 0; j < w; j++) sums[c0 + j] = products[c0 + j] = s[j] = q[j] = 0;
      for (i64 r = 0; r < p.n(); r++) {
        const T *g = read_row(p.grad, r * c + c0, 1, w, gs), *x = read_row(p.in, r * c + c0, 1, w, xs);
        for (i64 j = 0; j < w; j++) {
          s[j] += g[j];
          q[j] += g[j] * (x[j] - mean[c0 + j]);
        }
        if (r % 32 != 31 && r != p.n() - 1) continue;
        for (i64 j = 0; j < w; j++) {
          sums[c0 + j] += static_cast<double>(s[j]);
          products[c0 + j] += static_cast<double>(q[j]);
          s[j] = q[j] = 0;
        }
      }
    }
  });
}

/** grad_in = (grad - a - (x - mean) b) scale, with a and b zero in evaluation. */
template <class T>
void input_gradient(const BatchGrad& p, const T* mean, const T* scale, const T* a, const T* b) {
  const i64 c = p.channels(), length = p.length(), size = length == 1 ? c : length;
  parallel_for(length == 1 ? p.n() : p.n() * c, row_grain(size), [&](i64 begin, i64 end) {
    T* buffer = static_cast<T*>(tt_scratch(7, static_cast<size_t>(3 * size) * sizeof(T)));
    for (i64 r = begin; r < end; r++) {
      const T *g = read_row(p.grad, r * size, 1, size, buffer + size), *x = read_row(p.in, r * size, 1, size, buffer + 2 * size);
      T* to = result_row(p.grad_in, r * size, 1, buffer);
      if (length == 1) {
        each_vector<T>(c, [&](i64 i, i64 k) {
          const Vec<T> rest = get(g + i, k) - get(a + i, k) - (get(x + i, k) - get(mean + i, k)) * get(b + i, k);
          put(to + i, rest * get(scale + i, k), k);
        });
      } else {
        const i64 j = r % c;
        const Vec<T> m = broadcast<T>(mean[j]), s = broadcast<T>(scale[j]), u = broadcast<T>(a[j]), v = broadcast<T>(b[j]);
        each_vector<T>(size, [&](i64 i, i64 k) { put(to + i, (get(g + i, k) - u - (get(x + i, k) - m) * v) * s, k); });
      }
      write_row(p.grad_in, r * size, 1, size, to);
    }
  });
}

template <class T>
void batch_norm_backward(const BatchGrad& p) {
  const i64 c = p.channels();
  double* sums = static_cast<double*>(tt_scratch(6, static_cast<size_t>(2 * c) * sizeof(double)));
  double* products = sums + c;
  T* mean = static_cast<T*>(tt_scratch(5, static_cast<size_t>(5 * c) * sizeof(T)));
  T *rstd = mean + c, *scale = rstd + c, *a = scale + c, *b = a + c;
  read_channels<T>(true, p.mean, c, mean, 0);
  read_channels<T>(true, p.rstd, c, rstd, 0);
  read_channels<T>(p.has_weight, p.weight, c, scale, 1);
  if (p.length() == 1) {
    sum_columns_of(p, mean, sums, products);
  } else {
    sum_slices(p, mean, sums, products);
  }
  const double count = static_cast<double>(p.n() * p.length());
  for (i64 i = 0; i < c; i++) {
    const double s = static_cast<double>(rstd[i]);
    scale[i] *= rstd[i];
    a[i] = p.training ? static_cast<T>(sums[i] / count) : T(0);
    b[i] = p.training ? static_cast<T>(products[i] * s * s / count) : T(0);
    products[i] *= s;
  }
  if (p.needs_in && p.in.numel() > 0) input_gradient(p, mean, scale, a, b);
  if (p.needs_weight) store_convert(p.grad_weight.dtype, p.grad_weight.data, p.grad_weight.strides[0], DType::F64, products, c);
  if (p.needs_bias) store_convert(p.grad_bias.dtype, p.grad_bias.data, p.grad_bias.strides[0], DType::F64, sums, c);
}

void run_batch_norm(double* args) {
  Args r(args);
  Batch p;
  r.tensor(p.out);
  r.tensor(p.mean);
  r.tensor(p.var);
  r.tensor(p.rstd);
  r.tensor(p.in);
  p.has_weight = optional(r, p.weight);
  p.has_bias = optional(r, p.bias);
  p.eps = r.number();
  p.training = r.flag();
  if (p.in.dtype == DType::F64) return batch_norm<double>(p);
  batch_norm<float>(p);
}
void run_batch_norm_backward(double* args) {
  Args r(args);
  BatchGrad p;
  p.needs_in = optional(r, p.grad_in);
  p.needs_weight = optional(r, p.grad_weight);
  p.needs_bias = optional(r, p.grad_bias);
  r.tensor(p.grad);
  r.tensor(p.in);
  r.tensor(p.mean);
  r.tensor(p.rstd);
  p.has_weight = optional(r, p.weight);
  p.training = r.flag();
  if (p.in.dtype == DType::F64) return batch_norm_backward<double>(p);
  batch_norm_backward<float>(p);
}

}  // namespace
}  // namespace rows

using namespace rows;

// [N, C, L] contiguous in and out; [C] vectors of any stride; optional tensors (?) are a flag, then the tensor if set.
// batch_norm: out, mean, var (biased), rstd, in, weight?, bias?, eps, training. Training writes mean and var, evaluation
// reads them; rstd is written in both. The caller updates running statistics from mean and var.
// batch_norm_backward: grad_in?, grad_weight?, grad_bias?, grad, in, mean, rstd, weight?, training.
extern const KernelEntry batch_norm_kernels[];
const KernelEntry batch_norm_kernels[] = {
    {"batch_norm", run_batch_norm},
    {"batch_norm_backward", run_batch_norm_backward},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
