// Affine and perspective maps of images: matrices, grids of positions, and coefficients from corners.
import { type DType, float32 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { tensor } from '../../ops/data.js';
import * as ops from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { sampleGrid } from './functional_tensor.js';

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/**
 * The matrix `[a, b, c, d, e, f]` that takes output pixels to input pixels: the inverse of translation, then rotation,
 * scale and shear about a centre. Angles in degrees.
 */
export function inverseAffineMatrix(
  center: readonly number[],
  angle: number,
  translate: readonly number[],
  scale: number,
  shear: readonly number[],
): number[] {
  const rot = radians(angle);
  const [sx, sy] = shear.map(radians);
  const [cx, cy] = center;
  const [tx, ty] = translate;
  const a = Math.cos(rot - sy) / Math.cos(sy);
  const b = (-Math.cos(rot - sy) * Math.tan(sx)) / Math.cos(sy) - Math.sin(rot);
  const c = Math.sin(rot - sy) / Math.cos(sy);
  const d = (-Math.sin(rot - sy) * Math.tan(sx)) / Math.cos(sy) + Math.cos(rot);
  const m = [d, -b, 0, -c, a, 0].map((x) => x / scale);
  m[2] += m[0] * (-cx - tx) + m[1] * (-cy - ty) + cx;
  m[5] += m[3] * (-cx - tx) + m[4] * (-cy - ty) + cy;
  return m;
}

const floatOf = (x: Tensor): DType => (x.is_floating_point() ? x.dtype : float32);

/** Positions [1, oh, ow, 3] (x, y, 1), x and y from a first value in steps of 1. */
function baseGrid(ow: number, oh: number, x0: number, y0: number, dtype: DType): Tensor {
  const x = ops
    .linspace(x0, x0 + ow - 1, ow, { dtype: float32 })
    .to(dtype)
    .view(1, 1, ow)
    .expand(1, oh, ow);
  const y = ops
    .linspace(y0, y0 + oh - 1, oh, { dtype: float32 })
    .to(dtype)
    .view(1, oh, 1)
    .expand(1, oh, ow);
  return ops.stack([x, y, ops.ones(1, oh, ow, { dtype })], -1).view(1, oh * ow, 3);
}

/** Warps a tensor image by a matrix about its middle, into a picture of [oh, ow]. */
export function warpAffine(
  x: Tensor,
  matrix: readonly number[],
  mode: 'nearest' | 'bilinear',
  fill: readonly number[] | null,
  size?: readonly [number, number],
): Tensor {
  const [h, w] = [x.shape[x.ndim - 2], x.shape[x.ndim - 1]];
  const [oh, ow] = size ?? [h, w];
  const dtype = floatOf(x);
  const theta = tensor([...matrix], { dtype }).view(1, 2, 3);
  const scaled = theta.transpose(1, 2).div(tensor([0.5 * w, 0.5 * h], { dtype }));
  const grid = baseGrid(ow, oh, -ow * 0.5 + 0.5, -oh * 0.5 + 0.5, dtype)
    .bmm(scaled)
    .view(1, oh, ow, 2);
  return sampleGrid(x, grid, mode, fill);
}

/** The size `[height, width]` that holds a whole image warped by a matrix about its middle. */
export function expandedSize(matrix: readonly number[], w: number, h: number): [number, number] {
  const f = Math.fround;
  const m = matrix.map(f);
  const extent = (row: number, size: number): number => {
    const values = [
      [-0.5 * w, -0.5 * h],
      [-0.5 * w, 0.5 * h],
      [0.5 * w, 0.5 * h],
      [0.5 * w, -0.5 * h],
    ].map(([x, y]) => f(f(x * m[row] + y * m[row + 1] + m[row + 2]) + size * 0.5));
    const cut = (v: number): number => f(Math.trunc(f(v / f(1e-4))) * f(1e-4));
    return Math.ceil(cut(Math.max(...values))) - Math.floor(cut(Math.min(...values)));
  };
  return [extent(3, h), extent(0, w)];
}

type Point = readonly [number, number] | readonly number[];

/** The eight coefficients of the perspective map that takes `endpoints` of the output to `startpoints` of the input. */
export function perspectiveCoefficients(
  startpoints: readonly Point[],
  endpoints: readonly Point[],
): number[] {
  if (startpoints.length !== 4 || endpoints.length !== 4)
    throw new ValueError(
      `Please provide exactly four corners, got ${startpoints.length} startpoints and ${endpoints.length} endpoints.`,
    );
  const rows: number[][] = [];
  endpoints.forEach(([x, y], i) => {
    const [u, v] = startpoints[i];
    rows.push([x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]);
  });
  return solve(rows).map(Math.fround);
}

/** Solves linear equations, one row [coefficients..., right side] each, by elimination with pivots. */
function solve(rows: number[][]): number[] {
  const n = rows.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= n; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  const out = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = rows[i][n];
    for (let j = i + 1; j < n; j++) sum -= rows[i][j] * out[j];
    out[i] = sum / rows[i][i];
  }
  return out;
}

/** Warps a tensor image by perspective coefficients. */
export function warpPerspective(
  x: Tensor,
  c: readonly number[],
  mode: 'nearest' | 'bilinear',
  fill: readonly number[] | null,
): Tensor {
  const [h, w] = [x.shape[x.ndim - 2], x.shape[x.ndim - 1]];
  const dtype = floatOf(x);
  const base = baseGrid(w, h, 0.5, 0.5, dtype);
  const top = tensor([...c.slice(0, 6)], { dtype }).view(1, 2, 3);
  const bottom = tensor([c[6], c[7], 1, c[6], c[7], 1], { dtype }).view(1, 2, 3);
  const over = base.bmm(top.transpose(1, 2).div(tensor([0.5 * w, 0.5 * h], { dtype })));
  const grid = over.div(base.bmm(bottom.transpose(1, 2))).sub(1);
  return sampleGrid(x, grid.view(1, h, w, 2), mode, fill);
}
