// Sums, means and maxima of bags of rows of a table, as torch.nn.functional.embedding_bag's.
#include "indexing.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace indexing;

enum Mode : i64 { kSum, kMean, kMax };

struct Bags {
  TensorArg out, weight, index, starts, factors, counts, best;
  bool weighted;
  Mode mode;
  i64 padding;
};

/** out += row * factor, over n columns. */
template <class T>
TT_INLINE void add_row(T* out, const T* row, T factor, i64 n) {
  for (i64 c = 0; c < n; c++) out[c] += row[c] * factor;
}

/** The first of the largest values wins; NaN is larger than all. */
template <class T>
TT_INLINE void take_larger(T* out, i64* best, const T* row, i64 position, bool first, i64 n) {
  for (i64 c = 0; c < n; c++) {
    if (!first && !(row[c] > out[c] || (row[c] != row[c] && out[c] == out[c]))) continue;
    out[c] = row[c];
    best[c] = position;
  }
}

/** One bag; false when an index is out of range. */
template <class T>
bool run_bag(const Bags& b, i64 bag) {
  const i64 rows = b.weight.shape[0], columns = b.weight.shape[1];
  const i64* index = b.index.as<i64>();
  T* out = b.out.as<T>() + bag * columns;
  i64* best = b.mode == kMax ? b.best.as<i64>() + bag * columns : nullptr;
  memset(out, 0, static_cast<size_t>(columns) * sizeof(T));
  if (best)
    for (i64 c = 0; c < columns; c++) best[c] = -1;
  i64 count = 0;
  for (i64 j = b.starts.as<i64>()[bag]; j < b.starts.as<i64>()[bag + 1]; j++) {
    const i64 v = index[j];
    if (out_of_range(v, 0, rows)) return false;
    if (v == b.padding) continue;
    const T* row = b.weight.as<T>() + v * columns;
    if (b.mode == kMax) {
      take_larger(out, best, row, j, count == 0, columns);
    } else {
      add_row(out, row, b.weighted ? b.factors.as<T>()[j] : T(1), columns);
    }
    count++;
  }
  b.counts.as<i64>()[bag] = count;
  if (b.mode == kMean && count > 1)
    for (i64 c = 0; c < columns; c++) out[c] /= static_cast<T>(count);
  return true;
}

/**
 * args: out [bags, columns], weight [rows, columns], index (I64) [n], starts (I64) [bags + 1], whether factors follow,
 * factors [n], mode (0 sum, 1 mean, 2 max), padding (-1: none), counts (I64) [bags], and for max best (I64) [bags,
 * columns], the places in `index` of the largest. All contiguous, floats of one dtype, F32 or F64; starts lie in [0, n]
 * in order. Results: status as index kernels report it.
 */
void embedding_bag(double* args) {
  Args a(args);
  Bags b;
  a.tensor(b.out);
  a.tensor(b.weight);
  a.tensor(b.index);
  a.tensor(b.starts);
  b.weighted = a.flag();
  if (b.weighted) a.tensor(b.factors);
  b.mode = static_cast<Mode>(a.integer());
  b.padding = a.integer();
  a.tensor(b.counts);
  if (b.mode == kMax) a.tensor(b.best);
  bool failed = false;
  const i64 bags = b.out.shape[0];
  const i64 each = bags > 0 ? b.index.numel() / bags * b.weight.shape[1] : 1;
  parallel_for(bags, grain_of(each > 0 ? each : 1), [&](i64 begin, i64 end) {
    for (i64 bag = begin; bag < end; bag++) {
      const bool fine = b.out.dtype == DType::F64 ? run_bag<double>(b, bag) : run_bag<float>(b, bag);
      if (!fine) return raise(failed);
    }
  });
  report(args, failed, b.index, 0, b.weight.shape[0]);
}

}  // namespace

extern const KernelEntry embedding_bag_kernels[];
const KernelEntry embedding_bag_kernels[] = {
    {"embedding_bag", embedding_bag},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
