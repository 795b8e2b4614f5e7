// sort, unique and unique_consecutive. Semantics follow torch.sort, torch.unique and torch.unique_consecutive.
//
// Kernel `sort`: values, indices I64, in, dim, descending, stable. Not stable: equal elements of rows below kUnstableBelow
// come in PyTorch's order, longer rows are sorted stably, which is faster.
#include "introsort.h"
#include "ordering.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace indexing;

constexpr i64 kParallelFrom = 65536;
constexpr i64 kUnstableBelow = 32768;
constexpr int kDigitBits = 11;
constexpr int kBuckets = 1 << kDigitBits;
constexpr int kMaxParts = 16;

/** One pass of the radix sort below, shared out: every part counts its digits, then moves its values. */
template <class P>
struct RadixPass {
  const P* from;
  P* to;
  i64 n;
  int parts, down;
  uint32_t* counts;  // [parts][kBuckets]

  i64 begin_of(i64 part) const { return n * part / parts; }
  uint32_t digit(P x) const { return static_cast<uint32_t>(x >> down) & (kBuckets - 1); }

  void count() const {
    parallel_for(parts, 1, [&](i64 first, i64 last) {
      for (i64 part = first; part < last; part++) {
        uint32_t* c = counts + part * kBuckets;
        memset(c, 0, sizeof(uint32_t) * kBuckets);
        for (i64 i = begin_of(part); i < begin_of(part + 1); i++) c[digit(from[i])]++;
      }
    });
  }
  /** Counts to places; false when all digits are equal, so that nothing need move. */
  bool place() const {
    uint32_t sum = 0;
    for (int v = 0; v < kBuckets; v++) {
      const uint32_t before = sum;
      for (int part = 0; part < parts; part++) {
        uint32_t& c = counts[part * kBuckets + v];
        const uint32_t here = c;
        c = sum;
        sum += here;
      }
      if (sum - before == n) return false;
    }
    return true;
  }
  void move() const {
    parallel_for(parts, 1, [&](i64 first, i64 last) {
      for (i64 part = first; part < last; part++) {
        uint32_t* at = counts + part * kBuckets;
        for (i64 i = begin_of(part); i < begin_of(part + 1); i++) to[at[digit(from[i])]++] = from[i];
      }
    });
  }
};

/** The key bits that are not the same in all n values. */
template <class P>
uint64_t varying_bits(const P* a, i64 n, int parts, int shift) {
  uint64_t seen[kMaxParts] = {};
  const uint64_t first = static_cast<uint64_t>(a[0] >> shift);
  parallel_for(parts, 1, [&](i64 begin, i64 end) {
    for (i64 part = begin; part < end; part++) {
      uint64_t bits = 0;
      for (i64 i = n * part / parts; i < n * (part + 1) / parts; i++) bits |= static_cast<uint64_t>(a[i] >> shift) ^ first;
      seen[part] = bits;
    }
  });
  for (int part = 1; part < parts; part++) seen[0] |= seen[part];
  return seen[0];
}

/** Sorts one long row in several threads; the result does not depend on how many. */
template <class P>
P* parallel_radix_sort(P* a, P* b, i64 n, int shift, int key_bits) {
  const int threads = tt_num_threads();
  const int parts = threads < kMaxParts ? threads : kMaxParts;
  uint32_t* counts = static_cast<uint32_t*>(tt_scratch(2, sizeof(uint32_t) * kBuckets * kMaxParts));
  const uint64_t varying = varying_bits(a, n, parts, shift);
  for (int d = 0; d * kDigitBits < key_bits; d++) {
    if (((varying >> (d * kDigitBits)) & (kBuckets - 1)) == 0) continue;
    const RadixPass<P> pass{a, b, n, parts, shift + d * kDigitBits, counts};
    pass.count();
    if (!pass.place()) continue;
    pass.move();
    P* t = a;
    a = b;
    b = t;
  }
  return a;
}

template <class K>
typename Packing<K>::P* sort_long_row(const typename K::Item* in, i64 step, i64 n, typename K::Item flip) {
  using P = typename Packing<K>::P;
  P *a, *b;
  scratch_pair(n, a, b);
  parallel_for(n, kGrain, [&](i64 begin, i64 end) { pack_row<K>(in, step, begin, end, flip, a); });
  if (n < kParallelFrom || n >= (i64(1) << 32)) return sort_packed(a, b, n, Packing<K>::kShift, Packing<K>::kKeyBits);
  return parallel_radix_sort(a, b, n, Packing<K>::kShift, Packing<K>::kKeyBits);
}

template <class K>
TT_INLINE void unpack_row(const typename Packing<K>::P* from, const typename K::Item* in, i64 step,
                          typename K::Item* values, i64 step_values, i64* indices, i64 step_indices, i64 begin,
                          i64 end) {
  for (i64 j = begin; j < end; j++) {
    const i64 at = Packing<K>::index(from[j]);
    values[j * step_values] = in[at * step];
    indices[j * step_indices] = at;
  }
}

/** Sorts a packed row; equal keys, where there are any, in the order of PyTorch's default sort unless `stable`. */
template <class K, class Pack>
typename Packing<K>::P* sort_row(i64 n, bool stable, const Pack& pack) {
  using P = typename Packing<K>::P;
  constexpr int kShift = Packing<K>::kShift;
  P *a, *b;
  scratch_pair(n, a, b);
  pack(a);
  P* sorted = sort_packed(a, b, n, kShift, Packing<K>::kKeyBits);
  if (stable || n <= 16 || n >= kUnstableBelow) return sorted;
  bool ties = false;
  for (i64 j = 1; j < n && !ties; j++) ties = (sorted[j] >> kShift) == (sorted[j - 1] >> kShift);
  if (!ties) return sorted;
  pack(a);
  Introsort<P, kShift>::run(a, n);
  return a;
}

template <class K>
void sort_typed(const RowArgs& r, bool descending, bool stable) {
  using Item = typename K::Item;
  using P = typename Packing<K>::P;
  const Item flip = Packing<K>::flip(descending);
  if (r.rows.count < 2 * tt_num_threads() && r.n >= kParallelFrom) {
    r.rows.run(0, r.rows.count, [&](const i64* off, i64 m) {
      for (i64 j = 0; j < m; j++) {
        Item* values = r.values.as<Item>() + off[0] + j * r.rows.inner_stride(0);
        i64* indices = r.indices.as<i64>() + off[1] + j * r.rows.inner_stride(1);
        const Item* in = r.in.as<Item>() + off[2] + j * r.rows.inner_stride(2);
        const P* sorted = sort_long_row<K>(in, r.step_in, r.n, flip);
        parallel_for(r.n, kGrain, [&](i64 begin, i64 end) {
          unpack_row<K>(sorted, in, r.step_in, values, r.step_values, indices, r.step_indices, begin, end);
        });
      }
      return true;
    });
    return;
  }
  r.each([&](i64 v, i64 i, i64 x) {
    const Item* in = r.in.as<Item>() + x;
    const P* sorted = sort_row<K>(r.n, stable, [&](P* to) { pack_row<K>(in, r.step_in, 0, r.n, flip, to); });
    unpack_row<K>(sorted, in, r.step_in, r.values.as<Item>() + v, r.step_values, r.indices.as<i64>() + i,
                  r.step_indices, 0, r.n);
  });
}

void sort(double* args) {
  Args a(args);
  RowArgs r;
  r.read(a);
  const bool descending = a.flag(), stable = a.flag();
  if (r.rows.count == 0 || r.n == 0) return;
  by_key(r.in.dtype, [&]<class K>() { sort_typed<K>(r, descending, stable); });
}

// ---- unique ------------------------------------------------------------------------------------------

/** The (values, inverse, counts) of unique; an output of no elements was not asked for. */
struct UniqueArgs {
  TensorArg values, inverse, counts, in;
  i64* inverse_or_null;
  i64* counts_or_null;

  void read(Args& a) {
    a.tensor(values);
    a.tensor(inverse);
    a.tensor(counts);
    a.tensor(in);
    inverse_or_null = inverse.numel() > 0 ? inverse.as<i64>() : nullptr;
    counts_or_null = counts.numel() > 0 ? counts.as<i64>() : nullptr;
  }
};

template <class K>
i64 unique_typed(const UniqueArgs& u) {
  using Item = typename K::Item;
  const i64 n = u.in.numel();
  const Item* in = u.in.as<Item>();
  const auto* sorted = sort_long_row<K>(in, 1, n, Item(0));
  Item* values = u.values.as<Item>();
  i64 groups = 0, first = 0;
  for (i64 j = 0; j < n; j++) {
    const i64 at = Packing<K>::index(sorted[j]);
    // Two NaNs are different values.
    if (j == 0 || Packing<K>::key(sorted[j]) != Packing<K>::key(sorted[j - 1]) || K::nan(in[at])) {
      if (u.counts_or_null && groups > 0) u.counts_or_null[groups - 1] = j - first;
      values[groups++] = in[at];
      first = j;
    }
    if (u.inverse_or_null) u.inverse_or_null[at] = groups - 1;
  }
  if (u.counts_or_null) u.counts_or_null[groups - 1] = n - first;
  return groups;
}

void unique(double* args) {
  Args a(args);
  UniqueArgs u;
  u.read(a);
  i64 groups = 0;
  if (u.in.numel() > 0) by_key(u.in.dtype, [&]<class K>() { groups = unique_typed<K>(u); });
  args[0] = static_cast<double>(groups);
}

template <class T, class Same>
i64 consecutive_typed(const UniqueArgs& u, const Same& same) {
  const i64 n = u.in.numel();
  const T* in = u.in.as<T>();
  T* values = u.values.as<T>();
  i64 groups = 0, first = 0;
  for (i64 j = 0; j < n; j++) {
    if (j == 0 || !same(in[j], in[j - 1])) {
      if (u.counts_or_null && groups > 0) u.counts_or_null[groups - 1] = j - first;
      values[groups++] = in[j];
      first = j;
    }
    if (u.inverse_or_null) u.inverse_or_null[j] = groups - 1;
  }
  if (u.counts_or_null) u.counts_or_null[groups - 1] = n - first;
  return groups;
}

void unique_consecutive(double* args) {
  Args a(args);
  UniqueArgs u;
  u.read(a);
  i64 groups = 0;
  const DType t = u.in.dtype;
  if (u.in.numel() == 0) {
    groups = 0;
  } else if (t == DType::C64 || t == DType::C128) {
    by_ring(t, [&]<class T>() {
      if constexpr (requires(T x) { x.re; }) {
        groups = consecutive_typed<T>(u, [](T x, T y) { return x.re == y.re && x.im == y.im; });
      }
    });
  } else {
    by_key(t, [&]<class K>() {
      using Item = typename K::Item;
      groups = consecutive_typed<Item>(u, [](Item x, Item y) { return K::key(x) == K::key(y) && !K::nan(x); });
    });
  }
  args[0] = static_cast<double>(groups);
}

}  // namespace

extern const KernelEntry sort_kernels[];
const KernelEntry sort_kernels[] = {
    {"sort", sort},
    {"unique", unique},
    {"unique_consecutive", unique_consecutive},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
