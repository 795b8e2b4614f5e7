// torch.nn.init: initialisation of parameters in place. None of it is recorded by autograd; the same seed gives
// PyTorch's values. Arguments are positional or, from the second on, by name: `kaiming_normal_(w, {mode: 'fan_out'})`.
import { no_grad } from '../autograd/modes.js';
import { empty } from '../dispatch/allocate.js';
import { typeName } from '../dispatch/schema.js';
import { bool, float64 } from '../dtype.js';
import { ValueError } from '../errors.js';
import type { Generator } from '../generator.js';
import { empty_like, randperm, tensor as tensorOf, where } from '../ops/table.js';
import { Tensor } from '../tensor.js';
import { bind } from './modules/arguments.js';
import { orthonormal } from './orthonormal.js';

/** What every random initialiser takes. */
export interface Drawn {
  /** Which stream to draw from; the default generator when absent. */
  generator?: Generator | null;
}

type Generated = Generator | null;
export type FanMode = 'fan_in' | 'fan_out';
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu';

const gains: Readonly<Record<string, (param: number) => number>> = {
  linear: () => 1,
  conv1d: () => 1,
  conv2d: () => 1,
  conv3d: () => 1,
  conv_transpose1d: () => 1,
  conv_transpose2d: () => 1,
  conv_transpose3d: () => 1,
  sigmoid: () => 1,
  tanh: () => 5 / 3,
  relu: () => Math.sqrt(2),
  leaky_relu: (slope) => Math.sqrt(2 / (1 + slope ** 2)),
  selu: () => 3 / 4,
};

/**
 * The factor by which initial weights are scaled for a nonlinearity.
 * @param param the negative slope of leaky_relu (default 0.01).
 * @throws ValueError for a nonlinearity that is not known.
 */
export function calculate_gain(nonlinearity: Nonlinearity, param: number | null = null): number {
  const gain = Object.hasOwn(gains, nonlinearity) ? gains[nonlinearity] : undefined;
  if (gain === undefined) throw new ValueError(`Unsupported nonlinearity ${nonlinearity}`);
  if (nonlinearity === 'leaky_relu' && param !== null && typeof param !== 'number')
    throw new ValueError(`negative_slope ${String(param)} not a valid number`);
  return gain(param ?? 0.01);
}

/** @internal `[fan_in, fan_out]` of a weight: inputs and outputs of one unit, over the receptive field. */
function calculateFans(tensor: Tensor): [number, number] {
  if (tensor.shape.length < 2)
    throw new ValueError('Fan in and fan out can not be computed for tensor with fewer than 2 dimensions');
  const field = tensor.shape.slice(2).reduce((a, b) => a * b, 1);
  return [tensor.shape[1] * field, tensor.shape[0] * field];
}

export { calculateFans as _calculate_fan_in_and_fan_out };

function fanOf(tensor: Tensor, mode: string): number {
  const i = ['fan_in', 'fan_out'].indexOf(String(mode).toLowerCase());
  if (i < 0) throw new ValueError(`Mode ${mode} not supported, please use one of ['fan_in', 'fan_out']`);
  return calculateFans(tensor)[i];
}

/** @throws TypeError for what is no tensor. */
function expectTensor(name: string, x: unknown): void {
  if (!(x instanceof Tensor))
    throw new TypeError(`${name}(): argument 'tensor' (position 1) must be Tensor, not ${typeName(x)}`);
}

type UniformArgs =
  | [a?: number, b?: number, generator?: Generated]
  | [a?: number, b?: number, options?: Drawn]
  | [options: Drawn & { a?: number; b?: number }];

/** Fills with values that are uniform on [a, b). */
export function uniform_(tensor: Tensor, ...args: UniformArgs): Tensor {
  expectTensor('uniform_', tensor);
  const [a, b, generator] = bind('uniform_', 'float a=0, float b=1, Generator? generator=None', args) as [
    number,
    number,
    Generated,
  ];
  return no_grad(() => tensor.uniform_(a, b, { generator }));
}

type NormalArgs =
  | [mean?: number, std?: number, generator?: Generated]
  | [mean?: number, std?: number, options?: Drawn]
  | [options: Drawn & { mean?: number; std?: number }];

/** Fills with normally distributed values. */
export function normal_(tensor: Tensor, ...args: NormalArgs): Tensor {
  expectTensor('normal_', tensor);
  const [mean, std, generator] = bind(
    'normal_',
    'float mean=0, float std=1, Generator? generator=None',
    args,
  ) as [number, number, Generated];
  return no_grad(() => tensor.normal_(mean, std, { generator }));
}

interface Truncated extends Drawn {
  mean?: number;
  std?: number;
  a?: number;
  b?: number;
}

type TruncatedArgs =
  | [mean?: number, std?: number, a?: number, b?: number, generator?: Generated]
  | [mean?: number, std?: number, options?: Truncated]
  | [options: Truncated];

const cdf = (x: number): number =>
  (1 +
    Number(
      tensorOf(x / Math.SQRT2, { dtype: float64 })
        .erf()
        .item(),
    )) /
  2;

/** Fills with normally distributed values on [a, b]: those outside are drawn again. */
export function trunc_normal_(tensor: Tensor, ...args: TruncatedArgs): Tensor {
  expectTensor('trunc_normal_', tensor);
  const [mean, std, a, b, generator] = bind(
    'trunc_normal_',
    'float mean=0, float std=1, float a=-2, float b=2, Generator? generator=None',
    args,
  ) as [number, number, number, number, Generated];
  if (tensor.is_meta) return tensor;
  return no_grad(() => {
    if (cdf((b - mean) / std) - cdf((a - mean) / std) > 0.3)
      redrawOutside(tensor, mean, std, a, b, generator);
    else acceptUniform(tensor, mean, std, a, b, generator);
    return tensor;
  });
}

const holdsAny = (mask: Tensor): boolean => Number(mask.sum().item()) > 0;

/** Most of the distribution lies inside: normal values, of which those outside are replaced. */
function redrawOutside(
  tensor: Tensor,
  mean: number,
  std: number,
  a: number,
  b: number,
  generator: Generated,
): void {
  const [low, high] = [a, b].map((v) => Number(tensorOf(v, { dtype: tensor.dtype }).item()));
  let result = tensor.normal_(mean, std, { generator });
  for (;;) {
    const outside = result.lt(low).logical_or(result.gt(high));
    if (!holdsAny(outside)) break;
    result = where(outside, empty_like(result).normal_(mean, std, { generator }), result);
  }
  if (result !== tensor) tensor.copy_(result);
}

/** Little of it lies inside: uniform candidates, accepted with the density relative to its peak on [a, b]. */
function acceptUniform(
  tensor: Tensor,
  mean: number,
  std: number,
  a: number,
  b: number,
  generator: Generated,
): void {
  const peak = -0.5 * ((Math.max(a, Math.min(mean, b)) - mean) / std) ** 2;
  const refused = (candidates: Tensor): Tensor => {
    const density = candidates.sub(mean).div_(std).pow_(2).mul_(-0.5).sub_(peak);
    return empty_like(tensor).uniform_(0, 1, { generator }).log_().gt(density);
  };
  let result = tensor.uniform_(a, b, { generator });
  let pending = refused(result);
  while (holdsAny(pending)) {
    const candidates = empty_like(tensor).uniform_(a, b, { generator });
    result = where(pending, candidates, result);
    pending = pending.logical_and(refused(candidates));
  }
  if (result !== tensor) tensor.copy_(result);
}

/** Fills with one value. */
export function constant_(tensor: Tensor, val: number): Tensor {
  expectTensor('constant_', tensor);
  return no_grad(() => tensor.fill_(val));
}

/** Fills with ones. */
export function ones_(tensor: Tensor): Tensor {
  expectTensor('ones_', tensor);
  return constant_(tensor, 1);
}

/** Fills with zeros. */
export function zeros_(tensor: Tensor): Tensor {
  expectTensor('zeros_', tensor);
  return constant_(tensor, 0);
}

/** Sets one element. */
function put(tensor: Tensor, at: readonly number[], value: number): void {
  at.reduce((x, i) => x.select(0, i), tensor.detach()).fill_(value);
}

/** Makes a matrix the identity. @throws ValueError unless 2-d. */
export function eye_(tensor: Tensor): Tensor {
  expectTensor('eye_', tensor);
  if (tensor.shape.length !== 2) throw new ValueError('Only tensors with 2 dimensions are supported');
  zeros_(tensor);
  for (let i = 0; i < Math.min(...tensor.shape); i++) put(tensor, [i, i], 1);
  return tensor;
}

/**
 * Makes a convolution's weight pass as many channels on as it can, in each group.
 * @throws ValueError unless the weight is 3-d, 4-d or 5-d and its outputs divide into the groups.
 */
export function dirac_(tensor: Tensor, ...args: [groups?: number] | [options: { groups?: number }]): Tensor {
  expectTensor('dirac_', tensor);
  const [groups] = bind('dirac_', 'int groups=1', args) as [number];
  const [out, channels, ...field] = tensor.shape;
  if (field.length < 1 || field.length > 3)
    throw new ValueError('Only tensors with 3, 4, or 5 dimensions are supported');
  if (out % groups !== 0) throw new ValueError('dim 0 must be divisible by groups');
  if (tensor.is_meta) return tensor;
  zeros_(tensor);
  const centre = field.map((n) => Math.floor(n / 2));
  const each = out / groups;
  for (let g = 0; g < groups; g++)
    for (let d = 0; d < Math.min(each, channels); d++) put(tensor, [g * each + d, d, ...centre], 1);
  return tensor;
}

type GainArgs =
  | [gain?: number, generator?: Generated]
  | [gain?: number, options?: Drawn]
  | [options: Drawn & { gain?: number }];
const GAIN = 'float gain=1, Generator? generator=None';

function xavierDeviation(tensor: Tensor, gain: number): number {
  const [fanIn, fanOut] = calculateFans(tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/** Uniform on ±gain * sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010). */
export function xavier_uniform_(tensor: Tensor, ...args: GainArgs): Tensor {
  expectTensor('xavier_uniform_', tensor);
  const [gain, generator] = bind('xavier_uniform_', GAIN, args) as [number, Generated];
  const bound = Math.sqrt(3) * xavierDeviation(tensor, gain);
  return uniform_(tensor, -bound, bound, { generator });
}

/** Normal with variance gain² * 2 / (fan_in + fan_out) (Glorot and Bengio, 2010). */
export function xavier_normal_(tensor: Tensor, ...args: GainArgs): Tensor {
  expectTensor('xavier_normal_', tensor);
  const [gain, generator] = bind('xavier_normal_', GAIN, args) as [number, Generated];
  return normal_(tensor, 0, xavierDeviation(tensor, gain), { generator });
}

interface Kaiming extends Drawn {
  a?: number;
  mode?: FanMode;
  nonlinearity?: Nonlinearity;
}

type KaimingArgs =
  | [a?: number, mode?: FanMode, nonlinearity?: Nonlinearity, generator?: Generated]
  | [a?: number, mode?: FanMode, options?: Kaiming]
  | [a?: number, options?: Kaiming]
  | [options: Kaiming];

function kaimingDeviation(name: string, tensor: Tensor, args: KaimingArgs): [number, Generated] {
  const [a, mode, nonlinearity, generator] = bind(
    name,
    "float a=0, str mode='fan_in', str nonlinearity='leaky_relu', Generator? generator=None",
    args,
  ) as [number, string, Nonlinearity, Generated];
  if (tensor.shape.includes(0)) return [Number.NaN, generator];
  return [calculate_gain(nonlinearity, a) / Math.sqrt(fanOf(tensor, mode)), generator];
}

/** Uniform on ±gain * sqrt(3 / fan) (He et al., 2015). `a` is the negative slope of the leaky_relu that follows. */
export function kaiming_uniform_(tensor: Tensor, ...args: KaimingArgs): Tensor {
  expectTensor('kaiming_uniform_', tensor);
  const [deviation, generator] = kaimingDeviation('kaiming_uniform_', tensor, args);
  if (Number.isNaN(deviation)) return tensor;
  const bound = Math.sqrt(3) * deviation;
  return uniform_(tensor, -bound, bound, { generator });
}

/** Normal with variance gain² / fan (He et al., 2015). */
export function kaiming_normal_(tensor: Tensor, ...args: KaimingArgs): Tensor {
  expectTensor('kaiming_normal_', tensor);
  const [deviation, generator] = kaimingDeviation('kaiming_normal_', tensor, args);
  return Number.isNaN(deviation) ? tensor : normal_(tensor, 0, deviation, { generator });
}

/**
 * Makes the rows (or, of a tall matrix, the columns) orthonormal, times gain (Saxe et al., 2013). Trailing
 * dimensions are flattened. @throws ValueError for fewer than 2 dimensions.
 */
export function orthogonal_(tensor: Tensor, ...args: GainArgs): Tensor {
  expectTensor('orthogonal_', tensor);
  const [gain, generator] = bind('orthogonal_', GAIN, args) as [number, Generated];
  if (tensor.shape.length < 2) throw new ValueError('Only tensors with 2 or more dimensions are supported');
  if (tensor._numel === 0 || tensor.is_meta) return tensor;
  const rows = tensor.shape[0];
  const columns = tensor._numel / rows;
  return no_grad(() => {
    const random = empty([rows, columns], tensor.dtype, tensor.device)
      .normal_(0, 1, { generator })
      .to(float64);
    const wide = rows < columns;
    const data = (wide ? random.t().contiguous() : random).toTypedArray() as Float64Array;
    const q = tensorOf(orthonormal(data, Math.max(rows, columns), Math.min(rows, columns)));
    const matrix = q.view([Math.max(rows, columns), Math.min(rows, columns)]);
    tensor.copy_((wide ? matrix.t() : matrix).reshape([...tensor.shape]));
    return tensor.mul_(gain);
  });
}

type SparseArgs =
  | [sparsity: number, std?: number, generator?: Generated]
  | [sparsity: number, std?: number, options?: Drawn]
  | [sparsity: number, options: Drawn & { std?: number }];

/** Normal values, with the given fraction of every column set to zero (Martens, 2010). @throws ValueError unless 2-d. */
export function sparse_(tensor: Tensor, ...args: SparseArgs): Tensor {
  expectTensor('sparse_', tensor);
  const [sparsity, std, generator] = bind(
    'sparse_',
    'float sparsity, float std=0.01, Generator? generator=None',
    args,
  ) as [number, number, Generated];
  if (tensor.shape.length !== 2) throw new ValueError('Only tensors with 2 dimensions are supported');
  if (tensor.is_meta) return tensor;
  const [rows, columns] = tensor.shape;
  const zeros = Math.ceil(sparsity * rows);
  return no_grad(() => {
    tensor.normal_(0, std, { generator });
    const mask = new Uint8Array(rows * columns);
    for (let c = 0; c < columns; c++)
      for (const r of (randperm(rows).tolist() as number[]).slice(0, zeros)) mask[r * columns + c] = 1;
    return tensor.masked_fill_(tensorOf(mask).view([rows, columns]).to(bool), 0);
  });
}
