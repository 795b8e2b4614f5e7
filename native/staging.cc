#include "staging.h"

#include <utility>

#include "simd.h"

namespace tt {
inline namespace KERNEL_NS {

namespace {

// ---- Element types and the cast from each to each ----

struct Boolean {
  u8 value;
};
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};
template <class T>
struct Complex {
  using Part = T;
  T re, im;
};

template <class T>
constexpr bool is_complex = false;
template <class T>
constexpr bool is_complex<Complex<T>> = true;
template <class A, class B>
constexpr bool same = false;
template <class A>
constexpr bool same<A, A> = true;
template <class T>
constexpr bool is_float = same<T, float> || same<T, double>;

template <class To, class From>
TT_INLINE To bits_of(From x) {
  return __builtin_bit_cast(To, x);
}

// Magnitudes are signed integers below: compilers compare those lane by lane on every instruction set.

TT_INLINE float half_to_float(Half h) {
  const int32_t sign = static_cast<int32_t>(static_cast<uint32_t>(h.bits & 0x8000) << 16);
  const int32_t magnitude = (h.bits & 0x7fff) << 13;
  // Rebias the exponent; infinities and NaN need the rest of the way up to the largest exponent.
  const int32_t rebias = magnitude >= (31 << 23) ? 224 << 23 : 112 << 23;
  // A subnormal is mantissa * 2^-24: let the subtraction normalise it.
  const float subnormal = bits_of<float>(magnitude + (113 << 23)) - bits_of<float>(113 << 23);
  return bits_of<float>((magnitude < (1 << 23) ? bits_of<int32_t>(subnormal) : magnitude + rebias) | sign);
}

TT_INLINE Half float_to_half(float x) {
  const uint32_t bits = bits_of<uint32_t>(x);
  const int32_t magnitude = static_cast<int32_t>(bits & 0x7fffffff);
  // Adding just under half of the last kept bit, plus that bit, rounds to nearest even.
  const int32_t rounded = (magnitude + (0xfff - (112 << 23)) + ((magnitude >> 13) & 1)) >> 13;
  // Below 2^-14, adding 0.5 leaves the rounded subnormal in the low mantissa bits.
  const int32_t subnormal = bits_of<int32_t>(bits_of<float>(magnitude) + 0.5f) - bits_of<int32_t>(0.5f);
  // What is too large ends up beyond infinity's bits; ties at the top have already rounded up to them.
  const int32_t finite = rounded < 0x7c00 ? rounded : 0x7c00;
  int32_t result = magnitude < (113 << 23) ? subnormal : finite;
  result = magnitude > (255 << 23) ? 0x7e00 : result;
  return {static_cast<uint16_t>(static_cast<uint32_t>(result) | (bits >> 16 & 0x8000))};
}

TT_INLINE float bfloat16_to_float(BFloat16 b) { return bits_of<float>(static_cast<uint32_t>(b.bits) << 16); }

TT_INLINE BFloat16 float_to_bfloat16(float x) {
  const uint32_t bits = bits_of<uint32_t>(x);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const uint32_t nan = bits >> 16 | 0x40;
  const int32_t magnitude = static_cast<int32_t>(bits & 0x7fffffff);
  return {static_cast<uint16_t>(magnitude > (255 << 23) ? nan : rounded)};
}

/** The value of an element as a C number: the real part of a complex one. */
template <class From>
TT_INLINE auto number_of(From x) {
  if constexpr (same<From, Half>) {
    return half_to_float(x);
  } else if constexpr (same<From, BFloat16>) {
    return bfloat16_to_float(x);
  } else if constexpr (same<From, Boolean>) {
    return x.value;
  } else if constexpr (is_complex<From>) {
    return x.re;
  } else {
    return x;
  }
}

template <class From>
TT_INLINE bool truth_of(From x) {
  if constexpr (is_complex<From>) {
    return static_cast<bool>(static_cast<int>(x.re != 0) | static_cast<int>(x.im != 0));
  } else {
    return number_of(x) != 0;
  }
}

/** Truncation as x86 does it (the smallest integer when out of range or NaN), without undefined behaviour. */
template <class Int, class Float>
TT_INLINE Int truncate(Float x) {
  constexpr Int lowest = static_cast<Int>(Int{1} << (sizeof(Int) * 8 - 2)) * -2;
  const Float bound = static_cast<Float>(lowest);
  // In doubles, fractions just below the 32-bit range still truncate into it; -bound is exact in each type.
  const bool low = sizeof(Float) > sizeof(Int) ? x > bound - 1 : x >= bound;
  return low && x < -bound ? static_cast<Int>(x) : lowest;
}

template <class To, class From>
TT_INLINE To cast(From x) {
  if constexpr (same<To, From>) {
    return x;
  } else if constexpr (same<To, Boolean>) {
    return {static_cast<u8>(truth_of(x))};
  } else if constexpr (is_complex<To>) {
    using Part = typename To::Part;
    if constexpr (is_complex<From>) {
      return {static_cast<Part>(x.re), static_cast<Part>(x.im)};
    } else {
      return {static_cast<Part>(number_of(x)), 0};
    }
  } else if constexpr (same<To, Half>) {
    return float_to_half(static_cast<float>(number_of(x)));
  } else if constexpr (same<To, BFloat16>) {
    return float_to_bfloat16(static_cast<float>(number_of(x)));
  } else if constexpr (!is_float<To> && is_float<decltype(number_of(x))>) {
    using Wide = std::conditional_t<same<To, i64> || same<To, u8>, i64, int32_t>;
    return static_cast<To>(truncate<Wide>(number_of(x)));
  } else {
    return static_cast<To>(number_of(x));
  }
}

template <class To, class From>
void convert(void* dst, const void* src, i64 n) {
  if constexpr (same<To, From>) {
    memcpy(dst, src, static_cast<size_t>(n) * sizeof(To));
  } else {
    To* __restrict d = static_cast<To*>(dst);
    const From* __restrict s = static_cast<const From*>(src);
    for (i64 i = 0; i < n; i++) d[i] = cast<To>(s[i]);
  }
}

/** The same dtype on both sides, whatever it is. */
template <int Size>
void convert_same(void* dst, const void* src, i64 n) {
  memcpy(dst, src, static_cast<size_t>(n) * Size);
}

template <class From>
Convert from_any(DType to) {
  switch (to) {
    case DType::Bool: return convert<Boolean, From>;
    case DType::I64: return convert<i64, From>;
    case DType::F32: return convert<float, From>;
    case DType::F64: return convert<double, From>;
    case DType::C128: return convert<Complex<double>, From>;
    default: return nullptr;
  }
}

/** Small integers also widen among themselves: for ops that have spans of those types. */
template <class From>
Convert from_small(DType to) {
  switch (to) {
    case DType::I16: return convert<int16_t, From>;
    case DType::I32: return convert<int32_t, From>;
    default: return from_any<From>(to);
  }
}

template <class From>
Convert from_span(DType to) {
  switch (to) {
    case DType::U8: return convert<u8, From>;
    case DType::I8: return convert<int8_t, From>;
    case DType::I16: return convert<int16_t, From>;
    case DType::I32: return convert<int32_t, From>;
    case DType::F16: return convert<Half, From>;
    case DType::BF16: return convert<BFloat16, From>;
    case DType::C64: return convert<Complex<float>, From>;
    default: return from_any<From>(to);
  }
}

// ---- Moving elements of one size ----

struct alignas(8) Bytes16 {
  uint64_t low, high;
};

template <class T>
TT_INLINE void fill_row(T* dst, T value, i64 n) {
  if constexpr (sizeof(T) == 16) {
    for (i64 i = 0; i < n; i++) dst[i] = value;
  } else {
    const Vec<T> v = broadcast(value);
    i64 i = 0;
    for (; i + lanes<T> <= n; i += lanes<T>) store(dst + i, v);
    if (i == n) return;
    if (n >= lanes<T>) {
      store(dst + n - lanes<T>, v);
    } else {
      for (; i < n; i++) dst[i] = value;
    }
  }
}

/** dst[r, c] = src[r]: rows shorter than a vector overwrite each other's overhang. */
template <class T>
void repeat_columns(T* dst, i64 dst_row, const T* src, i64 src_row, i64 rows, i64 cols) {
  i64 r = 0;
  if constexpr (sizeof(T) < 16) {
    if (cols < lanes<T> && dst_row == cols) {
      for (; r * cols + lanes<T> <= rows * cols; r++) store(dst + r * cols, broadcast(src[r * src_row]));
    }
  }
  for (; r < rows; r++) fill_row(dst + r * dst_row, src[r * src_row], cols);
}

template <class T>
void copy_rows(T* dst, i64 dst_row, const T* src, i64 src_row, i64 rows, i64 cols) {
  if (cols * static_cast<i64>(sizeof(T)) >= 64) {
    for (i64 r = 0; r < rows; r++) memcpy(dst + r * dst_row, src + r * src_row, static_cast<size_t>(cols) * sizeof(T));
    return;
  }
  for (i64 r = 0; r < rows; r++) {
    T* d = dst + r * dst_row;
    const T* s = src + r * src_row;

    for (i64 c = 0; c < cols; c++) d[c] = s[c];
  }
}

/** Rows and columns of the tiles that a transpose works in. */
template <class T>
constexpr int tile_size = sizeof(T) == 16 ? 4 : (sizeof(T) <= 2 ? 16 : TT_VECTOR_BYTES) / static_cast<int>(sizeof(T));

template <class T, int N>
struct Tile {
  static constexpr int bytes = N * static_cast<int>(sizeof(T));
  typedef T Row __attribute__((vector_size(bytes)));
  typedef T Memory __attribute__((vector_size(bytes), aligned(1), may_alias));
};

template <class Row, int... I>
TT_INLINE Row interleave(Row a, Row b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, ((I & 1) ? static_cast<int>(sizeof...(I)) + I / 2 : I / 2)...);
}
template <class Row, int... I>
TT_INLINE Row interleave_high(Row a, Row b, std::integer_sequence<int, I...>) {
  constexpr int n = sizeof...(I);
  return __builtin_shufflevector(a, b, ((I & 1) ? n + n / 2 + I / 2 : n / 2 + I / 2)...);
}

/** Transposes one square tile in registers: log2(n) rounds of interleaving row i with row i + n / 2. */
template <int n, class T>
TT_INLINE void transpose_tile(T* dst, i64 dst_row, const T* src, i64 src_col) {
  using Row = typename Tile<T, n>::Row;
  using Memory = typename Tile<T, n>::Memory;
  constexpr auto lane = std::make_integer_sequence<int, n>{};
  Row a[n];
#pragma GCC unroll 16
  for (int i = 0; i < n; i++) a[i] = *reinterpret_cast<const Memory*>(src + i * src_col);
#pragma GCC unroll 4
  for (int round = 1; round < n; round *= 2) {
    Row b[n];
#pragma GCC unroll 16
    for (int i = 0; i < n / 2; i++) {
      b[2 * i] = interleave(a[i], a[i + n / 2], lane);
      b[2 * i + 1] = interleave_high(a[i], a[i + n / 2], lane);
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; i++) a[i] = b[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < n; i++) *reinterpret_cast<Memory*>(dst + i * dst_row) = a[i];
}

/** The same for elements [0, n) of a source line: reads it once, whole. */
template <int N, class T>
TT_INLINE void scatter_line(T* dst, i64 dst_row, const T* src) {
#pragma GCC unroll 16
  for (int i = 0; i < N; i++) dst[i * dst_row] = src[i];
}

/** A transpose of a multiple of tile rows: column by column, so that lines are read once. */
template <int tile, class T>
TT_INLINE void transpose_rows(T* dst, i64 dst_row, const T* src, i64 src_col, i64 rows, i64 cols) {
  i64 c = 0;
  if constexpr (sizeof(T) < 16) {
    for (; c + tile <= cols; c += tile) {
      for (i64 r = 0; r < rows; r += tile) {
        transpose_tile<tile>(dst + r * dst_row + c, dst_row, src + c * src_col + r, src_col);
      }
    }
    if constexpr (tile > 4) {
      if (cols - c >= 4) {
        transpose_rows<tile / 2>(dst + c, dst_row, src + c * src_col, src_col, rows, cols - c);
        return;
      }
    }
  }
  for (; c < cols; c++) {
    for (i64 r = 0; r < rows; r += tile) scatter_line<tile>(dst + r * dst_row + c, dst_row, src + c * src_col + r);
  }
}

/** dst[r, c] = src[c, r], rows of both contiguous. */
template <int tile, class T>
void transpose(T* dst, i64 dst_row, const T* src, i64 src_col, i64 rows, i64 cols) {
  // A cache line of the source at a time, but not more rows than a cache keeps destination lines at one offset.
  constexpr i64 line = sizeof(T) < 4 ? 16 : 64 / static_cast<i64>(sizeof(T));
  i64 r = 0;
  while (r + tile <= rows) {
    const i64 left = (rows - r) / tile * tile;
    const i64 n = left < line ? left : line;
    transpose_rows<tile>(dst + r * dst_row, dst_row, src + r, src_col, n, cols);
    r += n;
  }
  if constexpr (tile > 4) {
    if (r < rows) transpose<tile / 2>(dst + r * dst_row, dst_row, src + r, src_col, rows - r, cols);
  } else {
    for (; r < rows; r++) {
      for (i64 c = 0; c < cols; c++) dst[r * dst_row + c] = src[c * src_col + r];
    }
  }
}

template <class Row, int... I>
TT_INLINE Row evens(Row a, Row b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, 2 * I...);
}

/** Every second element of src. */
template <class T>
void gather_evens(T* dst, const T* src, i64 n) {
  i64 i = 0;
  if constexpr (sizeof(T) < 16) {
    // Two vectors hold one element beyond the last even one: the last vector is left to the loop below.
    constexpr auto lane = std::make_integer_sequence<int, lanes<T>>{};
    for (; i + lanes<T> < n; i += lanes<T>) {
      store(dst + i, evens(load(src + 2 * i), load(src + 2 * i + lanes<T>), lane));
    }
  }
  for (; i < n; i++) dst[i] = src[2 * i];
}

template <class T>
void move_strided(T* dst, i64 dst_row, i64 dst_col, const T* src, i64 src_row, i64 src_col, i64 rows, i64 cols) {
  for (i64 r = 0; r < rows; r++) {
    T* d = dst + r * dst_row;
    const T* s = src + r * src_row;
    for (i64 c = 0; c < cols; c++, d += dst_col, s += src_col) *d = *s;
  }
}

template <class T>
void move_matrix(T* dst, i64 dst_row, i64 dst_col, const T* src, i64 src_row, i64 src_col, i64 rows, i64 cols) {
  if (dst_col != 1 && dst_row == 1) {
    std::swap(dst_row, dst_col);
    std::swap(src_row, src_col);
    std::swap(rows, cols);
  }
  if (dst_col == 1 && src_col == 1) {
    copy_rows(dst, dst_row, src, src_row, rows, cols);
  } else if (dst_col == 1 && src_col == 0) {
    repeat_columns(dst, dst_row, src, src_row, rows, cols);
  } else if (dst_col == 1 && src_row == 1) {
    transpose<tile_size<T>>(dst, dst_row, src, src_col, rows, cols);
  } else if (dst_col == 1 && src_col == 2) {
    for (i64 r = 0; r < rows; r++) gather_evens(dst + r * dst_row, src + r * src_row, cols);
  } else {
    move_strided(dst, dst_row, dst_col, src, src_row, src_col, rows, cols);
  }
}

template <class T>
void move_items(const Box& box, T* dst, const T* src) {
  const int outer = box.ndim - 2;
  if (outer <= 0) {
    if (box.ndim == 2) {
      move_matrix(dst, box.dst[0], box.dst[1], src, box.src[0], box.src[1], box.shape[0], box.shape[1]);
    } else if (box.ndim == 1) {
      move_matrix(dst, i64(0), box.dst[0], src, i64(0), box.src[0], i64(1), box.shape[0]);
    } else {
      *dst = *src;
    }
    return;
  }
  i64 index[kMaxDims];
  for (int d = 0; d < outer; d++) index[d] = 0;
  const int row = outer, col = outer + 1;
  for (;;) {
    move_matrix(dst, box.dst[row], box.dst[col], src, box.src[row], box.src[col], box.shape[row], box.shape[col]);
    int d = outer - 1;
    for (; d >= 0; d--) {
      dst += box.dst[d];
      src += box.src[d];
      if (++index[d] < box.shape[d]) break;
      dst -= box.dst[d] * box.shape[d];
      src -= box.src[d] * box.shape[d];
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

constexpr i64 magnitude(i64 x) { return x < 0 ? -x : x; }

}  // namespace

Convert converter(DType from, DType to) {
  if (from == to) {
    switch (item_size(from)) {
      case 1: return convert_same<1>;
      case 2: return convert_same<2>;
      case 4: return convert_same<4>;
      case 8: return convert_same<8>;
      default: return convert_same<16>;
    }
  }
  switch (from) {
    case DType::Bool: return from_span<Boolean>(to);
    case DType::I64: return from_span<i64>(to);
    case DType::F32: return from_span<float>(to);
    case DType::F64: return from_span<double>(to);
    case DType::C128: return from_span<Complex<double>>(to);
    case DType::U8: return from_small<u8>(to);
    case DType::I8: return from_small<int8_t>(to);
    case DType::I16: return from_small<int16_t>(to);
    case DType::I32: return from_any<int32_t>(to);
    case DType::F16: return from_any<Half>(to);
    case DType::BF16: return from_any<BFloat16>(to);
    case DType::C64: return from_any<Complex<float>>(to);
  }
  return nullptr;
}

DType convert_through(DType from, DType to) {
  const bool complex = from == DType::C64 || from == DType::C128;
  switch (to) {
    case DType::Bool:
      return DType::Bool;
    case DType::F16:
    case DType::BF16:
    case DType::F32:
      return DType::F32;
    case DType::C64:
      return complex ? DType::C128 : DType::F32;
    case DType::F64:
      return DType::F64;
    case DType::C128:
      return complex ? DType::C128 : DType::F64;
    default:
      break;
  }
  switch (from) {
    case DType::F16:
    case DType::BF16:
    case DType::F32:
    case DType::C64:
      return DType::F32;
    case DType::F64:
    case DType::C128:
      return DType::F64;
    default:
      return DType::I64;
  }
}

void make_box(Box& box, int ndim, const i64* shape, const i64* dst_strides, const i64* src_strides) {
  // From the innermost dim outwards, merging; filled back to front at the end of the arrays, then moved down.
  i64 packed = 1;
  int first = kMaxDims;
  for (int d = ndim - 1; d >= 0; d--) {
    const i64 size = shape[d];
    if (size == 1) continue;
    const i64 dst = dst_strides ? dst_strides[d] : packed;
    const i64 src = src_strides ? src_strides[d] : packed;
    packed *= size;
    if (first < kMaxDims && dst == box.dst[first] * box.shape[first] && src == box.src[first] * box.shape[first]) {
      box.shape[first] *= size;
      continue;
    }
    first--;
    box.shape[first] = size;
    box.dst[first] = dst;
    box.src[first] = src;
  }
  box.ndim = kMaxDims - first;
  for (int d = 0; d < box.ndim; d++) {
    box.shape[d] = box.shape[first + d];
    box.dst[d] = box.dst[first + d];
    box.src[d] = box.src[first + d];
  }
  // Where another dim is the densest of the source, bring it next to the innermost: the pair is a transpose.
  if (box.ndim <= 2 || magnitude(box.src[box.ndim - 1]) <= 1) return;
  int densest = box.ndim - 2;
  for (int d = box.ndim - 3; d >= 0; d--) {
    if (box.src[d] != 0 && magnitude(box.src[d]) < magnitude(box.src[densest])) densest = d;
  }
  std::swap(box.shape[densest], box.shape[box.ndim - 2]);
  std::swap(box.dst[densest], box.dst[box.ndim - 2]);
  std::swap(box.src[densest], box.src[box.ndim - 2]);
}

void move_box(const Box& box, i64 size, char* dst, const char* src) {
  switch (size) {
    case 1: return move_items(box, reinterpret_cast<u8*>(dst), reinterpret_cast<const u8*>(src));
    case 2: return move_items(box, reinterpret_cast<uint16_t*>(dst), reinterpret_cast<const uint16_t*>(src));
    case 4: return move_items(box, reinterpret_cast<uint32_t*>(dst), reinterpret_cast<const uint32_t*>(src));
    case 8: return move_items(box, reinterpret_cast<uint64_t*>(dst), reinterpret_cast<const uint64_t*>(src));
    default: return move_items(box, reinterpret_cast<Bytes16*>(dst), reinterpret_cast<const Bytes16*>(src));
  }
}

void fill_items(i64 size, char* dst, const char* value, i64 n) {
  Box box;
  box.ndim = 1;
  box.shape[0] = n;
  box.dst[0] = 1;
  box.src[0] = 0;
  move_box(box, size, dst, value);
}

namespace {

/** Elements that pass through a buffer on the stack where a conversion and a stride meet. */
constexpr i64 kChunk = 256;

void move_line(i64 size, char* dst, i64 dst_stride, const char* src, i64 src_stride, i64 n) {
  Box box;
  box.ndim = 1;
  box.shape[0] = n;
  box.dst[0] = dst_stride;
  box.src[0] = src_stride;
  move_box(box, size, dst, src);
}

}  // namespace

void load_convert(DType span, const char* src, DType src_dtype, i64 stride, void* dst, i64 n) {
  const i64 size = item_size(src_dtype), span_size = item_size(span);
  char* out = static_cast<char*>(dst);
  const Convert convert = converter(src_dtype, span);
  if (stride == 1 || n <= 1) {
    if (n > 0) convert(out, src, n);
  } else if (stride == 0) {
    alignas(16) char value[16];
    convert(value, src, 1);
    fill_items(span_size, out, value, n);
  } else if (span == src_dtype) {
    move_line(size, out, 1, src, stride, n);
  } else {
    alignas(64) char line[kChunk * 16];
    for (i64 i = 0; i < n; i += kChunk) {
      const i64 count = n - i < kChunk ? n - i : kChunk;
      move_line(size, line, 1, src + i * stride * size, stride, count);
      convert(out + i * span_size, line, count);
    }
  }
}

void store_convert(DType dst_dtype, char* dst, i64 stride, DType span, const void* src, i64 n) {
  const i64 size = item_size(dst_dtype), span_size = item_size(span);
  const char* in = static_cast<const char*>(src);
  const Convert convert = converter(span, dst_dtype);
  if (stride == 1 || n <= 1) {
    if (n > 0) convert(dst, in, n);
  } else if (span == dst_dtype) {
    move_line(size, dst, stride, in, 1, n);
  } else {
    alignas(64) char line[kChunk * 16];
    for (i64 i = 0; i < n; i += kChunk) {
      const i64 count = n - i < kChunk ? n - i : kChunk;
      convert(line, in + i * span_size, count);
      move_line(size, dst + i * stride * size, stride, line, 1, count);
    }
  }
}

}  // namespace KERNEL_NS
}  // namespace tt
