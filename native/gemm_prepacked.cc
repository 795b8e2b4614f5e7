// The products of gemm_prepacked.h for float and double.
#include "gemm_prepacked.h"

#include "gemm_dot.h"

namespace tt {
inline namespace KERNEL_NS {

template <class T>
PackedB<T> prepack(T* to, const T* b, i64 b_row, i64 b_col, i64 n, i64 k) {
  constexpr i64 kCols = Tile<T>::cols;
  const i64 k_blocks = PackedB<T>::blocks(k), panels = ceil_div(n, kCols), stored = PackedB<T>::stored(n);
  for (i64 kb = 0; kb < k_blocks; kb++) {
    const i64 p = part_start(k, k_blocks, kb), depth = part_start(k, k_blocks, kb + 1) - p;
    parallel_for(panels, 1 + 65536 / (kCols * depth + 1), [&](i64 begin, i64 end) {
      pack_b<T, T>(to + stored * p + begin * kCols * depth, b + p * b_row + begin * kCols * b_col, b_row, b_col,
                   min_of(n, end * kCols) - begin * kCols, depth);
    });
  }
  return PackedB<T>{to, n, k};
}

template <class T>
void multiply_packed(const PackedB<T>& b, const T* a, i64 a_row, i64 m, T* c, i64 c_row, bool add) {
  constexpr i64 kCols = Tile<T>::cols;
  if (m == 0) return;
  const i64 k_blocks = PackedB<T>::blocks(b.k), panels = ceil_div(b.n, kCols), stored = PackedB<T>::stored(b.n);
  parallel_for(panels, 1 + 65536 / (m * kCols * b.k + 1), [&](i64 begin, i64 end) {
    for (i64 kb = 0; kb < k_blocks; kb++) {
      const i64 p = part_start(b.k, k_blocks, kb);
      Block<T> x;
      x.m = m;
      x.n = min_of(b.n, end * kCols) - begin * kCols;
      x.k = part_start(b.k, k_blocks, kb + 1) - p;
      x.panel = kCols;
      x.a = a + p;
      x.a_row = a_row;
      x.a_col = 1;
      x.a_packed = false;
      x.b = b.data + stored * p + begin * kCols * x.k;
      x.b_row = 0;
      x.b_packed = true;
      x.b_edge = nullptr;
      x.c = c + begin * kCols;
      x.c_row = c_row;
      x.epilogue = Epilogue<T>{T(1), add || kb > 0 ? T(1) : T(0), nullptr, nullptr};
      run_block(x);
    }
  });
}

template <class T>
void multiply(const Product<T, T>& x, T beta) {
  const Epilogue<T> epilogue{T(1), beta, nullptr, nullptr};
  if (dot_pays<T, T>(x)) return gemm_dot<T>(x, epilogue);
  gemm_serial<T, T>(x, epilogue, streams_one_row<T, T>(x));
}

template void multiply<float>(const Product<float, float>&, float);
template void multiply<double>(const Product<double, double>&, double);
template PackedB<float> prepack<float>(float*, const float*, i64, i64, i64, i64);
template PackedB<double> prepack<double>(double*, const double*, i64, i64, i64, i64);
template void multiply_packed<float>(const PackedB<float>&, const float*, i64, i64, float*, i64, bool);
template void multiply_packed<double>(const PackedB<double>&, const double*, i64, i64, double*, i64, bool);

}  // namespace KERNEL_NS
}  // namespace tt
