// Distributions over the stream of random.h, with the algorithms and the draw order of PyTorch's CPU
// kernels: bernoulli_, exponential_, geometric_, cauchy_, log_normal_, poisson, binomial, _standard_gamma,
// _dirichlet (_sample_dirichlet) and multinomial.
//
// All tensors are contiguous. Parameter tensors have out's shape (broadcasting is done before). Where PyTorch
// mixes float and double in one formula, so do these: a rejection test that falls the other way would shift
// the whole stream.
#include <algorithm>

#include "random.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace rng;

constexpr double kPi = 3.14159265358979323846;

/** out[i] = transform(a double uniform on [0, 1)). */
template <class T, class Transform>
void map_uniform(GeneratorState& state, T* __restrict out, i64 n, const Transform& transform) {
  double unit[kDrawBlock];
  for (i64 begin = 0; begin < n; begin += kDrawBlock) {
    const i64 count = n - begin < kDrawBlock ? n - begin : kDrawBlock;
    draw_units(state, unit, count);
    for (i64 i = 0; i < count; i++) out[begin + i] = convert<T>(transform(unit[i]));
  }
}

template <class T>
void exponential_fill(GeneratorState& state, T* out, i64 n, double rate) {
  const double scale = -1.0 / rate;
  map_uniform(state, out, n, [=](double u) { return scale * std::log1p(-u); });
}

}  // namespace

/** state, out (any real dtype), p: bernoulli_(p). A double uniform a value, whatever the dtype. */
void random_bernoulli(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out;
  a.tensor(out);
  const double p = a.number();
  with_real(out.dtype, [&](auto element) {
    using T = decltype(element);
    map_uniform(state, out.as<T>(), out.numel(), [=](double u) { return u < p ? 1.0f : 0.0f; });
  });
}

/** state, out (any real dtype), p (floating, out's shape) -> [1, or 0 where a p is outside [0, 1]]:
    bernoulli_(tensor), bernoulli(tensor). A double uniform a value where p is double, else a float one. */
void random_bernoulli_tensor(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out, p;
  a.tensor(out);
  a.tensor(p);
  args[0] = 1;
  with_real(out.dtype, [&](auto element) {
    using T = decltype(element);
    with_floating(p.dtype, [&](auto probability) {
      using P = decltype(probability);
      typename Compute<P>::type unit[kDrawBlock];
      const i64 n = out.numel();
      int invalid = 0;
      for (i64 begin = 0; begin < n; begin += kDrawBlock) {
        const i64 count = n - begin < kDrawBlock ? n - begin : kDrawBlock;
        draw_units(state, unit, count);
        T* __restrict block = out.as<T>() + begin;
        const P* __restrict chance = p.as<P>() + begin;
        for (i64 i = 0; i < count; i++) {
          const auto limit = widen(chance[i]);
          invalid |= !(limit >= 0 && limit <= 1);
          block[i] = convert<T>(unit[i] < limit ? 1.0f : 0.0f);
        }
      }
      args[0] = !invalid;
    });
  });
}

/** state, out (floating), rate: exponential_(lambd) */
void random_exponential(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out;
  a.tensor(out);
  const double rate = a.number();
  with_floating(out.dtype, [&](auto element) {
    exponential_fill(state, out.as<decltype(element)>(), out.numel(), rate);
  });
}

/** state, out (any real dtype but bool), p: geometric_(p) */
void random_geometric(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out;
  a.tensor(out);
  const double log_failure = std::log1p(-a.number());
  with_real(out.dtype, [&](auto element) {
    using T = decltype(element);
    map_uniform(state, out.as<T>(), out.numel(), [=](double u) { return std::ceil(std::log(u) / log_failure); });
  });
}

/** state, out (floating), median, sigma: cauchy_(median, sigma) */
void random_cauchy(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out;
  a.tensor(out);
  const double median = a.number(), sigma = a.number();
  with_floating(out.dtype, [&](auto element) {
    using T = decltype(element);
    map_uniform(state, out.as<T>(), out.numel(),
                [=](double u) { return fused(sigma, std::tan(kPi * (u - 0.5)), median); });
  });
}

/** state, out (floating), mean, standard deviation (of the logarithm): log_normal_(mean, std). Draws and
    leaves the cached normal sample. */
void random_log_normal(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out;
  a.tensor(out);
  const double mean = a.number(), deviation = a.number();
  with_floating(out.dtype, [&](auto element) {
    using T = decltype(element);
    T* data = out.as<T>();
    const i64 n = out.numel();
    for (i64 i = 0; i < n; i++) {
      data[i] = convert<T>(std::exp(fused(draw_normal_double(state), deviation, mean)));
    }
  });
}

/** state, noise, input (both of one floating dtype), lower, upper: the slopes of rrelu_with_noise in training.
    Where input <= 0, uniform on [lower, upper) from a double draw; elsewhere 1, and nothing is drawn. */
void random_rrelu(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg noise, input;
  a.tensor(noise);
  a.tensor(input);
  const double lower = a.number(), upper = a.number();
  with_floating(noise.dtype, [&](auto element) {
    using T = decltype(element);
    using C = typename Compute<T>::type;
    const double from = static_cast<C>(lower), span = static_cast<C>(upper) - from;
    const i64 n = noise.numel();
    for (i64 i = 0; i < n; i++) {
      const bool drawn = widen(input.as<T>()[i]) <= 0;
      noise.as<T>()[i] = convert<T>(drawn ? draw_unit_double(state) * span + from : 1.0);
    }
  });
}

// ---------------------------------------------------------------------------------------------------------
// Poisson
// ---------------------------------------------------------------------------------------------------------

namespace {

/** Counts how many uniforms it takes for their product to pass exp(-rate). */
i64 poisson_by_product(GeneratorState& state, double rate) {
  const double limit = std::exp(-rate);
  double product = 1.0;
  for (i64 count = 0;; count++) {
    product *= draw_unit_double(state);
    if (!(product > limit)) return count;
  }
}

/** Transformed rejection, PTRS of Hoermann, "The transformed rejection method for generating Poisson random
    variables" (1993), for rate >= 10. */
i64 poisson_by_rejection(GeneratorState& state, double rate) {
  const double log_rate = std::log(rate);
  const double b = 0.931 + 2.53 * std::sqrt(rate);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = draw_unit_double(state) - 0.5;
    const double v = draw_unit_double(state);
    const double us = 0.5 - std::fabs(u);
    const auto k = static_cast<i64>(std::floor((2 * a / us + b) * u + rate + 0.43));
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const double count = static_cast<double>(k);
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <=
        -rate + count * log_rate - std::lgamma(count + 1)) {
      return k;
    }
  }
}

i64 sample_poisson(GeneratorState& state, double rate) {
  if (rate >= 10) return poisson_by_rejection(state, rate);
  return rate == 0 ? 0 : poisson_by_product(state, rate);
}

}  // namespace

/** state, out, rate (both of one floating dtype) -> [1, or 0 where a rate is negative or NaN]: poisson(rate) */
void random_poisson(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out, rate;
  a.tensor(out);
  a.tensor(rate);
  args[0] = 1;
  with_floating(out.dtype, [&](auto element) {
    using T = decltype(element);
    const i64 n = out.numel();
    for (i64 i = 0; i < n; i++) {
      const double value = widen(rate.as<T>()[i]);
      if (!(value >= 0)) {
        args[0] = 0;
        return;
      }
      out.as<T>()[i] = convert<T>(sample_poisson(state, value));
    }
  });
}

// ---------------------------------------------------------------------------------------------------------
// Binomial
// ---------------------------------------------------------------------------------------------------------

namespace {

/** ln(k!) minus Stirling's approximation of it. */
double stirling_tail(double k) {
  static constexpr double kTail[] = {0.0810614667953272,  0.0413406959554092,  0.0276779256849983,
                                     0.02079067210376509, 0.0166446911898211,  0.0138761288230707,
                                     0.0118967099458917,  0.0104112652619720,  0.00925546218271273,
                                     0.00833056343336287};
  if (k < 10) return kTail[static_cast<size_t>(k)];
  const double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/** Adds geometric waiting times until they pass count; for count * p < 10. */
template <class T>
T binomial_by_waiting(GeneratorState& state, T count, T p) {
  const double log_failure = std::log1p(-p);
  double waited = 0;
  for (T successes = 0;; successes += 1) {
    waited += std::ceil(std::log(draw_unit_double(state)) / log_failure);
    if (waited > count) return successes;
  }
}

/** BTRS of Hoermann, "The generation of binomial random variates" (1993), for p <= 0.5 and count * p >= 10. */
template <class T>
T binomial_by_rejection(GeneratorState& state, T count, T p) {
  const double deviation = std::sqrt(count * p * (1 - p));
  const double b = 1.15 + 2.53 * deviation;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = count * p + 0.5;
  const double v_r = 0.92 - 4.2 / b;
  const double odds = p / (1 - p);
  const double alpha = (2.83 + 5.1 / b) * deviation;
  const double mode = std::floor((count + 1) * p);
  for (;;) {
    const double u = draw_unit_double(state) - 0.5;
    double v = draw_unit_double(state);
    const double us = 0.5 - std::fabs(u);
    const T k = static_cast<T>(std::floor((2 * a / us + b) * u + c));
    if (k < 0 || k > count) continue;
    if (us >= 0.07 && v <= v_r) return k;
    v = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (mode + 0.5) * std::log((mode + 1) / (odds * (count - mode + 1))) +
                         (count + 1) * std::log((count - mode + 1) / (count - k + 1)) +
                         (k + 0.5) * std::log(odds * (count - k + 1) / (k + 1)) + stirling_tail(mode) +
                         stirling_tail(count - mode) - stirling_tail(k) - stirling_tail(count - k);
    if (v <= bound) return k;
  }
}

template <class T>
T sample_binomial(GeneratorState& state, T count, T p) {
  if (count <= 0 || p <= 0) return 0;
  if (p >= 1) return count;
  if (p != p) return p;
  const bool mirrored = !(p <= T(0.5));
  const T chance = mirrored ? static_cast<T>(1.0 - p) : p;
  const T successes = count * chance >= 10 ? binomial_by_rejection(state, count, chance)
                                           : binomial_by_waiting(state, count, chance);
  return mirrored ? count - successes : successes;
}

}  // namespace

/** state, out, count, p (all of one dtype, F32 or F64): binomial(count, p) */
void random_binomial(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out, count, p;
  a.tensor(out);
  a.tensor(count);
  a.tensor(p);
  const i64 n = out.numel();
  if (out.dtype == DType::F64) {
    for (i64 i = 0; i < n; i++) {
      out.as<double>()[i] = sample_binomial(state, count.as<double>()[i], p.as<double>()[i]);
    }
  } else {
    for (i64 i = 0; i < n; i++) {
      out.as<float>()[i] = sample_binomial(state, count.as<float>()[i], p.as<float>()[i]);
    }
  }
}

// ---------------------------------------------------------------------------------------------------------
// Gamma and Dirichlet
// ---------------------------------------------------------------------------------------------------------

namespace {

/** Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), shape boosted below 1. */
template <class T>
T sample_gamma(GeneratorState& state, T shape) {
  double scale = 1.0;
  if (shape < 1.0f) {
    if (shape == 0) return 0;
    scale *= std::pow(1 - draw_unit_double(state), static_cast<double>(1.0f / shape));
    shape += 1.0f;
  }
  const double d = shape - 1.0f / 3.0f;
  const double c = 1.0f / std::sqrt(9.0f * d);
  for (;;) {
    double x, y;
    do {
      x = draw_normal_double(state);
      y = 1.0f + c * x;
    } while (y <= 0);
    const double v = y * y * y;
    const double u = 1 - draw_unit_double(state);
    const double xx = x * x;
    if (u < 1.0f - 0.0331f * xx * xx) return static_cast<T>(scale * d * v);
    if (std::log(u) < 0.5f * xx + d * (1.0f - v + std::log(v))) return static_cast<T>(scale * d * v);
  }
}

constexpr double kSmallestDouble = 2.2250738585072014e-308;
constexpr float kSmallestFloat = 1.17549435e-38f;

inline double at_least_smallest(double x) { return x > kSmallestDouble ? x : kSmallestDouble; }
inline float at_least_smallest(float x) { return x > kSmallestFloat ? x : kSmallestFloat; }

/** One row: gamma samples in double, divided by their sum and kept inside (0, 1). */
template <class T>
void dirichlet_row(GeneratorState& state, T* out, const T* concentration, double* gamma, i64 n) {
  double sum = 0;
  for (i64 j = 0; j < n; j++) {
    gamma[j] = at_least_smallest(sample_gamma<double>(state, concentration[j]));
    sum += gamma[j];
  }
  constexpr T kLargest = sizeof(T) == 8 ? T(0.99999999999999988898) : T(0.999999940395355225f);
  for (i64 j = 0; j < n; j++) {
    const T share = at_least_smallest(static_cast<T>(gamma[j] / sum));
    out[j] = share < kLargest ? share : kLargest;
  }
}

}  // namespace

/** state, out, shape (both F32 or both F64): _standard_gamma(alpha). Uses the cached normal sample. */
void random_gamma(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out, shape;
  a.tensor(out);
  a.tensor(shape);
  const i64 n = out.numel();
  if (out.dtype == DType::F64) {
    for (i64 i = 0; i < n; i++) {
      out.as<double>()[i] = at_least_smallest(sample_gamma(state, shape.as<double>()[i]));
    }
  } else {
    for (i64 i = 0; i < n; i++) {
      out.as<float>()[i] = at_least_smallest(sample_gamma(state, shape.as<float>()[i]));
    }
  }
}

/** state, out, concentration (both F32 or both F64; the last dimension sums to 1): _sample_dirichlet(alpha) */
void random_dirichlet(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out, concentration;
  a.tensor(out);
  a.tensor(concentration);
  const i64 columns = out.ndim > 0 ? out.shape[out.ndim - 1] : 1;
  const i64 total = out.numel();
  if (total == 0) return;
  auto* gamma = static_cast<double*>(tt_scratch(0, static_cast<size_t>(columns) * sizeof(double)));
  for (i64 begin = 0; begin < total; begin += columns) {
    if (out.dtype == DType::F64) {
      dirichlet_row(state, out.as<double>() + begin, concentration.as<double>() + begin, gamma, columns);
    } else {
      dirichlet_row(state, out.as<float>() + begin, concentration.as<float>() + begin, gamma, columns);
    }
  }
}

// ---------------------------------------------------------------------------------------------------------
// Multinomial
// ---------------------------------------------------------------------------------------------------------

namespace {

/** One row with replacement: inverts the cumulative distribution, in C = float for half types. */
template <class T, class C = typename Compute<T>::type>
void multinomial_row_inverse(GeneratorState& state, i64* out, i64 samples, const T* p, C* cumulative, i64 n) {
  C sum = 0;
  for (i64 j = 0; j < n; j++) cumulative[j] = sum += widen(p[j]);
  for (i64 j = 0; j < n; j++) cumulative[j] /= sum;
  cumulative[n - 1] = 1;
  for (i64 s = 0; s < samples; s++) {
    const double u = draw_unit_double(state);
    i64 low = 0, high = n;
    while (low < high) {
      const i64 middle = low + (high - low) / 2;
      if (cumulative[middle] < u) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    out[s] = low;
  }
}

template <class C>
struct Ranked {
  C value;
  i64 index;
};

/** Keys p / Exp(1), rounded to T twice as the tensor operations are. */
template <class T, class C = typename Compute<T>::type>
void multinomial_keys(GeneratorState& state, const T* p, T* noise, i64 n, Ranked<C>* keys, i64 columns) {
  exponential_fill(state, noise, n, 1.0);
  for (i64 j = 0; j < n; j++) keys[j] = {widen(convert<T>(widen(p[j]) / widen(noise[j]))), j % columns};
}

/** The indices of the `samples` largest keys, largest first. */
template <class C>
void multinomial_row_top(i64* out, i64 samples, Ranked<C>* keys, i64 n) {
  const auto before = [](const Ranked<C>& x, const Ranked<C>& y) {
    return (x.value != x.value && y.value == y.value) || x.value > y.value;
  };
  if (samples == 1) {
    i64 best = 0;
    for (i64 j = 1; j < n; j++) {
      if (before(keys[j], keys[best])) best = j;
    }
    out[0] = best;
    return;
  }
  // The same standard algorithms as torch.topk, so that equal keys come in the same order.
  if (samples * 64 <= n) {
    std::partial_sort(keys, keys + samples, keys + n, before);
  } else {
    std::nth_element(keys, keys + samples - 1, keys + n, before);
    std::sort(keys, keys + samples - 1, before);
  }
  for (i64 s = 0; s < samples; s++) out[s] = keys[s].index;
}

}  // namespace

/** state, out (I64, [samples] or [rows, samples]), p (floating, [n] or [rows, n]; finite, not negative, each
    row with a positive sum), replacement: multinomial(p, samples, replacement). A single sample is drawn the
    same way with and without replacement. */
void random_multinomial(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out, p;
  a.tensor(out);
  a.tensor(p);
  const bool replacement = a.flag();
  const i64 rows = p.ndim > 1 ? p.shape[0] : 1, columns = p.shape[p.ndim - 1];
  const i64 samples = out.shape[out.ndim - 1];
  if (rows == 0 || samples == 0) return;
  with_floating(p.dtype, [&](auto element) {
    using T = decltype(element);
    using C = typename Compute<T>::type;
    i64* indices = out.as<i64>();
    if (replacement && samples > 1) {
      auto* cumulative = static_cast<C*>(tt_scratch(0, static_cast<size_t>(columns) * sizeof(C)));
      for (i64 row = 0; row < rows; row++) {
        multinomial_row_inverse(state, indices + row * samples, samples, p.as<T>() + row * columns, cumulative,
                                columns);
      }
      return;
    }
    auto* noise = static_cast<T*>(tt_scratch(0, static_cast<size_t>(columns) * sizeof(T)));
    auto* keys = static_cast<Ranked<C>*>(tt_scratch(1, static_cast<size_t>(columns) * sizeof(Ranked<C>)));
    for (i64 row = 0; row < rows; row++) {
      multinomial_keys(state, p.as<T>() + row * columns, noise, columns, keys, columns);
      multinomial_row_top(indices + row * samples, samples, keys, columns);
    }
  });
}

}  // namespace KERNEL_NS
}  // namespace tt
