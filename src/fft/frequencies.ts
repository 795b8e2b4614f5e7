// Sample frequencies, and spectra with their origin in the middle.
import { RuntimeError } from '../errors.js';
import { creator, type OutOptions, type Target } from '../ops/creation.js';
import { op } from '../ops/define.js';
import { roll } from '../ops/rearrange.js';
import type { Tensor } from '../tensor.js';
import { wrapDim } from '../tensor.js';

interface Frequencies {
  (n: number, d?: number, options?: OutOptions): Tensor;
  (n: number, options: OutOptions & { d?: number }): Tensor;
}

/** Numbers i / (n d) of the frequencies. */
function frequencies(
  name: string,
  count: (n: number) => number,
  index: (i: number, n: number) => number,
): Frequencies {
  return creator(name, 'int n, float d=1', (target: Target, n: number, d: number) => {
    const type = target.type();
    if (type.is_integral) throw new RuntimeError(`${name} requires a floating point or complex dtype`);
    const size = count(n);
    if (size < 0)
      throw new RuntimeError(`Trying to create tensor with negative dimension ${size}: [${size}]`);
    const step = 1 / (n * d);
    return target.vector(size, (i) => index(i, n) * step);
  });
}

/**
 * The frequencies of {@link fft}'s n elements, in cycles per unit of the sample spacing d: 0, 1, … and then the negative ones, over n d.
 *
 *     torch.fft.fftfreq(4)
 *     // tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
 */
export const fftfreq: Frequencies = frequencies(
  'fftfreq',
  (n) => n,
  (i, n) => (i < (n + 1) >> 1 ? i : i - n),
);
/** The frequencies of `rfft`'s n / 2 + 1 elements. */
export const rfftfreq: Frequencies = frequencies(
  'rfftfreq',
  (n) => Math.trunc(n / 2) + 1,
  (i) => i,
);

type Shift = (
  input: Tensor,
  dim?: number | readonly number[] | null | { dim?: number | readonly number[] | null },
) => Tensor;

function shift(name: string, by: (n: number) => number): Shift {
  return op(
    `fft.${name}`,
    'Tensor input, int[1]? dim=None',
    (x: Tensor, dim: number | readonly number[] | null) => {
      const named = typeof dim === 'number' ? [dim] : dim;
      const dims = named?.map((d) => wrapDim(d, x.shape.length)) ?? x.shape.map((_, d) => d);
      return roll(
        x,
        dims.map((d) => by(x.shape[d])),
        dims,
      );
    },
    { self: null },
  );
}

/** Moves the zero frequency to the middle of the dimensions `dim` (all by default). */
export const fftshift: Shift = shift('fftshift', (n) => Math.floor(n / 2));
/** The inverse of {@link fftshift}. */
export const ifftshift: Shift = shift('ifftshift', (n) => Math.floor((n + 1) / 2));
