// torch.autograd.forward_ad: tensors that carry a tangent.
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { checkDirection, Level, linearMap } from './levels.js';
import { enable_grad, mode } from './modes.js';

/** The duals that were made in the open level. */
interface Scope {
  readonly level: Level;
  readonly duals: { readonly tensor: Tensor; readonly tangent: Tensor }[];
}

let scope: Scope | null = null;

/** Opens the level that duals live in. @throws RuntimeError when one is open: they do not nest. */
export function enter_dual_level(): number {
  if (scope !== null)
    throw new RuntimeError(
      'Nested forward mode AD is not supported at the moment. If you need this feature, please open a GitHub issue',
    );
  scope = { level: enable_grad(() => new Level()), duals: [] };
  return 0;
}

/** Closes the level: its duals lose their tangents. */
export function exit_dual_level(_options: { level?: number | null } = {}): void {
  if (scope === null)
    throw new RuntimeError('Trying to exit a forward AD level but no level is currently entered');
  scope.level.open = false;
  scope = null;
}

/** Opens a level around a callback, or until the guard is left (`using _ = dual_level()`). */
export function dual_level(): Disposable;
export function dual_level<R>(fn: () => R): R;
export function dual_level<R>(fn?: () => R): R | Disposable {
  enter_dual_level();
  const own = scope;
  const leave = (): void => {
    if (scope === own && own !== null) exit_dual_level();
  };
  if (fn === undefined) return { [Symbol.dispose]: leave };
  try {
    return fn();
  } finally {
    leave();
  }
}

function opened(what: string): Scope {
  if (scope === null)
    throw new RuntimeError(
      `Trying to ${what} for forward AD but no level exists, make sure to enter_dual_level() first.`,
    );
  return scope;
}

/**
 * A tensor that carries a tangent through what is computed from it. Tangents are found by double backward when they
 * are asked for, so duals must be computed with recording on.
 * @throws RuntimeError outside of a level, for other than floating-point tensors, and for sizes that differ.
 */
export function make_dual(tensor: Tensor, tangent: Tensor, _options: { level?: number | null } = {}): Tensor {
  const { level, duals } = opened('create a dual Tensor');
  for (const [what, x] of [
    ['primal', tensor],
    ['tangent', tangent],
  ] as const)
    if (!x.is_floating_point() && !x.is_complex())
      throw new RuntimeError(`Expected ${what} to be floating point or complex, but got: ${x.dtype}`);
  checkDirection(tensor, tangent);
  const dual = level.enter(tensor);
  duals.push({ tensor: dual, tangent });
  return dual;
}

/** A tensor apart from its tangent. */
export type UnpackedDualTensor = [primal: Tensor, tangent: Tensor | null] & {
  primal: Tensor;
  tangent: Tensor | null;
};

/** The value of a tensor, and its tangent: null when it depends on no dual of the open level. */
export function unpack_dual(tensor: Tensor, _options: { level?: number | null } = {}): UnpackedDualTensor {
  const tangent = scope === null ? null : tangentOf(scope, tensor);
  const primal = scope === null ? tensor : scope.level.leave(tensor);
  return Object.assign([primal, tangent] as [Tensor, Tensor | null], { primal, tangent });
}

function tangentOf({ level, duals }: Scope, x: Tensor): Tensor | null {
  const own = duals.find(({ tensor }) => tensor === x);
  if (own !== undefined) return own.tangent;
  if (duals.length === 0) return null;
  const push = linearMap(
    [x],
    duals.map(({ tensor }) => tensor),
  );
  const [tangent] = push(
    duals.map((dual) => dual.tangent),
    mode.grad,
    true,
  );
  return tangent === null ? null : level.leave(tangent);
}
