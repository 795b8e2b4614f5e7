// Cumulative sums, products, extremes along one dimension, line by line through converted buffers.
#include <cmath>

#include "reduce.h"
#include "vcomplex.h"

namespace tt {
inline namespace KERNEL_NS {
namespace scan {
namespace {

/** The lines of a tensor along dim: the other dimensions, and where the line of a number starts. */
struct Lines {
  i64 n, count;
  int dim;

  Lines(const TensorArg& t, int d) : n(t.ndim == 0 ? 1 : t.shape[d]), count(1), dim(d) {
    for (int i = 0; i < t.ndim; i++)
      if (i != d) count *= t.shape[i];
  }
  i64 stride(const TensorArg& t) const { return t.ndim == 0 ? 1 : t.strides[dim]; }
  i64 offset(const TensorArg& t, i64 line) const {
    i64 at = 0;
    for (int i = t.ndim - 1; i >= 0; i--) {
      if (i == dim) continue;
      at += line % t.shape[i] * t.strides[i];
      line /= t.shape[i];
    }
    return at;
  }
};

constexpr i64 kBlock = 2048;  // elements in a buffer

/**
 * Runs body(state, buffer, n, first) over the blocks of every line; the buffer holds span elements and is written back
 * to out. `indices` (I64) receives what body leaves in its second buffer, where given.
 */
template <class State, class Body>
void each_line(const TensorArg& out, const TensorArg* indices, const TensorArg& in, int dim, DType span, const Body& body) {
  const Lines lines(in, dim);
  if (lines.n == 0 || lines.count == 0) return;
  parallel_for(lines.count, 1 + 16384 / lines.n, [&](i64 begin, i64 end) {
    char* buffer = static_cast<char*>(tt_scratch(7, kBlock * 16));
    i64* found = static_cast<i64*>(tt_scratch(6, kBlock * sizeof(i64)));
    for (i64 line = begin; line < end; line++) {
      State state{};
      for (i64 first = 0; first < lines.n; first += kBlock) {
        const i64 n = lines.n - first < kBlock ? lines.n - first : kBlock;
        const auto at = [&](const TensorArg& t) {
          return t.data + (lines.offset(t, line) + first * lines.stride(t)) * item_size(t.dtype);
        };
        load_convert(span, at(in), in.dtype, lines.stride(in), buffer, n);
        body(state, buffer, found, n, first);
        store_convert(out.dtype, at(out), lines.stride(out), span, buffer, n);
        if (indices) store_convert(DType::I64, at(*indices), lines.stride(*indices), DType::I64, found, n);
      }
    }
  });
}

struct Complex {
  double re, im;
};
TT_INLINE Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
TT_INLINE Complex operator*(Complex a, Complex b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

/** log(exp(a) + exp(b)); equal infinities are their own sum. */
TT_INLINE double log_add_exp(double a, double b) {
  const double low = b != b || a < b ? a : b, high = b != b || a < b ? b : a;
  if (low == high && !std::isfinite(low)) return a;
  return high + std::log1p(std::exp(low - high));
}
struct Plus {
  template <class T>
  static TT_INLINE T apply(T a, T b) {
    return reduction::add_wrapping(a, b);
  }
};
struct Times {
  template <class T>
  static TT_INLINE T apply(T a, T b) {
    return reduction::multiply_wrapping(a, b);
  }
};
struct LogAddExp {
  static TT_INLINE double apply(double a, double b) { return log_add_exp(a, b); }
  /** Of complex numbers, the larger is the one with the larger real part. */
  static TT_INLINE Complex apply(Complex a, Complex b) {
    const c128 low = a.re < b.re ? c128{a.re, a.im} : c128{b.re, b.im}, high = a.re < b.re ? c128{b.re, b.im} : c128{a.re, a.im};
    if (high.re == -__builtin_inf()) return a;
    const c128 sum = v_add(high, v_log1p(v_exp(v_sub(low, high))));
    return {sum.re, sum.im};
  }
};

/** The running combination; floats of every size run in double, as PyTorch's CPU scans do. */
template <class F, class T>
void scan_as(const TensorArg& out, const TensorArg& in, int dim, DType span) {
  each_line<T>(out, nullptr, in, dim, span, [](T& state, char* buffer, i64*, i64 n, i64 first) {
    T* x = reinterpret_cast<T*>(buffer);
    T running = state;
    i64 i = 0;
    if (first == 0) running = x[i++];
    for (; i < n; i++) x[i] = running = F::apply(running, x[i]);
    state = running;
  });
}
template <class F>
void run_scan(double* args) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  const int dim = static_cast<int>(a.integer());
  if (reduction::is_complex(out.dtype)) return scan_as<F, Complex>(out, in, dim, DType::C128);
  if (reduction::is_floating(out.dtype)) return scan_as<F, double>(out, in, dim, DType::F64);
  scan_as<F, i64>(out, in, dim, DType::I64);
}
void run_logcumsumexp(double* args) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  const int dim = static_cast<int>(a.integer());
  if (reduction::is_complex(out.dtype)) return scan_as<LogAddExp, Complex>(out, in, dim, DType::C128);
  scan_as<LogAddExp, double>(out, in, dim, DType::F64);
}

template <class T>
struct Running {
  T value;
  i64 index;
};
/** The running extreme and its position: the last of equal ones, and of NaNs, which win. */
template <bool largest, class T>
void extreme_as(const TensorArg& values, const TensorArg& indices, const TensorArg& in, int dim, DType span) {
  each_line<Running<T>>(values, &indices, in, dim, span, [](Running<T>& state, char* buffer, i64* found, i64 n, i64 first) {
    T* x = reinterpret_cast<T*>(buffer);
    Running<T> now = state;
    if (first == 0) now = {x[0], 0};
    for (i64 i = 0; i < n; i++) {
      const bool beats = largest ? x[i] >= now.value : x[i] <= now.value;
      if (x[i] != x[i] || beats) now = {x[i], first + i};
      x[i] = now.value;
      found[i] = now.index;
    }
    state = now;
  });
}
template <bool largest>
void run_extreme(double* args) {
  Args a(args);
  TensorArg values, indices, in;
  a.tensor(values);
  a.tensor(indices);
  a.tensor(in);
  const int dim = static_cast<int>(a.integer());
  if (reduction::is_floating(in.dtype)) return extreme_as<largest, double>(values, indices, in, dim, DType::F64);
  extreme_as<largest, i64>(values, indices, in, dim, DType::I64);
}

}  // namespace
}  // namespace scan

using namespace scan;

// scan_cumsum, scan_cumprod, scan_logcumsumexp: out, in, dim. scan_cummax, scan_cummin: values,
// indices (I64), in, dim. Any strides; a 0-d tensor passes dim 0.
extern const KernelEntry scan_kernels[];
const KernelEntry scan_kernels[] = {
    {"scan_cumsum", run_scan<Plus>},
    {"scan_cumprod", run_scan<Times>},
    {"scan_logcumsumexp", run_logcumsumexp},
    {"scan_cummax", run_extreme<true>},
    {"scan_cummin", run_extreme<false>},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
