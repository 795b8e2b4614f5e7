// The kernel tables that each instruction-set build exports (table.cc).
#pragma once

#include "kernel.h"

#define TT_TABLE_JOIN(name, ns) name##_##ns
#define TT_TABLE_NAME(name, ns) TT_TABLE_JOIN(name, ns)
#define TT_TABLE(name) TT_TABLE_NAME(name, KERNEL_NS)

namespace tt {
constexpr int kMaxKernels = 4096;
}

/** Declares the tables of the build `ns`: kernels, ended by a null name, and the name of a span (or null). */
#define TT_DECLARE_TABLES(ns)                       \
  extern "C" const tt::KernelEntry* tt_kernels_##ns(); \
  extern "C" const char* tt_span_name_##ns(int index);
