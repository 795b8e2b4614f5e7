// The register tile of matrix multiplication: MR rows by NV vectors of C, summed over k in registers.
// A is read one element at a time and spread over a vector, so it may have any strides; B is read by
// whole vectors along n. The tile sizes follow from the vector width and the number of registers.
#pragma once

#include "gemm_half.h"

#if defined(__clang__)
#define TT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TT_UNROLL _Pragma("GCC unroll 64")
#endif

namespace tt {
inline namespace KERNEL_NS {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kVectorRegisters = 32;
#else
constexpr int kVectorRegisters = 16;
#endif

template <class T>
constexpr bool is_real = same_type<T, float> || same_type<T, double>;

/** Rows and columns of the register tile; integer sums have no fused multiply-add and keep to a small one. */
template <class T>
struct Tile {
  static constexpr int rows = !is_real<T> ? 4 : kVectorRegisters == 32 ? 14 : 6;
  static constexpr int vectors = 2;
  static constexpr int cols = vectors * lanes<T>;
};

/** How a finished tile goes to C: C = alpha * sum + beta * C + bias. */
template <class T>
struct Epilogue {
  T alpha;
  T beta;
  const T* bias;      // one value per column, readable up to a whole vector past the end; or null
  const T* row_bias;  // one value per row; or null
};

enum class Finish { Store, AddToC, AddBias, AddRowBias, General };

template <class T>
TT_INLINE Finish finish_of(const Epilogue<T>& e) {
  if (e.row_bias != nullptr) {
    return e.alpha == T(1) && e.beta == T(0) && e.bias == nullptr ? Finish::AddRowBias : Finish::General;
  }
  if (e.alpha != T(1)) return Finish::General;
  if (e.beta == T(0)) return e.bias == nullptr ? Finish::Store : Finish::AddBias;
  return e.beta == T(1) && e.bias == nullptr ? Finish::AddToC : Finish::General;
}

template <class T>
struct TileArgs {
  i64 k;
  const T* a;
  i64 a_row;  // stride between rows of A; 1 in the kernels with unit rows
  i64 a_col;  // stride along k
  const T* b;
  i64 b_row;  // stride along k; along n it is 1
  T* c;
  i64 c_row;
  i64 cols;  // columns to store, at most those of the tile
  Finish finish;
  Epilogue<T> epilogue;
};

template <class T>
using TileKernel = void (*)(const TileArgs<T>&);

/** Any epilogue and any width, from a tile in memory. Out of line: it is no part of the hot loop. */
template <class T>
__attribute__((noinline)) void finish_tile(const T* tile, i64 tile_row, i64 rows, const TileArgs<T>& t) {
  const Epilogue<T>& e = t.epilogue;
  for (i64 i = 0; i < rows; i++) {
    const T* from = tile + i * tile_row;
    T* to = t.c + i * t.c_row;
    const T row_bias = e.row_bias != nullptr ? e.row_bias[i] : T(0);
    if (e.beta == T(0) && e.bias == nullptr) {
      for (i64 j = 0; j < t.cols; j++) to[j] = e.alpha * from[j] + row_bias;
    } else if (e.beta == T(0)) {
      for (i64 j = 0; j < t.cols; j++) to[j] = e.alpha * from[j] + e.bias[j] + row_bias;
    } else if (e.bias == nullptr) {
      for (i64 j = 0; j < t.cols; j++) to[j] = e.alpha * from[j] + e.beta * to[j] + row_bias;
    } else {
      for (i64 j = 0; j < t.cols; j++) to[j] = e.alpha * from[j] + e.beta * to[j] + e.bias[j] + row_bias;
    }
  }
}

template <class T, int MR, int NV>
TT_INLINE void store_tile(const Vec<T> (&acc)[MR][NV], const TileArgs<T>& t) {
  constexpr int L = lanes<T>;
  const Finish finish = t.cols == NV * L ? t.finish : Finish::General;
  T* c = t.c;
  if (finish == Finish::Store) {
    TT_UNROLL
    for (int i = 0; i < MR; i++, c += t.c_row) {
      TT_UNROLL
      for (int v = 0; v < NV; v++) store(c + v * L, acc[i][v]);
    }
  } else if (finish == Finish::AddToC) {
    TT_UNROLL
    for (int i = 0; i < MR; i++, c += t.c_row) {
      TT_UNROLL
      for (int v = 0; v < NV; v++) store(c + v * L, load(c + v * L) + acc[i][v]);
    }
  } else if (finish == Finish::AddBias) {
    Vec<T> bias[NV];
    TT_UNROLL
    for (int v = 0; v < NV; v++) bias[v] = load(t.epilogue.bias + v * L);
    TT_UNROLL
    for (int i = 0; i < MR; i++, c += t.c_row) {
      TT_UNROLL
      for (int v = 0; v < NV; v++) store(c + v * L, acc[i][v] + bias[v]);
    }
  } else if (finish == Finish::AddRowBias) {
    TT_UNROLL
    for (int i = 0; i < MR; i++, c += t.c_row) {
      const Vec<T> bias = broadcast(t.epilogue.row_bias[i]);
      TT_UNROLL
      for (int v = 0; v < NV; v++) store(c + v * L, acc[i][v] + bias);
    }
  } else {
    alignas(64) T tile[MR * NV * L];
    TT_UNROLL
    for (int i = 0; i < MR; i++) {
      TT_UNROLL
      for (int v = 0; v < NV; v++) store(tile + (i * NV + v) * L, acc[i][v]);
    }
    finish_tile(tile, NV * L, MR, t);
  }
}

/** One tile. UnitRows: consecutive rows of A are neighbours in memory (packed, or column-major). */
template <class T, int MR, int NV, bool UnitRows>
void tile_kernel(const TileArgs<T>& t) {
  constexpr int L = lanes<T>;
  constexpr int Groups = (MR + 2) / 3;  // three rows per pointer: offsets 0, 1, 2 strides need no other register
  Vec<T> acc[MR][NV];
  TT_UNROLL
  for (int i = 0; i < MR; i++) {
    TT_UNROLL
    for (int v = 0; v < NV; v++) acc[i][v] = Vec<T>{};
  }
  const T* b = t.b;
  const i64 b_row = t.b_row, a_row = UnitRows ? 1 : t.a_row, a_col = t.a_col;
  const T* a[UnitRows ? 1 : Groups];
  a[0] = t.a;
  if constexpr (!UnitRows) {
    TT_UNROLL
    for (int g = 1; g < Groups; g++) a[g] = t.a + 3 * g * a_row;
  }
  if (t.k >= 64) {
    // The rows of C arrive while the sums are formed.
    TT_UNROLL
    for (int i = 0; i < MR; i++) {
      TT_UNROLL
      for (int v = 0; v < NV; v++) __builtin_prefetch(t.c + i * t.c_row + v * L, 1);
    }
  }
  for (i64 p = t.k; p > 0; p--) {
    Vec<T> bv[NV];
    TT_UNROLL
    for (int v = 0; v < NV; v++) bv[v] = load(b + v * L);
    b += b_row;
    TT_UNROLL
    for (int i = 0; i < MR; i++) {
      const Vec<T> av = broadcast(UnitRows ? a[0][i] : a[i / 3][(i % 3) * a_row]);
      TT_UNROLL
      for (int v = 0; v < NV; v++) acc[i][v] = multiply_add(av, bv[v], acc[i][v]);
    }
    TT_UNROLL
    for (int g = 0; g < (UnitRows ? 1 : Groups); g++) a[g] += a_col;
  }
  store_tile<T, MR, NV>(acc, t);
}

template <class T, bool UnitRows, int R = 1>
TileKernel<T> tile_of(int rows, int vectors) {
  if constexpr (R < Tile<T>::rows) {
    if (rows > R) return tile_of<T, UnitRows, R + 1>(rows, vectors);
  }
  // One to three rows have too few sums in flight for the latency of a multiply-add: wider tiles.
  if constexpr (R <= 2) {
    if (vectors == 8) return tile_kernel<T, R, 8, UnitRows>;
  }
  if constexpr (R == 3 && kVectorRegisters == 32) {
    if (vectors == 8) return tile_kernel<T, R, 8, UnitRows>;
  }
  return vectors == 1 ? tile_kernel<T, R, 1, UnitRows> : tile_kernel<T, R, 2, UnitRows>;
}

/** The widest tile, in vectors, for that many rows of C in all. */
template <class T>
constexpr int tile_vectors(i64 rows) {
  return rows <= 1 || (rows <= 3 && kVectorRegisters == 32) ? 8 : Tile<T>::vectors;
}

}  // namespace KERNEL_NS
}  // namespace tt
