// What the recurrent layers share: the order of their steps, and how rows of the batch are dealt to threads.
//
// A layer runs over packed rows: step t has sizes[t] rows (the longest sequences first, so sizes fall), one after the
// other. The part of its input was computed for all steps by one product; each step adds that of the hidden state.
// Rows of the batch do not meet before the weights' gradients, so a thread takes some rows through all steps.
#pragma once

#include "gemm_prepacked.h"
#include "rows.h"
#include "vmath.h"

namespace tt {
inline namespace KERNEL_NS {
namespace rnn {

using rows::each_vector;
using rows::get;
using rows::optional;
using rows::put;

/** Slots of scratch memory beside those of gemm (0 to 3). */
enum Slot : int { kWeights = 4, kProjection = 5, kRows = 6, kOffsets = 7 };

/** The steps in the order in which the layer runs them. */
struct Sequence {
  i64 steps, batch;
  const i64* sizes;
  const i64* offsets;
  bool reverse;

  i64 time(i64 s) const { return reverse ? steps - 1 - s : s; }
  /** Rows of the s-th step, and where they begin. */
  i64 size(i64 s) const { return s < 0 || s >= steps ? 0 : sizes[time(s)]; }
  i64 offset(i64 s) const { return offsets[time(s)]; }
};

/** Reads sizes [steps] (int64), the size of the batch and the direction. */
inline Sequence read_sequence(Args& a) {
  TensorArg sizes;
  a.tensor(sizes);
  Sequence q;
  q.steps = sizes.shape[0];
  q.sizes = sizes.as<i64>();
  q.batch = q.sizes[0];
  q.reverse = a.flag();
  i64* offsets = static_cast<i64*>(tt_scratch(kOffsets, static_cast<size_t>(q.steps + 1) * 8));
  offsets[0] = 0;
  for (i64 t = 0; t < q.steps; t++) offsets[t + 1] = offsets[t] + q.sizes[t];
  q.offsets = offsets;
  return q;
}

/** Calls run(begin, end) over rows of the batch: in one part, within which products take all threads, when the batch is
    small. */
template <class Run>
void over_batch(const Sequence& q, const Run& run) {
  const i64 threads = tt_num_threads();
  if (threads > 1 && q.batch >= 4 * threads) {
    parallel_for(q.batch, ceil_div(q.batch, threads), run);
  } else {
    run(i64(0), q.batch);
  }
}

template <class T>
T* scratch_rows(i64 count) {
  return static_cast<T*>(tt_scratch(kRows, static_cast<size_t>(count + 1) * sizeof(T)));
}

/** Packs w [n, k] for products with its transpose, or w [k, n] for products with itself. */
template <class T>
PackedB<T> pack_weight(Slot slot, const TensorArg& w, bool transposed) {
  const i64 n = w.shape[transposed ? 0 : 1], k = w.shape[transposed ? 1 : 0];
  T* to = static_cast<T*>(tt_scratch(slot, static_cast<size_t>(PackedB<T>::size(n, k)) * sizeof(T)));
  return prepack<T>(to, w.as<T>(), transposed ? 1 : w.strides[0], transposed ? w.strides[0] : 1, n, k);
}

template <class T>
void copy_row(T* to, const T* from, i64 n) {
  memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
}
/** The given values, or zeros. */
template <class T>
void fill_from(T* to, bool given, const TensorArg& from, i64 n) {
  if (given) {
    copy_row(to, from.as<T>(), n);
  } else {
    for (i64 i = 0; i < n; i++) to[i] = T(0);
  }
}

/** The hidden states on their way: h0 [batch, n], before [rows, n] (what each step started from), last [batch, n]. */
template <class T>
struct Hidden {
  const T* h0;
  T* before;
  T* last;
  i64 n;

  /** Rows from `begin` on that step s is the first to see. */
  void enter(const Sequence& q, i64 s, i64 begin, i64 end) const {
    i64 r = q.size(s - 1) > begin ? q.size(s - 1) : begin;
    for (; r < end; r++) copy_row(before + (q.offset(s) + r) * n, h0 + r * n, n);
  }
  /** Hands a row's state to the next step, or out of the layer. */
  void leave(const Sequence& q, i64 s, i64 r, const T* state) const {
    copy_row(r < q.size(s + 1) ? before + (q.offset(s + 1) + r) * n : last + r * n, state, n);
  }
};

/** Runs for float or double, after the dtype of a tensor. */
#define TT_RNN_BY_TYPE(TENSOR, ...) \
  if ((TENSOR).dtype == DType::F64) { \
    using T = double;                 \
    __VA_ARGS__;                      \
  } else {                            \
    using T = float;                  \
    __VA_ARGS__;                      \
  }

}  // namespace rnn
}  // namespace KERNEL_NS
}  // namespace tt
