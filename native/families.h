// The kernel families, one line each: FAMILY(name) stands for `extern const KernelEntry name_kernels[]`,
// defined in native/*.cc and ended by {nullptr, nullptr}.
FAMILY(base)
FAMILY(gemm)
#ifdef TT_HAS_SPANS
FAMILY(loops)
#endif
FAMILY(random)
