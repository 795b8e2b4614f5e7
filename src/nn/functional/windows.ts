// Sliding windows of [N, C, spatial...] in any number of dimensions: what convolutions and pools read and write.
import { record } from '../../autograd/graph.js';
import { alias, empty } from '../../dispatch/allocate.js';
import { RuntimeError } from '../../errors.js';
import { copyInto } from '../../ops/copy.js';
import { fillWith } from '../../ops/fill.js';
import { narrow } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import type { Sizes } from './conv.js';

/** Windows over an image: sizes by spatial dimension. */
export interface Windows {
  readonly image: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Padding before and after. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Windows along each dimension. */
  readonly count: readonly number[];
}

export const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/** One number for each of n dimensions. */
export const sized = (v: Sizes, n: number, name: string): number[] => {
  const list = typeof v === 'number' ? [v] : [...v];
  if (list.length !== 1 && list.length !== n)
    throw new RuntimeError(
      `${name} must either be a single int, or a tuple of ${n} ints, but got a tuple of ${list.length}`,
    );
  return list.length === 1 ? new Array<number>(n).fill(list[0]) : list;
};

/** [N, C, padded image] seen as [N, C, kernel..., count...]; no history. */
function windowView(x: Tensor, w: Windows): Tensor {
  const [n, c, ...spatial] = x._strides;
  const strides = [
    n,
    c,
    ...spatial.map((s, i) => s * w.dilation[i]),
    ...spatial.map((s, i) => s * w.stride[i]),
  ];
  return alias(x, [x.shape[0], x.shape[1], ...w.kernel, ...w.count], strides, x._offset);
}

const isPadded = (w: Windows): boolean => w.before.some((p) => p > 0) || w.after.some((p) => p !== 0);

/** How far the windows reach beyond the image (a ceil_mode pool may, and may also stop short of the padding). */
function reach(w: Windows): number[] {
  return w.image.map((n, i) =>
    Math.max(
      n + w.before[i] + w.after[i],
      (w.count[i] - 1) * w.stride[i] + w.dilation[i] * (w.kernel[i] - 1) + 1,
    ),
  );
}

function interior(padded: Tensor, w: Windows): Tensor {
  return w.image.reduce((x, n, i) => narrow(x, i + 2, w.before[i], n), padded);
}

/** The windows of x [N, C, image...] as [N, C, kernel..., count...], a copy; outside of the image is `fill`. */
export function gatherWindows(x: Tensor, w: Windows, fill = 0): Tensor {
  let source = x.detach();
  const size = reach(w);
  if (isPadded(w) || size.some((n, i) => n !== w.image[i])) {
    const padded = fillWith(empty([x.shape[0], x.shape[1], ...size], x.dtype, x.device), fill);
    copyInto(interior(padded, w), source);
    source = padded;
  }
  const out = empty([x.shape[0], x.shape[1], ...w.kernel, ...w.count], x.dtype, x.device);
  copyInto(out, windowView(source, w));
  record('Im2ColBackward0', [x], [out], () => ([g]) => [g === null ? null : scatterWindows(g, w)]);
  return out;
}

/** The transpose of {@link gatherWindows}: adds what the windows [N, C, kernel..., count...] hold to an image. */
export function scatterWindows(columns: Tensor, w: Windows): Tensor {
  const [n, c] = columns.shape;
  const padded = fillWith(empty([n, c, ...reach(w)], columns.dtype, columns.device), 0);
  const places = windowView(padded, w);
  const parts = columns.detach();
  const taps = product(w.kernel);
  for (let tap = 0; tap < taps; tap++) {
    let rest = tap;
    const at = w.kernel.map((_, i) => {
      const inner = product(w.kernel.slice(i + 1));
      const k = Math.floor(rest / inner);
      rest -= k * inner;
      return k;
    });
    const pick = (x: Tensor): Tensor => at.reduce((view, k) => view.select(2, k), x);
    pick(places).add_(pick(parts));
  }
  const out = interior(padded, w).contiguous();
  record('Col2ImBackward0', [columns], [out], () => ([g]) => [g === null ? null : gatherWindows(g, w)]);
  return out;
}
