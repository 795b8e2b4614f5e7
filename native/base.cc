// Kernels that every build needs: none of them computes.
#include "kernel.h"

namespace tt {
inline namespace KERNEL_NS {

/** Does nothing: the cost of a call. */
static void nop(double*) {}

/** args: address, bytes. Sets bytes to zero. */
static void zero_fill(double* args) {
  Args a(args);
  char* p = a.pointer<char>();
  const i64 n = a.integer();
  parallel_for(n, i64(1) << 20, [&](i64 begin, i64 end) { memset(p + begin, 0, static_cast<size_t>(end - begin)); });
}

/** args: n, grain. Result: how many parts [0, n) was cut into (a check of the thread pool). */
static void count_parts(double* args) {
  Args a(args);
  const i64 n = a.integer(), grain = a.integer();
  i64 parts = 0;
  parallel_for(n, grain, [&](i64, i64) { __atomic_fetch_add(&parts, 1, __ATOMIC_RELAXED); });
  args[0] = static_cast<double>(parts);
}

extern const KernelEntry base_kernels[];
const KernelEntry base_kernels[] = {
    {"nop", nop},
    {"zero_fill", zero_fill},
    {"count_parts", count_parts},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
