// torch.signal.windows.
import { float32, float64 } from '../dtype.js';
import { ValueError } from '../errors.js';
import { creator, type Target, type TensorOptions } from '../ops/creation.js';
import { cosines, kaiserValues, type Shape, triangle } from '../ops/window.js';
import type { Tensor } from '../tensor.js';

/** Options of every window. */
export interface WindowOptions extends TensorOptions {
  /** Symmetric (the default), for filters; else periodic, for spectra. */
  sym?: boolean;
}

const LAST = '*, bool sym=True';

function checked(to: Target, name: string, M: number): number {
  const type = to.type();
  if (M < 0) throw new ValueError(`${name} requires non-negative window length, got M=${M}`);
  if (type !== float32 && type !== float64)
    throw new ValueError(`${name} expects float32 or float64 dtypes, got: ${type}`);
  return M;
}

/** M elements of a window of M points, or of M + 1 where it is periodic. */
function sampled(to: Target, M: number, sym: boolean, shape: Shape): Tensor {
  const n = sym ? M : M + 1;
  return to.vector(M, (i) => (M === 1 ? 1 : shape(i, n)));
}

type Window<O = unknown> = (M: number, options?: WindowOptions & O) => Tensor;

function fixed(name: string, shape: Shape, owner = name): Window {
  return creator(name, `int M, ${LAST}`, (to: Target, M: number, sym: boolean) =>
    sampled(to, checked(to, owner, M), sym, shape),
  );
}

/** `1 - |2 i / (M - 1) - 1|`. @throws ValueError for a negative length or half precision. */
export const bartlett: Window = fixed('bartlett', triangle);
/** `0.42 - 0.5 cos(2 pi i / (M - 1)) + 0.08 cos(4 pi i / (M - 1))`. */
export const blackman: Window = fixed('blackman', cosines([0.42, 0.5, 0.08]));
/** `0.54 - 0.46 cos(2 pi i / (M - 1))`. */
export const hamming: Window = fixed('hamming', cosines([0.54, 0.46]), 'general_cosine');
/**
 * `0.5 - 0.5 cos(2 pi i / (M - 1))`.
 *
 *     torch.signal.windows.hann(4)
 *     // tensor([0.0000, 0.7500, 0.7500, 0.0000])
 */
export const hann: Window = fixed('hann', cosines([0.5, 0.5]), 'general_cosine');
/** Nuttall's sum of four cosines. */
export const nuttall: Window = fixed(
  'nuttall',
  cosines([0.3635819, 0.4891775, 0.1365995, 0.0106411]),
  'general_cosine',
);
/** `sin(pi (i + 0.5) / M)`. */
export const cosine: Window = creator('cosine', `int M, ${LAST}`, (to: Target, M: number, sym: boolean) => {
  const n = !sym && M > 1 ? M + 1 : M;
  return to.vector(checked(to, 'cosine', M), (i) => Math.sin((Math.PI * (i + 0.5)) / n));
});

/** `alpha - (1 - alpha) cos(2 pi i / (M - 1))`. @param options.alpha 0.54 by default. */
export const general_hamming: Window<{ alpha?: number }> = creator(
  'general_hamming',
  `int M, *, float alpha=0.54, bool sym=True`,
  (to: Target, M: number, alpha: number, sym: boolean) =>
    sampled(to, checked(to, 'general_cosine', M), sym, cosines([alpha, 1 - alpha])),
);

/** `sum_k (-1)^k a_k cos(2 pi k i / (M - 1))`. @throws ValueError without coefficients. */
export const general_cosine: (M: number, options: WindowOptions & { a: readonly number[] }) => Tensor =
  creator(
    'general_cosine',
    'int M, *, any a, bool sym=True',
    (to: Target, M: number, a: readonly number[], sym: boolean) => {
      checked(to, 'general_cosine', M);
      if (M > 1 && !Array.isArray(a)) throw new TypeError('Coefficients must be a list/tuple');
      if (M > 1 && a.length === 0) throw new ValueError('Coefficients cannot be empty');
      return sampled(to, M, sym, cosines(a));
    },
  );

/** The middle of a window. */
const middle = (M: number, sym: boolean): number => (!sym && M > 1 ? M : M - 1) / 2;

/** `exp(-|i - center| / tau)`. @param options.center the middle by default; only for `sym: false`. */
export const exponential: Window<{ center?: number | null; tau?: number }> = creator(
  'exponential',
  'int M, *, float? center=None, float tau=1, bool sym=True',
  (to: Target, M: number, center: number | null, tau: number, sym: boolean) => {
    checked(to, 'exponential', M);
    if (tau <= 0) throw new ValueError(`Tau must be positive, got: ${tau} instead.`);
    if (sym && center !== null) throw new ValueError('Center must be None for symmetric windows');
    const c = center ?? middle(M, sym);
    return to.vector(M, (i) => Math.exp(-Math.abs(i - c) / tau));
  },
);

/** `exp(-((i - middle) / std)^2 / 2)`. */
export const gaussian: Window<{ std?: number }> = creator(
  'gaussian',
  'int M, *, float std=1, bool sym=True',
  (to: Target, M: number, std: number, sym: boolean) => {
    checked(to, 'gaussian', M);
    if (std <= 0) throw new ValueError(`Standard deviation must be positive, got: ${std} instead.`);
    const c = middle(M, sym);
    return to.vector(M, (i) => Math.exp(-(((i - c) / std) ** 2) / 2));
  },
);

/** `i0(beta sqrt(1 - (2 i / (M - 1) - 1)^2)) / i0(beta)`. */
export const kaiser: Window<{ beta?: number }> = creator(
  'kaiser',
  'int M, *, float beta=12, bool sym=True',
  (to: Target, M: number, beta: number, sym: boolean) => {
    checked(to, 'kaiser', M);
    if (beta < 0) throw new ValueError(`beta must be non-negative, got: ${beta} instead.`);
    if (M === 1) return to.vector(1, () => 1);
    return to.blocks(M, (start, count) => kaiserValues(start, count, sym ? M : M + 1, beta));
  },
);
