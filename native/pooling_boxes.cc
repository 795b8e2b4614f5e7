// Pools over boxes whose bounds come from a table: adaptive and fractional pools; and the gradient of every maximum.
// Contiguous tensors [planes, D, H, W] of one dtype: F32, F64, F16, BF16 (single precision within) or I64.
//
// box_max: out, indices (I64: flat positions in the plane), in, bounds.
// box_mean: out, in, bounds. box_mean_backward: grad_in, grad, bounds.
//   bounds: I64 [1 or planes, 2, D' + H' + W']: the first element along each axis, then the one past the last.
// pool_scatter: grad_in, grad, indices: adds grad [planes, n] at indices of the planes of grad_in, which is zeroed first.
#include "conv.h"

namespace tt {
inline namespace KERNEL_NS {
namespace boxes {
namespace {

enum BoxScratch : int { kRow = 6, kPlane = 7 };

struct BoxArgs {
  TensorArg to, indices, from, bounds;
  bool backward = false;
};

/** Sizes of the image and of the result, and where boxes start and end. */
struct Boxes {
  i64 planes, size[3], count[3];
  const i64* bounds;
  i64 step;  // between planes
  i64 all;
  i64 image() const { return size[0] * size[1] * size[2]; }
  i64 results() const { return count[0] * count[1] * count[2]; }
  const i64* first(int d, i64 plane) const {
    const i64* p = bounds + plane * step;
    for (int e = 0; e < d; e++) p += count[e];
    return p;
  }
};

Boxes boxes_of(const TensorArg& image, const TensorArg& results, const TensorArg& bounds) {
  Boxes b;
  b.planes = image.shape[0];
  for (int d = 0; d < 3; d++) {
    b.size[d] = image.shape[1 + d];
    b.count[d] = results.shape[1 + d];
  }
  b.all = b.count[0] + b.count[1] + b.count[2];
  b.bounds = bounds.as<i64>();
  b.step = bounds.shape[0] == 1 ? 0 : 2 * b.all;
  return b;
}

template <class Body>
void each_plane(const Boxes& b, const Body& body) {
  parallel_for(b.planes, ceil_div(32 * 1024, b.image() + b.results() + 1), [&](i64 begin, i64 end) {
    for (i64 plane = begin; plane < end; plane++) body(plane);
  });
}

/** Calls body(d begin, d end, h begin, h end) for every row of results of a plane. */
template <class Body>
void each_row(const Boxes& b, i64 plane, const Body& body) {
  const i64 *deep = b.first(0, plane), *high = b.first(1, plane);
  for (i64 d = 0; d < b.count[0]; d++) {
    for (i64 h = 0; h < b.count[1]; h++) body(deep[d], deep[d + b.all], high[h], high[h + b.all]);
  }
}

template <class T, class S>
void max_plane(const Boxes& b, const S* in, S* out, i64* index, i64 plane) {
  const i64* wide = b.first(2, plane);
  each_row(b, plane, [&](i64 d0, i64 d1, i64 h0, i64 h1) {
    for (i64 q = 0; q < b.count[2]; q++) {
      const i64 w0 = wide[q], w1 = wide[q + b.all];
      i64 where = (d0 * b.size[1] + h0) * b.size[2] + w0;
      T best = widened<T>(in[where]);
      for (i64 d = d0; d < d1; d++) {
        for (i64 h = h0; h < h1; h++) {
          const i64 row = (d * b.size[1] + h) * b.size[2];
          for (i64 w = w0; w < w1; w++) {
            const T x = widened<T>(in[row + w]);
            if (x > best || x != x) {
              best = x;
              where = row + w;
            }
          }
        }
      }
      narrow(*out++, best);
      *index++ = where;
    }
  });
}

template <class T, class S>
void box_max(const BoxArgs& a) {
  if (a.to.numel() == 0) return;
  const Boxes b = boxes_of(a.from, a.to, a.bounds);
  each_plane(b, [&](i64 plane) {
    max_plane<T, S>(b, a.from.as<S>() + plane * b.image(), a.to.as<S>() + plane * b.results(),
                    a.indices.as<i64>() + plane * b.results(), plane);
  });
}

/** Rows of a box are added up first, then the columns of the sum. */
template <class T, class S>
void mean_plane(const Boxes& b, const S* in, S* out, i64 plane) {
  const i64 *wide = b.first(2, plane), width = b.size[2];
  T* sums = conv::scratch<T>(kRow, width);
  each_row(b, plane, [&](i64 d0, i64 d1, i64 h0, i64 h1) {
    for (i64 w = 0; w < width; w++) sums[w] = T(0);
    for (i64 d = d0; d < d1; d++) {
      for (i64 h = h0; h < h1; h++) {
        const S* row = in + (d * b.size[1] + h) * width;
        for (i64 w = 0; w < width; w++) sums[w] += widened<T>(row[w]);
      }
    }
    for (i64 q = 0; q < b.count[2]; q++) {
      T sum = T(0);
      for (i64 w = wide[q]; w < wide[q + b.all]; w++) sum += sums[w];
      const i64 size = (d1 - d0) * (h1 - h0) * (wide[q + b.all] - wide[q]);
      narrow(*out++, sum / static_cast<T>(size));
    }
  });
}

template <class T, class S>
void spread_plane(const Boxes& b, S* image, const S* grad, i64 plane) {
  const i64 *wide = b.first(2, plane), width = b.size[2];
  T *shares = conv::scratch<T>(kRow, width), *sums = conv::scratch<T>(kPlane, b.image());
  for (i64 i = 0; i < b.image(); i++) sums[i] = T(0);
  each_row(b, plane, [&](i64 d0, i64 d1, i64 h0, i64 h1) {
    for (i64 w = 0; w < width; w++) shares[w] = T(0);
    for (i64 q = 0; q < b.count[2]; q++) {
      const i64 size = (d1 - d0) * (h1 - h0) * (wide[q + b.all] - wide[q]);
      const T share = widened<T>(*grad++) / static_cast<T>(size);
      for (i64 w = wide[q]; w < wide[q + b.all]; w++) shares[w] += share;
    }
    for (i64 d = d0; d < d1; d++) {
      for (i64 h = h0; h < h1; h++) {
        T* row = sums + (d * b.size[1] + h) * width;
        for (i64 w = 0; w < width; w++) row[w] += shares[w];
      }
    }
  });
  for (i64 i = 0; i < b.image(); i++) narrow(image[i], sums[i]);
}

template <class T, class S>
void box_mean(const BoxArgs& a) {
  if (a.to.numel() == 0) return;
  const TensorArg &image = a.backward ? a.to : a.from, &results = a.backward ? a.from : a.to;
  const Boxes b = boxes_of(image, results, a.bounds);
  each_plane(b, [&](i64 plane) {
    S *in = image.as<S>() + plane * b.image(), *out = results.as<S>() + plane * b.results();
    if (a.backward) {
      spread_plane<T, S>(b, in, out, plane);
    } else {
      mean_plane<T, S>(b, in, out, plane);
    }
  });
}

template <class T, class S>
void pool_scatter(const BoxArgs& a) {
  const i64 planes = a.to.shape[0];
  if (a.to.numel() == 0) return;
  const i64 image = a.to.numel() / planes, n = a.from.numel() / planes;
  parallel_for(planes, ceil_div(32 * 1024, image + n), [&](i64 begin, i64 end) {
    for (i64 plane = begin; plane < end; plane++) {
      S* to = a.to.as<S>() + plane * image;
      const S* grad = a.from.as<S>() + plane * n;
      const i64* index = a.indices.as<i64>() + plane * n;
      if constexpr (same_type<T, S>) {
        memset(static_cast<void*>(to), 0, static_cast<size_t>(image) * sizeof(S));
        for (i64 i = 0; i < n; i++) to[index[i]] += grad[i];
      } else {
        T* sums = conv::scratch<T>(kPlane, image);
        for (i64 i = 0; i < image; i++) sums[i] = T(0);
        for (i64 i = 0; i < n; i++) sums[index[i]] += widened<T>(grad[i]);
        for (i64 i = 0; i < image; i++) narrow(to[i], sums[i]);
      }
    }
  });
}

enum class Pass { Max, Mean, MeanBackward, Scatter };

template <Pass P, class T, class S>
void run_pass(const BoxArgs& a) {
  if constexpr (P == Pass::Max) {
    box_max<T, S>(a);
  } else if constexpr (P == Pass::Scatter) {
    pool_scatter<T, S>(a);
  } else {
    box_mean<T, S>(a);
  }
}

template <Pass P>
void run(double* args) {
  Args in(args);
  BoxArgs a;
  a.backward = P == Pass::MeanBackward;
  in.tensor(a.to);
  if (P == Pass::Max) in.tensor(a.indices);
  in.tensor(a.from);
  in.tensor(P == Pass::Scatter ? a.indices : a.bounds);
  switch (a.to.dtype) {
    case DType::F32: return run_pass<P, float, float>(a);
    case DType::F64: return run_pass<P, double, double>(a);
    case DType::F16: return run_pass<P, float, F16Bits>(a);
    case DType::BF16: return run_pass<P, float, BF16Bits>(a);
    default: return run_pass<P, int64_t, int64_t>(a);
  }
}

}  // namespace
}  // namespace boxes

extern const KernelEntry pooling_boxes_kernels[];
const KernelEntry pooling_boxes_kernels[] = {{"box_max", boxes::run<boxes::Pass::Max>},
                                             {"box_mean", boxes::run<boxes::Pass::Mean>},
                                             {"box_mean_backward", boxes::run<boxes::Pass::MeanBackward>},
                                             {"pool_scatter", boxes::run<boxes::Pass::Scatter>},
                                             {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
