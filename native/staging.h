// Element types, conversion between all of them, and moving boxes of elements between layouts: how operands
// of any dtype and strides become the contiguous arrays that the kernels compute on, and how results go back.
#pragma once

#include "kernel.h"

namespace tt {
inline namespace KERNEL_NS {

/**
 * Reads n elements of src_dtype, stride elements apart (0 repeats one), into the contiguous array dst of the
 * span dtype (F32, F64, I64, Bool, C128). Integers from floats truncate towards zero, INT64_MIN when out of
 * range; Bool is x != 0 (NaN is true; either part of a complex number); a real number from a complex one is
 * its real part. dst must not overlap src.
 */
void load_convert(DType span, const char* src, DType src_dtype, i64 stride, void* dst, i64 n);

/**
 * Writes the contiguous array src of the span dtype to n elements of dst_dtype, stride elements apart. Floats
 * round to nearest even; integers narrower than the span wrap.
 */
void store_convert(DType dst_dtype, char* dst, i64 stride, DType span, const void* src, i64 n);

/**
 * Converts contiguous arrays that do not overlap: from or to a span dtype, between equal dtypes, and from Bool and
 * small integers to I16 and I32. Null for the other pairs.
 */
using Convert = void (*)(void* dst, const void* src, i64 n);
Convert converter(DType from, DType to);

/** The span dtype through which a conversion rounds exactly once, as PyTorch's cast does. */
DType convert_through(DType from, DType to);

/** A box of elements in two layouts (strides in elements), with sizes of one dropped and adjacent dims merged. */
struct Box {
  int ndim;
  i64 shape[kMaxDims];
  i64 dst[kMaxDims];
  i64 src[kMaxDims];

  bool src_contiguous() const { return ndim == 0 || (ndim == 1 && src[0] == 1); }
  bool dst_contiguous() const { return ndim == 0 || (ndim == 1 && dst[0] == 1); }
  bool src_uniform() const { return ndim == 0 || (ndim == 1 && src[0] == 0); }
};

/** Lays out a box of the given shape; a null stride array stands for a contiguous side. */
void make_box(Box& box, int ndim, const i64* shape, const i64* dst_strides, const i64* src_strides);

/** Copies the elements of a box (item_size 1, 2, 4, 8 or 16 bytes each); the sides must not overlap. */
void move_box(const Box& box, i64 item_size, char* dst, const char* src);

/** Writes n copies of one element. */
void fill_items(i64 item_size, char* dst, const char* value, i64 n);

}  // namespace KERNEL_NS
}  // namespace tt
