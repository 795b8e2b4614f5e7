// torch.backends: what computes, and how.
import { hasBackend } from './backend.js';
import { cpuThreads } from './cpu/cpu.js';

/** The CPU back end. */
export const cpu = {
  /** The instruction set of the kernels in use, in PyTorch's names: 'AVX512', 'AVX2', 'DEFAULT', 'NEON'. */
  get_cpu_capability(): string {
    const isa = cpuThreads.isa();
    return { avx512: 'AVX512', avx2: 'AVX2', neon: 'NEON' }[isa] ?? 'DEFAULT';
  },
  /** The instruction set by the name that this library gives it: 'avx512', 'avx2', 'sse4', 'neon', 'generic'. */
  isa: (): string => cpuThreads.isa(),
  /** How many threads one op may use. */
  num_threads: (): number => cpuThreads.get(),
};

/** The CUDA back end. */
export const cuda = { is_built: (): boolean => hasBackend('cuda') };
/** Apple's GPUs are reached through WebGPU. */
export const mps = { is_available: (): boolean => false, is_built: (): boolean => false };
/** Intel's libraries are not used. */
export const mkl = { is_available: (): boolean => false };
export const mkldnn = { is_available: (): boolean => false };
export const cudnn = {
  is_available: (): boolean => false,
  version: (): number | null => null,
  enabled: false,
  benchmark: false,
  deterministic: false,
};
