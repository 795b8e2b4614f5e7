// Maxima put back where they were found.

import { record } from '../../autograd/graph.js';
import { backendOf } from '../../backends/backend.js';
import { int64 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { gatherAlong } from '../../ops/along.js';
import { op } from '../../ops/define.js';
import { zeros_ } from '../../ops/fill.js';
import { listText } from '../../pyformat.js';
import { numelOf, type Tensor } from '../../tensor.js';
import type { Sizes } from './conv.js';
import { poolSizes } from './pool.js';
import { refuseDtype } from './pooling.js';

type MaxUnpool = (
  input: Tensor,
  indices: Tensor,
  kernel_size: Sizes,
  stride?: Sizes | null,
  padding?: Sizes,
  output_size?: readonly number[] | null,
) => Tensor;

/** Zeros with the elements of `source` at the positions along the last dimension; of several for one place the last stays. */
function placeAt(shape: readonly number[], where: Tensor, source: Tensor): Tensor {
  const out = zeros_(shape, source.dtype, source.device);
  if (source.numel() > 0) backendOf(source.device.type).launch('scatter', out, 2, where, source.detach());
  record('MaxUnpool2DBackward0', [source], [out], () => ([g]) => [
    g === null ? null : gatherAlong(g, 2, where),
  ]);
  return out;
}

/** The size of the image that pools to `count`, or the wanted one if it does. */
function unpooledSize(
  count: readonly number[],
  k: readonly number[],
  s: readonly number[],
  p: readonly number[],
  wanted: readonly number[] | null,
): number[] {
  const n = count.length;
  const usual = count.map((size, i) => (size - 1) * s[i] - 2 * p[i] + k[i]);
  if (wanted === null) return usual;
  const spatial = wanted.length === n + 2 ? wanted.slice(2) : [...wanted];
  if (spatial.length !== n)
    throw new ValueError(
      `output_size should be a sequence containing ${n} or ${n + 2} elements, but it has a length of '${spatial.length}'`,
    );
  spatial.forEach((size, i) => {
    const [least, most] = [usual[i] - s[i], usual[i] + s[i]];
    if (size <= least || size >= most)
      throw new ValueError(
        `invalid output_size "${listText(spatial)}" (dim ${i} must be between ${least} and ${most})`,
      );
  });
  return spatial;
}

function defineUnpool(n: number): MaxUnpool {
  return op(
    `nn.functional.max_unpool${n}d`,
    'Tensor input, Tensor indices, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, int[]? output_size=None',
    (
      x: Tensor,
      indices: Tensor,
      kernel: Sizes,
      stride: Sizes | null,
      padding: Sizes,
      outputSize: readonly number[] | null,
    ) => {
      if (indices.dtype !== int64)
        throw new RuntimeError(
          `elements in indices should be type int64 but got: ${indices.dtype.scalarName}`,
        );
      if (String(indices.shape) !== String(x.shape))
        throw new RuntimeError(
          `Expected shape of indices to be same as that of the input tensor (${listText(x.shape)}) but got indices tensor with shape: ${listText(indices.shape)}`,
        );
      const name = `max_unpool${n}d`;
      if (x.shape.length !== n + 1 && x.shape.length !== n + 2)
        throw new RuntimeError(
          `Input to ${name} should be a ${n + 1}d or ${n + 2}d Tensor, but got a tensor with ${x.shape.length} dimensions.`,
        );
      const whole = x.shape.length === n + 2;
      const input = whole ? x : x.unsqueeze(0);
      const k = poolSizes(kernel, n, name, 'kernel_size');
      const s = stride === null ? k : poolSizes(stride, n, name, 'stride');
      const image = unpooledSize(
        input.shape.slice(2),
        k,
        s,
        poolSizes(padding, n, name, 'padding'),
        outputSize,
      );
      refuseDtype(input, `max_unpool${n === 3 ? 3 : 2}d`, 'none');
      const [batch, c] = input.shape;
      const area = numelOf(image);
      const where = indices.reshape([batch, c, -1]);
      if (where.numel() > 0) {
        const low = where.min().item();
        const high = where.max().item();
        if (low < 0 || high >= area)
          throw new RuntimeError(
            `Found an invalid max index: ${low < 0 ? low : high} (output volumes are of size ${image.join('x')}`,
          );
      }
      const out = placeAt([batch, c, area], where, input.reshape([batch, c, -1]));
      const y = out.reshape([batch, c, ...image]);
      return whole ? y : y.squeeze(0);
    },
  );
}
/** Puts maxima of [N, C, L] back at their positions. */
export const max_unpool1d: MaxUnpool = defineUnpool(1);
/** Puts maxima of [N, C, H, W] back at their positions. */
export const max_unpool2d: MaxUnpool = defineUnpool(2);
/** Puts maxima of [N, C, D, H, W] back at their positions. */
export const max_unpool3d: MaxUnpool = defineUnpool(3);
