// Ordering by integer keys. An element becomes an unsigned key that sorts as PyTorch sorts the element (NaN
// largest, -0 equal to 0), packed above its index: packed values are all different, so any sort of them is
// stable, and the index rides along.
#pragma once

#include "indexing.h"

namespace tt {
inline namespace KERNEL_NS {
namespace indexing {

__extension__ typedef unsigned __int128 u128;

template <class U>
struct UnsignedKey {
  using Item = U;
  static TT_INLINE U key(U x) { return x; }
  static TT_INLINE bool nan(U) { return false; }
};

template <class U>
struct SignedKey {
  using Item = U;
  static constexpr U kSign = static_cast<U>(U(1) << (sizeof(U) * 8 - 1));
  static TT_INLINE U key(U x) { return static_cast<U>(x ^ kSign); }
  static TT_INLINE bool nan(U) { return false; }
};

/** IEEE formats with the given bits of infinity. */
template <class U, U kInfinity>
struct FloatKey {
  using Item = U;
  static constexpr U kSign = static_cast<U>(U(1) << (sizeof(U) * 8 - 1));
  static TT_INLINE bool nan(U x) { return static_cast<U>(x & static_cast<U>(~kSign)) > kInfinity; }
  static TT_INLINE U key(U x) {
    const U magnitude = static_cast<U>(x & static_cast<U>(~kSign));
    const bool negative = static_cast<U>(x & kSign) != 0 && magnitude != 0;
    const U result = negative ? static_cast<U>(~magnitude & ~kSign) : static_cast<U>(magnitude | kSign);
    return magnitude > kInfinity ? static_cast<U>(~U(0)) : result;
  }
};

/** Calls f.operator()<K>() with the key rule of a real dtype. */
template <class F>
inline void by_key(DType t, const F& f) {
  switch (t) {
    case DType::Bool:
    case DType::U8:
      return f.template operator()<UnsignedKey<uint8_t>>();
    case DType::I8:
      return f.template operator()<SignedKey<uint8_t>>();
    case DType::I16:
      return f.template operator()<SignedKey<uint16_t>>();
    case DType::I32:
      return f.template operator()<SignedKey<uint32_t>>();
    case DType::I64:
      return f.template operator()<SignedKey<uint64_t>>();
    case DType::F16:
      return f.template operator()<FloatKey<uint16_t, 0x7c00>>();
    case DType::BF16:
      return f.template operator()<FloatKey<uint16_t, 0x7f80>>();
    case DType::F32:
      return f.template operator()<FloatKey<uint32_t, 0x7f800000u>>();
    case DType::F64:
      return f.template operator()<FloatKey<uint64_t, 0x7ff0000000000000u>>();
    default:
      return;
  }
}

/** Key and index in one integer: 32 + 32 bits, or 64 + 64 for 8-byte items. */
template <class K>
struct Packing {
  using Item = typename K::Item;
  static constexpr bool kWide = sizeof(Item) == 8;
  struct Narrow {
    using type = uint64_t;
  };
  struct Wide {
    using type = u128;
  };
  template <bool wide, class W, class N>
  struct Pick {
    using type = typename W::type;
  };
  template <class W, class N>
  struct Pick<false, W, N> {
    using type = typename N::type;
  };
  using P = typename Pick<kWide, Wide, Narrow>::type;
  static constexpr int kShift = kWide ? 64 : 32;
  static constexpr int kKeyBits = static_cast<int>(sizeof(Item)) * 8;

  static TT_INLINE P pack(Item x, i64 index, Item flip) {
    return with_key(static_cast<Item>(K::key(x) ^ flip), index);
  }
  static TT_INLINE P with_key(Item key, i64 index) {
    return (static_cast<P>(key) << kShift) | static_cast<P>(index);
  }
  static TT_INLINE i64 index(P p) {
    return kWide ? static_cast<i64>(static_cast<uint64_t>(p)) : static_cast<i64>(static_cast<uint32_t>(p));
  }
  static TT_INLINE Item key(P p) { return static_cast<Item>(p >> kShift); }
  /** What to xor keys with for the largest to come first. */
  static TT_INLINE Item flip(bool descending) { return descending ? static_cast<Item>(~Item(0)) : Item(0); }
};

template <class P>
inline void insertion_sort(P* a, i64 n) {
  for (i64 i = 1; i < n; i++) {
    const P x = a[i];
    i64 j = i;
    for (; j > 0 && x < a[j - 1]; j--) a[j] = a[j - 1];
    a[j] = x;
  }
}

/** Merges the sorted [from, middle) and [middle, end) into `to`, choosing without branches. */
template <class P>
TT_INLINE void merge(const P* from, i64 middle, i64 end, P* to) {
  i64 i = 0, j = middle;
  while (i < middle && j < end) {
    const P x = from[i], y = from[j];
    const bool second = y < x;
    *to++ = second ? y : x;
    j += second;
    i += !second;
  }
  if (i < middle) memcpy(to, from + i, static_cast<size_t>(middle - i) * sizeof(P));
  if (j < end) memcpy(to, from + j, static_cast<size_t>(end - j) * sizeof(P));
}

/** Sorts a by merging runs, with b as room for n more; returns which of the two holds the result. */
template <class P>
inline P* merge_sort(P* a, P* b, i64 n) {
  constexpr i64 kRun = 12;
  for (i64 i = 0; i < n; i += kRun) insertion_sort(a + i, n - i < kRun ? n - i : kRun);
  for (i64 width = kRun; width < n; width *= 2) {
    for (i64 i = 0; i < n; i += 2 * width) {
      const i64 left = n - i;
      merge(a + i, left < width ? left : width, left < 2 * width ? left : 2 * width, b + i);
    }
    P* t = a;
    a = b;
    b = t;
  }
  return a;
}

/**
 * One thread's radix sort by `bits`-wide digits of the keys (low digits first, which keeps equal keys in
 * order); digits that are the same in every key are skipped.
 */
template <class P>
inline P* radix_sort(P* a, P* b, i64 n, int shift, int key_bits) {
  constexpr int kMaxDigits = 8, kMaxBits = 11;
  const int bits = n >= 8192 && key_bits > 16 ? kMaxBits : 8;
  const int digits = (key_bits + bits - 1) / bits;
  const uint32_t mask = (1u << bits) - 1;
  uint32_t counts[kMaxDigits][1 << kMaxBits];
  for (int d = 0; d < digits; d++) memset(counts[d], 0, sizeof(uint32_t) << bits);
  for (i64 i = 0; i < n; i++) {
    uint64_t key = static_cast<uint64_t>(a[i] >> shift);
    for (int d = 0; d < digits; d++, key >>= bits) counts[d][key & mask]++;
  }
  for (int d = 0; d < digits; d++) {
    const int down = shift + d * bits;
    uint32_t* at = counts[d];
    if (at[static_cast<uint32_t>(a[0] >> down) & mask] == n) continue;
    uint32_t sum = 0;
    for (uint32_t v = 0; v <= mask; v++) {
      const uint32_t here = at[v];
      at[v] = sum;
      sum += here;
    }
    for (i64 i = 0; i < n; i++) b[at[static_cast<uint32_t>(a[i] >> down) & mask]++] = a[i];
    P* t = a;
    a = b;
    b = t;
  }
  return a;
}

/** Sorts n < 2^32 packed values in this thread; returns a or b, whichever holds the result. */
template <class P>
inline P* sort_packed(P* a, P* b, i64 n, int shift, int key_bits) {
  if (n <= 16) {
    insertion_sort(a, n);
    return a;
  }
  const i64 radix_from = key_bits <= 16 ? 256 : key_bits <= 32 ? 768 : 2048;
  return n < radix_from || n >= (i64(1) << 32) ? merge_sort(a, b, n) : radix_sort(a, b, n, shift, key_bits);
}

/** Puts the k smallest of n different values first, the k-th smallest at a[k - 1]; 1 <= k <= n. */
template <class P>
inline void select_smallest(P* a, i64 n, i64 k) {
  i64 low = 0, high = n - 1;
  const i64 want = k - 1;
  while (high - low > 16) {
    P x = a[low], y = a[low + (high - low) / 2], z = a[high];
    if (y < x) { const P t = x; x = y; y = t; }
    if (z < y) y = z < x ? x : z;
    const P pivot = y;
    i64 i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (pivot < a[j]) j--;
      if (i <= j) {
        const P t = a[i];
        a[i++] = a[j];
        a[j--] = t;
      }
    }
    if (want <= j) {
      high = j;
    } else if (want >= i) {
      low = i;
    } else {
      return;
    }
  }
  insertion_sort(a + low, high - low + 1);
}

/** The rows of `values`/`indices`/`in` along a dimension: operands stand still along it. */
template <int N>
inline Walk<N> walk_rows(const i64* shape, int ndim, int dim, const i64* const (&strides)[N]) {
  Walk<N> walk;
  for (int d = 0; d < ndim; d++) {
    i64 step[N];
    for (int k = 0; k < N; k++) step[k] = strides[k][d];
    if (d != dim) walk.add(shape[d], step);
  }
  return walk;
}

/** The arguments (values, indices, in, dim) and their rows. */
struct RowArgs {
  TensorArg values, indices, in;
  int dim;
  i64 n, step_values, step_indices, step_in;
  Walk<3> rows;

  /** values and indices may lack dim (a reduction without keepdim) or keep it. */
  void read(Args& a) {
    a.tensor(values);
    a.tensor(indices);
    a.tensor(in);
    dim = static_cast<int>(a.integer());
    if (in.ndim == 0) at_least_1d(in);
    if (values.ndim == in.ndim - 1) keep_dim(values);
    if (indices.ndim == in.ndim - 1) keep_dim(indices);
    n = in.shape[dim];
    step_values = values.strides[dim];
    step_indices = indices.strides[dim];
    step_in = in.strides[dim];
    rows = walk_rows<3>(in.shape, in.ndim, dim, {values.strides, indices.strides, in.strides});
  }

  /** Calls body(offset of values, of indices, of in) for every row, in several threads. */
  template <class Body>
  void each(const Body& body) const {
    const i64 a = rows.inner_stride(0), b = rows.inner_stride(1), c = rows.inner_stride(2);
    parallel_for(rows.count, grain_of(4 * n), [&](i64 begin, i64 end) {
      rows.run(begin, end, [&](const i64* off, i64 m) {
        for (i64 j = 0; j < m; j++) body(off[0] + j * a, off[1] + j * b, off[2] + j * c);
        return true;
      });
    });
  }

 private:
  void keep_dim(TensorArg& t) {
    for (int d = t.ndim; d > dim; d--) {
      t.shape[d] = t.shape[d - 1];
      t.strides[d] = t.strides[d - 1];
    }
    t.shape[dim] = 1;
    t.strides[dim] = 0;
    t.ndim++;
  }
};

/** Packs the row at p; flip as in Packing. */
template <class K>
TT_INLINE void pack_row(const typename K::Item* p, i64 step, i64 begin, i64 end, typename K::Item flip,
                        typename Packing<K>::P* to) {
  using Pk = Packing<K>;
  if (step == 1) {
    for (i64 j = begin; j < end; j++) to[j] = Pk::pack(p[j], j, flip);
  } else {
    for (i64 j = begin; j < end; j++) to[j] = Pk::pack(p[j * step], j, flip);
  }
}

/** Two scratch buffers of this thread, n packed values each. */
template <class P>
inline void scratch_pair(i64 n, P*& a, P*& b) {
  a = static_cast<P*>(tt_scratch(0, static_cast<size_t>(n) * sizeof(P) + 64));
  b = static_cast<P*>(tt_scratch(1, static_cast<size_t>(n) * sizeof(P) + 64));
}

}  // namespace indexing
}  // namespace KERNEL_NS
}  // namespace tt
