// D. Musser's introspective sort ("Introspective sorting and selection algorithms", 1997) in the variant of GNU's C++
// library, step by step: median of the second, the middle and the last element as pivot, Hoare's partition, heap sort
// below a depth of 2 log2(n), one insertion sort at the end over runs of up to 16. It is not stable, and PyTorch's default
// sort shows it: the indices of equal elements come in the order in which this algorithm leaves them.
#pragma once

#include "simd.h"

namespace tt {
inline namespace KERNEL_NS {
namespace indexing {

/** Sorts packed values (key above index) by their keys alone. */
template <class P, int kShift>
class Introsort {
 public:
  static void run(P* a, i64 n) {
    int depth = 0;
    for (i64 m = n; m > 1; m /= 2) depth += 2;
    partitions(a, a + n, depth);
    if (n <= kRun) return insertions(a, a + n);
    insertions(a, a + kRun);
    for (P* p = a + kRun; p < a + n; p++) insert(p);
  }

 private:
  static constexpr i64 kRun = 16;

  static TT_INLINE bool less(P x, P y) { return (x >> kShift) < (y >> kShift); }
  static TT_INLINE void swap(P& x, P& y) {
    const P t = x;
    x = y;
    y = t;
  }

  /** The middle one of three to the front. */
  static void place_pivot(P* front, P* x, P* y, P* z) {
    P* middle;
    if (less(*x, *y)) {
      middle = less(*y, *z) ? y : less(*x, *z) ? z : x;
    } else {
      middle = less(*x, *z) ? x : less(*y, *z) ? z : y;
    }
    swap(*front, *middle);
  }

  static void partitions(P* begin, P* end, int depth) {
    for (; end - begin > kRun; depth--) {
      if (depth == 0) return heap_sort(begin, end - begin);
      place_pivot(begin, begin + 1, begin + (end - begin) / 2, end - 1);
      const P pivot = *begin;
      P *i = begin + 1, *j = end;
      for (;; i++) {
        while (less(*i, pivot)) i++;
        do j--;
        while (less(pivot, *j));
        if (i >= j) break;
        swap(*i, *j);
      }
      partitions(i, end, depth - 1);
      end = i;
    }
  }

  /** Moves *p down to its place; something before it is not larger. */
  static TT_INLINE void insert(P* p) {
    const P x = *p;
    for (; less(x, p[-1]); p--) *p = p[-1];
    *p = x;
  }
  static void insertions(P* begin, P* end) {
    for (P* p = begin + 1; p < end; p++) {
      const P x = *p;
      P* q = p;
      for (; q > begin && less(x, q[-1]); q--) *q = q[-1];
      *q = x;
    }
  }

  /** Fills the hole of a heap with x: down along the larger children to a leaf, then up. */
  static void fill_hole(P* a, i64 hole, i64 n, P x) {
    const i64 top = hole;
    i64 child = hole;
    while (child < (n - 1) / 2) {
      child = 2 * (child + 1);
      if (less(a[child], a[child - 1])) child--;
      a[hole] = a[child];
      hole = child;
    }
    if (n % 2 == 0 && child == (n - 2) / 2) {
      child = 2 * (child + 1);
      a[hole] = a[child - 1];
      hole = child - 1;
    }
    for (i64 parent = (hole - 1) / 2; hole > top && less(a[parent], x); parent = (hole - 1) / 2) {
      a[hole] = a[parent];
      hole = parent;
    }
    a[hole] = x;
  }
  static void heap_sort(P* a, i64 n) {
    for (i64 parent = (n - 2) / 2; parent >= 0; parent--) fill_hole(a, parent, n, a[parent]);
    for (i64 last = n - 1; last > 0; last--) {
      const P x = a[last];
      a[last] = a[0];
      fill_hole(a, 0, last, x);
    }
  }
};

}  // namespace indexing
}  // namespace KERNEL_NS
}  // namespace tt
