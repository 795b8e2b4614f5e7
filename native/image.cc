// Pictures of bytes, [height, width, channels]: resizing and warping with the numbers of Pillow (fixed point weights,
// nearest and bilinear reads), which torchvision's transforms of pictures rest on.
#include "kernel.h"

namespace tt {
inline namespace KERNEL_NS {
namespace pictures {

/** Weights have this many fraction bits. */
constexpr int kBits = 32 - 8 - 2;

inline uint8_t clip(int32_t sum) {
  const int32_t v = sum >> kBits;
  return static_cast<uint8_t>(v < 0 ? 0 : v > 255 ? 255 : v);
}

/** Where each output element reads: `first`, `count` pairs, and `taps` weights each. */
struct Weights {
  const int32_t* bounds;
  const int32_t* values;
  i64 taps;
};

template <int C>
void across_row(uint8_t* out, const uint8_t* in, const Weights& w, i64 outputs) {
  for (i64 x = 0; x < outputs; x++) {
    const uint8_t* from = in + static_cast<i64>(w.bounds[2 * x]) * C;
    const int32_t count = w.bounds[2 * x + 1];
    const int32_t* weights = w.values + x * w.taps;
    int32_t sums[C];
    for (int c = 0; c < C; c++) sums[c] = 1 << (kBits - 1);
    for (int32_t t = 0; t < count; t++) {
      for (int c = 0; c < C; c++) sums[c] += from[t * C + c] * weights[t];
    }
    for (int c = 0; c < C; c++) out[x * C + c] = clip(sums[c]);
  }
}

/** One output row from the input rows above and below; `width` bytes in a row. */
void down_row(uint8_t* out, const uint8_t* in, int32_t count, const int32_t* weights, i64 width) {
  constexpr i64 kBlock = 256;
  int32_t sums[kBlock];
  for (i64 begin = 0; begin < width; begin += kBlock) {
    const i64 n = width - begin < kBlock ? width - begin : kBlock;
    for (i64 i = 0; i < n; i++) sums[i] = 1 << (kBits - 1);
    for (int32_t t = 0; t < count; t++) {
      const uint8_t* from = in + t * width + begin;
      const int32_t weight = weights[t];
      for (i64 i = 0; i < n; i++) sums[i] += from[i] * weight;
    }
    for (i64 i = 0; i < n; i++) out[begin + i] = clip(sums[i]);
  }
}

/** image_resize out, in, bounds, weights, down: one dimension of a picture; bounds and weights are int32. */
void resize(double* args) {
  Args a(args);
  TensorArg out, in, bounds, weights;
  a.tensor(out);
  a.tensor(in);
  a.tensor(bounds);
  a.tensor(weights);
  const bool down = a.flag();
  const Weights w{bounds.as<int32_t>(), weights.as<int32_t>(), weights.shape[1]};
  uint8_t* to = out.as<uint8_t>();
  const uint8_t* from = in.as<uint8_t>();
  const i64 channels = in.shape[2];
  const i64 width = out.shape[1] * channels, in_width = in.shape[1] * channels;
  parallel_for(out.shape[0], 16384 / (width * w.taps + 1) + 1, [&](i64 begin, i64 end) {
    for (i64 y = begin; y < end; y++) {
      uint8_t* row = to + y * width;
      if (down) {
        down_row(row, from + w.bounds[2 * y] * width, w.bounds[2 * y + 1], w.values + y * w.taps, width);
      } else if (channels == 1) {
        across_row<1>(row, from + y * in_width, w, out.shape[1]);
      } else if (channels == 3) {
        across_row<3>(row, from + y * in_width, w, out.shape[1]);
      } else {
        across_row<4>(row, from + y * in_width, w, out.shape[1]);
      }
    }
  });
}

/** The picture that is read. */
struct Source {
  const uint8_t* data;
  i64 height, width, channels;
  const uint8_t* at(i64 y, i64 x) const { return data + (y * width + x) * channels; }
};

inline i64 floor_of(double x) {
  const i64 v = static_cast<i64>(x);
  return v - (static_cast<double>(v) > x);
}
inline i64 clamped(i64 x, i64 n) { return x < 0 ? 0 : x >= n ? n - 1 : x; }

void read_nearest(uint8_t* out, const Source& s, double x, double y) {
  if (!(x >= 0 && y >= 0 && x < static_cast<double>(s.width) && y < static_cast<double>(s.height))) return;
  const uint8_t* from = s.at(static_cast<i64>(y), static_cast<i64>(x));
  for (i64 c = 0; c < s.channels; c++) out[c] = from[c];
}

void read_bilinear(uint8_t* out, const Source& s, double x, double y) {
  if (!(x >= 0 && y >= 0 && x < static_cast<double>(s.width) && y < static_cast<double>(s.height))) return;
  x -= 0.5;
  y -= 0.5;
  const i64 left = floor_of(x), top = floor_of(y);
  const double dx = x - static_cast<double>(left), dy = y - static_cast<double>(top);
  const i64 x0 = clamped(left, s.width), x1 = clamped(left + 1, s.width);
  const uint8_t *a = s.at(clamped(top, s.height), x0), *b = s.at(clamped(top, s.height), x1);
  const bool below = top + 1 >= 0 && top + 1 < s.height;
  const uint8_t *d = below ? s.at(top + 1, x0) : a, *e = below ? s.at(top + 1, x1) : b;
  for (i64 c = 0; c < s.channels; c++) {
    const double v1 = a[c] + (b[c] - a[c]) * dx;
    const double v2 = d[c] + (e[c] - d[c]) * dx;
    out[c] = static_cast<uint8_t>(v1 + (v2 - v1) * dy);
  }
}

/** 16 fraction bits. */
inline i64 fixed_of(double v) { return floor_of(v * 65536.0 + 0.5); }

/** Affine nearest reads in fixed point, for rows [begin, end). */
void warp_fixed(uint8_t* out, i64 width, const Source& s, const double* m, i64 begin, i64 end) {
  const i64 a0 = fixed_of(m[0]), a1 = fixed_of(m[1]), a3 = fixed_of(m[3]), a4 = fixed_of(m[4]);
  const i64 x_start = fixed_of(m[2] + m[0] * 0.5 + m[1] * 0.5), y_start = fixed_of(m[5] + m[3] * 0.5 + m[4] * 0.5);
  for (i64 y = begin; y < end; y++) {
    for (i64 x = 0; x < width; x++) {
      const i64 xx = (x_start + a1 * y + a0 * x) >> 16, yy = (y_start + a4 * y + a3 * x) >> 16;
      if (xx < 0 || yy < 0 || xx >= s.width || yy >= s.height) continue;
      uint8_t* to = out + (y * width + x) * s.channels;
      const uint8_t* from = s.at(yy, xx);
      for (i64 c = 0; c < s.channels; c++) to[c] = from[c];
    }
  }
}

/** image_warp out, in, coefficients, bilinear, fixed: where out(x, y) reads; places outside keep out's bytes. */
void warp(double* args) {
  Args a(args);
  TensorArg out, in, coefficients;
  a.tensor(out);
  a.tensor(in);
  a.tensor(coefficients);
  const bool bilinear = a.flag();
  const bool fixed = a.flag();
  const double* m = coefficients.as<double>();
  const Source source{in.as<uint8_t>(), in.shape[0], in.shape[1], in.shape[2]};
  uint8_t* to = out.as<uint8_t>();
  const i64 width = out.shape[1], channels = out.shape[2];
  parallel_for(out.shape[0], 4096 / (width + 1) + 1, [&](i64 begin, i64 end) {
    if (fixed) {
      warp_fixed(to, width, source, m, begin, end);
      return;
    }
    for (i64 y = begin; y < end; y++) {
      for (i64 x = 0; x < width; x++) {
        const double xin = static_cast<double>(x) + 0.5, yin = static_cast<double>(y) + 0.5;
        const double scale = m[6] * xin + m[7] * yin + 1;
        const double xx = (m[0] * xin + m[1] * yin + m[2]) / scale, yy = (m[3] * xin + m[4] * yin + m[5]) / scale;
        uint8_t* pixel = to + (y * width + x) * channels;
        if (bilinear) {
          read_bilinear(pixel, source, xx, yy);
        } else {
          read_nearest(pixel, source, xx, yy);
        }
      }
    }
  });
}

}  // namespace pictures

extern const KernelEntry image_kernels[];
const KernelEntry image_kernels[] = {
    {"image_resize", pictures::resize},
    {"image_warp", pictures::warp},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
