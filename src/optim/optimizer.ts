// The base class of all optimizers.
import { addHook, type RemovableHandle } from '../autograd/graph.js';
import { enable_grad, no_grad } from '../autograd/modes.js';
import { isKeywords, Schema, typeName } from '../dispatch/schema.js';
import { RuntimeError, ValueError } from '../errors.js';
import { pyFloatRepr } from '../format.js';
import { view_as_complex, view_as_real } from '../ops/view_dtype.js';
import { named, recording } from '../profiler/recorder.js';
import { sameSizes, Tensor } from '../tensor.js';
import { warn } from '../warnings.js';
import { clearGrads, packState, unpackState } from './state.js';

/** Options of one group of parameters; `params` are the parameters. */
export interface ParamGroup {
  params: Tensor[];
  lr: number;
  [option: string]: unknown;
}

/** What an optimizer is made from: tensors, `[name, tensor]` pairs, or groups with options of their own. */
export type Params =
  | Iterable<Tensor>
  | Iterable<readonly [string, Tensor]>
  | Iterable<{ params: Iterable<Tensor> | Tensor; [option: string]: unknown }>;

export type OptimizerState = Record<string, unknown>;

export interface OptimizerStateDict {
  state: Record<number, OptimizerState>;
  param_groups: (Record<string, unknown> & { params: number[] })[];
}

export type Keywords = Readonly<Record<string, unknown>>;
/** Called before a step; may return other arguments. */
export type StepPreHook = (
  optimizer: Optimizer,
  args: readonly unknown[],
  kwargs: Keywords,
) => readonly [args: readonly unknown[], kwargs: Keywords] | null | undefined | void;
/** Called after a step. */
export type StepHook = (optimizer: Optimizer, args: readonly unknown[], kwargs: Keywords) => void;
/** Called around `state_dict` and `load_state_dict`. */
export type StateHook = (optimizer: Optimizer) => void;
/** Sees a state dict, and may return another one. */
export type StateDictHook = (
  optimizer: Optimizer,
  state_dict: OptimizerStateDict,
) => OptimizerStateDict | null | undefined | void;

const globalHooks = { pre: new Map<number, StepPreHook>(), post: new Map<number, StepHook>() };

/** Calls the hook before the step of every optimizer. */
export function register_optimizer_step_pre_hook(hook: StepPreHook): RemovableHandle {
  return addHook(globalHooks.pre, hook);
}
/** Calls the hook after the step of every optimizer. */
export function register_optimizer_step_post_hook(hook: StepHook): RemovableHandle {
  return addHook(globalHooks.post, hook);
}

/** Any leading part of the positional arguments, then options. */
type Leading<Positional extends readonly unknown[], Options> = Positional extends readonly [
  infer First,
  ...infer Rest,
]
  ? [options?: Options] | [first: First | undefined, ...rest: Leading<Rest, Options>]
  : [options?: Options];

/** Arguments of a constructor: required ones, any leading part of the optional ones, then options; or options alone. */
export type Arguments<Needed extends readonly unknown[], Optional extends readonly unknown[], Options> =
  | [...Needed, ...Leading<Optional, Partial<Options>>]
  | [options: Options];

/** @internal Options of a constructor call by name: PyTorch's positional order, then keywords. */
export function bindOptions(name: string, schema: string, args: readonly unknown[]): Record<string, unknown> {
  const s = new Schema(`${name}.__init__`, schema);
  const values = s.bind(args);
  return Object.fromEntries(s.names.map((key, i) => [key, values[i]]));
}

/** @internal @throws ValueError as PyTorch's optimizers word it. */
export function requireValue(ok: boolean, what: string, value: unknown): void {
  if (!ok)
    throw new ValueError(`Invalid ${what}: ${typeof value === 'number' ? number(value) : String(value)}`);
}

const number = (x: number): string => (Number.isInteger(x) ? String(x) : pyFloatRepr(x));

/**
 * Base class: parameter groups, state, `zero_grad`, checkpoints. Subclasses define `update`, which `step` calls for each
 * parameter that has a gradient:
 *
 *     class SignSGD extends torch.optim.Optimizer {
 *       protected update(p: Tensor, grad: Tensor, group: ParamGroup): void {
 *         p.sub_(grad.sign().mul(group.lr));
 *       }
 *     }
 *     const optimizer = new SignSGD(net.parameters(), { lr: 0.01 });
 */
export abstract class Optimizer {
  param_groups: ParamGroup[] = [];
  readonly state: Map<Tensor, OptimizerState> = new Map();
  /** @internal Whether a step was taken since the first schedule was made; null before there is one. */
  _opt_called: boolean | null = null;
  private readonly hooks = {
    stepPre: new Map<number, StepPreHook>(),
    stepPost: new Map<number, StepHook>(),
    statePre: new Map<number, StateHook>(),
    statePost: new Map<number, StateDictHook>(),
    loadPre: new Map<number, StateDictHook>(),
    loadPost: new Map<number, StateHook>(),
  };

  constructor(
    params: Params,
    readonly defaults: Record<string, unknown>,
  ) {
    if (params instanceof Tensor)
      throw new TypeError(
        `params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.${params.dtype.scalarName}Tensor`,
      );
    if (params === null || typeof params !== 'object' || !(Symbol.iterator in params))
      throw new TypeError(
        `params argument given to the optimizer should be an iterable of Tensors or dicts, but got ${typeName(params)}`,
      );
    const list = [...(params as Iterable<unknown>)];
    if (list.length === 0) throw new ValueError('optimizer got an empty parameter list');
    if (isKeywords(list[0]))
      for (const group of list) this.add_param_group(group as { params: Iterable<Tensor> });
    else this.add_param_group({ params: list as Tensor[] });
  }

  /** Adds a group of parameters with options of its own. @throws ValueError for a parameter that is in a group already. */
  add_param_group(group: {
    params: Iterable<Tensor | readonly [string, Tensor]> | Tensor;
    [option: string]: unknown;
  }): void {
    if (!isKeywords(group)) throw new TypeError(`param_group must be a dict, but got ${typeName(group)}`);
    const given: readonly unknown[] = group.params instanceof Tensor ? [group.params] : [...group.params];
    const names: string[] = [];
    const params = given.map((item) => {
      const [name, p] = Array.isArray(item) ? (item as [string, unknown]) : [null, item];
      if (name !== null) names.push(name);
      return this.checked(p);
    });
    if (names.length > 0 && names.length !== params.length)
      throw new ValueError('all optimizer params should be with/without names. Some param names are missing');
    if (new Set(params).size !== params.length)
      warn(
        'optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; see github.com/pytorch/pytorch/issues/40967 for more information',
      );
    for (const other of this.param_groups)
      if ('param_names' in other !== names.length > 0)
        throw new ValueError(
          `all optimizer param groups should be with/without names. cannot add param group ${names.length > 0 ? 'with' : 'without'} names to the optimizer`,
        );
    const used = new Set(this.param_groups.flatMap((g) => g.params));
    if (params.some((p) => used.has(p)))
      throw new ValueError('some parameters appear in more than one parameter group');
    const full = { ...this.defaults, ...group, params } as unknown as ParamGroup;
    if (names.length > 0) full.param_names = names;
    this.param_groups.push(full);
  }

  private checked(p: unknown): Tensor {
    if (!(p instanceof Tensor))
      throw new TypeError(`optimizer can only optimize Tensors, but one of the params is ${typeName(p)}`);
    if (!p.is_leaf && !p.retains_grad && !this.defaults.differentiable)
      throw new ValueError("can't optimize a non-leaf Tensor");
    return p;
  }

  /** Clears the gradients: to null, or to zeros in place. */
  zero_grad(set_to_none: boolean | { set_to_none?: boolean } = true): void {
    const toNone = typeof set_to_none === 'boolean' ? set_to_none : (set_to_none.set_to_none ?? true);
    clearGrads(
      this.param_groups.flatMap((group) => group.params),
      toNone,
    );
  }

  /** One step. `closure` recomputes the loss, with gradients; its value is returned. */
  step(): undefined;
  step<L>(closure: () => L): L;
  step<L>(closure?: () => L): L | undefined {
    let args: readonly unknown[] = closure === undefined ? [] : [closure];
    let kwargs: Keywords = {};
    for (const hook of [...globalHooks.pre.values(), ...this.hooks.stepPre.values()]) {
      const changed: unknown = hook(this, args, kwargs);
      if (changed === undefined || changed === null) continue;
      if (!Array.isArray(changed) || changed.length !== 2)
        throw new RuntimeError(
          `${this.constructor.name}.step must return None or a tuple of (new_args, new_kwargs), but got ${String(changed)}.`,
        );
      [args, kwargs] = changed as [readonly unknown[], Keywords];
    }
    const given = (args[0] ?? kwargs.closure) as (() => L) | undefined;
    const { name } = this.constructor;
    const loss =
      recording.current === null
        ? this.run(given)
        : named(`Optimizer.step#${name}.step`, () => this.run(given));
    if (this._opt_called !== null) this._opt_called = true;
    for (const hook of [...this.hooks.stepPost.values(), ...globalHooks.post.values()])
      hook(this, args, kwargs);
    return loss;
  }

  /** @internal Optimizers that call the closure more than once override this. */
  protected run<L>(closure: (() => L) | undefined): L | undefined {
    const loss = closure === undefined || closure === null ? undefined : enable_grad(closure);
    // Under `differentiable` the steps are recorded.
    const mode = this.defaults.differentiable ? enable_grad : no_grad;
    mode(() => {
      for (const group of this.param_groups) this.updateGroup(group);
    });
    return loss;
  }

  /** @internal */
  protected updateGroup(group: ParamGroup): void {
    for (const p of group.params) {
      const grad = p.grad;
      if (grad === null) continue;
      if (p.is_complex() && this.splitsComplex) this.updateComplex(p, grad, group);
      else this.update(p, grad, group, this.stateOf(p));
    }
  }

  /** @internal Whether complex parameters are updated as pairs of real numbers. */
  protected get splitsComplex(): boolean {
    return true;
  }

  /** Updates real and imaginary parts as separate numbers; the state is complex. */
  private updateComplex(p: Tensor, grad: Tensor, group: ParamGroup): void {
    const state = this.stateOf(p);
    const real = (x: unknown): unknown => (x instanceof Tensor && x.is_complex() ? view_as_real(x) : x);
    const parts = view_as_real(p);
    const split = Object.fromEntries(Object.entries(state).map(([key, x]) => [key, real(x)]));
    this.update(parts, view_as_real(grad), group, split);
    for (const [key, x] of Object.entries(split))
      if (x instanceof Tensor && sameSizes(x.shape, parts.shape)) state[key] ??= view_as_complex(x);
      else state[key] = x;
  }

  /** @internal The state of a parameter, made on first use. */
  protected stateOf(p: Tensor): OptimizerState {
    let state = this.state.get(p);
    if (!state) {
      state = {};
      this.state.set(p, state);
    }
    return state;
  }

  /** Updates one parameter from its gradient. Runs without recording. */
  protected abstract update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void;

  /** Calls the hook before each step; it may return `[args, kwargs]` to step with. */
  register_step_pre_hook(hook: StepPreHook): RemovableHandle {
    return addHook(this.hooks.stepPre, hook);
  }
  /** Calls the hook after each step. */
  register_step_post_hook(hook: StepHook): RemovableHandle {
    return addHook(this.hooks.stepPost, hook);
  }
  /** Calls the hook before `state_dict`. */
  register_state_dict_pre_hook(hook: StateHook, prepend = false): RemovableHandle {
    return addHook(this.hooks.statePre, hook, prepend);
  }
  /** Calls the hook with what `state_dict` is about to return. */
  register_state_dict_post_hook(hook: StateDictHook, prepend = false): RemovableHandle {
    return addHook(this.hooks.statePost, hook, prepend);
  }
  /** Calls the hook with a shallow copy of what `load_state_dict` was given. */
  register_load_state_dict_pre_hook(hook: StateDictHook, prepend = false): RemovableHandle {
    return addHook(this.hooks.loadPre, hook, prepend);
  }
  /** Calls the hook after `load_state_dict`. */
  register_load_state_dict_post_hook(hook: StateHook, prepend = false): RemovableHandle {
    return addHook(this.hooks.loadPost, hook, prepend);
  }

  /** The state by parameter number, and the groups' options. */
  state_dict(): OptimizerStateDict {
    for (const hook of this.hooks.statePre.values()) hook(this);
    let packed = packState(this.param_groups, this.state);
    for (const hook of this.hooks.statePost.values()) packed = hook(this, packed) || packed;
    return packed;
  }

  /** Restores what `state_dict` returned. @throws ValueError when the groups do not match. */
  load_state_dict(state_dict: OptimizerStateDict): void {
    let given = { ...state_dict };
    for (const hook of this.hooks.loadPre.values()) given = hook(this, given) || given;
    const { groups, state } = unpackState(given, this.param_groups);
    this.param_groups = groups;
    this.state.clear();
    for (const [p, s] of state) this.state.set(p, s);
    for (const hook of this.hooks.loadPost.values()) hook(this);
  }

  /** @internal Options that print as floats when they are these whole numbers. */
  protected get wholeFloats(): Readonly<Record<string, number>> {
    return {};
  }

  toString(): string {
    const lines = this.param_groups.map((group, i) => {
      const options = Object.keys(group)
        .filter((key) => key !== 'params')
        .sort();
      return `Parameter Group ${i}\n${options.map((key) => `    ${key}: ${show(group[key], this.wholeFloats[key])}\n`).join('')}`;
    });
    return `${this.constructor.name} (\n${lines.join('\n')})`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** A value as Python prints it. */
function show(value: unknown, float?: number): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return value === float ? pyFloatRepr(value) : number(value);
  if (Array.isArray(value)) return `(${value.map((v) => show(v)).join(', ')})`;
  return String(value);
}
