// Cumulative sums, products, extremes along one dimension, through converted buffers: eight lines in step, or row by
// row where lines lie side by side.
#include <cmath>

#include "reduce.h"
#include "vcomplex.h"

namespace tt {
inline namespace KERNEL_NS {
namespace scan {
namespace {

/**
 * The lines of a tensor along dim. The dimension next to it in memory gives the neighbours that are scanned together:
 * `inner`, or none (-1) where lines are scanned by themselves or there is no other.
 */
struct Lines {
  i64 n, count, lanes;  // elements of a line; lines; lines that lie side by side along `inner`
  int dim, inner = -1;

  Lines(const TensorArg& t, int d) : n(t.ndim == 0 ? 1 : t.shape[d]), count(1), lanes(1), dim(d) {
    for (int i = 0; i < t.ndim; i++) {
      if (i == d) continue;
      count *= t.shape[i];
      if (t.shape[i] > 1 && (inner < 0 || t.strides[i] <= t.strides[inner])) inner = i;
    }
    if (inner >= 0) lanes = t.shape[inner];
  }
  i64 stride(const TensorArg& t) const { return t.ndim == 0 ? 1 : t.strides[dim]; }
  i64 step(const TensorArg& t) const { return inner < 0 ? 0 : t.strides[inner]; }
  /** Where the lines of one position outside of dim and inner start. */
  i64 outer_offset(const TensorArg& t, i64 position) const {
    i64 at = 0;
    for (int i = t.ndim - 1; i >= 0; i--) {
      if (i == dim || i == inner) continue;
      at += position % t.shape[i] * t.strides[i];
      position /= t.shape[i];
    }
    return at;
  }
  i64 offset(const TensorArg& t, i64 line) const {
    return outer_offset(t, line / lanes) + line % lanes * step(t);
  }
};

constexpr i64 kBlock = 512;  // elements of a line in a buffer
constexpr i64 kTogether = 8;  // lines scanned in step: each addition waits for the one before it in its line
constexpr i64 kRow = 512;     // neighbours scanned row by row

template <class T>
struct Buffers {
  T* values = static_cast<T*>(tt_scratch(7, kTogether * kBlock * sizeof(T)));
  i64* found = static_cast<i64*>(tt_scratch(6, kTogether * kBlock * sizeof(i64)));
};

/** Where results go: values, and their positions (I64) where a scan finds any. */
struct Outputs {
  const TensorArg& values;
  const TensorArg* indices;

  void store(DType span, i64 at_values, i64 stride, i64 at_indices, i64 index_stride, const void* x,
             const i64* found, i64 n) const {
    store_convert(values.dtype, values.data + at_values * item_size(values.dtype), stride, span, x, n);
    if (indices) store_convert(DType::I64, indices->data + at_indices * 8, index_stride, DType::I64, found, n);
  }
};

/** Scans G lines (one after another in memory or not) in step. */
template <int G, class Step, class T = typename Step::Value>
void scan_lines(const Lines& lines, const Outputs& out, const TensorArg& in, DType span, i64 line, Buffers<T>& b) {
  typename Step::State state[G];
  for (i64 first = 0; first < lines.n; first += kBlock) {
    const i64 n = lines.n - first < kBlock ? lines.n - first : kBlock;
    const i64 stride = lines.stride(in);
    for (int g = 0; g < G; g++) {
      const i64 at = lines.offset(in, line + g) + first * stride;
      load_convert(span, in.data + at * item_size(in.dtype), in.dtype, stride, b.values + g * kBlock, n);
    }
    i64 i = 0;
    if (first == 0) {
      for (int g = 0; g < G; g++) Step::start(state[g], b.values[g * kBlock], b.found[g * kBlock]);
      i = 1;
    }
    for (; i < n; i++)
      for (int g = 0; g < G; g++) Step::next(state[g], b.values[g * kBlock + i], b.found[g * kBlock + i], first + i);
    for (int g = 0; g < G; g++) {
      const i64 at = lines.offset(out.values, line + g) + first * lines.stride(out.values);
      const i64 at_index = out.indices ? lines.offset(*out.indices, line + g) + first * lines.stride(*out.indices) : 0;
      out.store(span, at, lines.stride(out.values), at_index, out.indices ? lines.stride(*out.indices) : 0,
                b.values + g * kBlock, b.found + g * kBlock, n);
    }
  }
}

/** Scans up to kRow neighbouring lines row by row: element i of all of them, then element i + 1. */
template <class Step, class T = typename Step::Value>
void scan_rows(const Lines& lines, const Outputs& out, const TensorArg& in, DType span, i64 outer, i64 lane, i64 width,
               Buffers<T>& b) {
  using State = typename Step::State;
  State* state = static_cast<State*>(tt_scratch(5, kRow * sizeof(State)));
  const auto start = [&](const TensorArg& t) { return lines.outer_offset(t, outer) + lane * lines.step(t); };
  const i64 from = start(in), to = start(out.values), to_index = out.indices ? start(*out.indices) : 0;
  for (i64 i = 0; i < lines.n; i++) {
    load_convert(span, in.data + (from + i * lines.stride(in)) * item_size(in.dtype), in.dtype, lines.step(in), b.values,
                 width);
    if (i == 0) {
      for (i64 w = 0; w < width; w++) Step::start(state[w], b.values[w], b.found[w]);
    } else {
      for (i64 w = 0; w < width; w++) Step::next(state[w], b.values[w], b.found[w], i);
    }
    out.store(span, to + i * lines.stride(out.values), lines.step(out.values),
              out.indices ? to_index + i * lines.stride(*out.indices) : 0, out.indices ? lines.step(*out.indices) : 0,
              b.values, b.found, width);
  }
}

/** Runs a scan over every line, in element type span. */
template <class Step, class T = typename Step::Value>
void scan_all(const Outputs& out, const TensorArg& in, int dim, DType span) {
  const Lines lines(in, dim);
  if (lines.n == 0 || lines.count == 0) return;
  if (lines.lanes > 1 && lines.step(in) < lines.stride(in)) {
    const i64 width = lines.lanes < kRow ? lines.lanes : kRow;
    const i64 tiles = (lines.lanes + width - 1) / width;
    parallel_for(lines.count / lines.lanes * tiles, 1 + 16384 / (lines.n * width), [&](i64 begin, i64 end) {
      Buffers<T> b;
      for (i64 k = begin; k < end; k++) {
        const i64 lane = k % tiles * width;
        scan_rows<Step>(lines, out, in, span, k / tiles, lane, lines.lanes - lane < width ? lines.lanes - lane : width, b);
      }
    });
    return;
  }
  parallel_for(lines.count, 1 + 16384 / lines.n, [&](i64 begin, i64 end) {
    Buffers<T> b;
    i64 line = begin;
    for (; line + kTogether <= end; line += kTogether) scan_lines<kTogether, Step>(lines, out, in, span, line, b);
    for (; line < end; line++) scan_lines<1, Step>(lines, out, in, span, line, b);
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
struct Combining {
  using Value = T;
  using State = T;
  static TT_INLINE void start(T& state, T& x, i64&) { state = x; }
  static TT_INLINE void next(T& state, T& x, i64&, i64) { x = state = F::apply(state, x); }
};
template <class F, class T>
void scan_as(const TensorArg& out, const TensorArg& in, int dim, DType span) {
  scan_all<Combining<F, T>>({out, nullptr}, in, dim, span);
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

/** The running extreme and its position: the last of equal ones, and of NaNs, which win. */
template <bool largest, class T>
struct Extreme {
  using Value = T;
  struct State {
    T value;
    i64 index;
  };
  static TT_INLINE void start(State& state, T& x, i64& found) {
    state = {x, 0};
    found = 0;
  }
  static TT_INLINE void next(State& state, T& x, i64& found, i64 i) {
    const bool beats = largest ? x >= state.value : x <= state.value;
    if (x != x || beats) state = {x, i};
    x = state.value;
    found = state.index;
  }
};
template <bool largest, class T>
void extreme_as(const TensorArg& values, const TensorArg& indices, const TensorArg& in, int dim, DType span) {
  scan_all<Extreme<largest, T>>({values, &indices}, in, dim, span);
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
