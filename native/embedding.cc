// embedding and its backward: rows of a table read by index, and gradients added up per row. Semantics follow
// torch.nn.functional.embedding and aten::embedding_dense_backward.
#include "indexing.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace indexing;

/** A contiguous tensor as one dimension. */
TensorArg as_line(const TensorArg& t) {
  TensorArg r = t;
  r.ndim = 1;
  r.shape[0] = t.numel();
  r.strides[0] = 1;
  return r;
}

/** out[j] = weight[index[j]], row by row. */
template <class T>
bool copy_rows(const TensorArg& out, const TensorArg& weight, const TensorArg& index) {
  const i64 rows = weight.shape[0], columns = weight.shape[1], down = weight.strides[0], across = weight.strides[1];
  bool failed = false;
  parallel_for_any(index.shape[0], grain_of(columns), [&](i64 begin, i64 end) {
    for (i64 j = begin; j < end; j++) {
      const i64 v = index.as<i64>()[j];
      if (out_of_range(v, 0, rows)) return raise(failed);
      copy_strided(out.as<T>() + j * columns, i64(1), weight.as<T>() + v * down, across, columns);
    }
  });
  return failed;
}

void embedding(double* args) {
  Args a(args);
  TensorArg out, weight, index;
  a.tensor(out);
  a.tensor(weight);
  a.tensor(index);
  index = as_line(index);
  bool failed = false;
  by_size(weight.dtype, [&]<class T>() { failed = copy_rows<T>(out, weight, index); });
  report(args, failed, index, 0, weight.shape[0]);
}

/** How often each of the `size` rows occurs; false when an index is out of range. */
bool count_rows(const TensorArg& index, i64 size, i64* counts) {
  memset(counts, 0, static_cast<size_t>(size) * 8);
  const i64 n = index.shape[0];
  for (i64 j = 0; j < n; j++) {
    const i64 v = index.as<i64>()[j];
    if (out_of_range(v, 0, size)) return false;
    counts[v]++;
  }
  return true;
}

/** weight[index[j]] += grad[j] * scale for the columns [begin, end), rows in order. */
template <class T>
bool add_rows(const TensorArg& weight, const TensorArg& grad, const TensorArg& index, i64 padding,
              const i64* counts, i64 begin, i64 end) {
  const i64 columns = weight.shape[1], rows = weight.shape[0], n = index.shape[0];
  for (i64 j = 0; j < n; j++) {
    const i64 v = index.as<i64>()[j];
    if (out_of_range(v, 0, rows)) return false;
    if (v == padding) continue;
    T* to = weight.as<T>() + v * columns;
    const T* from = grad.as<T>() + j * columns;
    if (counts == nullptr) {
      for (i64 c = begin; c < end; c++) to[c] = static_cast<T>(to[c] + from[c]);
    } else {
      using Real = decltype([] {
        if constexpr (requires(T x) { x.re; }) return T().re;
        else return T();
      }());
      const Real scale = Real(1) / static_cast<Real>(counts[v]);
      for (i64 c = begin; c < end; c++) {
        if constexpr (requires { to[c].re; }) {
          to[c] = {to[c].re + from[c].re * scale, to[c].im + from[c].im * scale};
        } else {
          to[c] = static_cast<T>(to[c] + from[c] * scale);
        }
      }
    }
  }
  return true;
}

void embedding_backward(double* args) {
  Args a(args);
  TensorArg weight, grad, index;
  a.tensor(weight);
  a.tensor(grad);
  a.tensor(index);
  const i64 padding = a.integer();
  const bool by_frequency = a.flag();
  index = as_line(index);
  const i64 columns = weight.shape[1], rows = weight.shape[0];
  memset(weight.data, 0, static_cast<size_t>(weight.numel() * item_size(weight.dtype)));
  i64* counts = nullptr;
  bool failed = false;
  if (by_frequency) {
    counts = static_cast<i64*>(tt_scratch(1, static_cast<size_t>(rows) * 8 + 8));
    failed = !count_rows(index, rows, counts);
  }
  TensorArg to = weight, from = grad;
  if (is_half(weight.dtype)) {
    to = float_copy(weight, 2);
    from = float_copy(grad, 3);
  }
  i64 grain = grain_of(index.shape[0]);
  if (grain < 32) grain = 32;
  if (!failed) {
    by_ring(to.dtype, [&]<class T>() {
      parallel_for(columns, grain, [&](i64 begin, i64 end) {
        if (!add_rows<T>(to, from, index, padding, counts, begin, end)) raise(failed);
      });
    });
  }
  if (is_half(weight.dtype)) store_float_copy(weight, to);
  report(args, failed, index, 0, rows);
}

}  // namespace

extern const KernelEntry embedding_kernels[];
const KernelEntry embedding_kernels[] = {
    {"embedding", embedding},
    {"embedding_backward", embedding_backward},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
