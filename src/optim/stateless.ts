// Optimizers on other parameters and state than their own.
import { isKeywords } from '../dispatch/schema.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import type { Optimizer, OptimizerState, OptimizerStateDict, ParamGroup } from './optimizer.js';

const NAME = 'swap_in_optimizer_params_and_state';

/** @throws RuntimeError for what is not shaped like the optimizer's state dict. */
function check(optimizer: Optimizer, given: OptimizerStateDict, count: number): void {
  if (optimizer.state.size === 0) throw new RuntimeError(`${NAME} requires initialized optimizer state.`);
  if (!isKeywords(given)) throw new RuntimeError(`${NAME} requires a DCP-style optimizer state_dict.`);
  const { state, param_groups } = given;
  if (!isKeywords(state) || Object.values(state).some((s) => !isKeywords(s)))
    throw new RuntimeError(`${NAME} requires per-parameter optimizer state entries to be dictionaries.`);
  if (!Array.isArray(param_groups) || param_groups.length !== optimizer.param_groups.length)
    throw new RuntimeError(
      'swapin_optim_state has a different number of parameter groups than the live optimizer.',
    );
  param_groups.forEach((group, i) => {
    checkGroup(optimizer.param_groups[i], group, i);
  });
  const ids = param_groups.flatMap((group) => group.params);
  if (ids.length > count)
    throw new RuntimeError(
      `${NAME} requires the explicit parameter state to match optimizer.param_groups ordering.`,
    );
  const extra = Object.keys(state).filter((id) => !ids.includes(Number(id)));
  if (extra.length > 0)
    throw new RuntimeError(
      `${NAME} requires swapin_optim_state['state'] to be keyed only by packed parameter ids from param_groups[*]['params']; got extra keys [${extra.join(', ')}].`,
    );
}

function checkGroup(live: ParamGroup, given: OptimizerStateDict['param_groups'][number], i: number): void {
  if (live.params.length !== given.params.length)
    throw new RuntimeError(
      `swapin_optim_state param group ${i} has a different number of params than the live optimizer param group.`,
    );
  const only = (a: object, b: object): string =>
    `[${Object.keys(a)
      .filter((key) => !(key in b))
      .map((key) => `'${key}'`)
      .join(', ')}]`;
  if (only(given, live) !== '[]' || only(live, given) !== '[]')
    throw new RuntimeError(
      `${NAME} requires optimizer.state_dict()-style param group keys to exactly match the live optimizer group keys for group ${i}. Keys only in swap-in: ${only(given, live)}. Keys only in live: ${only(live, given)}.`,
    );
}

/**
 * Lets an optimizer work on other parameters, with a state in the form of its state dict, while the callback runs or
 * until the guard is left. Of what it does, only writes to tensors last.
 * @throws RuntimeError for a state that does not fit the optimizer.
 */
export function swap_in_optimizer_params_and_state(
  optimizer: Optimizer,
  swapin_parameters: Readonly<Record<string, Tensor>>,
  swapin_optim_state: OptimizerStateDict,
): Disposable;
export function swap_in_optimizer_params_and_state<R>(
  optimizer: Optimizer,
  swapin_parameters: Readonly<Record<string, Tensor>>,
  swapin_optim_state: OptimizerStateDict,
  fn: () => R,
): R;
export function swap_in_optimizer_params_and_state<R>(
  optimizer: Optimizer,
  swapin_parameters: Readonly<Record<string, Tensor>>,
  swapin_optim_state: OptimizerStateDict,
  fn?: () => R,
): R | Disposable {
  const tensors = Object.values(swapin_parameters);
  check(optimizer, swapin_optim_state, tensors.length);
  const groups = [...optimizer.param_groups];
  const states = [...optimizer.state];
  const install = (entries: Iterable<readonly [Tensor, OptimizerState]>): void => {
    optimizer.state.clear();
    for (const [p, s] of entries) optimizer.state.set(p, s);
  };
  const entries: [Tensor, OptimizerState][] = [];
  optimizer.param_groups = swapin_optim_state.param_groups.map((group) => {
    const params = tensors.splice(0, group.params.length);
    params.forEach((p, i) => {
      entries.push([p, { ...swapin_optim_state.state[group.params[i]] }]);
    });
    return { ...group, params } as unknown as ParamGroup;
  });
  install(entries);
  const leave = (): void => {
    optimizer.param_groups = groups;
    install(states);
  };
  if (fn === undefined) return { [Symbol.dispose]: leave };
  try {
    return fn();
  } finally {
    leave();
  }
}
