// Sampling of images at given places (Jaderberg et al., 2015).
import { record } from '../../autograd/graph.js';
import { mode } from '../../autograd/modes.js';
import { backendOf } from '../../backends/backend.js';
import { empty } from '../../dispatch/allocate.js';
import { float32, float64 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { castTo, contiguous } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { zeros_ } from '../../ops/fill.js';
import { linspace, stack } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { sampledGradients } from './grid_sample_composed.js';

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

const modes: readonly string[] = ['bilinear', 'nearest', 'bicubic'];
const paddings: readonly string[] = ['zeros', 'border', 'reflection'];

/** How places are read: numbers of the kernel. */
type Settings = readonly [mode: number, padding: number, alignCorners: boolean];

/** x [N, C, S...] at places [N, P, D]: [N, C, P]; all float32 or float64. */
function sample(x: Tensor, places: Tensor, settings: Settings): Tensor {
  const [image, grid] = [contiguous(x.detach()), contiguous(places.detach())];
  const out = empty([x.shape[0], x.shape[1], places.shape[1]], x.dtype, x.device);
  if (out._numel > 0) backendOf(x.device.type).launch('grid_sample', out, image, grid, ...settings);
  const dims = x.shape.length - 2;
  record(`GridSampler${dims}DBackward0`, [x, places], [out], (save) => {
    const [input, at] = [save(x), save(places)];
    return ([g], needs) =>
      g === null ? [null, null] : sampleBackward(g, input(), at(), settings, [needs(0), needs(1)]);
  });
  return out;
}

/** The gradients of {@link sample}. */
function sampleBackward(
  grad: Tensor,
  x: Tensor,
  places: Tensor,
  settings: Settings,
  needs: readonly [boolean, boolean],
): (Tensor | null)[] {
  if (mode.grad && grad._numel > 0)
    return sampledGradients(
      grad,
      x,
      places,
      modes[settings[0]] as GridMode,
      paddings[settings[1]] as GridPadding,
      settings[2],
    );
  const [g, image, grid] = [grad, x, places].map((t) => contiguous(t.detach()));
  const made = [image, grid].map((t, i) => (needs[i] ? zeros_(t.shape, t.dtype, t.device) : null));
  if (g._numel > 0)
    backendOf(x.device.type).launch(
      'grid_sample_backward',
      ...made.map((t) => (t === null ? null : ([t] as const))),
      g,
      image,
      grid,
      ...settings,
    );
  return made;
}

function check(x: Tensor, grid: Tensor, mode: string, padding: string): void {
  const text = (t: Tensor): string => `[${t.shape.join(', ')}]`;
  if (!modes.includes(mode))
    throw new ValueError(
      `nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '${mode}'`,
    );
  if (!paddings.includes(padding))
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
    if (sizes.reduce((a, b) => a * b, 1) >= 2 ** 31)
      throw new RuntimeError('grid_sampler(): images of 2^31 elements or more are not supported');
    const settings = [modes.indexOf(mode), paddings.indexOf(padding), align ?? false] as const;
    const working = x.dtype === float64 ? float64 : float32;
    const places = castTo(grid, working).reshape([n, points.reduce((a, b) => a * b, 1), sizes.length]);
    const out = castTo(sample(castTo(x, working), places, settings), x.dtype);
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
