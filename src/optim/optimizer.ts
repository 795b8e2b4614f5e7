// The base class of all optimizers.
import { addHook, type RemovableHandle } from '../autograd/graph.js';
import { enable_grad, no_grad } from '../autograd/modes.js';
import { isKeywords, Schema, typeName } from '../dispatch/schema.js';
import { KeyError, ValueError } from '../errors.js';
import { pyFloatRepr } from '../format.js';
import { Tensor } from '../tensor.js';

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

export type StepHook = (optimizer: Optimizer, args: readonly unknown[]) => void;

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

/** Base class: parameter groups, state, `zero_grad`, checkpoints. Subclasses define `update`. */
export abstract class Optimizer {
  param_groups: ParamGroup[] = [];
  readonly state: Map<Tensor, OptimizerState> = new Map();
  private readonly preHooks = new Map<number, StepHook>();
  private readonly postHooks = new Map<number, StepHook>();

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
      if (!(p instanceof Tensor))
        throw new TypeError(`optimizer can only optimize Tensors, but one of the params is ${typeName(p)}`);
      if (!p.is_leaf && !this.defaults.differentiable)
        throw new ValueError("can't optimize a non-leaf Tensor");
      return p;
    });
    const used = new Set(this.param_groups.flatMap((g) => g.params));
    if (params.some((p) => used.has(p)))
      throw new ValueError('some parameters appear in more than one parameter group');
    const full = { ...this.defaults, ...group, params } as unknown as ParamGroup;
    if (names.length > 0) full.param_names = names;
    this.param_groups.push(full);
  }

  /** Clears the gradients: to null, or to zeros. */
  zero_grad(set_to_none = true): void {
    for (const { params } of this.param_groups)
      for (const p of params) {
        if (p.grad === null) continue;
        if (set_to_none) p.grad = null;
        else p.grad = p.grad.detach().fill_(0);
      }
  }

  /** One step. `closure` recomputes the loss, with gradients; its value is returned. */
  step(): undefined;
  step<L>(closure: () => L): L;
  step<L>(closure?: () => L): L | undefined {
    for (const hook of this.preHooks.values()) hook(this, [closure]);
    const loss = this.run(closure);
    for (const hook of this.postHooks.values()) hook(this, [closure]);
    return loss;
  }

  /** @internal Optimizers that call the closure more than once override this. */
  protected run<L>(closure: (() => L) | undefined): L | undefined {
    const loss = closure === undefined || closure === null ? undefined : enable_grad(closure);
    no_grad(() => {
      for (const group of this.param_groups) this.updateGroup(group);
    });
    return loss;
  }

  /** @internal */
  protected updateGroup(group: ParamGroup): void {
    for (const p of group.params) {
      const grad = p.grad;
      if (grad !== null) this.update(p, grad, group, this.stateOf(p));
    }
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

  register_step_pre_hook(hook: StepHook): RemovableHandle {
    return addHook(this.preHooks, hook);
  }
  register_step_post_hook(hook: StepHook): RemovableHandle {
    return addHook(this.postHooks, hook);
  }

  /** The state by parameter number, and the groups' options. */
  state_dict(): OptimizerStateDict {
    const ids = new Map<Tensor, number>();
    const param_groups = this.param_groups.map((group) => ({
      ...group,
      params: group.params.map((p) => {
        if (!ids.has(p)) ids.set(p, ids.size);
        return ids.get(p) as number;
      }),
    }));
    const state: Record<number, OptimizerState> = {};
    for (const [p, s] of this.state) {
      const id = ids.get(p);
      if (id !== undefined && Object.keys(s).length > 0) state[id] = { ...s };
    }
    return { state, param_groups };
  }

  /** Restores what `state_dict` returned. @throws ValueError when the groups do not match. */
  load_state_dict(state_dict: OptimizerStateDict): void {
    const groups = state_dict?.param_groups;
    if (!Array.isArray(groups)) throw new KeyError("'param_groups'");
    if (groups.length !== this.param_groups.length)
      throw new ValueError('loaded state dict has a different number of parameter groups');
    if (groups.some((g, i) => g.params.length !== this.param_groups[i].params.length))
      throw new ValueError(
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
      );
    const byId = new Map<number, Tensor>();
    groups.forEach((g, i) => {
      g.params.forEach((id, k) => byId.set(id, this.param_groups[i].params[k]));
      this.param_groups[i] = { ...g, params: this.param_groups[i].params } as unknown as ParamGroup;
    });
    this.state.clear();
    for (const [id, s] of Object.entries(state_dict.state)) {
      const p = byId.get(Number(id));
      if (p) this.state.set(p, restore(s, p) as OptimizerState);
    }
  }

  toString(): string {
    const lines = this.param_groups.map((group, i) => {
      const options = Object.keys(group)
        .filter((key) => key !== 'params')
        .sort();
      return `Parameter Group ${i}\n${options.map((key) => `    ${key}: ${show(group[key], key)}\n`).join('')}`;
    });
    return `${this.constructor.name} (\n${lines.join('\n')})`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Copies loaded state: tensors take the parameter's dtype, except the step count. */
function restore(value: unknown, p: Tensor, key = ''): unknown {
  if (value instanceof Tensor)
    return key === 'step' || !p.is_floating_point() ? value.clone() : value.to(p.dtype).clone();
  if (Array.isArray(value)) return value.map((v) => restore(v, p));
  if (isKeywords(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, restore(v, p, k)]));
  return value;
}

function show(value: unknown, key = ''): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number')
    return Number.isInteger(value) && key !== 'lr'
      ? String(value)
      : pyFloatRepr(value).replace(/\.0$/, key === 'lr' && Number.isInteger(value) ? '' : '.0');
  if (Array.isArray(value)) return `(${value.map((v) => show(v)).join(', ')})`;
  return String(value);
}
