// The CPU back end: marshals calls into the addon's argument array.
import { native } from '#native';
import { cpu as cpuDevice } from '../../device.js';
import { bool, complex128, type DType, float64, int64 } from '../../dtype.js';
import { NotImplementedError, RuntimeError } from '../../errors.js';
import { Storage } from '../../storage.js';
import { Tensor } from '../../tensor.js';
import {
  type Backend,
  type KernelArg,
  type Operand,
  type PointwiseKernel,
  type PointwiseStep,
  registerBackend,
} from '../backend.js';
import type { MemoryStats } from './native.js';

let { args } = native;
let integers = new BigInt64Array(args.buffer, args.byteOffset, args.length);
native.grown = () => {
  args = native.args;
  integers = new BigInt64Array(args.buffer, args.byteOffset, args.length);
};
const base = native.argsAddress;

const kernelIds = new Map(native.kernelNames().map((name, id) => [name, id]));
let spanIds: Map<string, number> | undefined;
const kernelId = (name: string): number => {
  const id = kernelIds.get(name);
  if (id === undefined) throw new RuntimeError(`the CPU backend has no kernel '${name}'`);
  return id;
};
const POINTWISE = kernelId('pointwise');
const POINTWISE_CHAIN = kernelId('pointwise_chain');
const HAS_SPAN = kernelId('has_span');

/** Scalar operands lie at the far end of the argument array, two doubles each. */
const SCALARS = args.length - 64;

/** Tensors up to this size share slabs: one weak reference for many of them. */
const SMALL = 512;
const SLAB = 8192;
let slab: object = {};
let slabNext = 0;
let slabEnd = 0;

function allocate(nbytes: number): Storage {
  if (nbytes > SMALL) {
    const storage = new Storage(cpuDevice, 0, nbytes);
    try {
      storage.address = native.allocate(storage, nbytes);
    } catch (error) {
      throw new RuntimeError((error as Error).message); // out of memory
    }
    return storage;
  }
  const rounded = (nbytes + 63) & ~63;
  if (slabNext + rounded > slabEnd) {
    slab = {};
    slabNext = native.allocate(slab, SLAB);
    slabEnd = slabNext + SLAB;
  }
  const storage = new Storage(cpuDevice, slabNext, nbytes, slab);
  slabNext += rounded;
  return storage;
}

const spanCode = (kind: 'number' | 'bool', compute: DType): number =>
  kind === 'bool' ? bool.code : compute.code;

/**
 * The id of a kernel's span. Overwrites the argument array.
 * @throws NotImplementedError for an element type that the span was not generated for.
 */
function handleOf(kernel: PointwiseKernel): number {
  spanIds ??= new Map(native.spanNames().map((name, id) => [name, id]));
  const id = spanIds.get(kernel.program.key);
  if (id === undefined)
    throw new RuntimeError(`the CPU backend was built without the pointwise kernel ${kernel.program.key}`);
  args[0] = HAS_SPAN;
  args[1] = id;
  args[2] = kernel.compute.code;
  native.run();
  if (args[1] === 0)
    throw new NotImplementedError(
      `a pointwise op is not implemented for '${kernel.compute.name}' on the CPU`,
    );
  kernel.handle = id;
  return id;
}

/** Writes a scalar operand to slot k of the scalar area; returns the code of the dtype it is held in. */
function putScalar(slot: number, value: Exclude<Operand, Tensor>): number {
  const at = SCALARS + 2 * slot;
  if (typeof value === 'number') {
    args[at] = value;
    return float64.code;
  }
  if (typeof value === 'bigint') {
    integers[at] = value;
    return int64.code;
  }
  if (typeof value === 'boolean') {
    integers[at] = value ? 1n : 0n;
    return int64.code;
  }
  args[at] = value.re;
  args[at + 1] = value.im;
  return complex128.code;
}

/** The kernels keep shapes in arrays of this length (`kMaxDims` in native/kernel.h). */
const MAX_DIMS = 64;

/**
 * The last guard before native code, which trusts its arguments.
 * @throws RuntimeError for a tensor whose elements lie elsewhere or were given back, or with more than 64 dimensions.
 */
function checkTensor(x: Tensor): void {
  if (x.device.type !== 'cpu')
    throw new RuntimeError(
      `Expected all tensors to be on the same device, but found at least two devices, cpu and ${x.device}!`,
    );
  if (x._storage.state === 2) throw new RuntimeError('the tensor was disposed: its memory was given back');
  if (x.shape.length > MAX_DIMS)
    throw new RuntimeError(`only tensors with up to ${MAX_DIMS} dims are supported`);
}

/** Can the kernel run over the operands' memory as one flat range? */
function flat(out: Tensor, inputs: readonly Operand[]): boolean {
  if (!out._contiguous) return false;
  const shape = out.shape;
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i];
    if (!(x instanceof Tensor) || x.shape === shape) {
      if (x instanceof Tensor && !x._contiguous) return false;
      continue;
    }
    if (x._numel === 1) continue;
    if (x._numel !== out._numel || !x._contiguous || x.shape.length > shape.length) return false;
  }
  return true;
}

function pointwise(kernel: PointwiseKernel, out: Tensor, inputs: readonly Operand[]): void {
  const { program, compute } = kernel;
  const n = inputs.length;
  checkTensor(out);
  for (let i = 0; i < n; i++) {
    const x = inputs[i];
    if (x instanceof Tensor) checkTensor(x);
  }
  const handle = kernel.handle < 0 ? handleOf(kernel) : kernel.handle;
  args[0] = POINTWISE;
  args[1] = handle;
  args[2] = compute.code;
  args[3] = n;
  const isFlat = flat(out, inputs);
  const ndim = isFlat ? 1 : out.shape.length;
  args[4] = ndim;
  let at = 5;
  if (isFlat) args[at++] = out._numel;
  else for (let d = 0; d < ndim; d++) args[at++] = out.shape[d];
  args[at++] = out._address;
  args[at++] = out.dtype.code;
  args[at++] = spanCode(program.kind, compute);
  if (isFlat) args[at++] = 1;
  else for (let d = 0; d < ndim; d++) args[at++] = out._strides[d];
  for (let i = 0; i < n; i++) {
    const x = inputs[i];
    const kind = program.inputKinds[i];
    if (x instanceof Tensor) {
      args[at++] = x._address;
      args[at++] = x.dtype.code;
      args[at++] = spanCode(kind, compute);
      if (isFlat) args[at++] = x._numel === 1 && out._numel !== 1 ? 0 : 1;
      else {
        const skip = ndim - x.shape.length;
        for (let d = 0; d < ndim; d++)
          args[at++] = d < skip || x.shape[d - skip] === 1 ? 0 : x._strides[d - skip];
      }
    } else {
      const code = putScalar(i, x);
      args[at++] = base + 8 * (SCALARS + 2 * i);
      args[at++] = code;
      args[at++] = spanCode(kind, compute);
      for (let d = 0; d < ndim; d++) args[at++] = 0;
    }
  }
  native.run();
}

/** What `pointwise_chain` has room for (native/chain.cc). */
const MAX_CHAIN = { tensors: 16, scalars: 32, steps: 8 };

/** Runs several programs block by block; false when they are too many for one call. */
function pointwiseChain(steps: readonly PointwiseStep[]): boolean {
  const tensors: Tensor[] = [];
  const scalars: number[] = [];
  const reference = (x: Tensor | number): number => {
    if (typeof x === 'number') return -scalars.push(x);
    const known = tensors.indexOf(x);
    return known >= 0 ? known : tensors.push(x) - 1;
  };
  const calls = steps.map(({ kernel, out, inputs }) => ({
    handle: kernel.handle < 0 ? handleOf(kernel) : kernel.handle,
    out: reference(out),
    inputs: inputs.map(reference),
  }));
  if (
    steps.length > MAX_CHAIN.steps ||
    tensors.length > MAX_CHAIN.tensors ||
    scalars.length > MAX_CHAIN.scalars
  )
    return false;
  for (const x of tensors) checkTensor(x);
  let at = 0;
  args[at++] = POINTWISE_CHAIN;
  args[at++] = steps[0].kernel.compute.code;
  args[at++] = steps[0].out._numel;
  args[at++] = tensors.length;
  for (const x of tensors) args[at++] = x._address;
  args[at++] = scalars.length;
  for (const x of scalars) args[at++] = x;
  args[at++] = calls.length;
  for (const { handle, out, inputs } of calls) {
    args[at++] = handle;
    args[at++] = out;
    args[at++] = inputs.length;
    for (const ref of inputs) args[at++] = ref;
  }
  native.run();
  return true;
}

function putTensor(at: number, x: Tensor): number {
  checkTensor(x);
  const ndim = x.shape.length;
  args[at++] = x._address;
  args[at++] = x.dtype.code;
  args[at++] = ndim;
  for (let d = 0; d < ndim; d++) args[at++] = x.shape[d];
  for (let d = 0; d < ndim; d++) args[at++] = x._strides[d];
  return at;
}

function launch(kernel: string, ...kernelArgs: readonly KernelArg[]): number {
  args[0] = kernelId(kernel);
  let at = 1;
  for (let i = 0; i < kernelArgs.length; i++) {
    const arg = kernelArgs[i];
    if (at > SCALARS - 140)
      throw new RuntimeError(`too many arguments for one call of the kernel '${kernel}'`);
    if (typeof arg === 'number') args[at++] = arg;
    else if (arg instanceof Tensor) at = putTensor(at, arg);
    else if (typeof arg === 'boolean') args[at++] = arg ? 1 : 0;
    else if (arg === null) args[at++] = 0;
    else {
      args[at++] = 1;
      at = putTensor(at, arg[0]);
    }
  }
  native.run();
  return args[1];
}

export const cpuBackend: Backend = {
  type: 'cpu',
  allocate,
  adopt(buffer) {
    const storage = new Storage(cpuDevice, 0, buffer.byteLength, buffer);
    storage.address = native.adopt(storage, buffer);
    return storage;
  },
  release(storage) {
    if (storage.state === 2) return;
    // Small ones lie in a slab with others, and an aliased one's bytes have another user.
    if (storage.state === 0 && storage.owner === null && storage.address !== 0)
      native.release(storage.address);
    storage.state = 2;
  },
  pointwise,
  pointwiseChain,
  launch,
  result: (n) => args[1 + n],
  read: (from, into) => {
    checkTensor(from);
    if (into.byteLength > 0) native.read(from._address, into);
  },
  write: (into, from) => {
    checkTensor(into);
    if (from.byteLength > 0) native.write(into._address, from);
  },
};

registerBackend(cpuBackend);

/** The thread pool and the instruction set of the kernels. */
export const cpuThreads = {
  get: (): number => native.getNumThreads(),
  set: (n: number): void => native.setNumThreads(n),
  isa: (): string => native.isa(),
  implementation: (): 'addon' | 'wasm' => native.implementation,
  memory: (): MemoryStats => native.memoryStats(),
};
