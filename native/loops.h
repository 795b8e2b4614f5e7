// The one driver of pointwise kernels. A span computes contiguous arrays of a few types; the driver runs it
// over any strides, broadcasting and mix of dtypes by staging operands through blocks that fit the L1 cache.
#pragma once

#include "kernel.h"

namespace tt {
inline namespace KERNEL_NS {

/**
 * Computes n >= 1 elements. Every operand is a contiguous array of its span dtype (F32, F64, I64, Bool as
 * bytes 0 and 1, or C128); out may be the same array as an input.
 */
using Span = void (*)(void* out, const void* const* in, i64 n);

struct SpanEntry {
  const char* name;
  Span spans[12];  // by compute DType; null where the op has none
};

/** Generated from the pointwise ops; a null name ends it. */
extern const SpanEntry* const span_table;

constexpr int kMaxInputs = 6;

extern const KernelEntry loops_kernels[];

}  // namespace KERNEL_NS
}  // namespace tt
