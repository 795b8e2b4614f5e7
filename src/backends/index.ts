// torch.backends: what computes, and how.
import { hasBackend } from './backend.js';
import { cpuThreads } from './cpu/cpu.js';
import type { MemoryStats } from './cpu/native.js';

const CAPABILITIES: Readonly<Record<string, string>> = {
  avx512: 'AVX512',
  avx2: 'AVX2',
  neon: 'NEON',
  'wasm-relaxed': 'WASM_RELAXED_SIMD',
  'wasm-simd': 'WASM_SIMD',
};

/** The CPU back end. */
export const cpu = {
  /**
   * The instruction set of the kernels in use, in PyTorch's names: 'AVX512', 'AVX2', 'DEFAULT', 'NEON'; and
   * 'WASM_RELAXED_SIMD' or 'WASM_SIMD' in WebAssembly.
   */
  get_cpu_capability: (): string => CAPABILITIES[cpuThreads.isa()] ?? 'DEFAULT',
  /** What serves it: the Node addon or the WebAssembly build of the same kernels (chosen at load; TYPETORCH_CPU=wasm). */
  implementation: (): 'addon' | 'wasm' => cpuThreads.implementation(),
  /**
   * The instruction set by the name that this library gives it: 'avx512', 'avx2', 'sse4', 'neon', 'generic',
   * 'wasm-relaxed', 'wasm-simd'.
   */
  isa: (): string => cpuThreads.isa(),
  /** Bytes that the allocator holds: `live` in tensors not found dead yet, `reserved` from the system, and so on. */
  memory_stats: (): MemoryStats => cpuThreads.memory(),
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
