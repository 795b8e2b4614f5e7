// What derivatives of eigenvectors and singular vectors share.

import { bool } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { abs } from '../ops/arithmetic.js';
import { masked_fill } from '../ops/clamp.js';
import { gt } from '../ops/compare.js';
import { eye } from '../ops/create.js';
import { diagonal } from '../ops/diagonal.js';
import { bare } from '../ops/gemm.js';
import { any } from '../ops/reduce_extreme.js';
import { imag } from '../ops/view_dtype.js';
import type { Tensor } from '../tensor.js';

/** Square matrices with another diagonal. */
export const fillDiagonal = (x: Tensor, value: number): Tensor =>
  masked_fill(x, eye(x.shape[x.shape.length - 1], { dtype: bool, device: x.device }), value);

/** @throws RuntimeError where the diagonals have imaginary parts: a loss that depends on the phases of the vectors. */
export function checkGauge(x: Tensor, message: string): void {
  const parts = abs(imag(diagonal(bare(x), 0, -2, -1)));
  if (parts._numel > 0 && any(gt(parts, 1e-2)).item()) throw new RuntimeError(message);
}
