// grid_sample composed of gathers and products: its second derivatives come from here.
import { grad as gradient } from '../../autograd/backward.js';
import { int64 } from '../../dtype.js';
import { gatherAlong } from '../../ops/along.js';
import { castTo } from '../../ops/copy.js';
import { where } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import type { GridMode, GridPadding } from './grid_sample.js';

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

/** x [N, C, S...] at places [N, P, D] in [-1, 1], whose last dimension names the image's last one first: [N, C, P]. */
function sampled(
  x: Tensor,
  places: Tensor,
  mode: GridMode,
  padding: GridPadding,
  alignCorners: boolean,
): Tensor {
  const [n, channels, ...sizes] = x.shape;
  const flat = x.reshape([n, channels, -1]);
  const taps = sizes.map((size, d) =>
    tapsOf[mode](places.select(2, sizes.length - 1 - d), { size, padding, alignCorners }),
  );
  const choices = taps.reduce<Taps[]>(
    (all, axis) => all.flatMap((chosen) => axis.map((tap) => [...chosen, tap])),
    [[]],
  );
  return choices.map((chosen) => tapped(flat, sizes, chosen)).reduce((a, b) => a.add(b));
}

/** The gradients of sampling by x and by places, themselves differentiable. */
export function sampledGradients(
  grad: Tensor,
  x: Tensor,
  places: Tensor,
  mode: GridMode,
  padding: GridPadding,
  alignCorners: boolean,
): (Tensor | null)[] {
  // Differentiated by views, so that what the places depend on has no part in it.
  const [image, grid] = [x.view_as(x), places.view_as(places)];
  const inputs = [image, grid].filter((t) => t.requires_grad);
  const out = sampled(image, grid, mode, padding, alignCorners);
  if (!out.requires_grad) return [null, null];
  const found = gradient([out], inputs, [grad], { create_graph: true, allow_unused: true });
  return [image, grid].map((t) =>
    t.requires_grad ? (found[inputs.indexOf(t)] ?? t.new_zeros(t.shape)) : null,
  );
}
