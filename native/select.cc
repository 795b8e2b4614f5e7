// Order statistics of rows: topk, kthvalue, median, nanmedian and mode. Semantics follow the PyTorch functions
// of those names, except that where PyTorch leaves the choice among equal elements open, the stable order
// decides (mode: the last of them).
#include "ordering.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace indexing;

/**
 * Gathers the k first (in key order) of n elements in `best`, room for 2 * k + kBlock, unordered. Elements that
 * cannot be among them are turned away a block at a time by the largest key still of use.
 */
template <class K>
void first_k(const typename K::Item* in, i64 step, i64 n, i64 k, typename K::Item flip, typename Packing<K>::P* best) {
  using Item = typename K::Item;
  using Pk = Packing<K>;
  constexpr i64 kBlock = 64;
  Item limit = 0;
  bool limited = false;  // an equal key comes later than the k held, so it cannot replace one
  i64 held = 0;
  Item keys[kBlock];
  for (i64 b = 0; b < n; b += kBlock) {
    const i64 m = n - b < kBlock ? n - b : kBlock;
    Item least = static_cast<Item>(~Item(0));
    for (i64 j = 0; j < m; j++) {
      keys[j] = static_cast<Item>(K::key(in[(b + j) * step]) ^ flip);
      least = keys[j] < least ? keys[j] : least;
    }
    if (limited && least >= limit) continue;
    for (i64 j = 0; j < m; j++) {
      best[held] = Pk::with_key(keys[j], b + j);
      held += !limited || keys[j] < limit;
    }
    if (held < 2 * k) continue;
    select_smallest(best, held, k);
    held = k;
    limit = Pk::key(best[k - 1]);
    limited = true;
  }
  if (held > k) select_smallest(best, held, k);
}

template <class K>
void topk_typed(const RowArgs& r, i64 k, bool largest) {
  using Item = typename K::Item;
  using P = typename Packing<K>::P;
  const Item flip = Packing<K>::flip(largest);
  r.each([&](i64 v, i64 i, i64 x) {
    P *a, *b;
    scratch_pair(2 * k + 64 > r.n ? 2 * k + 64 : r.n, a, b);
    const Item* in = r.in.as<Item>() + x;
    if (k >= r.n / 4) {
      pack_row<K>(in, r.step_in, 0, r.n, flip, a);
      if (k < r.n) select_smallest(a, r.n, k);
    } else {
      first_k<K>(in, r.step_in, r.n, k, flip, a);
    }
    const P* sorted = merge_sort(a, b, k);
    for (i64 j = 0; j < k; j++) {
      const i64 at = Packing<K>::index(sorted[j]);
      r.values.as<Item>()[v + j * r.step_values] = in[at * r.step_in];
      r.indices.as<i64>()[i + j * r.step_indices] = at;
    }
  });
}

/** The k results come sorted, which torch.topk(sorted=False) allows too. */
void topk(double* args) {
  Args a(args);
  RowArgs r;
  r.read(a);
  const i64 k = a.integer();
  const bool largest = a.flag();
  if (r.rows.count == 0 || k == 0) return;
  by_key(r.in.dtype, [&]<class K>() { topk_typed<K>(r, k, largest); });
}

/** Writes the element that pick(row, row's packed values, scratch) chooses of every row. */
template <class K, class Pick>
void choose(const RowArgs& r, const Pick& pick) {
  using Item = typename K::Item;
  using P = typename Packing<K>::P;
  r.each([&](i64 v, i64 i, i64 x) {
    P *a, *b;
    scratch_pair(r.n, a, b);
    const Item* in = r.in.as<Item>() + x;
    pack_row<K>(in, r.step_in, 0, r.n, Item(0), a);
    const i64 at = pick(in, a, b);
    r.values.as<Item>()[v] = in[at * r.step_in];
    r.indices.as<i64>()[i] = at;
  });
}

/** k counts from 1. */
void kthvalue(double* args) {
  Args a(args);
  RowArgs r;
  r.read(a);
  const i64 k = a.integer();
  if (r.rows.count == 0 || r.n == 0) return;
  by_key(r.in.dtype, [&]<class K>() {
    choose<K>(r, [&](const typename K::Item*, auto* packed, auto*) {
      select_smallest(packed, r.n, k);
      return Packing<K>::index(packed[k - 1]);
    });
  });
}

/** The lower of the two middle elements; a NaN (the first) beats all, or is left out when skip_nan. */
template <class K>
void median_typed(const RowArgs& r, bool skip_nan) {
  choose<K>(r, [&](const typename K::Item* in, auto* packed, auto*) {
    i64 nans = 0;
    for (i64 j = 0; j < r.n; j++) nans += K::nan(in[j * r.step_in]);
    if (nans == r.n) return i64(0);
    i64 k = (r.n - nans + 1) / 2;
    if (nans > 0 && !skip_nan) k = r.n - nans + 1;
    select_smallest(packed, r.n, k);
    return Packing<K>::index(packed[k - 1]);
  });
}

void median_any(double* args, bool skip_nan) {
  Args a(args);
  RowArgs r;
  r.read(a);
  if (r.rows.count == 0 || r.n == 0) return;
  by_key(r.in.dtype, [&]<class K>() { median_typed<K>(r, skip_nan); });
}

void median(double* args) { median_any(args, false); }
void nanmedian(double* args) { median_any(args, true); }

/** The smallest of the most frequent values and the last of its places; every NaN is a value of its own. */
template <class K>
i64 most_frequent(const typename K::Item* in, i64 step, i64 n, const typename Packing<K>::P* sorted) {
  i64 best = 0, longest = 0, length = 0;
  for (i64 j = 0; j < n; j++) {
    length++;
    const i64 at = Packing<K>::index(sorted[j]);
    const bool ends = j + 1 == n || Packing<K>::key(sorted[j]) != Packing<K>::key(sorted[j + 1]) || K::nan(in[at * step]);
    if (!ends) continue;
    if (length > longest) {
      longest = length;
      best = at;
    }
    length = 0;
  }
  return best;
}

void mode(double* args) {
  Args a(args);
  RowArgs r;
  r.read(a);
  if (r.rows.count == 0 || r.n == 0) return;
  by_key(r.in.dtype, [&]<class K>() {
    choose<K>(r, [&](const typename K::Item* in, auto* packed, auto* room) {
      const auto* sorted = sort_packed(packed, room, r.n, Packing<K>::kShift, Packing<K>::kKeyBits);
      return most_frequent<K>(in, r.step_in, r.n, sorted);
    });
  });
}

}  // namespace

extern const KernelEntry select_kernels[];
const KernelEntry select_kernels[] = {
    {"topk", topk},     {"kthvalue", kthvalue}, {"median", median}, {"nanmedian", nanmedian},
    {"mode", mode},     {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
