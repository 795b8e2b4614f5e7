// RoIAlign (He et al., 2017): the mean of bilinear samples in each cell of a box. Samples lie on a grid, so that a box is
// two matrices of weights, of rows and of columns, around the feature map.
import { backendOf } from '../../backends/backend.js';
import { cpu } from '../../device.js';
import { empty } from '../../dispatch/allocate.js';
import { float32, float64 } from '../../dtype.js';
import * as nn from '../../nn/index.js';
import { bind, type Call } from '../../nn/modules/arguments.js';
import { stack } from '../../ops/join.js';
import { zeros } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { roiRows } from './boxes.js';

type Size = number | readonly number[];
const pair = (size: Size): [number, number] => (typeof size === 'number' ? [size, size] : [size[0], size[1]]);

/** One dimension of a box: where it starts, how long it is, into how many cells, of a map of so many elements. */
interface Side {
  readonly start: number;
  readonly length: number;
  readonly cells: number;
  readonly samples: number;
  readonly size: number;
}

/** Weights [cells, size]: each cell is the mean of its samples, each sample a blend of two neighbours. */
function weights(side: Side, like: Tensor): Tensor {
  const { start, length, cells, samples, size } = side;
  const f = like.dtype === float64 ? (x: number): number => x : Math.fround;
  const values = new Float64Array(cells * size);
  const cell = f(length / cells);
  for (let c = 0; c < cells; c++)
    for (let i = 0; i < samples; i++) {
      const at = f(f(start + f(c * cell)) + f(f((i + 0.5) * cell) / samples));
      if (at < -1 || at > size) continue;
      const inside = Math.max(at, 0);
      const low = Math.min(Math.floor(inside), size - 1);
      const high = Math.min(low + 1, size - 1);
      const part = low >= size - 1 ? 0 : f(inside - low);
      values[c * size + low] += (1 - part) / samples;
      values[c * size + high] += part / samples;
    }
  const wide = empty([cells, size], float64, cpu);
  backendOf('cpu').write(wide, values);
  return wide.to(like.dtype);
}

export interface RoIAlignOptions {
  /** Elements of the map for one unit of the boxes. */
  spatial_scale?: number;
  /** Samples along each side of a cell; 0 or less: as many as the cell is long. */
  sampling_ratio?: number;
  /** Move boxes by half an element, so that elements lie in the middle of their area. */
  aligned?: boolean;
}

/**
 * Feature maps [N, C, H, W] in boxes, as [boxes, C, height, width] of `output_size`.
 * @param boxes rows `[image, x1, y1, x2, y2]`, or a list with the boxes [L, 4] of each image.
 */
export function roi_align(
  input: Tensor,
  boxes: Tensor | readonly Tensor[],
  output_size: Size,
  ...args: Call<[], [spatial_scale: number, sampling_ratio: number, aligned: boolean], RoIAlignOptions>
): Tensor {
  const [scale, ratio, aligned] = bind(
    'roi_align',
    'float spatial_scale=1.0, int sampling_ratio=-1, bool aligned=False',
    args,
  ) as [number, number, boolean];
  const [ph, pw] = pair(output_size);
  const rows = roiRows(boxes);
  const [, channels, height, width] = input.shape;
  if (rows.shape[0] === 0) return zeros([0, channels, ph, pw], { dtype: input.dtype });
  const list = rows.detach().to(input.dtype).tolist() as number[][];
  const f = input.dtype === float64 ? (x: number): number => x : Math.fround;
  const side = (from: number, to: number, cells: number, size: number): Side => {
    const start = f(f(from * f(scale)) - (aligned ? 0.5 : 0));
    const end = f(f(to * f(scale)) - (aligned ? 0.5 : 0));
    const length = aligned ? f(end - start) : Math.max(f(end - start), 1);
    const samples = Math.max(ratio > 0 ? ratio : Math.ceil(f(length / cells)), 1);
    return { start, length, cells, samples, size };
  };
  const working = input.dtype === float32 || input.dtype === float64 ? input : input.to(float32);
  const parts = list.map(([image, x1, y1, x2, y2]) => {
    const down = weights(side(y1, y2, ph, height), working);
    const across = weights(side(x1, x2, pw, width), working);
    return down.matmul(working.select(0, image)).matmul(across.t());
  });
  return stack(parts).to(input.dtype);
}

/** {@link roi_align} as a module. */
export class RoIAlign extends nn.Module {
  constructor(
    readonly output_size: Size,
    readonly spatial_scale: number,
    readonly sampling_ratio: number,
    readonly aligned = false,
  ) {
    super();
  }
  forward(input: Tensor, rois: Tensor | readonly Tensor[]): Tensor {
    return roi_align(input, rois, this.output_size, this.spatial_scale, this.sampling_ratio, this.aligned);
  }
}
