// Searching, counting and rearranging: searchsorted and bucketize, histc, bincount, repeat_interleave, flip,
// tril, triu and the gradient of unfold. Semantics follow the PyTorch functions of those names.
#include "indexing.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace indexing;

/** An element as a number to compare with: halves as float. */
template <class T>
struct Plain {
  using Item = T;
  static TT_INLINE T value(T x) { return x; }
};
template <bool is_f16>
struct PlainHalf {
  using Item = uint16_t;
  static TT_INLINE float value(uint16_t x) { return is_f16 ? float_of_f16(x) : float_of_bf16(x); }
};

template <class V>
constexpr bool is_half_rule = false;
template <bool is_f16>
constexpr bool is_half_rule<PlainHalf<is_f16>> = true;

/** Calls f.operator()<V>() with Plain or PlainHalf of a real dtype. */
template <class F>
void by_plain(DType t, const F& f) {
  if (t == DType::F16) {
    f.template operator()<PlainHalf<true>>();
  } else if (t == DType::BF16) {
    f.template operator()<PlainHalf<false>>();
  } else {
    by_ordered(t, [&]<class T>() { f.template operator()<Plain<T>>(); });
  }
}

// ---- searchsorted ------------------------------------------------------------------------------------

/** A sorted row of n elements, perhaps by way of a sorter. */
template <class V>
struct SortedRow {
  const typename V::Item* base;
  const i64* sorter;  // null for none
  i64 n, step, sorter_step;

  TT_INLINE auto at(i64 j) const { return V::value(base[(sorter ? sorter[j * sorter_step] : j) * step]); }

  /** How many elements come before x: those < x, or those <= x when `right`. NaN comes last. */
  template <bool right, class X>
  TT_INLINE i64 place(X x) const {
    i64 low = 0, length = n;
    while (length > 0) {
      const i64 half = length / 2;
      const auto middle = at(low + half);
      const bool before = right ? !(middle > x) : !(middle >= x);
      low = before ? low + half + 1 : low;
      length = before ? length - half - 1 : half;
    }
    return low;
  }
};

struct Search {
  TensorArg out, sequence, values, sorter;
  bool right, has_sorter, batched;
};

template <class V, class Out, bool right>
void search_typed(const Search& s) {
  const i64 n = s.sequence.shape[s.sequence.ndim - 1], m = s.batched ? s.values.shape[s.values.ndim - 1] : 0;
  const i64 step = s.sequence.strides[s.sequence.ndim - 1];
  const i64 sorter_step = s.has_sorter ? s.sorter.strides[s.sorter.ndim - 1] : 0;
  const Walk<2> walk = walk_over<2>(s.values.shape, 0, s.values.ndim, {s.out.strides, s.values.strides});
  const i64 so = walk.inner_stride(0), sv = walk.inner_stride(1);
  parallel_for(walk.count, 2048, [&](i64 begin, i64 end) {
    i64 position = begin;
    walk.run(begin, end, [&](const i64* off, i64 count) {
      for (i64 j = 0; j < count; j++, position++) {
        const i64 row = s.batched ? position / m : 0;
        const SortedRow<V> sorted{s.sequence.as<typename V::Item>() + row * n * step,
                                  s.has_sorter ? s.sorter.as<i64>() + row * n * sorter_step : nullptr, n, step,
                                  sorter_step};
        const auto x = V::value(s.values.as<typename V::Item>()[off[1] + j * sv]);
        s.out.as<Out>()[off[0] + j * so] = static_cast<Out>(sorted.template place<right>(x));
      }
      return true;
    });
  });
}

void searchsorted(double* args) {
  Args a(args);
  Search s;
  a.tensor(s.out);
  a.tensor(s.sequence);
  a.tensor(s.values);
  s.right = a.flag();
  s.has_sorter = a.flag();
  if (s.has_sorter) a.tensor(s.sorter);
  s.batched = s.sequence.ndim > 1;
  by_plain(s.sequence.dtype, [&]<class V>() {
    if (s.out.dtype == DType::I64) {
      s.right ? search_typed<V, i64, true>(s) : search_typed<V, i64, false>(s);
    } else {
      s.right ? search_typed<V, int32_t, true>(s) : search_typed<V, int32_t, false>(s);
    }
  });
}

// ---- histc and bincount ------------------------------------------------------------------------------

/** Elements outside [low, high] (NaN too) are not counted; the last bin includes high. */
template <class T>
void histc_typed(const TensorArg& out, const TensorArg& in, double low_bound, double high_bound) {
  const i64 bins = out.shape[0];
  const T low = static_cast<T>(low_bound), high = static_cast<T>(high_bound);
  i64* counts = static_cast<i64*>(tt_scratch(1, static_cast<size_t>(bins) * 8 + 8));
  memset(counts, 0, static_cast<size_t>(bins) * 8);
  const Walk<1> walk = walk_over(in);
  const i64 step = walk.inner_stride(0);
  walk.run(0, walk.count, [&](const i64* off, i64 n) {
    for (i64 j = 0; j < n; j++) {
      const T x = in.as<T>()[off[0] + j * step];
      if (!(x >= low && x <= high)) continue;
      i64 bin = static_cast<i64>((x - low) * static_cast<T>(bins) / (high - low));
      if (bin >= bins) bin = bins - 1;
      counts[bin]++;
    }
    return true;
  });
  for (i64 b = 0; b < bins; b++) out.as<T>()[b * out.strides[0]] = static_cast<T>(counts[b]);
}

/** out F32 or F64, of in's dtype; halves are the caller's to convert. */
void histc(double* args) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  const double low = a.number(), high = a.number();
  if (in.dtype == DType::F32) histc_typed<float>(out, in, low, high);
  if (in.dtype == DType::F64) histc_typed<double>(out, in, low, high);
}

template <class T, class W>
bool bincount_typed(const TensorArg& out, const TensorArg& in, const TensorArg* weights) {
  const i64 bins = out.shape[0], n = in.numel();
  T* counts = out.as<T>();
  for (i64 b = 0; b < bins; b++) counts[b] = T(0);
  const i64 step = in.strides[0];
  for (i64 j = 0; j < n; j++) {
    const i64 v = in.as<i64>()[j * step];
    if (out_of_range(v, 0, bins)) return true;
    counts[v] = static_cast<T>(counts[v] + (weights ? static_cast<T>(weights->as<W>()[j * weights->strides[0]]) : T(1)));
  }
  return false;
}

/** out I64 without weights; F32 with F32 weights, else F64. */
void bincount(double* args) {
  Args a(args);
  TensorArg out, in, weights;
  a.tensor(out);
  a.tensor(in);
  const bool weighted = a.flag();
  if (weighted) a.tensor(weights);
  bool failed = false;
  if (!weighted) {
    failed = bincount_typed<i64, i64>(out, in, nullptr);
  } else if (weights.dtype == DType::F32) {
    failed = bincount_typed<float, float>(out, in, &weights);
  } else {
    by_plain(weights.dtype, [&]<class V>() {
      if constexpr (!is_half_rule<V>) failed = bincount_typed<double, typename V::Item>(out, in, &weights);
    });
  }
  report(args, failed, in, 0, out.shape[0]);
}

/** out[...] = j, repeats[j] times, for every j: the indices of repeat_interleave. Status 1: a negative count. */
void repeat_interleave(double* args) {
  Args a(args);
  TensorArg out, repeats;
  a.tensor(out);
  a.tensor(repeats);
  const i64 n = repeats.numel(), step = repeats.ndim > 0 ? repeats.strides[0] : 1, room = out.numel();
  i64* to = out.as<i64>();
  i64 at = 0;
  bool failed = false;
  for (i64 j = 0; j < n && !failed; j++) {
    const i64 times = repeats.as<i64>()[j * step];
    failed = out_of_range(times, 0, room - at + 1);
    for (i64 k = 0; k < times && !failed; k++) to[at++] = j;
  }
  report(args, failed, repeats, 0, room + 1);
}

// ---- flip, tril, triu --------------------------------------------------------------------------------

template <class T>
void flip_typed(const TensorArg& out, const TensorArg& in, const bool* flipped) {
  Walk<2> walk;
  i64 start = 0;
  for (int d = 0; d < in.ndim; d++) {
    if (flipped[d] && in.shape[d] > 0) start += (in.shape[d] - 1) * in.strides[d];
    walk.add(in.shape[d], {out.strides[d], flipped[d] ? -in.strides[d] : in.strides[d]});
  }
  const i64 so = walk.inner_stride(0), si = walk.inner_stride(1);
  parallel_for(walk.count, kGrain, [&](i64 begin, i64 end) {
    walk.run(begin, end, [&](const i64* off, i64 n) {
      T* o = out.as<T>() + off[0];
      const T* p = in.as<T>() + start + off[1];
      if (so == 1 && si == -1) {
        for (i64 j = 0; j < n; j++) o[j] = p[-j];
      } else {
        copy_strided(o, so, p, si, n);
      }
      return true;
    });
  });
}

void flip(double* args) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  bool flipped[kMaxDims] = {};
  for (i64 n = a.integer(); n > 0; n--) flipped[a.integer()] = true;
  by_size(in.dtype, [&]<class T>() { flip_typed<T>(out, in, flipped); });
}

/** Row i keeps the columns [0, i + diagonal] (lower) or [i + diagonal, columns) (upper). out may be in. */
template <class T>
void triangle_typed(const TensorArg& out, const TensorArg& in, i64 diagonal, bool upper) {
  const int nd = in.ndim;
  const i64 columns = in.shape[nd - 1], rows = in.shape[nd - 2], so = out.strides[nd - 1], si = in.strides[nd - 1];
  const Walk<2> walk = walk_over<2>(in.shape, 0, nd - 1, {out.strides, in.strides});
  const i64 down_out = walk.inner_stride(0), down_in = walk.inner_stride(1);
  parallel_for(walk.count, grain_of(columns), [&](i64 begin, i64 end) {
    i64 line = begin;
    walk.run(begin, end, [&](const i64* off, i64 n) {
      for (i64 r = 0; r < n; r++, line++) {
        T* o = out.as<T>() + off[0] + r * down_out;
        const T* p = in.as<T>() + off[1] + r * down_in;
        i64 edge = line % rows + diagonal + (upper ? 0 : 1);
        edge = edge < 0 ? 0 : edge > columns ? columns : edge;
        const i64 from = upper ? edge : 0, to = upper ? columns : edge;
        for (i64 c = 0; c < from; c++) o[c * so] = T{};
        if (o != p || so != si) copy_strided(o + from * so, so, p + from * si, si, to - from);
        for (i64 c = to; c < columns; c++) o[c * so] = T{};
      }
      return true;
    });
  });
}

void triangle(double* args, bool upper) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  const i64 diagonal = a.integer();
  if (in.numel() == 0) return;
  by_size(in.dtype, [&]<class T>() { triangle_typed<T>(out, in, diagonal, upper); });
}

void tril(double* args) { triangle(args, false); }
void triu(double* args) { triangle(args, true); }

// ---- unfold_backward ---------------------------------------------------------------------------------

/**
 * grad_in[..., p, ...] = the sum of grad[..., i, ..., p - i * step] over the windows i that cover p. Every
 * element is written by one thread, windows in order.
 */
template <class T>
void unfold_backward_typed(const TensorArg& out, const TensorArg& grad, int dim, i64 size, i64 step) {
  const i64 windows = grad.shape[dim];
  Walk<3> walk;  // operand 2 counts places along dim
  for (int d = 0; d < out.ndim; d++) {
    walk.add(out.shape[d], {out.strides[d], d == dim ? 0 : grad.strides[d], d == dim ? 1 : 0});
  }
  const i64 by_window = grad.strides[dim], by_place = grad.strides[grad.ndim - 1];
  const i64 so = walk.inner_stride(0), sg = walk.inner_stride(1), sp = walk.inner_stride(2);
  parallel_for(walk.count, kGrain, [&](i64 begin, i64 end) {
    walk.run(begin, end, [&](const i64* off, i64 n) {
      for (i64 j = 0; j < n; j++) {
        const i64 p = off[2] + j * sp;
        const i64 first = p < size ? 0 : (p - size) / step + 1;
        const T* g = grad.as<T>() + off[1] + j * sg;
        T sum{};
        for (i64 i = first; i < windows && i * step <= p; i++) {
          sum = static_cast<T>(sum + g[i * by_window + (p - i * step) * by_place]);
        }
        out.as<T>()[off[0] + j * so] = sum;
      }
      return true;
    });
  });
}

void unfold_backward(double* args) {
  Args a(args);
  TensorArg out, grad;
  a.tensor(out);
  a.tensor(grad);
  const int dim = static_cast<int>(a.integer());
  const i64 size = a.integer(), step = a.integer();
  at_least_1d(out);
  if (grad.ndim == 1) {  // of a tensor without dimensions: [size] becomes [1, size]
    grad.ndim = 2;
    grad.shape[1] = grad.shape[0];
    grad.strides[1] = grad.strides[0];
    grad.shape[0] = 1;
    grad.strides[0] = 0;
  }
  TensorArg to = out, from = grad;
  if (is_half(out.dtype)) {
    to = float_copy(out, 2);
    from = float_copy(grad, 3);
  }
  by_ring(to.dtype, [&]<class T>() { unfold_backward_typed<T>(to, from, dim, size, step); });
  if (is_half(out.dtype)) store_float_copy(out, to);
}

}  // namespace

extern const KernelEntry search_kernels[];
const KernelEntry search_kernels[] = {
    {"searchsorted", searchsorted},
    {"bucketize", searchsorted},
    {"histc", histc},
    {"bincount", bincount},
    {"repeat_interleave", repeat_interleave},
    {"flip", flip},
    {"tril", tril},
    {"triu", triu},
    {"unfold_backward", unfold_backward},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
