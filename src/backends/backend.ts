// The contract of a device: everything that ops ask of it. Shapes, dtypes and bounds were checked before.
import type { Complex } from '../complex.js';
import type { DeviceType } from '../device.js';
import type { DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Program } from '../expr.js';
import type { Storage } from '../storage.js';
import type { Tensor } from '../tensor.js';

/** A plain value where an op takes a tensor or a number. */
export type Scalar = number | bigint | boolean | Complex;
/** An input of a pointwise kernel. */
export type Operand = Tensor | Scalar;

/** A pointwise program with the element type it computes in. Back ends cache what they made of it. */
export interface PointwiseKernel {
  readonly program: Program;
  /** float32, float64, int64 or complex128; operands of other dtypes are converted on the way in and out. */
  readonly compute: DType;
  /** @internal A back end's own handle, -1 until it looked. */
  handle: number;
}

/** One of several pointwise computations that are run together. */
export interface PointwiseStep {
  readonly kernel: PointwiseKernel;
  readonly out: Tensor;
  /** Tensors, and numbers. */
  readonly inputs: readonly (Tensor | number)[];
}

export interface Backend {
  readonly type: DeviceType;
  /** Uninitialised bytes. */
  allocate(nbytes: number): Storage;
  /** A storage over a buffer's own bytes, shared with JavaScript. */
  adopt(buffer: ArrayBufferLike): Storage;
  /** Gives a storage's bytes back before it is garbage; whatever uses it afterwards throws. */
  release(storage: Storage): void;
  /** Runs the program over out's shape; inputs broadcast to it. out may be one of the inputs. */
  pointwise(kernel: PointwiseKernel, out: Tensor, inputs: readonly Operand[]): void;
  /**
   * Runs programs one after the other; each may read what the ones before wrote. All tensors are contiguous, of one
   * number of elements, and of the compute dtype. Without it, or where it returns false, they are run one by one.
   */
  pointwiseChain?(steps: readonly PointwiseStep[]): boolean;
  /** Runs a named kernel on tensors and numbers; returns its first result. */
  launch(kernel: string, ...args: readonly KernelArg[]): number;
  /** The n-th result of the last launch. */
  result(n: number): number;
  /** Copies elements of a contiguous tensor to the bytes of an array, and back. */
  read(from: Tensor, into: ArrayBufferView): void;
  write(into: Tensor, from: ArrayBufferView): void;
}

/** A tensor, a number, or null for an absent tensor (a zero flag; a present optional tensor is [tensor]). */
export type KernelArg = Tensor | number | boolean | null | readonly [Tensor];

const backends = new Map<DeviceType, Backend>();

export function registerBackend(backend: Backend): void {
  backends.set(backend.type, backend);
}

let cpu: Backend | undefined;

/** The back end that serves a device type. */
export function backendOf(type: DeviceType): Backend {
  if (type === 'cpu') {
    cpu ??= backends.get('cpu');
    if (cpu) return cpu;
  }
  const backend = backends.get(type);
  if (backend) return backend;
  if (type === 'cuda')
    throw new RuntimeError(
      'Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from http://www.nvidia.com/Download/index.aspx',
    );
  throw new RuntimeError(`typetorch has no '${type}' backend in this runtime`);
}

/** Whether a device of this type can be used here. */
export function hasBackend(type: DeviceType): boolean {
  return backends.has(type);
}
