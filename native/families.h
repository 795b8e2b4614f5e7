// The kernel families, one line each: FAMILY(name) stands for `extern const KernelEntry name_kernels[]`,
// defined in native/*.cc and ended by {nullptr, nullptr}.
FAMILY(base)
FAMILY(gemm)
FAMILY(loops)
FAMILY(random)
FAMILY(index)
FAMILY(index_put)
FAMILY(sort)
FAMILY(embedding)
FAMILY(search)
FAMILY(select)
FAMILY(reduce)
