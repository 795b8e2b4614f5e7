// Exponentials, logarithms and powers.
#pragma once

#include "vmath_core.h"

namespace tt {
inline namespace KERNEL_NS {

TT_MAP1(exp, std::exp)
TT_MAP1(exp2, std::exp2)
TT_MAP1(expm1, std::expm1)
TT_MAP1(log, std::log)
TT_MAP1(log2, std::log2)
TT_MAP1(log10, std::log10)
TT_MAP1(log1p, std::log1p)
TT_MAP2(pow, std::pow)

}  // namespace KERNEL_NS
}  // namespace tt
