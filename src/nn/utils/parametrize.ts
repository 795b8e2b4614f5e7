// torch.nn.utils.parametrize: parameters and buffers that are computed from others whenever they are read.
import { no_grad } from '../../autograd/modes.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { formatSize } from '../../format.js';
import { Tensor } from '../../tensor.js';
import { ModuleDict, ModuleList } from '../modules/container.js';
import { moduleState } from '../modules/hooks.js';
import type { Module } from '../modules/module.js';
import { Parameter } from '../parameter.js';

/**
 * A parametrization: `forward` computes the tensor from the original one (or several), `right_inverse`, where there is
 * one, originals from a value.
 */
export type Parametrization = Module & {
  right_inverse?(value: Tensor): Tensor | readonly Tensor[];
};

type Callable = (...args: readonly unknown[]) => unknown;
type Fields = Record<string, unknown>;

const fieldsOf = (module: Module): Fields => module as unknown as Fields;
const kindOf = (x: unknown): string => (x as object | null)?.constructor?.name ?? typeof x;
const sizeOf = (x: Tensor): string => formatSize([...x.shape]);

const cache = { users: 0, values: new Map<Module, Map<string, Tensor>>() };

/** Leaves the scope of {@link cached}. */
export interface CacheGuard extends Disposable {}

/**
 * Computes each parametrized tensor once: `cached(() => …)`, or `using _ = cached()` until the end of the scope.
 * Afterwards the values are forgotten.
 */
export function cached(): CacheGuard;
export function cached<R>(fn: () => R): R;
export function cached<R>(fn?: () => R): R | CacheGuard {
  cache.users++;
  let open = true;
  const leave = (): void => {
    if (open && --cache.users === 0) cache.values.clear();
    open = false;
  };
  if (fn === undefined) return { [Symbol.dispose]: leave };
  try {
    const result = fn();
    if (typeof (result as { then?: unknown } | null)?.then === 'function')
      throw new RuntimeError(
        'torch.nn.utils.parametrize.cached(callback): the callback returned a promise. Write `using _ = cached()` in the async function instead.',
      );
    return result;
  } finally {
    leave();
  }
}

/** Puts a tensor in a module, as what it is. */
function register(module: Module, name: string, x: Tensor): void {
  if (x instanceof Parameter) module.register_parameter(name, x);
  else module.register_buffer(name, x);
}

/** Gives `target` the values and the shape of another tensor; it keeps its identity. */
function take(target: Tensor, source: Tensor): void {
  target.data = source.detach();
}

/** Applies right inverses, the last parametrization's first. */
function invert(list: readonly Parametrization[], value: Tensor, required: boolean): unknown {
  let x: unknown = value;
  for (const p of [...list].reverse()) {
    if (typeof p.right_inverse === 'function') {
      try {
        x = p.right_inverse(x as Tensor);
      } catch (error) {
        if (required || (error as Error).name !== 'NotImplementedError') throw error;
      }
    } else if (required)
      throw new RuntimeError(`parametrization ${p._getName()} does not implement right_inverse.`);
  }
  return x;
}

/** The parametrizations of one tensor, and its originals: `original`, or `original0`, `original1`, … */
export class ParametrizationList extends ModuleList<Module> {
  declare original: Tensor;
  /** Whether the parametrizations may change dtype and shape. */
  unsafe: boolean;
  readonly is_tensor: boolean;
  readonly ntensors: number;

  constructor(modules: Iterable<Module>, original: Tensor, options: { unsafe?: boolean } | boolean = false) {
    super(modules);
    const unsafe = typeof options === 'boolean' ? options : (options.unsafe ?? false);
    this.unsafe = unsafe;
    if (this.length === 0) throw new ValueError('ParametrizationList requires one or more modules.');
    const { shape, dtype } = original;
    const start = no_grad(() => invert([...this] as Parametrization[], original, false));
    this.is_tensor = start instanceof Tensor;
    this.ntensors = Array.isArray(start) ? start.length : 1;
    if (start instanceof Tensor) this.holdOne(original, start);
    else this.holdSeveral(original, start);
    if (!unsafe) this.check(shape, dtype);
  }

  private holdOne(original: Tensor, start: Tensor): void {
    for (const key of ['dtype', 'device'] as const)
      if (String(original[key]) !== String(start[key]))
        throw new ValueError(
          `When \`right_inverse\` outputs one tensor, it may not change the ${key}.\noriginal.${key}: ${original[key]}\nright_inverse(original).${key}: ${start[key]}`,
        );
    take(original, start);
    register(this, 'original', original);
  }

  private holdSeveral(original: Tensor, start: unknown): void {
    if (!Array.isArray(start))
      throw new ValueError(
        `'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got ${kindOf(start)}`,
      );
    start.forEach((x: unknown, i) => {
      if (!(x instanceof Tensor))
        throw new ValueError(
          `'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element ${i} of the sequence with type ${kindOf(x)}.`,
        );
      const held = original instanceof Parameter ? new Parameter(x.detach(), original.requires_grad) : x;
      register(this, `original${i}`, held);
    });
  }

  private check(shape: readonly number[], dtype: Tensor['dtype']): void {
    const z: unknown = this.forward();
    if (!(z instanceof Tensor))
      throw new ValueError(`A parametrization must return a tensor. Got ${kindOf(z)}.`);
    const changed = (what: string, before: string, after: string): never => {
      throw new ValueError(
        `Registering a parametrization may not change the ${what} of the tensor, unless \`unsafe\` flag is enabled.\nunparametrized ${what}: ${before}\nparametrized ${what}: ${after}`,
      );
    };
    if (z.dtype !== dtype) changed('dtype', String(dtype), String(z.dtype));
    if (sizeOf(z) !== formatSize([...shape])) changed('shape', formatSize([...shape]), sizeOf(z));
  }

  /** The originals, in order. */
  private originals(): Tensor[] {
    if (this.is_tensor) return [this.original];
    return Array.from({ length: this.ntensors }, (_, i) => fieldsOf(this)[`original${i}`] as Tensor);
  }

  /** Sets the originals so that the tensor gets a value. @throws RuntimeError without right inverses. */
  right_inverse(value: Tensor): void {
    no_grad(() => {
      const x = invert([...this] as Parametrization[], value, true);
      if (this.is_tensor) {
        if (!(x instanceof Tensor))
          throw new ValueError(`\`right_inverse\` should return a tensor. Got ${kindOf(x)}`);
        if (x.dtype !== this.original.dtype)
          throw new ValueError(
            `The tensor returned by \`right_inverse\` has dtype ${x.dtype} while \`original\` has dtype ${this.original.dtype}`,
          );
        take(this.original, x);
      } else this.takeSeveral(x);
    });
  }

  private takeSeveral(x: unknown): void {
    if (!Array.isArray(x))
      throw new ValueError(`'right_inverse' must return a sequence of tensors. Got ${kindOf(x)}.`);
    if (x.length !== this.ntensors)
      throw new ValueError(
        `'right_inverse' must return a sequence of tensors of length ${this.ntensors}. Got a sequence of length ${x.length}.`,
      );
    this.originals().forEach((original, i) => {
      const given = x[i] as Tensor;
      if (original.dtype !== given.dtype)
        throw new ValueError(
          `Tensor ${i} returned by \`right_inverse\` has dtype ${given.dtype} while \`original${i}\` has dtype ${original.dtype}`,
        );
      take(original, given);
    });
  }

  // The list computes: it takes no arguments, unlike the container that it extends.
  override forward(): never {
    let args: readonly unknown[] = this.originals();
    for (const module of this) args = [(module as unknown as Callable)(...args)];
    return args[0] as never;
  }
}

/** Names of tensors of a module, and their parametrizations. */
type Lists = Record<string, ParametrizationList>;
const listsOf = (module: Module): Lists => fieldsOf(module).parametrizations as unknown as Lists;

/** The tensor as it is read: computed, or found where {@link cached} is active. */
function read(module: Module, name: string): Tensor {
  const compute = listsOf(module)[name] as unknown as () => Tensor;
  if (cache.users === 0) return compute();
  let known = cache.values.get(module);
  if (!known) {
    known = new Map();
    cache.values.set(module, known);
  }
  let value = known.get(name);
  if (!value) {
    value = compute();
    known.set(name, value);
  }
  return value;
}

/** Gives the module a class of its own, whose name says that it is parametrized. */
function changeClass(module: Module): void {
  const base = module.constructor as new () => object;
  const name = `Parametrized${base.name}`;
  const derived = { [name]: class extends base {} }[name];
  Object.setPrototypeOf(module, derived.prototype);
}

function defineAccessor(module: Module, name: string): void {
  Object.defineProperty(module, name, {
    configurable: true,
    // Not among the module's own tensors: those are the originals.
    enumerable: false,
    get(this: Module) {
      return read(this, name);
    },
    set(this: Module, value: Tensor) {
      listsOf(this)[name].right_inverse(value);
    },
  });
}

/** Checks that one more parametrization keeps dtype and shape, and that its right inverse does. */
function checkNext(module: Module, name: string, parametrization: Parametrization): void {
  const y = fieldsOf(module)[name] as Tensor;
  const x = (parametrization as unknown as Callable)(y);
  if (!(x instanceof Tensor))
    throw new ValueError(`A parametrization must return a tensor. Got ${kindOf(x)}.`);
  const changed = (what: string, before: string, after: string): never => {
    throw new ValueError(
      `Registering a parametrization may not change the ${what} of the tensor, unless the \`unsafe\` flag is enabled.\nmodule.${name}.${what}: ${before}\nparametrization(module.${name}).${what}: ${after}`,
    );
  };
  if (x.dtype !== y.dtype) changed('dtype', String(y.dtype), String(x.dtype));
  if (sizeOf(x) !== sizeOf(y)) changed('shape', sizeOf(y), sizeOf(x));
  if (typeof parametrization.right_inverse !== 'function') return;
  const z: unknown = invert([parametrization], x, false);
  if (!(z instanceof Tensor))
    throw new ValueError(`parametrization.right_inverse must return a tensor. Got: ${kindOf(z)}`);
  const differs = (what: string, before: string, after: string): never => {
    throw new ValueError(
      `The tensor returned by parametrization.right_inverse must have the same ${what} as module.${name}, unless the \`unsafe\` flag is enabled.\nmodule.${name}.${what}: ${before}\nreturned ${what}: ${after}`,
    );
  };
  if (z.dtype !== y.dtype) differs('dtype', String(y.dtype), String(z.dtype));
  if (sizeOf(z) !== sizeOf(y)) differs('shape', sizeOf(y), sizeOf(z));
}

/** Whether a tensor of the module is parametrized; without a name, whether any is. */
export function is_parametrized(module: Module, tensor_name: string | null = null): boolean {
  const lists = fieldsOf(module).parametrizations;
  if (!(lists instanceof ModuleDict)) return false;
  return tensor_name === null ? lists.length > 0 : lists.has(tensor_name);
}

/**
 * From now on `module[tensor_name]` reads as the parametrization of the tensor, which moves to
 * `module.parametrizations[tensor_name].original`; several may follow one another. Assigning to it goes through the
 * right inverses.
 * @param options `unsafe`: dtype and shape may change, and nothing is checked.
 * @throws ValueError for a name that is no parameter or buffer, and for what changes dtype or shape.
 */
export function register_parametrization<M extends Module>(
  module: M,
  tensor_name: string,
  parametrization: Module,
  options: { unsafe?: boolean } = {},
): M {
  const { unsafe = false } = options;
  parametrization.train(module.training);
  if (is_parametrized(module, tensor_name)) {
    if (!unsafe) checkNext(module, tensor_name, parametrization);
    const list = listsOf(module)[tensor_name];
    list.append(parametrization);
    list.unsafe ||= unsafe;
    return module;
  }
  const original = fieldsOf(module)[tensor_name];
  const isBuffer = moduleState(module).buffers.has(tensor_name);
  if (!(original instanceof Parameter || (isBuffer && original instanceof Tensor)))
    throw new ValueError(
      `Module '${module}' does not have a parameter, a buffer, or a parametrized element with name '${tensor_name}'`,
    );
  const list = new ParametrizationList([parametrization], original, unsafe);
  list.train(module.training);
  Reflect.deleteProperty(module, tensor_name);
  moduleState(module).buffers.delete(tensor_name);
  if (!is_parametrized(module)) {
    changeClass(module);
    fieldsOf(module).parametrizations = new ModuleDict();
  }
  defineAccessor(module, tensor_name);
  (fieldsOf(module).parametrizations as ModuleDict).set(tensor_name, list);
  return module;
}

/**
 * Removes the parametrizations of a tensor.
 * @param leave_parametrized keep the value that they compute, instead of the original.
 * @throws ValueError when there are none, or when the original is several tensors and shall stay.
 */
export function remove_parametrizations<M extends Module>(
  module: M,
  tensor_name: string,
  leave_parametrized: boolean | { leave_parametrized?: boolean } = true,
): M {
  if (!is_parametrized(module, tensor_name))
    throw new ValueError(`Module ${module} does not have a parametrization on ${tensor_name}`);
  const leave =
    typeof leave_parametrized === 'boolean'
      ? leave_parametrized
      : (leave_parametrized.leave_parametrized ?? true);
  const list = listsOf(module)[tensor_name];
  let tensor: Tensor;
  if (list.is_tensor) {
    tensor = list.original;
    if (leave)
      take(
        tensor,
        no_grad(() => fieldsOf(module)[tensor_name] as Tensor),
      );
  } else if (leave) {
    const value = fieldsOf(module)[tensor_name] as Tensor;
    tensor = value.requires_grad ? new Parameter(value.detach()) : value;
  } else
    throw new ValueError(
      'Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of tensors.',
    );
  Reflect.deleteProperty(module, tensor_name);
  (fieldsOf(module).parametrizations as ModuleDict).pop(tensor_name);
  register(module, tensor_name, tensor);
  if (!is_parametrized(module)) {
    Reflect.deleteProperty(module, 'parametrizations');
    Object.setPrototypeOf(module, Object.getPrototypeOf(Object.getPrototypeOf(module)));
  }
  return module;
}

/** The module's class before it was parametrized. */
export function type_before_parametrizations(module: Module): new (...args: never[]) => Module {
  const prototype = Object.getPrototypeOf(module) as { constructor: new () => Module };
  if (!is_parametrized(module)) return prototype.constructor;
  return (Object.getPrototypeOf(prototype) as { constructor: new () => Module }).constructor;
}

/** Moves parametrizations and what they parametrize to another module: those of one tensor, or all. */
export function transfer_parametrizations_and_params<M extends Module>(
  from_module: Module,
  to_module: M,
  tensor_name: string | null = null,
): M {
  if (!is_parametrized(from_module)) return to_module;
  const names =
    tensor_name === null ? [...(fieldsOf(from_module).parametrizations as ModuleDict).keys()] : [tensor_name];
  for (const name of names) {
    const [from, to] = [fieldsOf(from_module), fieldsOf(to_module)];
    if (to[name] === undefined) to[name] = new Parameter((from[name] as Tensor).detach());
    const list = listsOf(from_module)[name];
    for (const parametrization of list) register_parametrization(to_module, name, parametrization);
    const target = fieldsOf(listsOf(to_module)[name]);
    const source = fieldsOf(list);
    const originals = list.is_tensor
      ? ['original']
      : Array.from({ length: list.ntensors }, (_, i) => `original${i}`);
    for (const key of originals) target[key] = source[key];
  }
  return to_module;
}
