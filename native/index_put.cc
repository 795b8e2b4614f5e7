// Advanced indexing (x[i, j] read and written), take and put, masks and nonzero. Semantics follow
// torch.Tensor.index_put_, take, put_, masked_select, masked_scatter_ and nonzero.
#include "indexing.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace indexing;

// ---- x[i, j, ...] ------------------------------------------------------------------------------------

/** Index tensors of one shape that address the first `count` dimensions of a tensor; negatives wrap. */
struct IndexList {
  int count;
  TensorArg* tensors;
  Walk<1>* walks;
  i64 sizes[kMaxDims];
  i64 steps[kMaxDims];

  void read(Args& a, int n) {
    count = n;
    tensors = static_cast<TensorArg*>(tt_scratch(6, sizeof(TensorArg) * static_cast<size_t>(n + 1)));
    walks = static_cast<Walk<1>*>(tt_scratch(7, sizeof(Walk<1>) * static_cast<size_t>(n + 1)));
    for (int i = 0; i < n; i++) {
      a.tensor(tensors[i]);
      walks[i] = walk_over(tensors[i]);
    }
  }
  void address(const TensorArg& t) {
    for (int i = 0; i < count; i++) {
      sizes[i] = t.shape[i];
      steps[i] = t.strides[i];
    }
  }
  i64 positions() const { return tensors[0].numel(); }
  int ndim() const { return tensors[0].ndim; }

  /** The element offsets of positions [begin, begin + n); false when an index is out of range. */
  bool offsets(i64 begin, i64 n, i64* to) const {
    bool ok = true;
    for (int i = 0; ok && i < count; i++) ok = add(i, begin, n, i == 0, to);
    return ok;
  }

 private:
  bool add(int i, i64 begin, i64 n, bool first, i64* to) const {
    const i64* base = tensors[i].as<i64>();
    const i64 size = sizes[i], step = steps[i], stride = walks[i].inner_stride(0);
    i64 bad = 0;
    walks[i].run(begin, begin + n, [&](const i64* off, i64 m) {
      const i64* p = base + off[0];
      for (i64 j = 0; j < m; j++) {
        i64 v = p[j * stride];
        bad |= static_cast<i64>(v < -size) | static_cast<i64>(v >= size);
        v += (v >> 63) & size;
        to[j] = (first ? 0 : to[j]) + static_cast<i64>(static_cast<uint64_t>(v) * static_cast<uint64_t>(step));
      }
      to += m;
      return true;
    });
    return bad == 0;
  }
};

/** The status of several index tensors: args[3] says which of them held the bad value. */
void report_list(double* args, bool failed, const IndexList& list) {
  args[0] = 0;
  if (!failed) return;
  for (int i = 0; i < list.count && args[0] == 0; i++) {
    // A tensor without a bad value leaves args[1] alone; so ask with a mark that no index can be.
    args[1] = 0.5;
    report(args, true, list.tensors[i], -list.sizes[i], list.sizes[i]);
    if (args[1] == 0.5) args[0] = 0;
    args[3] = i;
  }
}

constexpr i64 kBlock = 512;

/** The walk over the dimensions of t that index tensors shaped like list.tensors[0] span. */
Walk<1> walk_positions(const TensorArg& t, int ndim) { return walk_over<1>(t.shape, 0, ndim, {t.strides}); }

/** Offsets of positions [begin, begin + n) of a walk. */
void plain_offsets(const Walk<1>& walk, i64 begin, i64 n, i64* to) {
  const i64 stride = walk.inner_stride(0);
  walk.run(begin, begin + n, [&](const i64* off, i64 m) {
    for (i64 j = 0; j < m; j++) to[j] = off[0] + j * stride;
    to += m;
    return true;
  });
}

/**
 * Calls op(indexed element, other element) for the positions [begin, end) of the index tensors and the
 * elements [rest_begin, rest_end) of the dimensions that are not indexed.
 */
template <class T, class Op>
bool each_indexed(const IndexList& list, const Walk<1>& positions, const Walk<2>& rest, T* indexed, T* other,
                  i64 begin, i64 end, i64 rest_begin, i64 rest_end, const Op& op) {
  i64 at_indexed[kBlock], at_other[kBlock];
  const i64 sa = rest.inner_stride(0), sb = rest.inner_stride(1);
  for (i64 b = begin; b < end; b += kBlock) {
    const i64 n = end - b < kBlock ? end - b : kBlock;
    if (!list.offsets(b, n, at_indexed)) return false;
    plain_offsets(positions, b, n, at_other);
    if (rest.count == 1) {
      for (i64 j = 0; j < n; j++) op(indexed[at_indexed[j]], other[at_other[j]]);
      continue;
    }
    for (i64 j = 0; j < n; j++) {
      T *x = indexed + at_indexed[j], *y = other + at_other[j];
      rest.run(rest_begin, rest_end, [&](const i64* off, i64 m) {
        T *p = x + off[0], *q = y + off[1];
        if (sa == 1 && sb == 1) {
          for (i64 c = 0; c < m; c++) op(p[c], q[c]);
        } else {
          for (i64 c = 0; c < m; c++) op(p[c * sa], q[c * sb]);
        }
        return true;
      });
    }
  }
  return true;
}

/** Walk over the dimensions of `indexed` behind the indexed ones; operand 0 is it, operand 1 the other. */
Walk<2> walk_rest(const IndexList& list, const TensorArg& indexed, const TensorArg& other) {
  Walk<2> rest;
  for (int d = list.count; d < indexed.ndim; d++) {
    rest.add(indexed.shape[d], {indexed.strides[d], other.strides[d - list.count + list.ndim()]});
  }
  return rest;
}

/** out = in[list]: positions are independent, threads share them out. */
bool read_indexed(const IndexList& list, const TensorArg& in, const TensorArg& out) {
  const Walk<1> positions = walk_positions(out, list.ndim());
  const Walk<2> rest = walk_rest(list, in, out);
  bool failed = false;
  by_size(in.dtype, [&]<class T>() {
    parallel_for(list.positions(), grain_of(rest.count), [&](i64 begin, i64 end) {
      if (!each_indexed(list, positions, rest, in.as<T>(), out.as<T>(), begin, end, 0, rest.count,
                        [](T& x, T& y) { y = x; })) {
        raise(failed);
      }
    });
  });
  return failed;
}

/** op(self[list], values): positions may repeat, so threads share out the dimensions behind the indexed ones. */
template <class T, class Op>
bool write_indexed(const IndexList& list, const TensorArg& self, const TensorArg& values, const Op& op) {
  const Walk<1> positions = walk_positions(values, list.ndim());
  const Walk<2> rest = walk_rest(list, self, values);
  bool failed = false;
  const i64 n = list.positions();
  i64 grain = grain_of(n);
  if (grain < 64) grain = 64;
  parallel_for(rest.count, grain, [&](i64 begin, i64 end) {
    if (!each_indexed(list, positions, rest, self.as<T>(), values.as<T>(), 0, n, begin, end, op)) raise(failed);
  });
  return failed;
}

bool put_indexed(const IndexList& list, const TensorArg& self, const TensorArg& values, bool accumulate) {
  bool failed = false;
  if (!accumulate) {
    by_size(self.dtype, [&]<class T>() {
      failed = write_indexed<T>(list, self, values, [](T& x, T& y) { x = y; });
    });
  } else {
    by_ring(self.dtype, [&]<class T>() {
      failed = write_indexed<T>(list, self, values, [](T& x, T& y) { x = static_cast<T>(x + y); });
    });
  }
  return failed;
}

/** Accumulating halves goes through a float copy of self, so that many small terms are not lost. */
bool put_any(IndexList& list, const TensorArg& self, const TensorArg& values, bool accumulate) {
  if (!accumulate || !is_half(self.dtype)) {
    list.address(self);
    return put_indexed(list, self, values, accumulate);
  }
  const TensorArg to = float_copy(self, 2);
  list.address(to);
  const bool failed = put_indexed(list, to, float_copy(values, 3), true);
  store_float_copy(self, to);
  return failed;
}

void index(double* args) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  IndexList list;
  list.read(a, static_cast<int>(a.integer()));
  list.address(in);
  report_list(args, read_indexed(list, in, out), list);
}

void index_put(double* args) {
  Args a(args);
  TensorArg self, values;
  a.tensor(self);
  IndexList list;
  list.read(a, static_cast<int>(a.integer()));
  a.tensor(values);
  const bool accumulate = a.flag();
  report_list(args, put_any(list, self, values, accumulate), list);
}

/** A contiguous tensor as one dimension. */
void flatten(TensorArg& t) {
  t.shape[0] = t.numel();
  t.ndim = 1;
  t.strides[0] = 1;
}

void take(double* args) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  IndexList list;
  list.read(a, 1);
  flatten(in);
  list.address(in);
  report_list(args, read_indexed(list, in, out), list);
}

void put(double* args) {
  Args a(args);
  TensorArg self, source;
  a.tensor(self);
  IndexList list;
  list.read(a, 1);
  a.tensor(source);
  const bool accumulate = a.flag();
  flatten(self);
  report_list(args, put_any(list, self, source, accumulate), list);
}

// ---- masks and nonzero -------------------------------------------------------------------------------

constexpr i64 kChunk = 32768;

/**
 * Calls each(chunk begin, chunk end, trues before the chunk) for chunks of [0, n), in several threads, after
 * count(begin, end) has said how many trues every chunk has. Returns the number of trues.
 */
template <class Count, class Each>
i64 by_chunks(i64 n, const Count& count, const Each& each) {
  const i64 chunks = (n + kChunk - 1) / kChunk;
  i64* before = static_cast<i64*>(tt_scratch(0, static_cast<size_t>(chunks + 1) * 8));
  const auto end_of = [n](i64 c) { return (c + 1) * kChunk < n ? (c + 1) * kChunk : n; };
  parallel_for(chunks, 1, [&](i64 begin, i64 end) {
    for (i64 c = begin; c < end; c++) before[c] = count(c * kChunk, end_of(c));
  });
  i64 total = 0;
  for (i64 c = 0; c < chunks; c++) {
    const i64 here = before[c];
    before[c] = total;
    total += here;
  }
  before[chunks] = total;
  parallel_for(chunks, 1, [&](i64 begin, i64 end) {
    for (i64 c = begin; c < end; c++) each(c * kChunk, end_of(c), before[c], before[c + 1]);
  });
  return total;
}

template <class T>
TT_INLINE bool truth(T x) {
  if constexpr (requires { x.re; }) {
    return x.re != 0 || x.im != 0;
  } else {
    return x != T(0);
  }
}

/** Halves: the sign bit of a zero does not count. */
struct Half {
  uint16_t bits;
};
template <>
TT_INLINE bool truth<Half>(Half x) {
  return (x.bits & 0x7fff) != 0;
}

/** Calls f.operator()<T>() with the type whose truth() the dtype has. */
template <class F>
void by_truth(DType t, const F& f) {
  if (is_half(t)) {
    f.template operator()<Half>();
  } else if (t == DType::Bool) {
    f.template operator()<uint8_t>();
  } else {
    by_ring(t, f);
  }
}

template <class T, int N>
i64 count_trues(const T* base, const Walk<N>& walk, i64 begin, i64 end) {
  i64 total = 0;
  const i64 step = walk.inner_stride(0);
  walk.run(begin, end, [&](const i64* off, i64 n) {
    const T* p = base + off[0];
    if (step == 1) {
      for (i64 j = 0; j < n; j++) total += truth(p[j]);
    } else {
      for (i64 j = 0; j < n; j++) total += truth(p[j * step]);
    }
    return true;
  });
  return total;
}

/** args[0] = how many elements are not zero. Any dtype, any strides. */
void nonzero_count(double* args) {
  Args a(args);
  TensorArg in;
  a.tensor(in);
  const Walk<1> walk = walk_over(in);
  i64 total = 0;
  by_truth(in.dtype, [&]<class T>() {
    parallel_for(walk.count, kChunk, [&](i64 begin, i64 end) {
      __atomic_fetch_add(&total, count_trues(in.as<T>(), walk, begin, end), __ATOMIC_RELAXED);
    });
  });
  args[0] = static_cast<double>(total);
}

template <class T>
void masked_select_typed(const TensorArg& out, const TensorArg& in, const TensorArg& mask) {
  const Walk<2> walk = walk_over<2>(in.shape, 0, in.ndim, {mask.strides, in.strides});
  const i64 sm = walk.inner_stride(0), si = walk.inner_stride(1);
  const uint8_t* m = mask.as<uint8_t>();
  by_chunks(
      walk.count, [&](i64 begin, i64 end) { return count_trues(m, walk, begin, end); },
      [&](i64 begin, i64 end, i64 from, i64 to) {
        T *o = out.as<T>() + from, *stop = out.as<T>() + to;
        walk.run(begin, end, [&](const i64* off, i64 n) {
          const uint8_t* p = m + off[0];
          const T* x = in.as<T>() + off[1];
          // Writes every element and keeps the selected: no branch to mispredict.
          for (i64 j = 0; j < n && o < stop; j++) {
            *o = x[j * si];
            o += p[j * sm] != 0;
          }
          return o < stop;
        });
      });
}

void masked_select(double* args) {
  Args a(args);
  TensorArg out, in, mask;
  a.tensor(out);
  a.tensor(in);
  a.tensor(mask);
  by_size(in.dtype, [&]<class T>() { masked_select_typed<T>(out, in, mask); });
}

template <class T>
i64 masked_scatter_typed(const TensorArg& self, const TensorArg& mask, const TensorArg& source) {
  const Walk<2> walk = walk_over<2>(self.shape, 0, self.ndim, {mask.strides, self.strides});
  const i64 sm = walk.inner_stride(0), ss = walk.inner_stride(1), available = source.numel();
  const uint8_t* m = mask.as<uint8_t>();
  return by_chunks(
      walk.count, [&](i64 begin, i64 end) { return count_trues(m, walk, begin, end); },
      [&](i64 begin, i64 end, i64 from, i64) {
        i64 next = from;
        walk.run(begin, end, [&](const i64* off, i64 n) {
          const uint8_t* p = m + off[0];
          T* x = self.as<T>() + off[1];
          for (i64 j = 0; j < n; j++) {
            if (!p[j * sm]) continue;
            if (next >= available) return false;
            x[j * ss] = source.as<T>()[next++];
          }
          return true;
        });
      });
}

/** Status 1 when the mask asks for more elements than source has: args[1] how many it asks for. */
void masked_scatter(double* args) {
  Args a(args);
  TensorArg self, mask, source;
  a.tensor(self);
  a.tensor(mask);
  a.tensor(source);
  i64 wanted = 0;
  by_size(self.dtype, [&]<class T>() { wanted = masked_scatter_typed<T>(self, mask, source); });
  args[0] = wanted > source.numel();
  args[1] = static_cast<double>(wanted);
}

/** Writes the coordinates of the trues among the positions [begin, end) to rows of `out` from `row` on. */
template <class T>
void coordinates(const TensorArg& out, const TensorArg& in, i64 begin, i64 end, i64 row, i64 stop) {
  i64 at[kMaxDims], offset = 0, rest = begin;
  const int ndim = in.ndim, last = ndim - 1;
  for (int d = last; d >= 0; d--) {
    at[d] = rest % in.shape[d];
    rest /= in.shape[d];
    offset += at[d] * in.strides[d];
  }
  i64* to = out.as<i64>();
  const i64 down = out.strides[0], across = out.strides[1], step = in.strides[last];
  for (i64 left = end - begin; left > 0 && row < stop;) {
    const i64 room = in.shape[last] - at[last], n = room < left ? room : left, first = row;
    const T* p = in.as<T>() + offset;
    for (i64 j = 0; j < n && row < stop; j++) {
      to[row * down + last * across] = at[last] + j;
      row += truth(p[j * step]);
    }
    for (int d = 0; d < last; d++) {
      for (i64 r = first; r < row; r++) to[r * down + d * across] = at[d];
    }
    left -= n;
    offset -= at[last] * step;
    at[last] = 0;
    for (int d = last - 1; d >= 0; d--) {
      offset += in.strides[d];
      if (++at[d] < in.shape[d]) break;
      offset -= in.shape[d] * in.strides[d];
      at[d] = 0;
    }
  }
}

void nonzero(double* args) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  if (in.ndim == 0) return;  // [n, 0]: nothing to write
  const Walk<1> walk = walk_over(in);
  by_truth(in.dtype, [&]<class T>() {
    by_chunks(
        walk.count, [&](i64 begin, i64 end) { return count_trues(in.as<T>(), walk, begin, end); },
        [&](i64 begin, i64 end, i64 from, i64 to) { coordinates<T>(out, in, begin, end, from, to); });
  });
}

}  // namespace

extern const KernelEntry index_put_kernels[];
const KernelEntry index_put_kernels[] = {
    {"index", index},
    {"index_put", index_put},
    {"take", take},
    {"put", put},
    {"nonzero_count", nonzero_count},
    {"count_nonzero_mask", nonzero_count},
    {"nonzero", nonzero},
    {"masked_select", masked_select},
    {"masked_scatter", masked_scatter},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
