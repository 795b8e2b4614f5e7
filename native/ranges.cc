// Sequences of numbers, and the indices of triangles.
#include "kernel.h"
#include "staging.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

constexpr i64 kBlock = 1024;

/**
 * args: out (1-d, real), start, step, end, middle, single. Element i is start + i * step before `middle`, and
 * end - (n - 1 - i) * step from there on, in double; rounded to float where `single`, then converted. The
 * caller sees to it that whole numbers lie in the range of doubles that are exact.
 */
void spaced(double* args) {
  Args a(args);
  TensorArg out;
  a.tensor(out);
  const double start = a.number(), step = a.number(), end = a.number();
  const i64 middle = a.integer();
  const bool single = a.flag();
  const bool whole = out.dtype < DType::F16;
  const i64 n = out.numel(), stride = out.ndim ? out.strides[0] : 1;
  parallel_for(n, 32768, [&](i64 from, i64 to) {
    double x[kBlock];
    i64 integers[kBlock];
    for (i64 first = from; first < to; first += kBlock) {
      const i64 count = to - first < kBlock ? to - first : kBlock;
      for (i64 k = 0; k < count; k++) {
        const double up = start + static_cast<double>(first + k) * step;
        const double down = end - static_cast<double>(n - 1 - first - k) * step;
        x[k] = first + k < middle ? up : down;
      }
      if (single)
        for (i64 k = 0; k < count; k++) x[k] = static_cast<double>(static_cast<float>(x[k]));
      char* target = out.data + first * stride * item_size(out.dtype);
      if (whole) {
        for (i64 k = 0; k < count; k++) integers[k] = static_cast<i64>(x[k]);
        store_convert(out.dtype, target, stride, DType::I64, integers, count);
      } else {
        store_convert(out.dtype, target, stride, DType::F64, x, count);
      }
    }
  });
}

/**
 * args: rows (I64, contiguous), cols (I64, contiguous), m, n, offset, lower. The coordinates of the elements of an
 * m x n matrix on and below (lower), or on and above, the diagonal `offset`, row by row. The caller has counted them.
 */
void triangle_indices(double* args) {
  Args a(args);
  TensorArg rows, cols;
  a.tensor(rows);
  a.tensor(cols);
  const i64 m = a.integer(), n = a.integer(), offset = a.integer();
  const bool lower = a.flag();
  i64 *row = rows.as<i64>(), *col = cols.as<i64>();
  const i64 total = rows.numel();
  i64 at = 0;
  for (i64 i = 0; i < m && at < total; i++) {
    i64 begin = lower || i + offset < 0 ? 0 : i + offset;
    i64 end = lower ? (i + offset + 1 < n ? i + offset + 1 : n) : n;
    if (end > n) end = n;
    for (i64 j = begin; j < end && at < total; j++, at++) {
      row[at] = i;
      col[at] = j;
    }
  }
}

}  // namespace

extern const KernelEntry ranges_kernels[];
const KernelEntry ranges_kernels[] = {
    {"spaced", spaced},
    {"triangle_indices", triangle_indices},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
