// Discrete Fourier transforms along one dimension: complex to complex, real to half a spectrum, half a spectrum to
// real. Short lines and lines that lie side by side are transformed a vector of lines at a time (fft_tile.h). A longer
// line is a matrix of n1 x n2 elements: its columns are transformed (a vector of columns at a time), multiplied by
// roots of unity, transposed, and transformed again (Bailey's four-step algorithm). Lengths with a large prime factor
// become a convolution by a power of two (Bluestein's algorithm). Real lines of even length are half as many complex
// numbers. The caller chooses the algorithm and computes all tables.
#include "fft_tile.h"
#include "kernel.h"

namespace tt {
inline namespace KERNEL_NS {
namespace fft {
namespace {

enum class Kind : int { Complex, RealToHalf, HalfToReal };
enum class Mode : int { Tile, Line, Convolution };

/** Columns whose twiddles share a factor: at least the lanes of every instruction set. */
constexpr i64 kGroup = 16;

template <class T>
struct Plan {
  Kind kind;
  i64 n;          // real or complex elements of a line
  bool inverse;   // exp(+...), of complex lines; real ones have their direction
  T scale;
  Mode mode;
  i64 core;       // complex elements that are transformed: n, or n / 2
  i64 inner;      // of the transform inside: core, or the length of the convolution
  i64 n1, n2;
  Radices radices1, radices2;
  const T *table1, *table2;
  const T* by_column;  // exp(-2 pi i k g / inner) by k < n1: the real parts for g < kGroup, then the imaginary ones
  const T* by_group;   // exp(-2 pi i k kGroup b / inner) by b, then k < n1
  const T* real;       // exp(-2 pi i k / n), k <= n / 4: real parts, then imaginary ones `real_size` later
  i64 real_size;
  const T* chirp;      // exp(-pi i j j / core)
  const T* spectrum;   // of the conjugate chirp, over inner
  T* work;             // for one long line at a time; null: scratch memory of the thread
  bool packed() const { return kind != Kind::Complex && n % 2 == 0; }
};

/** What a line needs beside its ends. */
enum class Buffer : int { Source, Result, Packed, Convolved, Transposed };

template <class T>
i64 row_size(const Plan<T>& p) {
  // Rows whose distance is no power of two: else all rows of a transposed block fall into one set of the cache.
  return (p.n1 + kGroup - 1) / kGroup * kGroup + kGroup;
}

/** A buffer of one line; those of `work` have room for the largest use of each, one after the other. */
template <class T>
T* buffer(const Plan<T>& p, Buffer which) {
  const i64 sizes[] = {2 * p.n + 2, 2 * p.n + 2, 2 * p.core + 2, 2 * p.inner, 2 * row_size(p) * p.n2};
  const int slot = static_cast<int>(which);
  if (!p.work) return static_cast<T*>(tt_scratch(slot, static_cast<size_t>(sizes[slot]) * sizeof(T)));
  T* at = p.work;
  for (int i = 0; i < slot; i++) at += sizes[i];
  return at;
}

void read_radices(Args& a, Radices& r) {
  r.count = static_cast<int>(a.integer());
  for (int i = 0; i < r.count; i++) r.radix[i] = static_cast<int>(a.integer());
}

template <class T, int... I>
TT_INLINE Vec<T> reversed(Vec<T> v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (static_cast<int>(sizeof...(I)) - 1 - I)...);
}
template <class T>
TT_INLINE Cx<T> reversed(Cx<T> x) {
  constexpr auto lane = std::make_integer_sequence<int, lanes<T>>{};
  return {reversed<T>(x.re, lane), reversed<T>(x.im, lane)};
}

/** From two opposite elements of the packed transform to two opposite elements of the real line's spectrum. */
template <class T>
TT_INLINE void unpack(Cx<T>& a, Cx<T>& b, Cx<T> w, T scale) {
  const Cx<T> even = times(a + conj(b), scale * T(0.5)), odd = turn(times(a - conj(b), scale * T(0.5)) * w);
  a = even + odd;
  b = conj(even - odd);
}
/** The other way around, doubled. */
template <class T>
TT_INLINE void repack(Cx<T>& a, Cx<T>& b, Cx<T> w) {
  const Cx<T> even = a + conj(b), odd = turn((a - conj(b)) * conj(w));
  a = even - odd;
  b = conj(even + odd);
}

// ---- one long line

/** Four steps over pairs: from and to may be the same. */
template <class T>
void long_line(const Plan<T>& p, const T* from, T* to, bool inverse, T scale) {
  constexpr i64 L = lanes<T>;
  const i64 n1 = p.n1, n2 = p.n2;
  const i64 row = row_size(p);
  T* re = buffer(p, Buffer::Transposed);
  T* im = re + row * n2;
  const auto tiles = [](i64 n) { return static_cast<T*>(tt_scratch(5, static_cast<size_t>(6 * n * L) * sizeof(T))); };
  parallel_for((n2 + L - 1) / L, 1 + 32768 / (n1 * L), [&](i64 begin, i64 end) {
    T* io = tiles(n1);
    const TileEnd<T> tile{io};
    for (i64 j = begin * L; j < end * L && j < n2; j += L) {
      const i64 count = n2 - j < L ? n2 - j : L;
      const PairsEnd<T> columns{const_cast<T*>(from) + 2 * j, 2 * n2, count, inverse, T(1)};
      transform_tile(n1, p.radices1, p.table1, columns, tile, io + 2 * L * n1, io + 4 * L * n1);
      const T* group = p.by_group + 2 * n1 * (j / kGroup);
      const T* column = p.by_column + j % kGroup;
      for (i64 k = 0; k < n1; k += L) {
        Vec<T> x[L], y[L];
        TT_UNROLL
        for (i64 i = 0; i < L; i++) {
          if (k + i >= n1) {
            x[i] = y[i] = Vec<T>{};
            continue;
          }
          const T* w = column + 2 * kGroup * (k + i);
          const Cx<T> z = tile.get(k + i) * times(Cx<T>{load(w), load(w + kGroup)}, group + 2 * (k + i));
          x[i] = z.re;
          y[i] = z.im;
        }
        transpose<T>(x);
        transpose<T>(y);
        for (i64 i = 0; i < count; i++) {
          store(re + (j + i) * row + k, x[i]);
          store(im + (j + i) * row + k, y[i]);
        }
      }
    }
  });
  parallel_for((n1 + L - 1) / L, 1 + 32768 / (n2 * L), [&](i64 begin, i64 end) {
    T* io = tiles(n2);
    for (i64 k = begin * L; k < end * L && k < n1; k += L) {
      const i64 count = n1 - k < L ? n1 - k : L;
      const SplitEnd<T> rows{re + k, im + k, row};
      const PairsEnd<T> columns{to + 2 * k, 2 * n1, count, inverse, scale};
      transform_tile(n2, p.radices2, p.table2, rows, columns, io, io + 2 * L * n2);
    }
  });
}

/** to = a * b, pair by pair, after and before exchanging parts where asked. */
template <class T>
void multiply(T* to, const T* a, const T* b, i64 n, bool swap_in, bool swap_out, T scale) {
  for (i64 i = 0; i < n; i += lanes<T>) {
    const i64 c = n - i < lanes<T> ? n - i : lanes<T>;
    const Cx<T> x = swapped(load_pairs<T>(a + 2 * i, c), swap_in) * load_pairs<T>(b + 2 * i, c);
    store_pairs<T>(to + 2 * i, swapped(times(x, scale), swap_out), c);
  }
}

/** The complex transform of a line of p.core pairs. */
template <class T>
void complex_line(const Plan<T>& p, const T* from, T* to, bool inverse, T scale) {
  if (p.mode == Mode::Line) return long_line(p, from, to, inverse, scale);
  T* a = buffer(p, Buffer::Convolved);
  multiply(a, from, p.chirp, p.core, inverse, false, T(1));
  memset(a + 2 * p.core, 0, static_cast<size_t>(2 * (p.inner - p.core)) * sizeof(T));
  long_line(p, a, a, false, T(1));
  multiply(a, a, p.spectrum, p.inner, false, false, T(1));
  long_line(p, a, a, true, T(1));
  multiply(to, a, p.chirp, p.core, false, inverse, scale);
}

/** Half a spectrum (core + 1 pairs) from the packed transform z, or z from half a spectrum. */
template <class T, bool forward>
void unpack_line(const Plan<T>& p, const T* from, T* to) {
  constexpr i64 L = lanes<T>;
  const i64 h = p.core;
  for (i64 k = 1; k <= h / 2; k += L) {
    const i64 m = h - k - L + 1;
    Cx<T> a = load_pairs<T>(from + 2 * k, L), b = reversed(load_pairs<T>(from + 2 * m, L));
    const Cx<T> w{load(p.real + k), load(p.real + p.real_size + k)};
    if constexpr (forward) {
      unpack(a, b, w, p.scale);
    } else {
      repack(a, b, w);
    }
    store_pairs<T>(to + 2 * k, a, L);
    store_pairs<T>(to + 2 * m, reversed(b), L);
  }
  const T first = from[0], other = forward ? from[1] : from[2 * h];
  to[0] = first + other;
  if constexpr (forward) {
    to[0] *= p.scale;
    to[2 * h] = (first - other) * p.scale;
    to[1] = to[2 * h + 1] = T(0);
  } else {
    to[1] = first - other;
  }
}

/** One line, contiguous at both ends. */
template <class T>
void transform_line(const Plan<T>& p, const T* from, T* to) {
  if (p.kind == Kind::Complex) return complex_line(p, from, to, p.inverse, p.scale);
  T* z = buffer(p, Buffer::Packed);
  const i64 half = p.n / 2;
  if (p.kind == Kind::RealToHalf) {
    if (p.packed()) {
      complex_line(p, from, z, false, T(1));
      return unpack_line<T, true>(p, z, to);
    }
    for (i64 j = 0; j < p.n; j++) {
      z[2 * j] = from[j];
      z[2 * j + 1] = T(0);
    }
    complex_line(p, z, z, false, p.scale);
    memcpy(to, z, static_cast<size_t>(2 * half + 2) * sizeof(T));
    return;
  }
  if (p.packed()) {
    unpack_line<T, false>(p, from, z);
    return complex_line(p, z, to, true, p.scale);
  }
  z[0] = from[0];
  z[1] = T(0);
  for (i64 k = 1; k <= half; k++) {
    z[2 * k] = z[2 * (p.n - k)] = from[2 * k];
    z[2 * k + 1] = from[2 * k + 1];
    z[2 * (p.n - k) + 1] = -from[2 * k + 1];
  }
  complex_line(p, z, z, true, p.scale);
  for (i64 j = 0; j < p.n; j++) to[j] = z[2 * j];
}

// ---- lines of a tensor

/** The lines of both tensors along a dimension, those that are nearest in memory one after the other. */
struct Lines {
  int ndim = 0;
  i64 shape[kMaxDims], from[kMaxDims], to[kMaxDims];
  i64 count = 1;
  Lines(const TensorArg& out, const TensorArg& in, int dim) {
    for (int d = in.ndim - 1; d >= 0; d--) {
      if (d == dim || in.shape[d] == 1) continue;
      int at = ndim++;
      for (; at > 0 && from[at - 1] > in.strides[d]; at--) {
        shape[at] = shape[at - 1];
        from[at] = from[at - 1];
        to[at] = to[at - 1];
      }
      shape[at] = in.shape[d];
      from[at] = in.strides[d];
      to[at] = out.strides[d];
      count *= in.shape[d];
    }
  }
  void locate(i64 line, i64& in, i64& out) const {
    in = out = 0;
    for (int d = 0; d < ndim; d++) {
      const i64 i = line % shape[d];
      in += i * from[d];
      out += i * to[d];
      line /= shape[d];
    }
  }
};

template <class T>
void copy_pairs(T* to, i64 to_stride, const T* from, i64 from_stride, i64 n) {
  for (i64 j = 0; j < n; j++) {
    to[2 * j * to_stride] = from[2 * j * from_stride];
    to[2 * j * to_stride + 1] = from[2 * j * from_stride + 1];
  }
}
template <class T>
void copy_reals(T* to, i64 to_stride, const T* from, i64 from_stride, i64 n) {
  for (i64 j = 0; j < n; j++) to[j * to_stride] = from[j * from_stride];
}

template <class T>
void run_lines(const Plan<T>& p, const TensorArg& out, const TensorArg& in, int dim) {
  const Lines lines(out, in, dim);
  const i64 half = p.n / 2 + 1;
  const bool real_in = p.kind == Kind::RealToHalf, real_out = p.kind == Kind::HalfToReal;
  const i64 in_n = real_out ? half : p.n, out_n = real_in ? half : p.n;
  const i64 in_stride = in.strides[dim], out_stride = out.strides[dim];
  const auto run = [&](i64 begin, i64 end) {
    T* source = in_stride == 1 ? nullptr : buffer(p, Buffer::Source);
    T* result = out_stride == 1 ? nullptr : buffer(p, Buffer::Result);
    for (i64 line = begin; line < end; line++) {
      i64 from, to;
      lines.locate(line, from, to);
      const T* x = in.as<T>() + (real_in ? from : 2 * from);
      T* y = out.as<T>() + (real_out ? to : 2 * to);
      if (source) real_in ? copy_reals(source, 1, x, in_stride, in_n) : copy_pairs(source, 1, x, in_stride, in_n);
      transform_line(p, source ? source : x, result ? result : y);
      if (result) real_out ? copy_reals(y, out_stride, result, 1, out_n) : copy_pairs(y, out_stride, result, 1, out_n);
    }
  };
  // Long lines one by one, each in several threads.
  if (p.work) return run(0, lines.count);
  parallel_for(lines.count, 1 + 16384 / p.n, run);
}

// ---- a vector of short lines at a time

/** Where the lines of a tile start, in elements. */
template <class T>
struct Starts {
  i64 count;
  i64 at[lanes<T>];
  bool adjacent() const {
    for (i64 i = 1; i < count; i++)
      if (at[i] != at[0] + i) return false;
    return true;
  }
};

template <class T>
TT_INLINE Cx<T> get_complex(const T* data, const Starts<T>& s, bool adjacent, i64 offset) {
  if (adjacent) return load_pairs<T>(data + 2 * (s.at[0] + offset), s.count);
  T re[lanes<T>] = {}, im[lanes<T>] = {};
  for (i64 i = 0; i < s.count; i++) {
    re[i] = data[2 * (s.at[i] + offset)];
    im[i] = data[2 * (s.at[i] + offset) + 1];
  }
  return {load(re), load(im)};
}
template <class T>
TT_INLINE void put_complex(T* data, const Starts<T>& s, bool adjacent, i64 offset, Cx<T> x) {
  if (adjacent) return store_pairs<T>(data + 2 * (s.at[0] + offset), x, s.count);
  T re[lanes<T>], im[lanes<T>];
  store(re, x.re);
  store(im, x.im);
  for (i64 i = 0; i < s.count; i++) {
    data[2 * (s.at[i] + offset)] = re[i];
    data[2 * (s.at[i] + offset) + 1] = im[i];
  }
}
template <class T>
TT_INLINE Vec<T> get_real(const T* data, const Starts<T>& s, bool adjacent, i64 offset) {
  if (adjacent && s.count == lanes<T>) return load(data + s.at[0] + offset);
  T part[lanes<T>] = {};
  for (i64 i = 0; i < s.count; i++) part[i] = data[s.at[i] + offset];
  return load(part);
}
template <class T>
TT_INLINE void put_real(T* data, const Starts<T>& s, bool adjacent, i64 offset, Vec<T> v) {
  if (adjacent && s.count == lanes<T>) return store(data + s.at[0] + offset, v);
  T part[lanes<T>];
  store(part, v);
  for (i64 i = 0; i < s.count; i++) data[s.at[i] + offset] = part[i];
}

/**
 * Fills a tile from lines of pairs that are contiguous each, a block of as many elements as lanes at a time.
 * @param step scalars between neighbouring starts' units: 2 for complex lines, 1 for real ones seen as pairs.
 * @return how many elements of each line were read: the rest is less than a block.
 */
template <class T>
i64 read_blocks(const TileEnd<T>& tile, const T* data, const Starts<T>& s, i64 step, i64 n, bool swap) {
  constexpr i64 L = lanes<T>;
  if (s.count < L) return 0;
  i64 j = 0;
  for (; j + L <= n; j += L) {
    Vec<T> x[L], y[L];
    TT_UNROLL
    for (i64 i = 0; i < L; i++) {
      const Cx<T> z = load_pairs<T>(data + step * s.at[i] + 2 * j, L);
      x[i] = z.re;
      y[i] = z.im;
    }
    transpose<T>(x);
    transpose<T>(y);
    TT_UNROLL
    for (i64 i = 0; i < L; i++) tile.put(j + i, swapped(Cx<T>{x[i], y[i]}, swap));
  }
  return j;
}
/** The other way around, scaled. */
template <class T>
i64 write_blocks(const TileEnd<T>& tile, T* data, const Starts<T>& s, i64 step, i64 n, bool swap, T scale) {
  constexpr i64 L = lanes<T>;
  if (s.count < L) return 0;
  i64 j = 0;
  for (; j + L <= n; j += L) {
    Vec<T> x[L], y[L];
    TT_UNROLL
    for (i64 i = 0; i < L; i++) {
      const Cx<T> z = swapped(times(tile.get(j + i), scale), swap);
      x[i] = z.re;
      y[i] = z.im;
    }
    transpose<T>(x);
    transpose<T>(y);
    TT_UNROLL
    for (i64 i = 0; i < L; i++) store_pairs<T>(data + step * s.at[i] + 2 * j, Cx<T>{x[i], y[i]}, L);
  }
  return j;
}

/** Reads a tile: what the complex transform starts from. */
template <class T>
void read_tile(const Plan<T>& p, const TileEnd<T>& tile, const T* data, const Starts<T>& s, i64 stride) {
  const bool adjacent = s.adjacent();
  if (p.kind == Kind::Complex) {
    i64 j = stride == 1 && !adjacent ? read_blocks(tile, data, s, 2, p.n, p.inverse) : 0;
    for (; j < p.n; j++) tile.put(j, swapped(get_complex(data, s, adjacent, j * stride), p.inverse));
  } else if (p.kind == Kind::RealToHalf) {
    i64 j = stride == 1 && p.packed() ? read_blocks(tile, data, s, 1, p.core, false) : 0;
    for (; j < p.core; j++) {
      if (p.packed()) {
        tile.put(j, {get_real(data, s, adjacent, 2 * j * stride), get_real(data, s, adjacent, (2 * j + 1) * stride)});
      } else {
        tile.put(j, {get_real(data, s, adjacent, j * stride), Vec<T>{}});
      }
    }
  } else if (p.packed()) {
    const i64 h = p.core;
    const Vec<T> first = get_complex(data, s, adjacent, 0).re, last = get_complex(data, s, adjacent, h * stride).re;
    tile.put(0, {first - last, first + last});
    for (i64 k = 1; k <= h / 2; k++) {
      Cx<T> a = get_complex(data, s, adjacent, k * stride), b = get_complex(data, s, adjacent, (h - k) * stride);
      repack(a, b, Cx<T>{broadcast(p.real[k]), broadcast(p.real[p.real_size + k])});
      tile.put(k, swapped(a, true));
      tile.put(h - k, swapped(b, true));
    }
  } else {
    tile.put(0, {Vec<T>{}, get_complex(data, s, adjacent, 0).re});
    for (i64 k = 1; k <= p.n / 2; k++) {
      const Cx<T> a = get_complex(data, s, adjacent, k * stride);
      tile.put(k, swapped(a, true));
      tile.put(p.n - k, swapped(conj(a), true));
    }
  }
}

/** Writes what the complex transform made of a tile. */
template <class T>
void write_tile(const Plan<T>& p, const TileEnd<T>& tile, T* data, const Starts<T>& s, i64 stride) {
  const bool adjacent = s.adjacent();
  const auto finish = [&](i64 k, Cx<T> x) { put_complex(data, s, adjacent, k * stride, x); };
  if (p.kind == Kind::Complex) {
    i64 j = stride == 1 && !adjacent ? write_blocks(tile, data, s, 2, p.n, p.inverse, p.scale) : 0;
    for (; j < p.n; j++)
      put_complex(data, s, adjacent, j * stride, swapped(times(tile.get(j), p.scale), p.inverse));
  } else if (p.kind == Kind::HalfToReal) {
    // The parts lie exchanged: the inverse transform ran as a forward one.
    i64 j = stride == 1 && p.packed() ? write_blocks(tile, data, s, 1, p.core, true, p.scale) : 0;
    for (; j < p.core; j++) {
      const Cx<T> x = times(tile.get(j), p.scale);
      put_real(data, s, adjacent, (p.packed() ? 2 * j : j) * stride, x.im);
      if (p.packed()) put_real(data, s, adjacent, (2 * j + 1) * stride, x.re);
    }
  } else if (p.packed()) {
    const i64 h = p.core;
    const Cx<T> first = times(tile.get(0), p.scale);
    put_complex(data, s, adjacent, 0, Cx<T>{first.re + first.im, Vec<T>{}});
    put_complex(data, s, adjacent, h * stride, Cx<T>{first.re - first.im, Vec<T>{}});
    for (i64 k = 1; k <= h / 2; k++) {
      Cx<T> a = tile.get(k), b = tile.get(h - k);
      unpack(a, b, Cx<T>{broadcast(p.real[k]), broadcast(p.real[p.real_size + k])}, p.scale);
      finish(k, a);
      finish(h - k, b);
    }
  } else {
    for (i64 k = 0; k <= p.n / 2; k++) finish(k, times(tile.get(k), p.scale));
  }
}

template <class T>
void run_tiles(const Plan<T>& p, const TensorArg& out, const TensorArg& in, int dim) {
  constexpr i64 L = lanes<T>;
  const Lines lines(out, in, dim);
  const i64 n = p.core, in_stride = in.ndim ? in.strides[dim] : 1, out_stride = out.ndim ? out.strides[dim] : 1;
  parallel_for((lines.count + L - 1) / L, 1 + 4096 / (p.n * L), [&](i64 begin, i64 end) {
    T* io = static_cast<T*>(tt_scratch(5, static_cast<size_t>(6 * (n + 1) * L) * sizeof(T)));
    T *one = io + 2 * L * (n + 1), *two = one + 2 * L * n;
    const TileEnd<T> tile{io};
    for (i64 first = begin * L; first < end * L && first < lines.count; first += L) {
      Starts<T> from, to;
      from.count = to.count = lines.count - first < L ? lines.count - first : L;
      for (i64 i = 0; i < from.count; i++) lines.locate(first + i, from.at[i], to.at[i]);
      if (p.kind == Kind::Complex && from.adjacent() && to.adjacent()) {
        const PairsEnd<T> x{in.as<T>() + 2 * from.at[0], 2 * in_stride, from.count, p.inverse, T(1)};
        const PairsEnd<T> y{out.as<T>() + 2 * to.at[0], 2 * out_stride, to.count, p.inverse, p.scale};
        transform_tile(n, p.radices1, p.table1, x, y, one, two);
        continue;
      }
      read_tile(p, tile, in.as<T>(), from, in_stride);
      transform_tile(n, p.radices1, p.table1, tile, tile, one, two);
      write_tile(p, tile, out.as<T>(), to, out_stride);
    }
  });
}

template <class T>
void run(Args& a, const TensorArg& out, const TensorArg& in) {
  Plan<T> p{};
  const int dim = static_cast<int>(a.integer());
  p.kind = static_cast<Kind>(a.integer());
  p.n = a.integer();
  p.inverse = a.flag();
  p.scale = static_cast<T>(a.number());
  TensorArg table;
  a.tensor(table);
  p.mode = static_cast<Mode>(a.integer());
  p.core = a.integer();
  p.inner = a.integer();
  p.n1 = a.integer();
  p.n2 = a.integer();
  read_radices(a, p.radices1);
  read_radices(a, p.radices2);
  const T* tables = table.as<T>();
  p.table1 = tables + a.integer();
  p.table2 = tables + a.integer();
  p.by_column = tables + a.integer();
  p.by_group = tables + a.integer();
  p.real = tables + a.integer();
  p.real_size = a.integer();
  p.chirp = tables + a.integer();
  p.spectrum = tables + a.integer();
  TensorArg work;
  if (a.flag()) {
    a.tensor(work);
    p.work = work.as<T>();
  }
  if (p.mode == Mode::Tile) {
    run_tiles(p, out, in, dim);
  } else {
    run_lines(p, out, in, dim);
  }
}

void run_fft(double* args) {
  Args a(args);
  TensorArg out, in;
  a.tensor(out);
  a.tensor(in);
  const DType type = out.dtype == DType::F32 || out.dtype == DType::F64 ? out.dtype : in.dtype;
  if (type == DType::F64 || out.dtype == DType::C128) return run<double>(a, out, in);
  run<float>(a, out, in);
}

/** The second halves of lines, from the first: element n - k is the conjugate of element k. */
template <class T>
void mirror(const TensorArg& t, int dim) {
  const i64 n = t.shape[dim], stride = 2 * t.strides[dim];
  const Lines lines(t, t, dim);
  parallel_for(lines.count, 1 + 32768 / n, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; line++) {
      i64 from, to;
      lines.locate(line, from, to);
      T* x = t.as<T>() + 2 * to;
      for (i64 k = 1; k <= (n - 1) / 2; k++) {
        x[(n - k) * stride] = x[k * stride];
        x[(n - k) * stride + 1] = -x[k * stride + 1];
      }
    }
  });
}

void run_mirror(double* args) {
  Args a(args);
  TensorArg t{};
  a.tensor(t);
  const int dim = static_cast<int>(a.integer());
  if (t.dtype == DType::C128) return mirror<double>(t, dim);
  mirror<float>(t, dim);
}

}  // namespace
}  // namespace fft

// fft: out, in, dim, kind (0 complex, 1 real to half a spectrum, 2 half a spectrum to real), n (elements of a line: of
// the real line in kinds 1 and 2), inverse, scale, tables (of the real type), the plan as src/ops/fft_plan.ts lays it
// out, and optionally memory to work in. Any strides; out may be in where both are complex.
// fft_mirror: spectrum (complex), dim.
extern const KernelEntry fft_kernels[];
const KernelEntry fft_kernels[] = {
    {"fft", fft::run_fft},
    {"fft_mirror", fft::run_mirror},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
