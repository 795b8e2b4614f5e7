// torch.linalg: products and powers of vectors.

import { RuntimeError } from '../errors.js';
import { type Out, op } from '../ops/define.js';
import { crossAlong, powersOf } from '../ops/products.js';
import { unsqueeze } from '../ops/view.js';
import type { Tensor } from '../tensor.js';

/**
 * The cross product of vectors of three elements along `dim` (the last by default); the rest broadcasts.
 * @throws RuntimeError when the ranks differ or the dimension has another size than 3.
 */
export const cross: (input: Tensor, other: Tensor, options?: Out & { dim?: number }) => Tensor = op(
  'linalg.cross',
  'Tensor input, Tensor other, *, int dim=-1, Tensor? out=None',
  crossAlong,
  { self: null },
);

/** Ascending powers 0, …, N - 1 of the elements, along a new last dimension; a number counts as a vector. @param options.N the size of `x`'s last dimension by default. */
export const vander: (x: Tensor, options?: { N?: number | null }) => Tensor = op(
  'linalg.vander',
  'Tensor x, *, int? N=None',
  (x: Tensor, N: number | null) => {
    const count = N ?? (x.shape.length === 0 ? 1 : x.shape[x.shape.length - 1]);
    if (count <= 1) throw new RuntimeError('N must be greater than 1.');
    return powersOf(x.shape.length === 0 ? unsqueeze(x, 0) : x, count);
  },
  { self: null },
);
