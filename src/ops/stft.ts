// Spectra of overlapping frames of a signal, and back.
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { warnOnce } from '../warnings.js';
import { abs, div, mul, square } from './arithmetic.js';
import { legacyName } from './convert.js';
import { type Op, op } from './define.js';
import { complexTransform, halfTransform, realToComplex, realTransform } from './fft_transforms.js';
import { ones_ } from './fill.js';
import { type PadMode, pad } from './pad.js';
import { constant_pad_nd } from './rearrange.js';
import { amin } from './reduce_extreme.js';
import { unfold, unfoldBackward } from './shape.js';
import { expand, reshape, slice, squeeze, transpose, unsqueeze } from './view.js';
import { view_as_real } from './view_dtype.js';
import { squeeze_, transpose_ } from './view_inplace.js';

const typeText = (x: Tensor): string =>
  x.dtype.is_complex ? `CPU${x.dtype.scalarName}Type` : legacyName(x.dtype);
const flag = (value: boolean | null): string => (value === null ? 'None' : String(Number(value)));

/** How PyTorch's messages begin: the call with its arguments. */
function callText(name: string, x: Tensor, window: Tensor | null, parts: Record<string, unknown>): string {
  const shown = Object.entries({
    ...parts,
    window: window === null ? 'None' : `${typeText(window)}{[${window.shape.join(', ')}]}`,
  });
  const order = ['n_fft', 'hop_length', 'win_length', 'window'];
  const rank = (key: string): number => (order.includes(key) ? order.indexOf(key) : order.length);
  shown.sort(([a], [b]) => rank(a) - rank(b));
  return `${name}(${typeText(x)}[${x.shape.join(', ')}], ${shown.map(([k, v]) => `${k}=${v}`).join(', ')}) `;
}

/** A window of n points in the middle of (or, aligned, at the start of) n_fft points. */
function centred(window: Tensor, n: number, points: number): Tensor {
  if (n >= points) return window;
  const left = Math.floor((points - n) / 2);
  return constant_pad_nd(window, [left, points - n - left]);
}

interface FrameOptions {
  hop_length?: number | null;
  win_length?: number | null;
  window?: Tensor | null;
  center?: boolean;
  normalized?: boolean;
  onesided?: boolean | null;
  return_complex?: boolean | null;
}

function checkFrames(
  text: () => string,
  x: Tensor,
  points: number,
  hop: number,
  width: number,
  window: Tensor | null,
): void {
  const refuse = (message: string): never => {
    throw new RuntimeError(`${text()}: ${message}`);
  };
  if (!x.dtype.is_floating_point && !x.dtype.is_complex)
    refuse('expected a tensor of floating point or complex values');
  if (x.shape.length > 2 || x.shape.length < 1) refuse('expected a 1D or 2D tensor');
  const length = x.shape[x.shape.length - 1];
  if (points <= 0 || points > length) refuse(`expected 0 < n_fft < ${length}, but got n_fft=${width}`);
  if (hop <= 0) refuse(`expected hop_length > 0, but got hop_length=${hop}`);
  if (width <= 0 || width > points) refuse(`expected 0 < win_length <= n_fft, but got win_length=${width}`);
  if (window !== null && (window.shape.length !== 1 || window.shape[0] !== width))
    refuse(
      `expected a 1D window tensor of size equal to win_length=${width}, but got window with size [${window.shape.join(', ')}]`,
    );
}

/** The signal with half a frame more at both ends. */
function centredSignal(x: Tensor, points: number, mode: PadMode): Tensor {
  const half = Math.floor(points / 2);
  const rank = x.shape.length;
  const shape = [...new Array<number>(Math.max(0, 3 - rank)).fill(1), ...x.shape];
  const padded = pad(reshape(x, shape), [half, half], mode);
  return reshape(padded, padded.shape.slice(padded.shape.length - rank));
}

/**
 * The short-time Fourier transform of a signal [length] or of a batch of them [batch, length]: spectra of frames of `n_fft`
 * samples, `hop_length` (n_fft / 4) apart, times `window`; a complex tensor [(batch,) frequencies, frames], or pairs of reals.
 * @throws RuntimeError for lengths that do not fit, or a real signal without `return_complex`.
 */
export const stft: Op<
  | [n_fft: number, options: FrameOptions & { pad_mode?: PadMode; align_to_window?: boolean | null }]
  | [
      n_fft: number,
      hop_length?: number | null,
      win_length?: number | null,
      window?: Tensor | null,
      center?: boolean,
      pad_mode?: PadMode,
      normalized?: boolean,
      onesided?: boolean | null,
      return_complex?: boolean | null,
      align_to_window?: boolean | null,
    ],
  Tensor
> = op(
  'stft',
  "Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, str pad_mode='reflect', bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None",
  (
    self: Tensor,
    n_fft: number,
    hop_length: number | null,
    win_length: number | null,
    window: Tensor | null,
    center: boolean,
    pad_mode: PadMode,
    normalized: boolean,
    onesided: boolean | null,
    return_complex: boolean | null,
    align_to_window: boolean | null,
  ) => {
    if (center && align_to_window !== null)
      throw new RuntimeError('stft align_to_window should only be set when center = false');
    const signal = center ? centredSignal(self, n_fft, pad_mode) : self;
    const hop = hop_length ?? n_fft >> 2;
    const width = win_length ?? n_fft;
    const complex = self.dtype.is_complex || window?.dtype.is_complex === true;
    if (return_complex === null && !complex)
      throw new RuntimeError(
        'stft requires the return_complex parameter be given for real inputs, and will further require that return_complex=True in a future PyTorch release.',
      );
    const text = (): string =>
      callText('stft', signal, window, {
        n_fft,
        hop_length: hop,
        win_length: width,
        normalized: flag(normalized),
        onesided: flag(onesided),
        return_complex: flag(return_complex),
        align_to_window: flag(align_to_window),
      });
    checkFrames(text, signal, n_fft, hop, width, window);
    const batch = signal.shape.length === 1 ? unsqueeze(signal, 0) : signal;
    let frames = unfold(batch, 1, n_fft, hop);
    const given = window ?? (width < n_fft ? ones_([width], self.dtype, self.device) : null);
    if (given !== null) frames = mul(frames, centred(given, width, n_fft));
    const scale = normalized ? 1 / Math.sqrt(n_fft) : 1;
    const half = onesided ?? !frames.dtype.is_complex;
    if (half && frames.dtype.is_complex)
      throw new RuntimeError('Cannot have onesided output if window or input is complex');
    const spectra = frames.dtype.is_complex
      ? complexTransform(frames, [2], scale, false)
      : half
        ? realTransform(frames, [2], scale)
        : realToComplex(frames, 2, scale);
    transpose_(spectra, 1, 2);
    const result = self.shape.length === 1 ? squeeze_(spectra, 0) : spectra;
    return (return_complex ?? complex) ? result : view_as_real(result);
  },
);

function checkSpectra(
  refuse: (message: string) => never,
  x: Tensor,
  points: number,
  hop: number,
  width: number,
  half: boolean,
  window: Tensor | null,
): void {
  if (x._numel === 0) refuse('input tensor cannot be empty.');
  if (x.shape.length !== 2 && x.shape.length !== 3)
    refuse(`expected a tensor with 3 or 4 dimensions, but got ${x.shape.length + 1}`);
  const rows = x.shape[x.shape.length - 2];
  const must = 'expected the frequency dimension (3rd to the last) of the input tensor to match n_fft';
  if (half && Math.floor(points / 2) + 1 !== rows)
    refuse(`${must} / 2 + 1 when onesided=True, but got ${rows}`);
  if (!half && points !== rows) refuse(`${must} when onesided=False, but got ${rows}`);
  if (!(hop > 0 && hop <= width)) refuse('expected 0 < hop_length <= win_length');
  if (!(width > 0 && width <= points)) refuse('expected 0 < win_length <= n_fft');
  if (window !== null && (window.shape.length !== 1 || window.shape[0] !== width))
    refuse('Invalid window shape. window has to be 1D and length of `win_length`');
}

/** The frames [batch, count, n_fft] of which the spectra [batch, count, frequencies] are. */
function framesOf(
  spectra: Tensor,
  points: number,
  scale: number,
  half: boolean,
  complex: boolean,
  window: Tensor | null,
): Tensor {
  if (complex) {
    if (half) throw new RuntimeError('Cannot have onesided output if window or input is complex');
    return complexTransform(spectra, [2], scale, true);
  }
  if (window?.dtype.is_complex)
    throw new RuntimeError('Complex windows are incompatible with return_complex=False');
  const first = half ? spectra : slice(spectra, 2, 0, Math.floor(points / 2) + 1);
  return halfTransform(first, [2], points, scale);
}

/**
 * The signal whose {@link stft} is nearest to `input` [(batch,) frequencies, frames]: overlapping frames are added up and
 * divided by the sum of the squared windows.
 * @param length of the result; by default what the frames cover.
 * @throws RuntimeError where the windows leave a sample uncovered.
 */
export const istft: Op<
  | [n_fft: number, options?: FrameOptions & { length?: number | null }]
  | [
      n_fft: number,
      hop_length: number | null,
      win_length?: number | null,
      window?: Tensor | null,
      center?: boolean,
      normalized?: boolean,
      onesided?: boolean | null,
      length?: number | null,
      return_complex?: boolean,
    ],
  Tensor
> = op(
  'istft',
  'Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False',
  (
    self: Tensor,
    n_fft: number,
    hop_length: number | null,
    win_length: number | null,
    window: Tensor | null,
    center: boolean,
    normalized: boolean,
    onesided: boolean | null,
    length: number | null,
    return_complex: boolean,
  ) => {
    const hop = hop_length ?? n_fft >> 2;
    const width = win_length ?? n_fft;
    if (!self.dtype.is_complex)
      throw new RuntimeError(
        'istft requires a complex-valued input tensor matching the output from stft with return_complex=True.',
      );
    const text = callText('istft', self, window, {
      n_fft,
      hop_length: hop,
      win_length: width,
      center: flag(center),
      normalized: flag(normalized),
      onesided: flag(onesided),
      length: length ?? 'None',
      return_complex: flag(return_complex),
    });
    const refuse = (message: string): never => {
      throw new RuntimeError(`${text}: ${message}`);
    };
    const half = onesided ?? self.shape[self.shape.length - 2] !== n_fft;
    checkSpectra(refuse, self, n_fft, hop, width, half, window);
    const batch = self.shape.length === 2 ? unsqueeze(self, 0) : self;
    const scale = normalized ? 1 / Math.sqrt(n_fft) : 1 / n_fft;
    const frames = framesOf(transpose(batch, 1, 2), n_fft, scale, half, return_complex, window);
    const whole = window ?? ones_([width], self.dtype.to_real(), self.device);
    const w = reshape(centred(whole, width, n_fft), [1, 1, n_fft]);
    const count = frames.shape[1];
    const covered = n_fft + hop * (count - 1);
    const start = center ? Math.floor(n_fft / 2) : 0;
    const end = length !== null ? start + length : center ? covered - Math.floor(n_fft / 2) : covered;
    const added = (x: Tensor): Tensor =>
      slice(unfoldBackward(x, [x.shape[0], covered], 1, n_fft, hop), 1, start, Math.min(end, covered));
    const total = added(mul(frames, w));
    const weight = added(expand(square(w), [1, count, n_fft]));
    if (!(Number(amin(abs(weight.detach())).item()) >= 1e-11))
      throw new RuntimeError(`${text}window overlap add min: 1`);
    const signal = div(total, weight);
    const out = self.shape.length === 2 ? squeeze(signal, 0) : signal;
    if (end <= covered) return out;
    warnOnce(
      'The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. Please check your center and hop_length settings.',
    );
    return constant_pad_nd(out, [0, end - covered]);
  },
);
