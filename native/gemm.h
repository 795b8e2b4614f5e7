// Matrix multiplication for other kernels.
#pragma once

#include "kernel.h"

namespace tt {
inline namespace KERNEL_NS {

/**
 * C = alpha * A @ B + beta * C over batches, as the kernel `gemm` (gemm.cc): C [batch, m, n], A [batch, m, k],
 * B [batch, k, n] of one dtype, any strides, C apart from A and B; with beta 0, C is not read. In several threads where
 * that pays, unless called from a parallel loop. Uses the scratch slots 0 to 3.
 */
void gemm_into(const TensorArg& c, const TensorArg& a, const TensorArg& b, double alpha, double beta);

}  // namespace KERNEL_NS
}  // namespace tt
