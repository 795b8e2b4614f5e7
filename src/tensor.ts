// What a tensor is: a storage, a shape, strides, a dtype, and its place in the autograd graph. No math:
// ops/ installs the methods, autograd/ the behaviour of grad_fn and backward.
import type { Node } from './autograd/graph.js';
import type { Device } from './device.js';
import type { DType } from './dtype.js';
import { IndexError, RuntimeError, ValueError } from './errors.js';
import type { TensorMethods } from './ops/methods.js';
import type { Storage } from './storage.js';
import { warnOnce } from './warnings.js';

/** A tensor's place in the autograd graph; absent on tensors that never met autograd. */
export interface AutogradMeta {
  requires_grad: boolean;
  grad: Tensor | null;
  grad_fn: Node | null;
  output_nr: number;
  /** The node that accumulates into `grad` of a leaf, while a graph refers to it. */
  accumulator: Node | null;
  retains_grad: boolean;
  /** Of a view: the storage's version for which `grad_fn` holds. */
  version: number;
}

/** What upper floors plug into the class. */
export const tensorHooks: {
  /** The up-to-date grad_fn of a tensor, views of written bases included. */
  gradFn: (x: Tensor) => Node | null;
  index: (x: Tensor, i: number) => Tensor;
  format: (x: Tensor) => string;
  fromData: (data: unknown) => Tensor;
  inferenceMode: () => boolean;
  /** Gives the bytes of a storage back. */
  release: (storage: Storage) => void;
} = {
  gradFn: (x) => x._meta?.grad_fn ?? null,
  index: () => {
    throw new Error('indexing is not installed');
  },
  format: () => 'tensor(...)',
  inferenceMode: () => false,
  release: () => {},
  fromData: () => {
    throw new Error('constructors are not installed');
  },
};

export interface Tensor extends TensorMethods {
  /** `x[i]`: a view of the i-th slice along the first dimension. Assign with `x.setAt(i, value)` or `x[i].copy_(value)`. */
  readonly [index: number]: Tensor;
  /** The values outside the graph, with a version count of their own; assigning replaces them. */
  data: Tensor;
}

export class Tensor {
  /** @internal The root tensor that this differentiable view shares its memory and history with. */
  _base: Tensor | null = null;
  /** @internal */
  _meta: AutogradMeta | null = null;
  /** @internal Created in inference mode. */
  _inference = false;
  /** @internal Of a view: how it was made, where that forbids recorded writes (`Creation` in autograd/graph.ts). */
  _creation = 0;
  /** Whether the elements lie in row-major order without gaps. @internal */
  readonly _contiguous: boolean;

  /** @internal Use `torch.tensor`, `torch.empty` and their kin. */
  constructor(
    /** @internal */
    public _storage: Storage,
    /** The size of each dimension. */
    readonly shape: readonly number[],
    /** @internal Elements between neighbours along each dimension. */
    readonly _strides: readonly number[],
    /** @internal The first element's position in the storage, in elements. */
    readonly _offset: number,
    /** The element type. */
    readonly dtype: DType,
    /** @internal */
    readonly _numel: number,
    contiguous?: boolean,
  ) {
    this._contiguous = contiguous ?? isContiguous(shape, _strides);
  }

  get device(): Device {
    return this._storage.device;
  }
  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }
  dim(): number {
    return this.shape.length;
  }
  ndimension(): number {
    return this.shape.length;
  }
  /** The shape, or the size of one dimension. */
  size(): readonly number[];
  size(dim: number): number;
  size(dim?: number): readonly number[] | number {
    return dim === undefined || dim === null ? this.shape : this.shape[wrapDim(dim, this.shape.length)];
  }
  /** Elements between neighbours, for each dimension or for one. */
  stride(): readonly number[];
  stride(dim: number): number;
  stride(dim?: number): readonly number[] | number {
    return dim === undefined || dim === null ? this._strides : this._strides[wrapDim(dim, this.shape.length)];
  }
  storage_offset(): number {
    return this._offset;
  }
  untyped_storage(): Storage {
    return this._storage;
  }
  /** Number of elements. */
  numel(): number {
    return this._numel;
  }
  nelement(): number {
    return this._numel;
  }
  element_size(): number {
    return this.dtype.itemsize;
  }
  get itemsize(): number {
    return this.dtype.itemsize;
  }
  get nbytes(): number {
    return this._numel * this.dtype.itemsize;
  }
  /** Native address of the first element; 0 on the meta device. */
  data_ptr(): number {
    return this._numel === 0 ? 0 : this._address;
  }
  /** @internal */
  get _address(): number {
    return this._storage.address + this._offset * this.dtype.itemsize;
  }
  /**
   * Gives the memory back at once, for `using x = …`; nobody has to. Every tensor over the same storage (views, saved
   * tensors) throws when it is used afterwards.
   */
  [Symbol.dispose](): void {
    tensorHooks.release(this._storage);
  }
  is_floating_point(): boolean {
    return this.dtype.kind === 'float';
  }
  is_complex(): boolean {
    return this.dtype.kind === 'complex';
  }
  is_signed(): boolean {
    return this.dtype.is_signed;
  }
  get is_cuda(): boolean {
    return this._storage.device.type === 'cuda';
  }
  get is_cpu(): boolean {
    return this._storage.device.type === 'cpu';
  }
  get is_meta(): boolean {
    return this._storage.device.type === 'meta';
  }
  get is_sparse(): boolean {
    return false;
  }
  get is_quantized(): boolean {
    return false;
  }
  get layout(): string {
    return 'torch.strided';
  }
  get_device(): number {
    const { type, index } = this._storage.device;
    return type === 'cpu' ? -1 : (index ?? 0);
  }

  /** Whether autograd records what is done with this tensor. */
  get requires_grad(): boolean {
    const m = this._meta;
    if (m !== null && (m.requires_grad || m.grad_fn !== null)) return true;
    return this._base !== null && this._base.requires_grad && !this.dtype.is_integral;
  }
  set requires_grad(value: boolean) {
    if (value === true && this.dtype.is_integral)
      throw new RuntimeError('only Tensors of floating point and complex dtype can require gradients');
    this.requires_grad_(value);
  }
  /**
   * Turns recording on or off in place.
   * @throws RuntimeError for dtypes without gradients, and when turning it off on a non-leaf.
   */
  requires_grad_(requires_grad = true): this {
    if (typeof requires_grad !== 'boolean') throw new RuntimeError('requires_grad must be a bool');
    if (requires_grad && this.dtype.is_integral)
      throw new RuntimeError('only Tensors of floating point dtype can require gradients');
    if (!this.is_leaf) {
      if (!requires_grad)
        throw new RuntimeError(
          "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().",
        );
      return this;
    }
    if (requires_grad && this._inference && !tensorHooks.inferenceMode())
      throw new RuntimeError(
        'Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.',
      );
    if (requires_grad || this._meta !== null) autogradMeta(this).requires_grad = requires_grad;
    return this;
  }
  /** The op that made this tensor; null for leaves. */
  get grad_fn(): Node | null {
    return this._meta === null && this._base === null ? null : tensorHooks.gradFn(this);
  }
  /** Whether the user made this tensor, rather than a recorded op. */
  get is_leaf(): boolean {
    return this.grad_fn === null;
  }
  get retains_grad(): boolean {
    return this._meta?.retains_grad ?? false;
  }
  get output_nr(): number {
    return this._meta?.output_nr ?? 0;
  }
  /** The number of in-place writes to the memory of this tensor. */
  get _version(): number {
    if (this._inference) throw new RuntimeError('Inference tensors do not track version counter.');
    return this._storage.version;
  }
  /** The gradient that backward accumulated; null before. */
  get grad(): Tensor | null {
    const m = this._meta;
    if (m === null) return null;
    if (m.grad === null && m.grad_fn !== null && !m.retains_grad)
      warnOnce(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information.",
      );
    return m.grad;
  }
  set grad(value: Tensor | null) {
    if (value === null || value === undefined) {
      if (this._meta) this._meta.grad = null;
      return;
    }
    if (!(value instanceof Tensor))
      throw new TypeError(
        `assigned grad expected to be a Tensor or None but got grad of type ${typeof value}`,
      );
    if (value === this) throw new RuntimeError("can't assign Variable as its own grad");
    if (!sameSizes(value.shape, this.shape))
      throw new RuntimeError(
        `attempting to assign a gradient of size '[${value.shape.join(', ')}]' to a tensor of size '[${this.shape.join(', ')}]'. Please ensure that the gradient and the tensor are the same size`,
      );
    if (value.dtype !== this.dtype)
      throw new RuntimeError(
        `attempting to assign a gradient with dtype '${value.dtype.scalarName.toLowerCase()}' to a tensor with grad_dtype '${this.dtype.scalarName}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that assume they match.`,
      );
    if (value.device.type !== this.device.type)
      throw new RuntimeError(
        `attempting to assign a gradient with device type '${value.device.type}' to a tensor with device type '${this.device.type}'. Please ensure that the gradient and the tensor are on the same device`,
      );
    autogradMeta(this).grad = value;
  }
  /** Whether this tensor is a view of another one. */
  _is_view(): boolean {
    return this._base !== null;
  }
  /** @internal */
  _isParameter(): boolean {
    return false;
  }
  is_inference(): boolean {
    return this._inference;
  }

  toString(): string {
    return tensorHooks.format(this);
  }
  /** What `JSON.stringify` writes: the elements as nested lists (integers beyond 2^53 as text). */
  toJSON(): unknown {
    if (this.device.type === 'meta') return String(this);
    const plain = (x: unknown): unknown =>
      Array.isArray(x) ? x.map(plain) : typeof x === 'bigint' ? String(x) : x;
    return plain((this as Tensor).tolist());
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return tensorHooks.format(this);
  }
  /** What notebooks of Deno show. */
  [Symbol.for('Jupyter.display')](): Record<string, string> {
    return { 'text/plain': tensorHooks.format(this) };
  }
  /**
   * `Number(x)`, `x > 3`, `x + 1`: the value of a tensor with one element, as plain numbers have it. Text is wanted from
   * `${x}`. There is no such hook for truth: `if (x)` is always true, write `if (x.item())`.
   * @throws ValueError for more or fewer elements: arithmetic on tensors is written `x.add(y)`, comparison `x.gt(y)`.
   */
  [Symbol.toPrimitive](hint: string): number | bigint | string {
    if (hint === 'string') return tensorHooks.format(this);
    if (this._numel !== 1)
      throw new ValueError(
        `only one element tensors can be converted to Python scalars: JavaScript has no operators on tensors; write x.add(y), x.eq(y), x.gt(y) for elementwise operations on a tensor with ${this._numel} elements`,
      );
    const value = (this as Tensor).item();
    if (typeof value === 'number' || typeof value === 'bigint') return value;
    if (typeof value === 'boolean') return value ? 1 : 0;
    throw new TypeError("can't convert complex to float");
  }
  get [Symbol.toStringTag](): string {
    return 'Tensor';
  }
  /** The size of the first dimension. */
  get length(): number {
    if (this.shape.length === 0) throw new TypeError('len() of a 0-d tensor');
    return this.shape[0];
  }
  /** Slices along the first dimension. */
  *[Symbol.iterator](): IterableIterator<Tensor> {
    if (this.shape.length === 0) throw new TypeError('iteration over a 0-d tensor');
    for (let i = 0; i < this.shape[0]; i++) yield tensorHooks.index(this, i);
  }
}

const isIndex = (key: string | symbol): key is string => typeof key === 'string' && /^-?\d+$/.test(key);

// The end of Tensor's prototype chain answers x[0]; members that exist are found before it is asked.
Object.setPrototypeOf(
  Tensor.prototype,
  new Proxy(Object.prototype, {
    get(target, key, receiver) {
      if (isIndex(key) && receiver instanceof Tensor) return tensorHooks.index(receiver, Number(key));
      return Reflect.get(target, key, receiver);
    },
    set(target, key, value, receiver) {
      if (isIndex(key))
        throw new TypeError(
          'assignment by index is not possible in JavaScript: use x.setAt(index, value) or x.at(index).copy_(value)',
        );
      return Reflect.set(target, key, value, receiver);
    },
  }),
);

/** The autograd record of a tensor, made on first use. */
export function autogradMeta(x: Tensor): AutogradMeta {
  x._meta ??= {
    requires_grad: false,
    grad: null,
    grad_fn: null,
    output_nr: 0,
    accumulator: null,
    retains_grad: false,
    version: 0,
  };
  return x._meta;
}

/**
 * Brings a dimension into [0, ndim).
 * @throws IndexError as PyTorch words it.
 */
export function wrapDim(dim: number, ndim: number): number {
  const n = ndim === 0 ? 1 : ndim;
  if (!Number.isInteger(dim)) throw new TypeError(`dimension must be an int, not ${String(dim)}`);
  if (dim < -n || dim >= n)
    throw new IndexError(
      `Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`,
    );
  return dim < 0 ? dim + n : dim;
}

export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d];
    if (size === 0) return true;
    if (size !== 1) {
      if (strides[d] !== expected) return shape.includes(0);
      expected *= size;
    }
  }
  return true;
}

export function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false;
  return true;
}

export function numelOf(shape: readonly number[]): number {
  let n = 1;
  for (let d = 0; d < shape.length; d++) n *= shape[d];
  if (n >= 2 ** 63) throw new RuntimeError('numel: integer multiplication overflow');
  return n;
}

const vectorStrides: readonly number[] = [1];
const scalarStrides: readonly number[] = [];

/** Row-major strides. */
export function contiguousStrides(shape: readonly number[]): readonly number[] {
  const n = shape.length;
  if (n === 1) return vectorStrides;
  if (n === 0) return scalarStrides;
  if (n === 2) return [Math.max(shape[1], 1), 1];
  const strides = new Array<number>(n);
  let step = 1;
  for (let d = n - 1; d >= 0; d--) {
    strides[d] = step;
    step *= Math.max(shape[d], 1);
  }
  return strides;
}

/** The type of a shape, under PyTorch's name: a plain array here. */
export type Size = readonly number[];
