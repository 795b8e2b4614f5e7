// Ops that overwrite parts of their first tensor: on a copy of it, and in place.
import {
  type BackwardFn,
  checkInPlace,
  functionNode,
  needsGrad,
  record,
  recordInPlace,
  type Save,
} from '../autograd/graph.js';
import { checkOverlap, checkSeparate } from '../dispatch/out.js';
import type { Tensor } from '../tensor.js';
import { clone } from './copy.js';
import { op } from './define.js';

/** What such an op does, once its arguments are checked. */
export interface Overwrite {
  /** Name of the graph's node. */
  readonly node: string;
  /** The differentiable inputs, the overwritten tensor first. */
  readonly inputs: readonly (Tensor | null)[];
  /** Tensors that are read while the target is written; they may not share memory with it. */
  readonly reads: readonly Tensor[];
  readonly write: (target: Tensor) => void;
  /** The derivative; none where PyTorch has none. */
  readonly derivative?: (save: Save, kept: Kept) => BackwardFn;
  /** Does the derivative read the values before and after? */
  readonly keeps?: boolean;
}

/** The values of the overwritten tensor before and after the op, for derivatives that said `keeps`. */
export interface Kept {
  before(): Tensor;
  after(): Tensor;
}

const notKept = (): never => {
  throw new Error('the derivative did not say that it keeps the tensor');
};
const nothing: Kept = { before: notKept, after: notKept };

/** The op on a copy. */
function onCopy(x: Tensor, plan: Overwrite): Tensor {
  const out = clone(x.detach());
  plan.write(out);
  const { derivative } = plan;
  if (derivative)
    record(plan.node, plan.inputs, [out], (save) => {
      if (!plan.keeps) return derivative(save, nothing);
      return derivative(save, { before: save(x), after: save(out) });
    });
  return out;
}

/** The op on the tensor itself. */
function onSelf(x: Tensor, plan: Overwrite): Tensor {
  const grad = needsGrad(...plan.inputs);
  checkInPlace(x, grad);
  checkOverlap(x, x);
  checkSeparate(x, plan.reads);
  const { derivative } = plan;
  let keepResult: (() => void) | null = null;
  const node =
    grad && derivative
      ? functionNode(plan.node, (save) => {
          if (!plan.keeps) return derivative(save, nothing);
          let after: () => Tensor = notKept;
          keepResult = () => {
            after = save(x);
          };
          return derivative(save, { before: save(clone(x)), after: () => after() });
        })
      : null;
  plan.write(x);
  recordInPlace(x, node, node ? plan.inputs : []);
  (keepResult as (() => void) | null)?.();
  return x;
}

/**
 * Defines an op that overwrites parts of its first tensor, and its in-place form.
 * @param plan checks the arguments (as the schema orders them, without `out`) and says what to do.
 * @param widen what to copy instead of the tensor itself, where it broadcasts with the others.
 */
export function overwriting<F>(
  name: string,
  schema: string,
  plan: (x: Tensor, ...args: never[]) => Overwrite,
  widen: (x: Tensor, ...args: never[]) => Tensor = (x) => x,
): F {
  const planned = plan as (x: Tensor, ...args: readonly unknown[]) => Overwrite;
  const widened = widen as (x: Tensor, ...args: readonly unknown[]) => Tensor;
  const fresh = (x: Tensor, ...args: readonly unknown[]): Tensor => {
    const wide = widened(x, ...args);
    return onCopy(wide, planned(wide, ...args));
  };
  const onFresh = op<object>(name, schema, fresh as never, { exactOut: true });
  const bare = schema
    .replace(/(, \*)?, Tensor\? out=None/, (_, star?: string) => star ?? '')
    .replace(/, \*$/, '');
  const inPlace = op<{ method: unknown }>(`${name}_`, bare, ((x: Tensor, ...args: unknown[]) =>
    onSelf(x, planned(x, ...args))) as never);
  return Object.assign(onFresh, { inPlace: true, inPlaceMethod: inPlace.method }) as F;
}
