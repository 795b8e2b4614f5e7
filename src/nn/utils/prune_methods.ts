// Pruning methods: which elements of a tensor to keep.
import { IndexError, ValueError } from '../../errors.js';
import { formatSize } from '../../format.js';
import { kthvalue, norm, ones_like, rand, rand_like, topk, zeros_like } from '../../ops/table.js';
import { Tensor } from '../../tensor.js';
import { moduleState } from '../modules/hooks.js';
import type { Module } from '../modules/module.js';
import type { Parameter } from '../parameter.js';
import { addPreHook, findPreHook, named, type RecomputingHook } from './recompute.js';

export type PruningType = 'unstructured' | 'structured' | 'global';

/** A class of pruning methods. */
export type PruningClass<A extends readonly unknown[] = never[]> = new (...args: A) => BasePruningMethod;

/**
 * Base class of pruning methods. Subclasses define `compute_mask`. A pruned tensor is `NAME_orig` (a parameter) times
 * `NAME_mask` (a buffer), multiplied before each forward.
 */
export abstract class BasePruningMethod implements RecomputingHook {
  /** Whether elements, channels or the whole tensor are chosen among. */
  abstract readonly PRUNING_TYPE: PruningType;
  /** The tensor that the method was applied to. */
  _tensor_name: string | null = null;

  /** A mask of the same shape as `t`, zero also where `default_mask` is. */
  abstract compute_mask(t: Tensor, default_mask: Tensor): Tensor;

  /** @internal */
  get name(): string {
    return this._tensor_name ?? '';
  }
  /** @internal */
  compute(module: Module): Tensor {
    return this.apply_mask(module);
  }

  /** The original tensor times its mask. */
  apply_mask(module: Module): Tensor {
    if (this._tensor_name === null) throw new ValueError(`Module ${module} has to be pruned`);
    const orig = named(module, `${this._tensor_name}_orig`);
    return named(module, `${this._tensor_name}_mask`).to(orig.dtype).mul(orig);
  }

  /** A pruned copy of a tensor: without a module. */
  prune(t: Tensor, default_mask: Tensor | null = null, importance_scores: Tensor | null = null): Tensor {
    if (importance_scores !== null) checkScores(importance_scores, t, 'tensor t');
    return t.mul(this.compute_mask(importance_scores ?? t, default_mask ?? ones_like(t)));
  }

  /** Prunes a tensor of a module, on top of what was pruned before. */
  applyTo(module: Module, name: string, importance_scores: Tensor | null = null): BasePruningMethod {
    this._tensor_name = name;
    const before = findPreHook(module, BasePruningMethod, name);
    const method = before === null ? this : combined(before.hook, this);
    const orig = named(module, name);
    if (importance_scores !== null) checkScores(importance_scores, orig, `parameter ${name} of ${module}`);
    const old = before === null ? ones_like(orig) : named(module, `${name}_mask`).detach().clone();
    const mask = method.compute_mask((importance_scores ?? orig).detach(), old);
    if (before === null) {
      Reflect.deleteProperty(module, name);
      module.register_parameter(`${name}_orig`, orig as Parameter);
    } else before.remove();
    module.register_buffer(`${name}_mask`, mask);
    Object.assign(module, { [name]: method.apply_mask(module) });
    addPreHook(null, module, method);
    return method;
  }

  /** Makes the pruning permanent: the pruned tensor is the parameter. */
  remove(module: Module): void {
    const name = this.name;
    const weight = this.apply_mask(module);
    const orig = named(module, `${name}_orig`);
    orig.data = weight.detach();
    for (const key of [name, `${name}_orig`, `${name}_mask`]) Reflect.deleteProperty(module, key);
    moduleState(module).buffers.delete(`${name}_mask`);
    Object.assign(module, { [name]: orig });
  }
}

function checkScores(scores: Tensor, t: Tensor, what: string): void {
  const [a, b] = [scores, t].map((x) => formatSize([...x.shape]));
  if (a !== b)
    throw new ValueError(`importance_scores should have the same shape as ${what}, got ${a} vs ${b}`);
}

function combined(before: BasePruningMethod, next: BasePruningMethod): PruningContainer {
  const container = before instanceof PruningContainer ? before : new PruningContainer(before);
  container.add_pruning_method(next);
  return container;
}

/** Several pruning methods on one tensor, one after the other. */
export class PruningContainer extends BasePruningMethod {
  override readonly PRUNING_TYPE = 'global';
  private readonly methods: BasePruningMethod[] = [];
  constructor(...methods: readonly BasePruningMethod[]) {
    super();
    if (methods.length === 1) this._tensor_name = methods[0]._tensor_name;
    for (const method of methods) this.add_pruning_method(method);
  }

  /** @throws ValueError for a method that acts on another tensor. */
  add_pruning_method(method: BasePruningMethod): void {
    if (!(method instanceof BasePruningMethod))
      throw new TypeError(`${typeof method} is not a BasePruningMethod subclass`);
    if (this._tensor_name !== method._tensor_name)
      throw new ValueError(
        `Can only add pruning methods acting on the parameter named '${this._tensor_name}' to PruningContainer. Found '${method._tensor_name}'`,
      );
    this.methods.push(method);
  }
  get length(): number {
    return this.methods.length;
  }
  at(index: number): BasePruningMethod | undefined {
    return this.methods.at(index);
  }
  [Symbol.iterator](): IterableIterator<BasePruningMethod> {
    return this.methods[Symbol.iterator]();
  }

  /** The mask of the last method, on what the earlier ones left. */
  override compute_mask(t: Tensor, default_mask: Tensor): Tensor {
    const method = this.methods[this.methods.length - 1];
    const mask = default_mask.to(t.dtype).clone();
    if (method.PRUNING_TYPE === 'global') return method.compute_mask(t, default_mask).to(mask.dtype);
    const left = method.PRUNING_TYPE === 'unstructured' ? mask.eq(1) : leftChannels(method, mask);
    const part = method.compute_mask(t.at(...index(left, method)), default_mask.at(...index(left, method)));
    mask.setAt(index(left, method), part.to(mask.dtype));
    return mask;
  }
}

const dimOf = (method: BasePruningMethod, ndim: number): number => {
  const { dim } = method as BasePruningMethod & { dim?: number };
  if (dim === undefined)
    throw new TypeError(
      'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.',
    );
  const at = dim < 0 ? dim + ndim : dim;
  if (at < 0) throw new IndexError(`Index is out of bounds for tensor with dimensions ${ndim}`);
  return at;
};

/** The channels in which something is left. */
function leftChannels(method: BasePruningMethod, mask: Tensor): Tensor {
  const dim = dimOf(method, mask.ndim);
  return mask.sum(mask.shape.flatMap((_, i) => (i === dim ? [] : [i]))).ne(0);
}

/** An index of what is left: elements, or channels of a dimension. */
function index(left: Tensor, method: BasePruningMethod): (Tensor | string)[] {
  if (method.PRUNING_TYPE === 'unstructured') return [left];
  const { dim } = method as BasePruningMethod & { dim: number };
  return dim < 0
    ? ['...', left, ...Array<string>(-dim - 1).fill(':')]
    : [...Array<string>(dim).fill(':'), left];
}

/** How many units to prune: a whole number counts them, a fraction is a part of all. */
function countOf(amount: number, size: number): number {
  const count = Number.isInteger(amount) ? amount : roundHalfEven(amount * size);
  if (count > size)
    throw new ValueError(`amount=${count} should be smaller than the number of parameters to prune=${size}`);
  return count;
}

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

function checkAmount(amount: number): void {
  if (typeof amount !== 'number')
    throw new TypeError(`Invalid type for amount: ${String(amount)}. Must be int or float.`);
  if (!(amount >= 0 && (Number.isInteger(amount) || amount <= 1)))
    throw new ValueError(
      `amount=${amount} should either be a float in the range [0, 1] or a non-negative integer`,
    );
}

function checkStructured(t: Tensor, dim: number): void {
  if (t.ndim <= 1)
    throw new ValueError(
      `Structured pruning can only be applied to multidimensional tensors. Found tensor of shape ${formatSize([...t.shape])} with ${t.ndim} dims`,
    );
  if (dim >= t.ndim)
    throw new IndexError(`Invalid index ${dim} for tensor of size ${formatSize([...t.shape])}`);
}

/** Prunes nothing. */
export class Identity extends BasePruningMethod {
  override readonly PRUNING_TYPE = 'unstructured';
  override compute_mask(_t: Tensor, default_mask: Tensor): Tensor {
    return default_mask;
  }
  static override apply(module: Module, name: string): BasePruningMethod {
    return new Identity().applyTo(module, name);
  }
}

/** Zeros a mask at flat indices. */
function without(mask: Tensor, indices: Tensor): Tensor {
  const out = mask.clone().contiguous();
  out.view([-1]).index_fill_(0, indices, 0);
  return out;
}

/** Prunes elements at random. */
export class RandomUnstructured extends BasePruningMethod {
  override readonly PRUNING_TYPE = 'unstructured';
  readonly amount: number;
  constructor(amount: number | { amount: number }) {
    super();
    this.amount = typeof amount === 'object' ? amount.amount : amount;
    checkAmount(this.amount);
  }
  override compute_mask(t: Tensor, default_mask: Tensor): Tensor {
    const count = countOf(this.amount, t._numel);
    if (count === 0) return default_mask.clone();
    return without(default_mask, topk(rand_like(t).view([-1]), count).indices);
  }
  static override apply(module: Module, name: string, amount: number): BasePruningMethod {
    return new RandomUnstructured(amount).applyTo(module, name);
  }
}

/** Prunes the elements of least magnitude. */
export class L1Unstructured extends BasePruningMethod {
  override readonly PRUNING_TYPE = 'unstructured';
  readonly amount: number;
  constructor(amount: number | { amount: number }) {
    super();
    this.amount = typeof amount === 'object' ? amount.amount : amount;
    checkAmount(this.amount);
  }
  override compute_mask(t: Tensor, default_mask: Tensor): Tensor {
    const count = countOf(this.amount, t._numel);
    if (count === 0) return default_mask.clone();
    return without(default_mask, topk(t.detach().abs().reshape([-1]), count, -1, false).indices);
  }
  static override apply(
    module: Module,
    name: string,
    amount: number,
    importance_scores: Tensor | null = null,
  ): BasePruningMethod {
    return new L1Unstructured(amount).applyTo(module, name, importance_scores);
  }
}

/** Prunes channels along a dimension at random. */
export class RandomStructured extends BasePruningMethod {
  override readonly PRUNING_TYPE = 'structured';
  constructor(
    readonly amount: number,
    readonly dim = -1,
  ) {
    super();
    checkAmount(amount);
  }
  override compute_mask(t: Tensor, default_mask: Tensor): Tensor {
    checkStructured(t, this.dim);
    const size = t.size(this.dim);
    const count = countOf(this.amount, size);
    if (count === 0) return default_mask;
    const chance = rand([size]);
    const kept = chance.gt(kthvalue(chance, count).values);
    const mask = zeros_like(t);
    mask.setAt(index(kept, this), 1);
    return mask.mul_(default_mask.to(mask.dtype));
  }
  static override apply(module: Module, name: string, amount: number, dim = -1): BasePruningMethod {
    return new RandomStructured(amount, dim).applyTo(module, name);
  }
}

/** Prunes the channels along a dimension that have the least norm of order n. */
export class LnStructured extends BasePruningMethod {
  override readonly PRUNING_TYPE = 'structured';
  constructor(
    readonly amount: number,
    readonly n: number | 'fro',
    readonly dim = -1,
  ) {
    super();
    checkAmount(amount);
  }
  override compute_mask(t: Tensor, default_mask: Tensor): Tensor {
    checkStructured(t, this.dim);
    const size = t.size(this.dim);
    const count = countOf(this.amount, size);
    const at = this.dim < 0 ? this.dim + t.ndim : this.dim;
    const norms = norm(
      t.detach(),
      this.n,
      t.shape.flatMap((_, i) => (i === at ? [] : [i])),
    );
    const kept = topk(norms, size - count).indices;
    if (count === 0) return default_mask;
    const mask = zeros_like(t);
    mask.setAt(index(kept, this), 1);
    return mask.mul_(default_mask.to(mask.dtype));
  }
  static override apply(
    module: Module,
    name: string,
    amount: number,
    n: number | 'fro',
    dim: number,
    importance_scores: Tensor | null = null,
  ): BasePruningMethod {
    return new LnStructured(amount, n, dim).applyTo(module, name, importance_scores);
  }
}

/** Prunes where a given mask is zero. */
export class CustomFromMask extends BasePruningMethod {
  override readonly PRUNING_TYPE = 'global';
  readonly mask: Tensor;
  constructor(mask: Tensor | { mask: Tensor }) {
    super();
    this.mask = mask instanceof Tensor ? mask : mask.mask;
  }
  override compute_mask(_t: Tensor, default_mask: Tensor): Tensor {
    checkMask(default_mask, this.mask);
    return default_mask.mul(this.mask.to(default_mask.dtype));
  }
  static override apply(module: Module, name: string, mask: Tensor): BasePruningMethod {
    return new CustomFromMask(mask).applyTo(module, name);
  }
}

function checkMask(default_mask: Tensor, mask: Tensor): void {
  const [a, b] = [default_mask, mask].map((x) => formatSize([...x.shape]));
  if (a !== b) throw new ValueError(`default_mask shape ${a} must match self.mask shape ${b}`);
}
