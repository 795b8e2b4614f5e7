// Trigonometric and hyperbolic functions and their inverses.
#pragma once

#include "vmath_exp.h"

namespace tt {
inline namespace KERNEL_NS {

TT_MAP1(sin, std::sin)
TT_MAP1(cos, std::cos)
TT_MAP1(tan, std::tan)
TT_MAP1(asin, std::asin)
TT_MAP1(acos, std::acos)
TT_MAP1(atan, std::atan)
TT_MAP1(sinh, std::sinh)
TT_MAP1(cosh, std::cosh)
TT_MAP1(tanh, std::tanh)
TT_MAP1(asinh, std::asinh)
TT_MAP1(acosh, std::acosh)
TT_MAP1(atanh, std::atanh)
TT_MAP2(atan2, std::atan2)
TT_MAP2(hypot, std::hypot)

}  // namespace KERNEL_NS
}  // namespace tt
