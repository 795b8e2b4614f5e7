// State of optimizers: gradients, and checkpoints with tensors by number.
import { isKeywords } from '../dispatch/schema.js';
import { float32 } from '../dtype.js';
import { KeyError, ValueError } from '../errors.js';
import { Tensor } from '../tensor.js';
import type { OptimizerState, OptimizerStateDict, ParamGroup } from './optimizer.js';

/** @internal The state by parameter number, and the groups with numbers for their parameters. */
export function packState(
  groups: readonly ParamGroup[],
  states: ReadonlyMap<Tensor, OptimizerState>,
): OptimizerStateDict {
  const ids = new Map<Tensor, number>();
  let start = 0;
  const param_groups = groups.map((group) => {
    const { params, ...options } = group;
    params.forEach((p, i) => {
      if (!ids.has(p)) ids.set(p, start + i);
    });
    start += params.length;
    return { ...options, params: params.map((p) => ids.get(p) as number) };
  });
  const state: Record<number, OptimizerState> = {};
  for (const [p, s] of states) {
    const id = ids.get(p);
    if (id !== undefined && Object.keys(s).length > 0) state[id] = { ...s };
  }
  return { state, param_groups };
}

/** @internal The groups and states that a state dict holds, for the parameters of these groups. */
export function unpackState(
  saved: OptimizerStateDict,
  groups: readonly ParamGroup[],
): { groups: ParamGroup[]; state: Map<Tensor, OptimizerState> } {
  for (const key of ['param_groups', 'state'] as const)
    if (saved[key] === undefined) throw new KeyError(`'${key}'`);
  if (saved.param_groups.length !== groups.length)
    throw new ValueError('loaded state dict has a different number of parameter groups');
  if (saved.param_groups.some((g, i) => g.params.length !== groups[i].params.length))
    throw new ValueError(
      "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
    );
  const owners = new Map<number, { p: Tensor; group: Record<string, unknown> }>();
  const loaded = saved.param_groups.map((group, i) => {
    group.params.forEach((id, k) => owners.set(id, { p: groups[i].params[k], group }));
    const names = groups[i].param_names;
    return {
      ...(names === undefined ? {} : { param_names: names }),
      ...group,
      params: groups[i].params,
    } as unknown as ParamGroup;
  });
  const state = new Map<Tensor, OptimizerState>();
  for (const [id, s] of Object.entries(saved.state)) {
    const owner = owners.get(Number(id));
    if (!owner) continue;
    const wideStep = Boolean(owner.group.capturable || owner.group.fused);
    state.set(owner.p, restore(s, owner.p, wideStep) as OptimizerState);
  }
  return { groups: loaded, state };
}

/** @internal Clears gradients: to null, or to zeros, the tensors staying the same. */
export function clearGrads(params: Iterable<Tensor>, toNone: boolean): void {
  for (const p of params) {
    const { grad } = p;
    if (grad === null) continue;
    if (toNone) p.grad = null;
    else {
      if (grad.grad_fn !== null) grad.detach_();
      else grad.requires_grad_(false);
      grad.zero_();
    }
  }
}

/** Copies loaded state: tensors take the parameter's dtype and device, except the step count. */
function restore(value: unknown, p: Tensor, wideStep: boolean, key = ''): unknown {
  if (value instanceof Tensor) {
    if (key === 'step') return wideStep ? value.to(p.device, float32).clone() : value.clone();
    return (p.is_floating_point() ? value.to(p.device, p.dtype) : value.to(p.device)).clone();
  }
  if (Array.isArray(value)) return value.map((v) => restore(v, p, wideStep));
  if (isKeywords(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, restore(v, p, wideStep, k)]));
  return value;
}
