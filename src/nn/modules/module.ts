// The base class of all neural network modules. A module is a function: `net(x)` runs its hooks and forward.

import { addHook, type RemovableHandle } from '../../autograd/graph.js';
import { no_grad } from '../../autograd/modes.js';
import type { DeviceLike } from '../../device.js';
import { isKeywords } from '../../dispatch/schema.js';
import { bfloat16, DType, float16, float32, float64 } from '../../dtype.js';
import { KeyError, NotImplementedError, ValueError } from '../../errors.js';
import { empty_like } from '../../ops/like.js';
import { setOrigin } from '../../serialization/values.js';
import { Tensor } from '../../tensor.js';
import { Parameter } from '../parameter.js';
import { backwardHooks } from './backward_hooks.js';
import {
  type BackwardHook,
  type BackwardPreHook,
  callState,
  type ForwardHook,
  type ForwardHookOptions,
  type ForwardHookWithKwargs,
  type ForwardPreHook,
  type ForwardPreHookWithKwargs,
  type HookOptions,
  knownState,
  type LoadStateDictPostHook,
  type LoadStateDictPreHook,
  type ModuleState,
  moduleState,
  type PreHookOptions,
  plainHook,
  plainPreHook,
  type StateDictHook,
  type StateDictPreHook,
} from './hooks.js';
import { type LoadOptions, type LoadResult, loadInto } from './state.js';

export type StateDict = Record<string, Tensor>;
/** Calling a module: its forward, typed. */
export interface Module {
  // biome-ignore lint/style/useShorthandFunctionType: an interface merges with the class
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
}

/**
 * Base class of neural network modules. Subclasses assign parameters and children as fields and define `forward`:
 *
 *     class Net extends nn.Module {
 *       hidden = new nn.Linear(784, 256);
 *       forward(x: Tensor): Tensor { return this.hidden(x).relu(); }
 *     }
 */
export abstract class Module {
  /** Whether the module is in training mode (set by `train()` and `eval()`). */
  declare training: boolean;

  constructor() {
    const module = function module(...args: unknown[]): unknown {
      return invoke(module as unknown as Module, args);
    };
    Object.setPrototypeOf(module, new.target.prototype);
    // A function's own name and length would hide fields of those names.
    Reflect.deleteProperty(module, 'name');
    Reflect.deleteProperty(module, 'length');
    Object.defineProperty(module, 'training', {
      value: true,
      writable: true,
      enumerable: false,
      configurable: true,
    });
    // biome-ignore lint/correctness/noConstructorReturn: the module is the function object
    return module as unknown as this;
  }

  /** Computes the output; called through the module itself so that hooks run. */
  abstract forward(...args: never[]): unknown;

  /**
   * Names of forward's parameters, for modules that can also be called with them by name in a last object; null
   * where such an object is data. @internal
   */
  _forwardNames(): readonly string[] | null {
    return null;
  }

  /** Whether a state_dict may leave this entry out. @internal */
  _mayLack(_name: string): boolean {
    return false;
  }

  /** Parameters of this module alone, by name. @internal */
  *_ownParameters(): IterableIterator<[string, Parameter]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof Parameter) yield [name, value];
  }
  /** Buffers of this module alone, by name. @internal */
  *_ownBuffers(persistentOnly = false): IterableIterator<[string, Tensor]> {
    const self = this as unknown as Record<string, unknown>;
    for (const [name, persistent] of moduleState(this).buffers) {
      const value = self[name];
      if (value instanceof Tensor && (persistent || !persistentOnly)) yield [name, value];
    }
  }

  /** Adds a tensor that belongs to the state but is no parameter; `persistent: false` keeps it out of the state_dict. */
  register_buffer(
    name: string,
    tensor: Tensor | null,
    persistent: boolean | { persistent?: boolean } = true,
  ): void {
    this._checkName(name, 'buffer');
    if (tensor !== null && !(tensor instanceof Tensor))
      throw new TypeError(
        `cannot assign '${typeof tensor}' object to buffer '${name}' (torch Tensor or None required)`,
      );
    moduleState(this).buffers.set(
      name,
      typeof persistent === 'boolean' ? persistent : (persistent.persistent ?? true),
    );
    Object.assign(this, { [name]: tensor });
  }
  /** Adds a parameter, or null for one that is absent. */
  register_parameter(name: string, param: Parameter | null): void {
    this._checkName(name, 'parameter');
    if (param !== null && !(param instanceof Parameter))
      throw new TypeError(
        `cannot assign '${typeof param}' object to parameter '${name}' (torch.nn.Parameter or None required)`,
      );
    Object.assign(this, { [name]: param });
  }
  /** Adds a child module. */
  add_module(name: string, module: Module | null): void {
    if (module !== null && !(module instanceof Module))
      throw new TypeError(`${String(module)} is not a Module subclass`);
    this._checkName(name, 'module');
    Object.assign(this, { [name]: module });
  }
  register_module(name: string, module: Module | null): void {
    this.add_module(name, module);
  }
  private _checkName(name: string, kind: string): void {
    if (typeof name !== 'string') throw new TypeError(`${kind} name should be a string. Got ${typeof name}`);
    if (name.includes('.')) throw new KeyError(`${kind} name can't contain "."`);
    if (name === '') throw new KeyError(`${kind} name can't be empty string ""`);
    if (name in this && !Object.hasOwn(this, name)) throw new KeyError(`attribute '${name}' already exists`);
  }

  *named_children(): IterableIterator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, value] of Object.entries(this))
      if (value instanceof Module && !seen.has(value)) {
        seen.add(value);
        yield [name, value];
      }
  }
  *children(): IterableIterator<Module> {
    for (const [, child] of this.named_children()) yield child;
  }
  /** This module and all below it, each once, with dotted names. */
  *named_modules(memo: Set<Module> = new Set(), prefix = ''): IterableIterator<[string, Module]> {
    if (memo.has(this)) return;
    memo.add(this);
    yield [prefix, this];
    for (const [name, value] of Object.entries(this))
      if (value instanceof Module)
        yield* value.named_modules(memo, prefix === '' ? name : `${prefix}.${name}`);
  }
  *modules(): IterableIterator<Module> {
    for (const [, module] of this.named_modules()) yield module;
  }
  private *_named<T extends Tensor>(
    members: (m: Module) => Iterable<[string, T]>,
    prefix: string,
    recurse: boolean,
    unique = true,
  ): IterableIterator<[string, T]> {
    const seen = new Set<T>();
    const owners = recurse ? this.named_modules(new Set(), prefix) : [[prefix, this] as [string, Module]];
    for (const [path, module] of owners)
      for (const [name, value] of members(module)) {
        if (unique && seen.has(value)) continue;
        seen.add(value);
        yield [path === '' ? name : `${path}.${name}`, value];
      }
  }
  /** Parameters with their dotted names, each once. */
  named_parameters(
    options: { prefix?: string; recurse?: boolean; remove_duplicate?: boolean } = {},
  ): IterableIterator<[string, Parameter]> {
    return this._named(
      (m) => m._ownParameters(),
      options.prefix ?? '',
      options.recurse ?? true,
      options.remove_duplicate ?? true,
    );
  }
  *parameters(recurse = true): IterableIterator<Parameter> {
    for (const [, p] of this.named_parameters({ recurse })) yield p;
  }
  named_buffers(
    options: { prefix?: string; recurse?: boolean; remove_duplicate?: boolean } = {},
  ): IterableIterator<[string, Tensor]> {
    return this._named(
      (m) => m._ownBuffers(),
      options.prefix ?? '',
      options.recurse ?? true,
      options.remove_duplicate ?? true,
    );
  }
  *buffers(recurse = true): IterableIterator<Tensor> {
    for (const [, b] of this.named_buffers({ recurse })) yield b;
  }
  /** The module at a dotted path. @throws Error when there is none. */
  get_submodule(target: string): Module {
    let module: Module = this;
    if (target === '') return module;
    for (const part of target.split('.')) {
      const next = (module as unknown as Record<string, unknown>)[part];
      if (next === undefined) throw new KeyError(`${module._getName()} has no attribute \`${part}\``);
      if (!(next instanceof Module)) throw new KeyError(`\`${part}\` is not an nn.Module`);
      module = next;
    }
    return module;
  }
  /**
   * Puts a module at a dotted path, in place of the one there, or (unless `strict`) as a new one.
   * @throws KeyError for a path that leads nowhere.
   */
  set_submodule(target: string, module: Module, strict: boolean | { strict?: boolean } = false): void {
    if (target === '') throw new ValueError('Cannot set the submodule without a target name!');
    if (!(module instanceof Module)) throw new ValueError('`module` is not an nn.Module');
    const dot = target.lastIndexOf('.');
    const parent = this.get_submodule(dot < 0 ? '' : target.slice(0, dot));
    const name = target.slice(dot + 1);
    const before = (parent as unknown as Record<string, unknown>)[name];
    if ((typeof strict === 'boolean' ? strict : strict.strict) && before === undefined)
      throw new KeyError(`${parent._getName()} has no attribute \`${name}\``);
    if (before !== undefined && !(before instanceof Module))
      throw new KeyError(`\`${name}\` is not an nn.Module`);
    Object.assign(parent, { [name]: module });
  }
  get_parameter(target: string): Parameter {
    const dot = target.lastIndexOf('.');
    const module = this.get_submodule(dot < 0 ? '' : target.slice(0, dot));
    const value = (module as unknown as Record<string, unknown>)[target.slice(dot + 1)];
    if (!(value instanceof Parameter))
      throw new KeyError(`\`${target.slice(dot + 1)}\` is not an nn.Parameter`);
    return value;
  }
  get_buffer(target: string): Tensor {
    const dot = target.lastIndexOf('.');
    const module = this.get_submodule(dot < 0 ? '' : target.slice(0, dot));
    const name = target.slice(dot + 1);
    const value = (module as unknown as Record<string, unknown>)[name];
    if (!(value instanceof Tensor) || !moduleState(module).buffers.has(name))
      throw new KeyError(`\`${name}\` is not a buffer`);
    return value;
  }

  /** Sets training mode, here and below. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') throw new TypeError('training mode is expected to be boolean');
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }
  eval(): this {
    return this.train(false);
  }
  requires_grad_(requires_grad = true): this {
    for (const p of this.parameters()) p.requires_grad_(requires_grad);
    return this;
  }
  /** Clears the gradients: to null, or to zeros. */
  zero_grad(set_to_none = true): void {
    for (const p of this.parameters()) {
      if (p.grad === null) continue;
      if (set_to_none) p.grad = null;
      else if (p.grad.grad_fn === null) p.grad.requires_grad_(false).zero_();
      else p.grad.detach_().zero_();
    }
  }
  /** Calls fn on every module below, then on this one. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }
  /** Replaces the values of every parameter and buffer. @internal */
  _apply(fn: (x: Tensor) => Tensor, recurse = true): this {
    if (recurse) for (const child of this.children()) child._apply(fn);
    no_grad(() => {
      for (const [, p] of this._ownParameters()) {
        p.data = fn(p.data);
        if (p.grad !== null) p.grad.data = fn(p.grad.data);
      }
      const self = this as unknown as Record<string, unknown>;
      for (const [name, b] of this._ownBuffers()) self[name] = fn(b);
    });
    return this;
  }
  /** Moves parameters and buffers to a device, and the floating point ones to a dtype. */
  to(
    ...args: readonly (
      | DType
      | DeviceLike
      | Tensor
      | boolean
      | { dtype?: DType; device?: DeviceLike }
      | null
    )[]
  ): this {
    const dtype = args
      .map((a) =>
        a instanceof DType
          ? a
          : a instanceof Tensor
            ? a.dtype
            : isKeywords(a)
              ? (a.dtype as DType | undefined)
              : undefined,
      )
      .find((d) => d !== undefined);
    if (dtype?.is_integral)
      throw new TypeError(
        `nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=${dtype}`,
      );
    const withoutType = args
      .filter((a) => !(a instanceof DType))
      .map((a) => (isKeywords(a) ? { ...a, dtype: undefined } : a));
    return this._apply((x) =>
      x.dtype.is_integral ? x.to(...(withoutType as never[])) : x.to(...(args as never[])),
    );
  }
  /** Moves the module to a device without its values: parameters and buffers have what is in the memory there. */
  to_empty(options: { device: DeviceLike; recurse?: boolean }): this {
    return this._apply((x) => empty_like(x, { device: options.device }), options.recurse ?? true);
  }
  private _float(dtype: DType): this {
    return this._apply((x) => (x.is_floating_point() ? x.to(dtype) : x));
  }
  float(): this {
    return this._float(float32);
  }
  double(): this {
    return this._float(float64);
  }
  half(): this {
    return this._float(float16);
  }
  bfloat16(): this {
    return this._float(bfloat16);
  }
  type(dst_type: DType): this {
    return this._apply((x) => x.to(dst_type));
  }
  cpu(): this {
    return this._apply((x) => x.to('cpu'));
  }
  cuda(device = 0): this {
    return this._apply((x) => x.to(`cuda:${device}`));
  }

  /** All persistent state by dotted name; the tensors share memory with the module unless `keep_vars`. */
  state_dict(options: { destination?: StateDict; prefix?: string; keep_vars?: boolean } = {}): StateDict {
    const { destination = setOrigin<StateDict>({}, 'OrderedDict'), prefix = '', keep_vars = false } = options;
    const hooks = knownState(this);
    for (const hook of hooks?.statePreHooks.values() ?? []) hook(this, prefix, keep_vars);
    const put = (name: string, x: Tensor): void => {
      destination[prefix + name] = keep_vars ? x : x.detach();
    };
    for (const [name, p] of this._ownParameters()) put(name, p);
    for (const [name, b] of this._ownBuffers(true)) put(name, b);
    if (this.get_extra_state)
      Object.assign(destination, { [`${prefix}_extra_state`]: this.get_extra_state() });
    for (const [name, value] of Object.entries(this))
      if (value instanceof Module) value.state_dict({ destination, prefix: `${prefix}${name}.`, keep_vars });
    for (const hook of hooks?.stateHooks.values() ?? []) hook(this, destination, prefix, { version: 1 });
    return destination;
  }
  /**
   * Copies values from a state_dict into this module and those below.
   * @throws RuntimeError when keys are missing or unexpected (unless `strict: false`), or shapes differ.
   */
  load_state_dict(
    state_dict: Readonly<StateDict> | ReadonlyMap<string, Tensor>,
    options: LoadOptions | boolean = {},
  ): LoadResult {
    return loadInto(this, state_dict, typeof options === 'boolean' ? { strict: options } : options);
  }
  /** What a subclass saves beside tensors, under the key `_extra_state`. */
  get_extra_state?(): unknown;
  /** Takes what `get_extra_state` returned. */
  set_extra_state?(state: unknown): void;

  /** Calls the hook before `state_dict` collects the state of this module. */
  register_state_dict_pre_hook(hook: StateDictPreHook): RemovableHandle {
    return addHook(moduleState(this).statePreHooks, hook);
  }
  /** Calls the hook when `state_dict` has the state of this module and those below. */
  register_state_dict_post_hook(hook: StateDictHook): RemovableHandle {
    return addHook(moduleState(this).stateHooks, hook);
  }
  /** Calls the hook before `load_state_dict` takes the state of this module, from a copy of what it was given. */
  register_load_state_dict_pre_hook(hook: LoadStateDictPreHook): RemovableHandle {
    return addHook(moduleState(this).loadPreHooks, hook);
  }
  /** Calls the hook when the state is loaded, before missing and unexpected keys make an error. */
  register_load_state_dict_post_hook(hook: LoadStateDictPostHook): RemovableHandle {
    return addHook(moduleState(this).loadPostHooks, hook);
  }

  /** Calls `hook(module, args, output)` after forward; what it returns replaces the output. */
  register_forward_hook(
    hook: ForwardHook,
    options?: ForwardHookOptions & { with_kwargs?: false },
  ): RemovableHandle;
  register_forward_hook(
    hook: ForwardHookWithKwargs,
    options: ForwardHookOptions & { with_kwargs: true },
  ): RemovableHandle;
  register_forward_hook(
    hook: ForwardHook | ForwardHookWithKwargs,
    options: ForwardHookOptions = {},
  ): RemovableHandle {
    const { forwardHooks, alwaysCalled } = moduleState(this);
    const plain = options.with_kwargs ? plainHook(hook as ForwardHookWithKwargs) : (hook as ForwardHook);
    if (options.always_call) alwaysCalled.add(plain);
    return addHook(forwardHooks, plain, options.prepend);
  }
  /** Calls `hook(module, args)` before forward; an array that it returns replaces the arguments. */
  register_forward_pre_hook(
    hook: ForwardPreHook,
    options?: PreHookOptions & { with_kwargs?: false },
  ): RemovableHandle;
  register_forward_pre_hook(
    hook: ForwardPreHookWithKwargs,
    options: PreHookOptions & { with_kwargs: true },
  ): RemovableHandle;
  register_forward_pre_hook(
    hook: ForwardPreHook | ForwardPreHookWithKwargs,
    options: PreHookOptions = {},
  ): RemovableHandle {
    const plain = options.with_kwargs
      ? plainPreHook(hook as ForwardPreHookWithKwargs)
      : (hook as ForwardPreHook);
    return addHook(moduleState(this).forwardPreHooks, plain, options.prepend);
  }
  /** Calls `hook(module, grad_input, grad_output)` when the gradients of the inputs were computed. */
  register_full_backward_hook(hook: BackwardHook, options: HookOptions = {}): RemovableHandle {
    return addHook(moduleState(this).backwardHooks, hook, options.prepend);
  }
  /** Calls `hook(module, grad_output)` before the gradients of the inputs are computed. */
  register_full_backward_pre_hook(hook: BackwardPreHook, options: HookOptions = {}): RemovableHandle {
    return addHook(moduleState(this).backwardPreHooks, hook, options.prepend);
  }

  /** What the summary shows between the parentheses. */
  extra_repr(): string {
    return '';
  }
  /** @internal */
  _getName(): string {
    return this.constructor.name;
  }
  toString(): string {
    const extra = this.extra_repr();
    const lines = extra === '' ? [] : extra.split('\n');
    const children = this._reprChildren().map(([name, text]) => `(${name}): ${indent(text)}`);
    const all = [...lines, ...children];
    if (lines.length === 1 && children.length === 0) return `${this._getName()}(${lines[0]})`;
    return all.length === 0 ? `${this._getName()}()` : `${this._getName()}(\n  ${all.join('\n  ')}\n)`;
  }
  /** Children and their summaries. @internal */
  _reprChildren(): [string, string][] {
    return Object.entries(this).flatMap(([name, value]): [string, string][] =>
      value instanceof Module ? [[name, String(value)]] : [],
    );
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const indent = (text: string): string => text.split('\n').join('\n  ');

/** The arguments of a call by position, when some were given by name. */
function positional(module: Module, given: unknown[]): unknown[] {
  const last = given[given.length - 1];
  const names = isKeywords(last) ? module._forwardNames() : null;
  if (names === null) return given;
  const args = given.slice(0, -1);
  for (const [name, value] of Object.entries(last as object)) {
    const at = names.indexOf(name);
    if (at < 0)
      throw new TypeError(`${module._getName()}.forward() got an unexpected keyword argument '${name}'`);
    if (at < given.length - 1)
      throw new TypeError(`${module._getName()}.forward() got multiple values for argument '${name}'`);
    args[at] = value;
  }
  return Array.from(args);
}

/** Runs the hooks and forward of a module. */
function invoke(module: Module, call: unknown[]): unknown {
  const given = positional(module, call);
  const state = callState(module);
  const forward = module.forward as unknown as ((...args: unknown[]) => unknown) | undefined;
  if (typeof forward !== 'function')
    throw new NotImplementedError(`Module [${module._getName()}] is missing the required "forward" function`);
  if (state === undefined) return forward.apply(module, given);
  if (state.alwaysCalled.size === 0) return hooked(module, state, forward, given, null);
  const called = new Set<ForwardHook>();
  try {
    return hooked(module, state, forward, given, called);
  } catch (error) {
    for (const hook of state.forwardHooks.values())
      if (state.alwaysCalled.has(hook) && !called.has(hook)) hook(module, given, null);
    throw error;
  }
}

/** @param called collects the forward hooks that were called. */
function hooked(
  module: Module,
  state: ModuleState,
  forward: (...args: unknown[]) => unknown,
  given: unknown[],
  called: Set<ForwardHook> | null,
): unknown {
  let args = given;
  for (const hook of state.forwardPreHooks.values()) {
    const result = hook(module, args);
    if (result !== undefined && result !== null) args = Array.isArray(result) ? result : [result];
  }
  const backward =
    state.backwardHooks.size > 0 || state.backwardPreHooks.size > 0 ? backwardHooks(module, state) : null;
  if (backward) args = backward.inputs(args);
  let output = forward.apply(module, args);
  for (const hook of state.forwardHooks.values()) {
    called?.add(hook);
    const result = hook(module, args, output);
    if (result !== undefined && result !== null) output = result;
  }
  return backward ? backward.outputs(output) : output;
}
