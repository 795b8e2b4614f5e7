// Sampling of images at given places (Jaderberg et al., 2015), composed of gathers and products.
import { empty } from '../../dispatch/allocate.js';
import { int64 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { gatherAlong } from '../../ops/along.js';
import { castTo } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { linspace, stack, where } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';

export type GridMode = 'bilinear' | 'nearest' | 'bicubic';
export type GridPadding = 'zeros' | 'border' | 'reflection';

/** Options of {@link grid_sample}. */
export interface GridSampleOptions {
  mode?: GridMode;
  /** What lies outside of the image. */
  padding_mode?: GridPadding;
  /** -1 and 1 are the centres of the corner pixels, rather than their outer edges. */
  align_corners?: boolean | null;
}

/** One spatial dimension of the image. */
interface Axis {
  readonly size: number;
  readonly padding: GridPadding;
  readonly alignCorners: boolean;
}

/** Positions in pixels from positions in [-1, 1]. */
function toPixels(x: Tensor, { size, alignCorners }: Axis): Tensor {
  return alignCorners
    ? x
        .add(1)
        .div(2)
        .mul(size - 1)
    : x.add(1).mul(size).sub(1).div(2);
}

/** Positions reflected at the borders until they lie inside. */
function reflected(x: Tensor, { size, alignCorners }: Axis): Tensor {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return x.mul(0);
  const distance = x.sub(low).abs();
  const flips = distance.detach().div(span).floor();
  const rest = distance.sub(flips.mul(span));
  return where(flips.remainder(2).eq(0), rest.add(low), rest.neg().add(span + low));
}

/** Positions as the padding mode brings them inside. */
function padded(x: Tensor, axis: Axis): Tensor {
  if (axis.padding === 'zeros') return x;
  const inside = axis.padding === 'reflection' ? reflected(x, axis) : x;
  return inside.clamp(0, axis.size - 1);
}

/** Whole positions to read along one dimension, with their weights: [N, P] each. */
type Taps = readonly (readonly [at: Tensor, weight: Tensor | null])[];

function linearTaps(x: Tensor, axis: Axis): Taps {
  const position = padded(toPixels(x, axis), axis);
  const first = position.detach().floor();
  const right = position.sub(first);
  return [
    [first, right.neg().add(1)],
    [first.add(1), right],
  ];
}

const nearestTaps = (x: Tensor, axis: Axis): Taps => [
  [padded(toPixels(x, axis).detach(), axis).round(), null],
];

/** Keys' cubic kernel with a = -0.75, within and beyond 1. */
const near = (t: Tensor): Tensor => t.mul(1.25).sub(2.25).mul(t).mul(t).add(1);
const far = (t: Tensor): Tensor => t.mul(-0.75).add(3.75).mul(t).sub(6).mul(t).add(3);

function cubicTaps(x: Tensor, axis: Axis): Taps {
  const position = toPixels(x, axis);
  const first = position.detach().floor();
  const t = position.sub(first);
  const weights = [far(t.add(1)), near(t), near(t.neg().add(1)), far(t.neg().add(2))];
  return weights.map((w, i) => [padded(first.add(i - 1), axis), w] as const);
}

const tapsOf: Readonly<Record<GridMode, (x: Tensor, axis: Axis) => Taps>> = {
  bilinear: linearTaps,
  nearest: nearestTaps,
  bicubic: cubicTaps,
};

/** The elements of the flattened image [N, C, S] at one tap per dimension, weighted; what is outside counts as zero. */
function tapped(
  flat: Tensor,
  sizes: readonly number[],
  taps: readonly (readonly [at: Tensor, weight: Tensor | null])[],
): Tensor {
  const [n, channels] = flat.shape;
  let place: Tensor | null = null;
  let weight: Tensor | null = null;
  let inside: Tensor | null = null;
  taps.forEach(([at, w], d) => {
    const within = at.ge(0).logical_and(at.le(sizes[d] - 1));
    inside = inside === null ? within : inside.logical_and(within);
    const index = castTo(where(within, at, at.new_zeros([])), int64);
    place = place === null ? index : place.mul(sizes[d]).add(index);
    if (w !== null) weight = weight === null ? w : weight.mul(w);
  });
  const at = place as unknown as Tensor;
  const points = at.shape[1];
  const values = gatherAlong(flat, 2, at.unsqueeze(1).expand([n, channels, points]).contiguous());
  const seen = values.masked_fill((inside as unknown as Tensor).logical_not().unsqueeze(1), 0);
  return weight === null ? seen : seen.mul((weight as Tensor).unsqueeze(1));
}

function check(x: Tensor, grid: Tensor, mode: string, padding: string): void {
  const text = (t: Tensor): string => `[${t.shape.join(', ')}]`;
  if (!Object.hasOwn(tapsOf, mode))
    throw new ValueError(
      `nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '${mode}'`,
    );
  if (!['zeros', 'border', 'reflection'].includes(padding))
    throw new ValueError(
      `nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '${padding}'`,
    );
  const n = x.shape.length;
  if (n !== 4 && n !== 5)
    throw new RuntimeError(
      `grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes ${text(x)} and grid with sizes ${text(grid)}`,
    );
  if (grid.shape.length !== n)
    throw new RuntimeError(
      `grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes ${text(x)} and grid with sizes ${text(grid)}`,
    );
  if (x.shape[0] !== grid.shape[0])
    throw new RuntimeError(
      `grid_sampler(): expected grid and input to have same batch size, but got input with sizes ${text(x)} and grid with sizes ${text(grid)}`,
    );
  if (grid.shape[n - 1] !== n - 2)
    throw new RuntimeError(
      `grid_sampler(): expected grid to have size ${n - 2} in last dimension, but got grid with sizes ${text(grid)}`,
    );
  if (x.shape.slice(2).includes(0))
    throw new RuntimeError(
      `grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes ${text(x)} with dimension ${x.shape.indexOf(0, 2)} being empty`,
    );
  if (mode === 'bicubic' && n === 5)
    throw new RuntimeError('grid_sampler(): bicubic interpolation only supports 4D input');
  if (x.dtype !== grid.dtype)
    throw new RuntimeError(
      `grid_sampler(): expected input and grid to have same dtype, but input has ${x.dtype.scalarName} and grid has ${grid.dtype.scalarName}`,
    );
}

type GridArgs =
  | [mode?: GridMode, padding_mode?: GridPadding, align_corners?: boolean | null]
  | [mode: GridMode, options: GridSampleOptions]
  | [options: GridSampleOptions];

/**
 * The image [N, C, H, W] at the places of the grid [N, h, w, 2], whose (x, y) run from -1 to 1: [N, C, h, w]. Likewise
 * [N, C, D, H, W] at [N, d, h, w, 3].
 * @throws RuntimeError when the shapes do not fit, ValueError for an unknown mode.
 */
export const grid_sample: (input: Tensor, grid: Tensor, ...args: GridArgs) => Tensor = op(
  'nn.functional.grid_sample',
  "Tensor input, Tensor grid, str mode='bilinear', str padding_mode='zeros', bool? align_corners=None",
  (x: Tensor, grid: Tensor, mode: string, padding: string, align: boolean | null) => {
    check(x, grid, mode, padding);
    const [n, channels, ...sizes] = x.shape;
    const points = grid.shape.slice(1, -1);
    const flat = x.reshape([n, channels, -1]);
    const places = grid.reshape([n, -1, sizes.length]);
    // The grid names the last dimension first.
    const taps = sizes.map((size, d) =>
      tapsOf[mode as GridMode](places.select(2, sizes.length - 1 - d), {
        size,
        padding: padding as GridPadding,
        alignCorners: align ?? false,
      }),
    );
    const choices = taps.reduce<Taps[]>(
      (all, axis) => all.flatMap((chosen) => axis.map((tap) => [...chosen, tap])),
      [[]],
    );
    if (places._numel === 0 || n === 0) return empty([n, channels, ...points], x.dtype, x.device);
    const out = choices.map((chosen) => tapped(flat, sizes, chosen)).reduce((a, b) => a.add(b));
    return out.view([n, channels, ...points]);
  },
);

/**
 * The places that affine maps [N, 2, 3] (or [N, 3, 4]) take the pixels of images of the given size to, for
 * {@link grid_sample}: size [N, C, H, W] gives [N, H, W, 2].
 * @throws ValueError when the maps do not fit the size.
 */
export const affine_grid: (
  theta: Tensor,
  size: readonly number[],
  ...args: [align_corners?: boolean | null] | [options: { align_corners?: boolean | null }]
) => Tensor = op(
  'nn.functional.affine_grid',
  'Tensor theta, int[] size, bool? align_corners=None',
  (theta: Tensor, size: readonly number[], align: boolean | null) => {
    const dims = size.length - 2;
    if (!theta.dtype.is_floating_point)
      throw new ValueError(`Expected theta to have floating point type, but got ${theta.dtype}`);
    if (dims !== 2 && dims !== 3)
      throw new RuntimeError(
        `affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size [${size.join(', ')}].`,
      );
    if (theta.shape.length !== 3 || theta.shape[1] !== dims || theta.shape[2] !== dims + 1)
      throw new ValueError(
        `Expected a batch of ${dims}D affine matrices of shape Nx${dims}x${dims + 1} for size [${size.join(', ')}]. Got torch.Size([${theta.shape.join(', ')}]).`,
      );
    if (Math.min(...size) <= 0)
      throw new ValueError(`Expected non-zero, positive output size. Got [${size.join(', ')}]`);
    const spatial = size.slice(2);
    const along = spatial.map((n, d) => {
      const range =
        n <= 1 ? theta.new_zeros([n]) : linspace(-1, 1, n, { dtype: theta.dtype, device: theta.device });
      const centred = align === true || n <= 1 ? range : range.mul((n - 1) / n);
      return centred.view(spatial.map((_, i) => (i === d ? n : 1))).expand([...spatial]);
    });
    const ones = theta.new_ones([]).expand([...spatial]);
    const base = stack([...along.reverse(), ones], -1).view([1, -1, dims + 1]);
    return base
      .expand([size[0], base.shape[1], dims + 1])
      .matmul(theta.transpose(1, 2))
      .view([size[0], ...spatial, dims]);
  },
);
