// Padding by constants, and by the tensor's own elements.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { int64 } from '../dtype.js';
import { NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { clone, copyInto } from './copy.js';
import { op } from './define.js';
import { fillWith } from './fill.js';
import { index_select } from './indexing.js';
import { cat } from './join.js';
import { narrow } from './split.js';

export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

/** Padding of one dimension: elements before and after; negative ones crop. */
type Sides = readonly [before: number, after: number];

/** The sides by dimension; the list starts at the last dimension. */
function sidesOf(x: Tensor, pad: readonly number[]): Sides[] {
  const n = x.shape.length;
  return x.shape.map((_, d) => {
    const at = 2 * (n - 1 - d);
    return at < pad.length ? [pad[at], pad[at + 1]] : [0, 0];
  });
}

/** Without the elements that negative padding crops. */
function cropped(x: Tensor, sides: readonly Sides[]): Tensor {
  return sides.reduce((y, [before, after], d) => {
    if (before >= 0 && after >= 0) return y;
    const start = Math.max(-before, 0);
    return narrow(y, d, start, y.shape[d] - start - Math.max(-after, 0));
  }, x);
}

function constantPad(x: Tensor, pad: readonly number[], value: number): Tensor {
  const sides = sidesOf(x, pad);
  const shape = x.shape.map((n, d) => n + sides[d][0] + sides[d][1]);
  const bad = shape.findIndex((n) => n < 0);
  if (bad >= 0)
    throw new RuntimeError(
      `The input size ${x.shape[bad]}, plus negative padding ${sides[bad][0]} and ${sides[bad][1]} resulted in a negative output size, which is invalid. Check dimension ${bad} of your input.`,
    );
  const plain = x.detach();
  const out = fillWith(empty(shape, x.dtype, x.device), value);
  const inner = sides.reduce((y, [before, after], d) => {
    const start = Math.max(before, 0);
    return narrow(y, d, start, shape[d] - start - Math.max(after, 0));
  }, out);
  copyInto(inner, cropped(plain, sides));
  record('ConstantPadNdBackward0', [x], [out], () => ([g]) => [
    g === null
      ? null
      : constantPad(
          g,
          pad.map((n) => -n),
          0,
        ),
  ]);
  return out;
}

/** Which element of a dimension of size n lies at position i, which may be outside. */
const sources: Readonly<Record<string, (i: number, n: number) => number>> = {
  reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i),
  replicate: (i, n) => Math.min(Math.max(i, 0), n - 1),
  circular: (i, n) => ((i % n) + n) % n,
};

function checkOwn(x: Tensor, pad: readonly number[], mode: PadMode): void {
  const spatial = pad.length / 2;
  const n = x.shape.length;
  if (spatial < 1 || spatial > 3 || (n !== spatial + 1 && n !== spatial + 2))
    throw new NotImplementedError(
      `Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now`,
    );
  sidesOf(x, pad).forEach(([before, after], d) => {
    const size = x.shape[d];
    const text = `Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (${before}, ${after}) at dimension ${d} of input [${x.shape.join(', ')}]`;
    if (mode === 'reflect' && (before >= size || after >= size) && (before !== 0 || after !== 0))
      throw new RuntimeError(text);
    if (mode === 'circular' && (before > size || after > size))
      throw new RuntimeError('Padding value causes wrapping around more than once.');
    if (size + before + after < 0 || (mode !== 'reflect' && size + before + after < 1 && size > 0))
      throw new RuntimeError(
        mode === 'circular'
          ? 'Negative padding value is resulting in an empty dimension'
          : `input (dim ${d}: ${size}) is too small. Calculated output: ${size + before + after}`,
      );
    if (size === 0 && d >= n - spatial)
      throw new RuntimeError(
        `Expected ${n - 1}D or ${n}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: [${x.shape.join(', ')}]`,
      );
  });
}

function ownPad(x: Tensor, pad: readonly number[], mode: PadMode): Tensor {
  checkOwn(x, pad, mode);
  const source = sources[mode];
  return sidesOf(x, pad).reduce((y, [before, after], d) => {
    const size = x.shape[d];
    // The elements at positions from, from + 1, … outside of the dimension.
    const border = (from: number, count: number): Tensor[] => {
      if (count <= 0) return [];
      const index = empty([count], int64, x.device);
      const at = BigInt64Array.from({ length: count }, (_, i) => BigInt(source(from + i, size)));
      backendOf(x.device.type).write(index, at);
      return [index_select(y, d, index)];
    };
    const start = Math.max(-before, 0);
    const middle = narrow(y, d, start, Math.max(size - start - Math.max(-after, 0), 0));
    const parts = [...border(-before, before), middle, ...border(size, after)];
    return parts.length > 1 ? cat(parts, d) : before < 0 || after < 0 ? middle : y;
  }, x);
}

/** Options of {@link pad}. */
export interface PadOptions {
  mode?: PadMode;
  /** What constant padding consists of; 0 by default. */
  value?: number | null;
}

/**
 * Pads the last dimensions: `pad` has the sizes before and after the last dimension, then of the one before, and
 * so on; negative sizes crop. Modes other than 'constant' pad the last one to three dimensions of a tensor with
 * one or two dimensions more.
 *
 *     F.pad(torch.ones(2), [1, 1])
 *     // tensor([0., 1., 1., 0.])
 *
 * @throws RuntimeError for sizes that do not fit, NotImplementedError for an unknown mode.
 */
export const pad: (
  input: Tensor,
  pad: readonly number[],
  ...args:
    | [mode?: PadMode, value?: number | null]
    | [mode: PadMode, options: PadOptions]
    | [options: PadOptions]
) => Tensor = op(
  'nn.functional.pad',
  "Tensor input, int[] pad, str mode='constant', float? value=None",
  (x: Tensor, sizes: number[], mode: string, value: number | null) => {
    if (sizes.length % 2 !== 0) throw new RuntimeError('Padding length must be divisible by 2');
    if (sizes.length > 2 * x.shape.length)
      throw new RuntimeError(
        `Padding length should be less than or equal to two times the input dimension but got padding length ${sizes.length} and input of dimension ${x.shape.length}`,
      );
    if (mode === 'constant') return constantPad(x, sizes, value ?? 0);
    if (value !== null && value !== 0)
      throw new RuntimeError(`Padding mode "${mode}" doesn't take in value argument`);
    if (!Object.hasOwn(sources, mode)) throw new NotImplementedError(`Unrecognised padding mode ${mode}`);
    const out = ownPad(x, sizes, mode as PadMode);
    return out._storage === x._storage ? clone(out) : out;
  },
);

/** @internal Throws unless the number of dimensions is one of those. */
export function checkDims(x: Tensor, ...allowed: readonly [number, number]): void {
  if (!allowed.includes(x.shape.length))
    throw new ValueError(`expected ${allowed[0]}D or ${allowed[1]}D input (got ${x.shape.length}D input)`);
}
