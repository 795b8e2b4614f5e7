// Indexing along one dimension: gather, scatter, scatter_reduce, index_select, index_add, index_copy,
// index_fill. Semantics follow torch.gather, Tensor.scatter_reduce_ and their kin.
//
// All of them are one loop: positions run over the index tensor's shape, an "addressed" operand is read or
// written at index[position] along dim, a "positional" operand at the position itself. Indices that are
// 1-d in PyTorch are expanded (stride 0) to the shape of the positional operand.
#include <limits>

#include "indexing.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace indexing;

struct Dimwise {
  TensorArg index;       // shape of the walk; any strides, 0 included
  TensorArg positional;  // at least as large as index in every dimension
  TensorArg addressed;
  int dim;

  i64 size() const { return addressed.shape[dim]; }
  i64 step() const { return addressed.strides[dim]; }

  /** Operands 0 index, 1 positional, 2 addressed (standing still along dim); part of `split` only. */
  Walk<3> walk(int split, i64 begin, i64 end) const {
    Walk<3> w;
    for (int d = 0; d < index.ndim; d++) {
      w.add(d == split ? end - begin : index.shape[d],
            {index.strides[d], positional.strides[d], d == dim ? 0 : addressed.strides[d]});
    }
    return w;
  }

  /** The dimension that threads may share out without meeting in the addressed operand, or -1. */
  int split_dim() const {
    int best = -1;
    for (int d = 0; d < index.ndim; d++) {
      if (d == dim || index.shape[d] < 2) continue;
      if (index.shape[d] >= 4 * tt_num_threads()) return d;
      if (best < 0 || index.shape[d] > index.shape[best]) best = d;
    }
    return best;
  }
};

/** An index of shape [n] as one of the positional operand's shape, standing still in every other dimension. */
TensorArg expand_index(const TensorArg& index, const TensorArg& like, int dim) {
  TensorArg e = like;
  e.data = index.data;
  e.dtype = index.dtype;
  for (int d = 0; d < e.ndim; d++) e.strides[d] = 0;
  e.shape[dim] = index.numel();
  e.strides[dim] = index.ndim > 0 ? index.strides[0] : 1;
  return e;
}

/** A 0-d value as a tensor of any shape. */
TensorArg expand_value(const void* value, DType dtype, const TensorArg& like) {
  TensorArg e = like;
  e.data = static_cast<char*>(const_cast<void*>(value));
  e.dtype = dtype;
  for (int d = 0; d < e.ndim; d++) e.strides[d] = 0;
  return e;
}

// ---- gather ------------------------------------------------------------------------------------------

/** out[j] = in[index[j] * step] for contiguous out and index; checks a block of indices before it loads. */
template <class T>
TT_INLINE bool gather_line(T* out, const i64* index, const T* in, i64 step, i64 size, i64 n) {
  constexpr i64 kBlock = 64;
  for (i64 b = 0; b < n; b += kBlock) {
    const i64 m = n - b < kBlock ? n - b : kBlock;
    uint64_t bad = 0;
    for (i64 j = 0; j < m; j++) bad |= static_cast<uint64_t>(index[b + j]) >= static_cast<uint64_t>(size);
    if (bad) return false;
    if (step == 1) {
      for (i64 j = 0; j < m; j++) out[b + j] = in[index[b + j]];
    } else {
      for (i64 j = 0; j < m; j++) out[b + j] = in[index[b + j] * step];
    }
  }
  return true;
}

template <class T>
bool gather_typed(const Dimwise& d) {
  const Walk<3> walk = d.walk(-1, 0, 0);
  const i64 *index = d.index.as<i64>(), size = d.size(), step = d.step();
  T* out = d.positional.as<T>();
  const T* in = d.addressed.as<T>();
  const i64 si = walk.inner_stride(0), so = walk.inner_stride(1), sp = walk.inner_stride(2);
  bool failed = false;
  parallel_for_any(walk.count, kGrain, [&](i64 begin, i64 end) {
    const bool done = walk.run(begin, end, [&](const i64* off, i64 n) {
      const i64* ix = index + off[0];
      T* o = out + off[1];
      const T* p = in + off[2];
      if (si == 0) {
        if (out_of_range(*ix, 0, size)) return false;
        copy_strided(o, so, p + *ix * step, sp, n);
        return true;
      }
      if (si == 1 && so == 1 && sp == 0) return gather_line(o, ix, p, step, size, n);
      for (i64 j = 0; j < n; j++) {
        const i64 v = ix[j * si];
        if (out_of_range(v, 0, size)) return false;
        o[j * so] = p[v * step + j * sp];
      }
      return true;
    });
    if (!done) raise(failed);
  });
  return failed;
}

bool gather_any(const Dimwise& d) {
  bool failed = false;
  by_size(d.addressed.dtype, [&]<class T>() { failed = gather_typed<T>(d); });
  return failed;
}

// ---- scatter -----------------------------------------------------------------------------------------

/** One innermost run: op(out[index[j] along dim], src[j]) in the order of j. */
template <class T, class Op>
TT_INLINE bool scatter_line(const i64* ix, i64 si, const T* src, i64 ss, T* out, i64 so, i64 step, i64 size,
                            i64 n, const Op& op) {
  if (si == 0) {
    if (out_of_range(*ix, 0, size)) return false;
    T* o = out + *ix * step;
    if (so == 1 && ss == 1) {
      for (i64 j = 0; j < n; j++) op(o[j], src[j]);
    } else if (so == 1 && ss == 0) {
      const T value = *src;
      for (i64 j = 0; j < n; j++) op(o[j], value);
    } else {
      for (i64 j = 0; j < n; j++) op(o[j * so], src[j * ss]);
    }
    return true;
  }
  if (si == 1 && ss == 1 && so == 0 && step == 1) {
    for (i64 j = 0; j < n; j++) {
      const i64 v = ix[j];
      if (static_cast<uint64_t>(v) >= static_cast<uint64_t>(size)) return false;
      op(out[v], src[j]);
    }
    return true;
  }
  for (i64 j = 0; j < n; j++) {
    const i64 v = ix[j * si];
    if (out_of_range(v, 0, size)) return false;
    op(out[v * step + j * so], src[j * ss]);
  }
  return true;
}

/**
 * Applies op to every (target, source) pair. Threads share out a dimension other than dim, so pairs with
 * one target meet in one thread, in order: the result does not depend on the number of threads.
 */
template <class T, class Op>
bool scatter_typed(const Dimwise& d, const Op& op) {
  const i64 size = d.size(), step = d.step(), total = d.index.numel();
  bool failed = false;
  const int split = d.split_dim();
  const auto part = [&](i64 begin, i64 end) {
    const Walk<3> walk = d.walk(split, begin, end);
    const i64 skip = split < 0 ? 0 : begin;
    const i64* index = d.index.as<i64>() + (split < 0 ? 0 : skip * d.index.strides[split]);
    const T* src = d.positional.as<T>() + (split < 0 ? 0 : skip * d.positional.strides[split]);
    T* out = d.addressed.as<T>() + (split < 0 ? 0 : skip * d.addressed.strides[split]);
    const i64 si = walk.inner_stride(0), ss = walk.inner_stride(1), so = walk.inner_stride(2);
    const bool done = walk.run(0, walk.count, [&](const i64* off, i64 n) {
      return scatter_line(index + off[0], si, src + off[1], ss, out + off[2], so, step, size, n, op);
    });
    if (!done) raise(failed);
  };
  if (total == 0) return false;
  if (split < 0) {
    part(0, 1);
  } else {
    i64 grain = grain_of(total / d.index.shape[split]);
    if (grain < 16 && d.addressed.strides[split] == 1) grain = 16;  // a cache line belongs to one thread
    parallel_for(d.index.shape[split], grain, part);
  }
  return failed;
}

bool scatter_any(const Dimwise& d) {
  bool failed = false;
  by_size(d.addressed.dtype, [&]<class T>() {
    failed = scatter_typed<T>(d, [](T& target, T value) { target = value; });
  });
  return failed;
}

struct Sum {
  template <class T>
  TT_INLINE void operator()(T& target, T value) const {
    target = static_cast<T>(target + value);
  }
};
struct Product {
  template <class T>
  TT_INLINE void operator()(T& target, T value) const {
    target = static_cast<T>(target * value);
  }
};
struct Maximum {
  template <class T>
  TT_INLINE void operator()(T& target, T value) const {
    if (value > target || is_nan(value)) target = value;
  }
};
struct Minimum {
  template <class T>
  TT_INLINE void operator()(T& target, T value) const {
    if (value < target || is_nan(value)) target = value;
  }
};

enum class Reduce : int { Sum, Prod, Mean, Amax, Amin };

template <class Op>
bool combine_ring(const Dimwise& d, const Op& op) {
  bool failed = false;
  by_ring(d.addressed.dtype, [&]<class T>() { failed = scatter_typed<T>(d, op); });
  return failed;
}
template <class Op>
bool combine_ordered(const Dimwise& d, const Op& op) {
  bool failed = false;
  by_ordered(d.addressed.dtype, [&]<class T>() { failed = scatter_typed<T>(d, op); });
  return failed;
}

bool combine(const Dimwise& d, Reduce mode) {
  switch (mode) {
    case Reduce::Sum:
    case Reduce::Mean:
      return combine_ring(d, Sum());
    case Reduce::Prod:
      return combine_ring(d, Product());
    case Reduce::Amax:
      return combine_ordered(d, Maximum());
    default:
      return combine_ordered(d, Minimum());
  }
}

/** Overwrites every target with what leaves the reduction's other operand as it is. */
bool forget_self(const Dimwise& d, Reduce mode) {
  alignas(16) char value[16] = {};
  if (mode == Reduce::Prod) {
    by_ring(d.addressed.dtype, [&]<class T>() {
      T one{};
      if constexpr (sizeof(T) == 16 || requires { one.re; }) {
        one.re = 1;
      } else {
        one = 1;
      }
      memcpy(value, &one, sizeof one);
    });
  } else if (mode == Reduce::Amax || mode == Reduce::Amin) {
    by_ordered(d.addressed.dtype, [&]<class T>() {
      using Limits = std::numeric_limits<T>;
      T end = mode == Reduce::Amax ? Limits::lowest() : Limits::max();
      if constexpr (is_floating<T>) end = mode == Reduce::Amax ? -Limits::infinity() : Limits::infinity();
      if (d.addressed.dtype == DType::Bool) end = mode == Reduce::Amin;
      memcpy(value, &end, sizeof end);
    });
  }
  Dimwise fill = d;
  fill.positional = expand_value(value, d.addressed.dtype, d.index);
  return scatter_any(fill);
}

/** out /= max(count, 1); integers round down, as PyTorch's mean does. */
template <class T>
void divide_by_count(const TensorArg& out, const TensorArg& count) {
  const Walk<2> walk = walk_over<2>(out.shape, 0, out.ndim, {out.strides, count.strides});
  const i64 so = walk.inner_stride(0), sc = walk.inner_stride(1);
  parallel_for_any(walk.count, kGrain, [&](i64 begin, i64 end) {
    walk.run(begin, end, [&](const i64* off, i64 n) {
      for (i64 j = 0; j < n; j++) {
        T& x = out.as<T>()[off[0] + j * so];
        const i64 c = count.as<i64>()[off[1] + j * sc];
        if (c <= 1) continue;
        if constexpr (requires { x.re; }) {
          x.re /= static_cast<decltype(x.re)>(c);
          x.im /= static_cast<decltype(x.re)>(c);
        } else if constexpr (is_floating<T>) {
          x /= static_cast<T>(c);
        } else {
          const i64 v = static_cast<i64>(x);
          x = static_cast<T>(v >= 0 ? v / c : -((-v + c - 1) / c));
        }
      }
      return true;
    });
  });
}

bool divide_by_counts(const Dimwise& d, bool include_self) {
  static const i64 one = 1;
  TensorArg count = d.addressed;
  count.dtype = DType::I64;
  set_contiguous(count);
  const i64 n = count.numel();
  i64* counts = static_cast<i64*>(tt_scratch(1, static_cast<size_t>(n) * 8 + 8));
  for (i64 j = 0; j < n; j++) counts[j] = include_self;
  count.data = reinterpret_cast<char*>(counts);
  Dimwise counting = d;
  counting.addressed = count;
  counting.positional = expand_value(&one, DType::I64, d.index);
  const bool failed = combine(counting, Reduce::Sum);
  const DType t = d.addressed.dtype;
  if (t == DType::C64) {
    divide_by_count<ComplexOf<float>>(d.addressed, count);
  } else if (t == DType::C128) {
    divide_by_count<ComplexOf<double>>(d.addressed, count);
  } else {
    by_ordered(t, [&]<class T>() { divide_by_count<T>(d.addressed, count); });
  }
  return failed;
}

bool reduce_typed(const Dimwise& d, Reduce mode, bool include_self) {
  if (!include_self && forget_self(d, mode)) return true;
  if (combine(d, mode)) return true;
  return mode == Reduce::Mean && divide_by_counts(d, include_self);
}

/** Halves are reduced in a float copy of the addressed operand (and of the source), as PyTorch does. */
bool reduce_any(const Dimwise& d, Reduce mode, bool include_self) {
  if (!is_half(d.addressed.dtype)) return reduce_typed(d, mode, include_self);
  Dimwise f = d;
  f.addressed = float_copy(d.addressed, 2);
  TensorArg source = d.positional;
  for (int k = 0; k < source.ndim; k++) source.shape[k] = d.index.shape[k];
  f.positional = float_copy(source, 3);
  const bool failed = reduce_typed(f, mode, include_self);
  store_float_copy(d.addressed, f.addressed);
  return failed;
}

// ---- kernels -----------------------------------------------------------------------------------------

void gather(double* args) {
  Args a(args);
  Dimwise d;
  a.tensor(d.positional);
  a.tensor(d.addressed);
  d.dim = static_cast<int>(a.integer());
  a.tensor(d.index);
  at_least_1d(d.positional);
  at_least_1d(d.addressed);
  at_least_1d(d.index);
  report(args, gather_any(d), d.index, 0, d.size());
}

void scatter(double* args) {
  Args a(args);
  Dimwise d;
  a.tensor(d.addressed);
  d.dim = static_cast<int>(a.integer());
  a.tensor(d.index);
  a.tensor(d.positional);
  at_least_1d(d.positional);
  at_least_1d(d.addressed);
  at_least_1d(d.index);
  report(args, scatter_any(d), d.index, 0, d.size());
}

void scatter_reduce(double* args) {
  Args a(args);
  Dimwise d;
  a.tensor(d.addressed);
  d.dim = static_cast<int>(a.integer());
  a.tensor(d.index);
  a.tensor(d.positional);
  const Reduce mode = static_cast<Reduce>(a.integer());
  const bool include_self = a.flag();
  at_least_1d(d.positional);
  at_least_1d(d.addressed);
  at_least_1d(d.index);
  report(args, reduce_any(d, mode, include_self), d.index, 0, d.size());
}

void index_select(double* args) {
  Args a(args);
  Dimwise d;
  TensorArg index;
  a.tensor(d.positional);
  a.tensor(d.addressed);
  d.dim = static_cast<int>(a.integer());
  a.tensor(index);
  at_least_1d(d.positional);
  at_least_1d(d.addressed);
  d.index = expand_index(index, d.positional, d.dim);
  report(args, gather_any(d), index, 0, d.size());
}

/** Reads (out, dim, index [n], src) of index_add and index_copy. */
void read_index_write(Args& a, Dimwise& d, TensorArg& index) {
  a.tensor(d.addressed);
  d.dim = static_cast<int>(a.integer());
  a.tensor(index);
  a.tensor(d.positional);
  at_least_1d(d.addressed);
  at_least_1d(d.positional);
  d.index = expand_index(index, d.positional, d.dim);
}

struct SumScaled {
  double alpha;
  template <class T>
  TT_INLINE void operator()(T& target, T value) const {
    if constexpr (requires { value.re; }) {
      const auto f = static_cast<decltype(value.re)>(alpha);
      target = {target.re + value.re * f, target.im + value.im * f};
    } else if constexpr (is_floating<T>) {
      target += value * static_cast<T>(alpha);
    } else {
      target = static_cast<T>(target + value * static_cast<T>(static_cast<i64>(alpha)));
    }
  }
};

void index_add(double* args) {
  Args a(args);
  Dimwise d;
  TensorArg index;
  read_index_write(a, d, index);
  const double alpha = a.number();
  Dimwise work = d;
  if (is_half(d.addressed.dtype)) {
    work.addressed = float_copy(d.addressed, 2);
    work.positional = float_copy(d.positional, 3);
  }
  const bool failed = alpha == 1 ? combine(work, Reduce::Sum) : combine_ring(work, SumScaled{alpha});
  if (is_half(d.addressed.dtype)) store_float_copy(d.addressed, work.addressed);
  report(args, failed, index, 0, d.size());
}

void index_copy(double* args) {
  Args a(args);
  Dimwise d;
  TensorArg index;
  read_index_write(a, d, index);
  report(args, scatter_any(d), index, 0, d.size());
}

/** Tensor.index_fill_ lets negative indices count from the end, unlike index_add_ and index_copy_. */
void index_fill(double* args) {
  Args a(args);
  Dimwise d;
  TensorArg index, value;
  a.tensor(d.addressed);
  d.dim = static_cast<int>(a.integer());
  a.tensor(index);
  a.tensor(value);
  at_least_1d(d.addressed);
  const i64 n = index.numel(), step = index.ndim > 0 ? index.strides[0] : 1, size = d.size();
  i64* wrapped = static_cast<i64*>(tt_scratch(1, static_cast<size_t>(n) * 8 + 8));
  for (i64 j = 0; j < n; j++) {
    const i64 v = index.as<i64>()[j * step];
    wrapped[j] = v < 0 ? v + size : v;
  }
  TensorArg positive = index;
  positive.data = reinterpret_cast<char*>(wrapped);
  set_contiguous(positive);
  d.index = expand_index(positive, d.addressed, d.dim);
  d.positional = expand_value(value.data, value.dtype, d.index);
  report(args, scatter_any(d), index, -size, size);
}

}  // namespace

extern const KernelEntry index_kernels[];
const KernelEntry index_kernels[] = {
    {"gather", gather},
    {"scatter", scatter},
    {"scatter_reduce", scatter_reduce},
    {"index_select", index_select},
    {"index_add", index_add},
    {"index_copy", index_copy},
    {"index_fill", index_fill},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
