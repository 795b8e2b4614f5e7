// Numerical derivatives of samples.
import { typeName } from '../dispatch/schema.js';
import { uint8 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { Tensor, wrapDim } from '../tensor.js';
import { add, div, mul, neg, sub } from './arithmetic.js';
import { type Op, op } from './define.js';
import { cat } from './join.js';
import { reshape, slice } from './view.js';

type Spacing = number | readonly number[] | readonly Tensor[] | null;

function checkGradient(
  x: Tensor,
  spacing: number | null,
  dim: readonly number[] | null,
  order: number,
): void {
  if (x.dtype === uint8) throw new RuntimeError('torch.gradient does not support uint8 input.');
  const must = 'torch.gradient expected spacing to be unspecified, a scalar';
  const rank = x.shape.length;
  if (spacing !== null && dim === null && spacing !== rank)
    throw new RuntimeError(
      `${must}, or a list of length equal to 'self.dim() = ${rank}', since dim argument was not given, but got a list of length ${spacing}`,
    );
  if (spacing !== null && dim !== null && spacing !== dim.length)
    throw new RuntimeError(
      `${must} or it's spacing and dim arguments to have the same length, but got a spacing argument of length ${spacing} and a dim argument of length ${dim.length}.`,
    );
  if (order !== 1 && order !== 2)
    throw new RuntimeError('torch.gradient only supports edge_order=1 and edge_order=2.');
  const dims = dim === null ? x.shape.map((_, d) => d) : dim.map((d) => wrapDim(d, rank));
  dims.forEach((d, i) => {
    if (dims.indexOf(d) !== i) throw new RuntimeError(`dim ${d} appears multiple times in the list of dims`);
  });
  for (const d of dims)
    if (x.shape[d] < order + 1)
      throw new RuntimeError('torch.gradient expected each dimension size to be at least edge_order+1');
}

/** Elements start … of x along d; negative numbers count from the end. */
function part(x: Tensor, d: number, start: number, end: number): Tensor {
  const n = x.shape[d];
  const at = (i: number): number => (i < 0 ? n + i : i);
  return slice(x, d, at(start), end === 0 ? n : at(end));
}

/** a x + b y + c z. */
const weighted = (...terms: readonly (readonly [weight: number | Tensor, x: Tensor])[]): Tensor =>
  terms.map(([w, x]) => mul(x, w)).reduce((sum, term) => add(sum, term));

/** Samples a constant step apart. */
function evenly(x: Tensor, d: number, step: number, order: number): Tensor {
  const middle = div(sub(part(x, d, 2, 0), part(x, d, 0, -2)), 2 * step);
  if (order === 1) {
    const first = div(sub(part(x, d, 1, 2), part(x, d, 0, 1)), step);
    const last = div(sub(part(x, d, -1, 0), part(x, d, -2, -1)), step);
    return cat([first, middle, last], d);
  }
  const edge = (a: Tensor, b: Tensor, c: Tensor): Tensor => weighted([-1.5, a], [2, b], [-0.5, c]);
  const first = div(edge(part(x, d, 0, 1), part(x, d, 1, 2), part(x, d, 2, 3)), step);
  const last = div(neg(edge(part(x, d, -1, 0), part(x, d, -2, -1), part(x, d, -3, -2))), step);
  return cat([first, middle, last], d);
}

/** Samples at given points: second-order formulas for two different steps. */
function unevenly(x: Tensor, d: number, points: Tensor, order: number): Tensor {
  const n = points.shape[0];
  const steps = reshape(
    sub(part(points, 0, 1, 0), part(points, 0, 0, -1)),
    x.shape.map((_, i) => (i === d ? n - 1 : 1)),
  );
  const middle = uneven(
    part(steps, d, 0, -1),
    part(steps, d, 1, 0),
    [part(x, d, 0, -2), part(x, d, 1, -1), part(x, d, 2, 0)],
    'middle',
  );
  if (order === 1) {
    const first = div(sub(part(x, d, 1, 2), part(x, d, 0, 1)), part(steps, d, 0, 1));
    const last = div(sub(part(x, d, -1, 0), part(x, d, -2, -1)), part(steps, d, -1, 0));
    return cat([first, middle, last], d);
  }
  const head = [part(x, d, 0, 1), part(x, d, 1, 2), part(x, d, 2, 3)] as const;
  const tail = [part(x, d, -3, -2), part(x, d, -2, -1), part(x, d, -1, 0)] as const;
  const first = uneven(part(steps, d, 0, 1), part(steps, d, 1, 2), head, 'first');
  const last = uneven(part(steps, d, -2, -1), part(steps, d, -1, 0), tail, 'last');
  return cat([first, middle, last], d);
}

/** The derivative of the parabola through three samples, p and q apart, at one of them. */
function uneven(
  p: Tensor,
  q: Tensor,
  [a, b, c]: readonly [Tensor, Tensor, Tensor],
  at: 'first' | 'middle' | 'last',
): Tensor {
  const both = add(p, q);
  const [x, y, z] = [mul(p, both), mul(p, q), mul(q, both)];
  if (at === 'first') return weighted([neg(div(add(p, both), x)), a], [div(both, y), b], [neg(div(p, z)), c]);
  if (at === 'last') return weighted([div(q, x), a], [neg(div(both, y)), b], [div(add(q, both), z), c]);
  return weighted([neg(div(q, x)), a], [div(sub(q, p), y), b], [div(p, z), c]);
}

/**
 * The derivatives of samples along each of `dim` (all dimensions by default), by central differences inside and one-sided
 * ones of order `edge_order` at the edges. `spacing`: the step, one for each dimension, or the samples' places.
 * @throws RuntimeError for too few samples.
 */
export const gradient: Op<
  [options?: { spacing?: Spacing; dim?: number | readonly number[] | null; edge_order?: number }],
  Tensor[]
> = op(
  'gradient',
  'Tensor self, *, any spacing=None, int[1]? dim=None, int edge_order=1',
  (x: Tensor, spacing: Spacing, dim: number | readonly number[] | null, order: number) => {
    const whole = typeof spacing === 'number' || spacing === null;
    const fits = (step: unknown): boolean => typeof step === 'number' || step instanceof Tensor;
    if (!whole && !(Array.isArray(spacing) && spacing.every(fits)))
      throw new TypeError(
        `gradient(): argument 'spacing' must be Number, tuple of Numbers or tuple of Tensors, not ${typeName(spacing)}`,
      );
    const named = typeof dim === 'number' ? [dim] : dim;
    const count = named?.length ?? x.shape.length;
    const each = whole
      ? new Array<number>(count).fill((spacing as number | null) ?? 1)
      : [...(spacing as readonly (number | Tensor)[])];
    checkGradient(x, Array.isArray(spacing) ? each.length : null, named, order);
    const dims = named?.map((d) => wrapDim(d, x.shape.length)) ?? x.shape.map((_, d) => d);
    return dims.map((d, i) => {
      const step = each[i];
      if (!(step instanceof Tensor)) return evenly(x, d, step, order);
      if (step.shape.length !== 1)
        throw new RuntimeError(
          `torch.gradient expected each element of spacing to have one dimension, but got an element with ${step.shape.length} dimensions!`,
        );
      return unevenly(x, d, step, order);
    });
  },
  { self: null },
);
