// The scalar primitives of pointwise expressions over SIMD vectors: v_<name>, one overload per vector type.
#pragma once

#include "special_bessel.h"
#include "special_gamma.h"
#include "special_poly.h"
#include "vmath_core.h"
#include "vmath_erf.h"
#include "vmath_exp.h"
#include "vmath_int.h"
#include "vmath_trig.h"
