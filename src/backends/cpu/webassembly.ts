// The part of the WebAssembly API that the CPU back end uses (TypeScript declares it for browsers only), and what this
// engine can run.

export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  /** @throws RangeError where memory cannot grow that far. */
  grow(pages: number): number;
}
export type WasmModule = object & { readonly wasmModule?: never };
export interface WasmGlobal {
  value: number;
}
export interface WasmInstance {
  readonly exports: object;
}
export type Imports = Record<string, Record<string, unknown>>;

interface WebAssemblyApi {
  Memory: new (descriptor: { initial: number; maximum: number; shared?: boolean }) => WasmMemory;
  Module: new (bytes: Uint8Array) => WasmModule;
  Instance: new (module: WasmModule, imports: Imports) => WasmInstance;
  validate(bytes: Uint8Array): boolean;
  compile(bytes: ArrayBufferLike | Uint8Array): Promise<WasmModule>;
  compileStreaming?(response: unknown): Promise<WasmModule>;
  instantiate(module: WasmModule, imports: Imports): Promise<WasmInstance>;
}

export const WebAssemblyApi = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** (func (export "f") (param f32 f32 f32) (result f32)): the first lane of f32x4.relaxed_madd of the three. */
const PROBE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x01, 0x60, 0x03, 0x7d, 0x7d, 0x7d, 0x01, 0x7d,
  0x03, 0x02, 0x01, 0x00, 0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00, 0x0a, 0x16, 0x01, 0x14, 0x00, 0x20, 0x00,
  0xfd, 0x13, 0x20, 0x01, 0xfd, 0x13, 0x20, 0x02, 0xfd, 0x13, 0xfd, 0x85, 0x02, 0xfd, 0x1f, 0x00, 0x0b,
]);

/**
 * Whether the relaxed build runs here: the engine knows relaxed SIMD, and its multiply-add rounds once, as the kernels
 * of that build rely on.
 */
export function hasFusedRelaxedSimd(): boolean {
  if (!WebAssemblyApi.validate(PROBE)) return false;
  const { f } = new WebAssemblyApi.Instance(new WebAssemblyApi.Module(PROBE), {}).exports as {
    f(a: number, b: number, c: number): number;
  };
  // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24, whose last bit is lost when the product is rounded.
  const x = 1 + 2 ** -12;
  return f(x, x, -(1 + 2 ** -11)) === 2 ** -24;
}

/** The builds in dist/wasm, by what they need. */
export interface WasmBuild {
  readonly isa: 'wasm-relaxed' | 'wasm-simd';
  readonly threads: boolean;
  /** The name of its file in dist/wasm. */
  readonly file: string;
}

/** The best build for this engine. */
export function chooseBuild(threads: boolean): WasmBuild {
  const set = hasFusedRelaxedSimd() ? 'relaxed' : 'simd';
  return { isa: `wasm-${set}`, threads, file: `${set}${threads ? '-threads' : ''}.wasm` };
}
