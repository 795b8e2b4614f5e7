// Blocked matrix multiplication in one thread: C[m, n] = alpha * A[m, k] @ B[k, n] + beta * C + bias.
// The blocking follows Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008):
// panels of B stay in L1, a block of A in L2; operands that are small or well laid out are read in place.
#pragma once

#include "gemm_pack.h"

namespace tt {
inline namespace KERNEL_NS {

enum GemmScratch : int { kPackedA = 0, kPackedB = 1, kSums = 2, kBias = 3 };

/** A, B and C of one product, in elements of the storage type S; C in elements of SC. */
template <class S, class SC>
struct Product {
  i64 m, n, k;
  const S* a;
  i64 a_row, a_col;
  const S* b;
  i64 b_row, b_col;
  SC* c;
  i64 c_row, c_col;
};

constexpr i64 kBlockBytesK = 2048;    // one row of a k-block: 512 floats, so that a panel of B stays near L1
constexpr i64 kBlockRowTiles = 12;     // tiles of A in one L2 block
constexpr i64 kBlockColumns = 512;     // columns of B packed at a time

constexpr i64 kStreamedB = 64 * 1024;  // elements of B beyond which one row of C takes them in memory order

TT_INLINE i64 ceil_div(i64 a, i64 b) { return (a + b - 1) / b; }
TT_INLINE i64 min_of(i64 a, i64 b) { return a < b ? a : b; }
/** Start of part i of n things dealt evenly to `parts`. */
TT_INLINE i64 part_start(i64 n, i64 parts, i64 i) { return n / parts * i + min_of(i, n % parts); }

/** Row strides that put every row of a tile on the same few cache sets. */
template <class T>
TT_INLINE bool collides(i64 stride) {
  return (stride * static_cast<i64>(sizeof(T))) % 2048 == 0;
}

/** Whether packing A pays: it costs about a fourteenth of a column panel and saves strided reads. */
template <class T>
bool packing_a_pays(i64 m, i64 n, i64 k, i64 a_row, i64 a_col) {
  if (k <= 8) return false;
  if (a_row == 1) return n > 2 * Tile<T>::cols && k > 64;
  if (a_col == 1) return m > 3 && (collides<T>(a_row) ? n > 2 * Tile<T>::cols : n > 8 * Tile<T>::cols);
  return n > Tile<T>::cols;
}

/** Whether packing B (contiguous along n) pays: it costs about two rows of C. */
template <class T>
bool packing_b_pays(i64 m, i64 k, i64 b_row) {
  if (m <= 2 * Tile<T>::rows) return false;
  return k > 96 || (k > 24 && collides<T>(b_row));
}

template <class T>
struct Block {
  i64 m, n, k, panel;
  const T* a;  // packed: tiles one after the other, or in place with the strides below
  i64 a_row, a_col;
  bool a_packed;
  const T* b;  // packed: panels one after the other, or in place
  i64 b_row;
  bool b_packed;
  const T* b_edge;  // the last panel when it is narrower than its vectors: always packed
  T* c;
  i64 c_row;
  Epilogue<T> epilogue;
};

/** Every tile of one block: the panel of B outside, the tiles of A inside. */
template <class T>
void run_block(const Block<T>& x) {
  constexpr int L = lanes<T>;
  const i64 tiles = ceil_div(x.m, Tile<T>::rows);
  TileArgs<T> t;
  t.k = x.k;
  t.c_row = x.c_row;
  t.epilogue = x.epilogue;
  t.finish = finish_of(x.epilogue);
  i64 width = 0;
  for (i64 j = 0; j < x.n; j += width) {
    // A wide tile only where it fits; the rest goes by the ordinary width.
    width = min_of(x.n - j >= x.panel ? x.panel : Tile<T>::cols, x.n - j);
    const int vectors = static_cast<int>(ceil_div(width, L));
    const bool edge = width % L != 0;
    if (edge && x.b_edge != nullptr) {
      t.b = x.b_edge;
      t.b_row = vectors * L;
    } else if (x.b_packed) {
      t.b = x.b + j * x.k;
      t.b_row = vectors * L;
    } else {
      t.b = x.b + j;
      t.b_row = x.b_row;
    }
    t.cols = width;
    t.epilogue.bias = x.epilogue.bias == nullptr ? nullptr : x.epilogue.bias + j;
    for (i64 r = 0; r < tiles; r++) {
      const i64 i = part_start(x.m, tiles, r);
      const int rows = static_cast<int>(part_start(x.m, tiles, r + 1) - i);
      t.c = x.c + i * x.c_row + j;
      t.epilogue.row_bias = x.epilogue.row_bias == nullptr ? nullptr : x.epilogue.row_bias + i;
      if (x.a_packed) {
        t.a = x.a + i * x.k;
        t.a_row = 1;
        t.a_col = rows;
      } else {
        t.a = x.a + i * x.a_row;
        t.a_row = x.a_row;
        t.a_col = x.a_col;
      }
      (t.a_row == 1 ? tile_of<T, true>(rows, vectors) : tile_of<T, false>(rows, vectors))(t);
    }
  }
}

/** Packs columns [0, n) of B in panels; the last one is padded with zeros to whole vectors. */
template <class T, class S>
void pack_b(T* to, const S* b, i64 b_row, i64 b_col, i64 n, i64 k) {
  constexpr i64 kCols = Tile<T>::cols;
  for (i64 j = 0; j < n; j += kCols) {
    const i64 cols = min_of(kCols, n - j);
    const i64 width = ceil_div(cols, lanes<T>) * lanes<T>;
    pack_panel<T, S>(to + j * k, width, b + j * b_col, b_col, b_row, cols, k);
  }
}

template <class T, class S>
void pack_a(T* to, const S* a, i64 a_row, i64 a_col, i64 m, i64 k) {
  const i64 tiles = ceil_div(m, Tile<T>::rows);
  for (i64 r = 0; r < tiles; r++) {
    const i64 i = part_start(m, tiles, r);
    const i64 rows = part_start(m, tiles, r + 1) - i;
    pack_panel<T, S>(to + i * k, rows, a + i * a_row, a_row, a_col, rows, k);
  }
}

template <class T>
T* gemm_scratch(GemmScratch slot, i64 count) {
  return static_cast<T*>(tt_scratch(slot, static_cast<size_t>(count) * sizeof(T)));
}

/** y[j] += x[0] b[0, j] + ... + x[R - 1] b[R - 1, j]. */
template <class T, int R>
void add_rows(T* y, const T* x, i64 x_step, const T* b, i64 b_row, i64 n) {
  constexpr int L = lanes<T>;
  Vec<T> xv[R];
  TT_UNROLL
  for (int r = 0; r < R; r++) xv[r] = broadcast(x[r * x_step]);
  i64 j = 0;
  for (; j + L <= n; j += L) {
    Vec<T> sum = load(y + j);
    TT_UNROLL
    for (int r = 0; r < R; r++) sum = multiply_add(xv[r], load(b + r * b_row + j), sum);
    store(y + j, sum);
  }
  for (; j < n; j++) {
    T sum = y[j];
    TT_UNROLL
    for (int r = 0; r < R; r++) sum += xv[r][0] * b[r * b_row + j];
    y[j] = sum;
  }
}

/** One row of C, B contiguous along n: B streams through once in the order of memory. */
template <class T>
void gemm_one_row(const Product<T, T>& x, const Epilogue<T>& epilogue) {
  constexpr i64 kPart = 4096;
  constexpr int kRows = 8;
  T* y = gemm_scratch<T>(kSums, min_of(kPart, x.n));
  for (i64 j = 0; j < x.n; j += kPart) {
    const i64 n = min_of(kPart, x.n - j);
    for (i64 i = 0; i < n; i++) y[i] = T(0);
    const T* b = x.b + j;
    i64 p = 0;
    for (; p + kRows <= x.k; p += kRows) {
      add_rows<T, kRows>(y, x.a + p * x.a_col, x.a_col, b + p * x.b_row, x.b_row, n);
    }
    for (; p < x.k; p++) add_rows<T, 1>(y, x.a + p * x.a_col, x.a_col, b + p * x.b_row, x.b_row, n);
    TileArgs<T> t;
    t.c = x.c + j;
    t.c_row = 0;
    t.cols = n;
    t.epilogue = epilogue;
    if (epilogue.bias != nullptr) t.epilogue.bias += j;
    finish_tile(y, 0, 1, t);
  }
}

/** Inner product of n elements, in several vector accumulators. */
template <class T>
T dot_contiguous(const T* x, const T* y, i64 n) {
  constexpr int L = lanes<T>;
  constexpr int N = 8;
  Vec<T> acc[N];
  TT_UNROLL
  for (int i = 0; i < N; i++) acc[i] = Vec<T>{};
  i64 p = 0;
  for (; p + N * L <= n; p += N * L) {
    TT_UNROLL
    for (int i = 0; i < N; i++) acc[i] = multiply_add(load(x + p + i * L), load(y + p + i * L), acc[i]);
  }
  for (; p + L <= n; p += L) acc[0] = multiply_add(load(x + p), load(y + p), acc[0]);
  TT_UNROLL
  for (int half = N / 2; half > 0; half /= 2) {
    TT_UNROLL
    for (int i = 0; i < half; i++) acc[i] += acc[i + half];
  }
  T sum = T(0);
  for (; p < n; p++) sum += x[p] * y[p];
  T lane[L];
  store(lane, acc[0]);
  TT_UNROLL
  for (int half = L / 2; half > 0; half /= 2) {
    TT_UNROLL
    for (int i = 0; i < half; i++) lane[i] += lane[i + half];
  }
  return sum + lane[0];
}

/** One row of C from operands of another storage type, B contiguous one way or the other: converted in L1. */
template <class T, class S>
void gemm_one_row_converted(const Product<S, T>& x, const Epilogue<T>& epilogue) {
  constexpr i64 kStage = 1024;
  alignas(64) T stage[kStage];
  T* a = gemm_scratch<T>(kPackedA, x.k + 1);
  for (i64 p = 0; p < x.k; p++) a[p] = widened<T>(x.a[p * x.a_col]);
  T* y = gemm_scratch<T>(kPackedB, x.n);
  for (i64 j = 0; j < x.n; j++) y[j] = T(0);
  if (x.b_row == 1) {
    for (i64 j = 0; j < x.n; j++) {
      for (i64 p = 0; p < x.k; p += kStage) {
        const i64 count = min_of(kStage, x.k - p);
        const S* b = x.b + j * x.b_col + p;
        for (i64 i = 0; i < count; i++) stage[i] = widened<T>(b[i]);
        y[j] += dot_contiguous<T>(a + p, stage, count);
      }
    }
  } else {
    for (i64 j = 0; j < x.n; j += kStage) {
      const i64 count = min_of(kStage, x.n - j);
      for (i64 p = 0; p < x.k; p++) {
        const S* b = x.b + p * x.b_row + j;
        for (i64 i = 0; i < count; i++) y[j + i] += a[p] * widened<T>(b[i]);
      }
    }
  }
  TileArgs<T> t;
  t.c = x.c;
  t.c_row = 0;
  t.cols = x.n;
  t.epilogue = epilogue;
  finish_tile(y, 0, 1, t);
}

/** Whether a whole product (not a thread's part of it, so that the order of its sums depends on no thread
    count) is one row that takes B in the order of memory. */
template <class T, class S>
bool streams_one_row(const Product<S, S>& x) {
  if (x.m != 1) return false;
  if constexpr (same_type<T, S>) return x.b_col == 1 && x.k * x.n > kStreamedB;
  return x.b_row == 1 || x.b_col == 1;
}

/** C contiguous along n and of the type of the sum. one_row: by streams_one_row. */
template <class T, class S>
void gemm_serial(const Product<S, T>& x, const Epilogue<T>& epilogue, bool one_row) {
  constexpr bool Same = same_type<T, S>;
  if constexpr (Same) {
    if (one_row) return gemm_one_row<T>(x, epilogue);
  } else {
    if (one_row) return gemm_one_row_converted<T, S>(x, epilogue);
  }
  constexpr i64 kCols = Tile<T>::cols;
  constexpr i64 kBlockK = kBlockBytesK / static_cast<i64>(sizeof(T));
  const i64 k_blocks = x.k <= kBlockK + kBlockK / 2 ? 1 : ceil_div(x.k, kBlockK);
  const bool pack_left = !Same || packing_a_pays<T>(x.m, x.n, x.k, x.a_row, x.a_col);
  const bool pack_right = !Same || x.b_col != 1 || packing_b_pays<T>(x.m, x.k, x.b_row);
  const i64 row_blocks = pack_left ? ceil_div(x.m, kBlockRowTiles * Tile<T>::rows) : 1;
  const i64 step_n = pack_right ? kBlockColumns : x.n;
  const i64 longest_k = ceil_div(x.k, k_blocks), most_n = min_of(x.n, step_n);
  T* packed_a = pack_left ? gemm_scratch<T>(kPackedA, ceil_div(x.m, row_blocks) * longest_k + kPackSlack<T>) : nullptr;
  const bool edge = !pack_right && x.n % lanes<T> != 0;
  T* packed_b = pack_right ? gemm_scratch<T>(kPackedB, (most_n + kCols) * longest_k + kPackSlack<T>)
                : edge     ? gemm_scratch<T>(kPackedB, kCols * longest_k + kPackSlack<T>)
                           : nullptr;
  for (i64 j = 0; j < x.n; j += step_n) {
    const i64 n = min_of(step_n, x.n - j);
    for (i64 kb = 0; kb < k_blocks; kb++) {
      const i64 p = part_start(x.k, k_blocks, kb), k = part_start(x.k, k_blocks, kb + 1) - p;
      Block<T> block;
      block.n = n;
      block.k = k;
      block.a_packed = pack_left;
      block.b_packed = pack_right;
      block.panel = pack_right ? kCols : tile_vectors<T>(x.m) * lanes<T>;
      block.c_row = x.c_row;
      const S* b = x.b + p * x.b_row + j * x.b_col;
      block.b_edge = nullptr;
      if (pack_right) {
        pack_b<T, S>(packed_b, b, x.b_row, x.b_col, n, k);
        block.b = packed_b;
      } else if constexpr (Same) {
        block.b = b;
        block.b_row = x.b_row;
        if (edge) {
          const i64 wide = block.panel > kCols ? n / block.panel * block.panel : 0;
          const i64 last = wide + (n - wide) / kCols * kCols;
          pack_b<T, T>(packed_b, b + last, x.b_row, 1, n - last, k);
          block.b_edge = packed_b;
        }
      }
      for (i64 ib = 0; ib < row_blocks; ib++) {
        const i64 i = part_start(x.m, row_blocks, ib);
        block.m = part_start(x.m, row_blocks, ib + 1) - i;
        const S* a = x.a + i * x.a_row + p * x.a_col;
        if (pack_left) {
          pack_a<T, S>(packed_a, a, x.a_row, x.a_col, block.m, k);
          block.a = packed_a;
          block.a_row = block.a_col = 0;
        } else if constexpr (Same) {
          block.a = a;
          block.a_row = x.a_row;
          block.a_col = x.a_col;
        }
        block.c = x.c + i * x.c_row + j;
        block.epilogue = epilogue;
        if (kb > 0) {
          block.epilogue.beta = T(1);
          block.epilogue.bias = block.epilogue.row_bias = nullptr;
        }
        if (block.epilogue.bias != nullptr) block.epilogue.bias += j;
        if (block.epilogue.row_bias != nullptr) block.epilogue.row_bias += i;
        run_block(block);
      }
    }
  }
}

/** Any layout and storage type of C: sums of a part of C in scratch, rounded once on the way out. */
template <class T, class S>
void gemm_serial_any(const Product<S, S>& x, const Epilogue<T>& e, bool one_row) {
  constexpr i64 kPart = 1024;
  for (i64 i0 = 0; i0 < x.m; i0 += kPart) {
    for (i64 j0 = 0; j0 < x.n; j0 += kPart) {
      const i64 m = min_of(kPart, x.m - i0), n = min_of(kPart, x.n - j0);
      T* sums = gemm_scratch<T>(kSums, m * n);
      const Product<S, T> part{m, n, x.k, x.a + i0 * x.a_row, x.a_row, x.a_col, x.b + j0 * x.b_col, x.b_row,
                               x.b_col, sums, n, 1};
      gemm_serial<T, S>(part, Epilogue<T>{T(1), T(0), nullptr, nullptr}, one_row);
      for (i64 i = 0; i < m; i++) {
        S* c = x.c + (i0 + i) * x.c_row + j0 * x.c_col;
        const T row_bias = e.row_bias != nullptr ? e.row_bias[i0 + i] : T(0);
        T* sum = sums + i * n;
        for (i64 j = 0; j < n; j++) sum[j] = e.alpha * sum[j] + row_bias;
        if (e.bias != nullptr) {
          for (i64 j = 0; j < n; j++) sum[j] += e.bias[j0 + j];
        }
        if (e.beta != T(0)) {
          for (i64 j = 0; j < n; j++) sum[j] += e.beta * widened<T>(c[j * x.c_col]);
        }
        if (x.c_col == 1) {
          for (i64 j = 0; j < n; j++) narrow(c[j], sum[j]);
        } else {
          for (i64 j = 0; j < n; j++) narrow(c[j * x.c_col], sum[j]);
        }
      }
    }
  }
}

}  // namespace KERNEL_NS
}  // namespace tt
