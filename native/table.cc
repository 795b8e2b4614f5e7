// Joins the kernel families of one instruction set into the table that JavaScript indexes.
#include "table.h"

#include "kernel.h"
#include "loops.h"

namespace tt {
inline namespace KERNEL_NS {

#define FAMILY(name) extern const KernelEntry name##_kernels[];
#include "families.h"
#undef FAMILY

static const KernelEntry* const families[] = {
#define FAMILY(name) name##_kernels,
#include "families.h"
#undef FAMILY
};

}  // namespace KERNEL_NS
}  // namespace tt

extern "C" const tt::KernelEntry* TT_TABLE(tt_kernels)() {
  static tt::KernelEntry table[tt::kMaxKernels + 1];
  static const bool joined = [] {
    int n = 0;
    for (const tt::KernelEntry* family : tt::KERNEL_NS::families) {
      for (; family->name && n < tt::kMaxKernels; family++) table[n++] = *family;
    }
    return true;
  }();
  (void)joined;
  return table;
}

extern "C" const char* TT_TABLE(tt_span_name)(int index) {
  return tt::KERNEL_NS::span_table[index].name;
}
