// Random tensors: rand, randn, randint, randperm, and draws from distributions given by tensors.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { emptyLike, empty as emptyTensor } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { type DType, float32, float64, int64 } from '../dtype.js';
import { NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { default_generator, type Generator } from '../generator.js';
import { sameSizes, Tensor } from '../tensor.js';
import { castTo, copyInto, type MemoryFormat } from './copy.js';
import { cppDouble } from './cpp_text.js';
import { creator, type RandomOptions, type SizeArgs, type Target, type TensorOptions } from './creation.js';
import { type Op, type Out, op } from './define.js';
import { zeros_ } from './fill.js';
import { emptyFor } from './like.js';
import { fillBernoulli, fillIntegers, fillNormal, fillUniform, needsFloating } from './random_fill.js';
import { reduceKernel } from './reduce.js';

/**
 * Uniform values on [0, 1). The same bits as PyTorch's after the same seed.
 *
 *     torch.rand(3)
 *     // tensor([0.4963, 0.7682, 0.0885])
 */
export const rand: (...args: SizeArgs<RandomOptions>) => Tensor = creator(
  'rand',
  'int[]... size, *, Generator? generator=None',
  (to: Target, size: number[], generator: Generator | null) => fillUniform(to.empty(size), 0, 1, generator),
);

/**
 * Normal values of mean 0 and variance 1.
 *
 *     torch.randn(3)
 *     // tensor([ 1.5410, -0.2934, -2.1788])
 */
export const randn: (...args: SizeArgs<RandomOptions>) => Tensor = creator(
  'randn',
  'int[]... size, *, Generator? generator=None',
  (to: Target, size: number[], generator: Generator | null) => fillNormal(to.empty(size), 0, 1, generator),
);

/** The bounds of an integer call: one is the upper one. */
function bounds(first: number | bigint, second: number | bigint | null): [bigint, bigint] {
  return second === null ? [0n, BigInt(first)] : [BigInt(first), BigInt(second)];
}

type Int = number | bigint;

/**
 * `randint(high, size)` and `randint(low, high, size)`: whole numbers on [low, high), int64 unless told otherwise.
 *
 *     torch.randint(0, 10, [3])
 *     // tensor([4, 9, 3])
 */
export const randint: {
  (high: Int, size: readonly number[], options?: RandomOptions): Tensor;
  (low: Int, high: Int, size: readonly number[], options?: RandomOptions): Tensor;
  (options: RandomOptions & { low?: Int; high: Int; size: readonly number[] }): Tensor;
  (high: Int, options: RandomOptions & { size: readonly number[] }): Tensor;
  (low: Int, high: Int, options: RandomOptions & { size: readonly number[] }): Tensor;
} = (() => {
  const both = creator<(...args: readonly unknown[]) => Tensor>(
    'randint',
    'int low, int high, int[] size, *, Generator? generator=None',
    (to: Target, low: Int, high: Int, size: number[], generator: Generator | null) =>
      fillIntegers(to.empty(size, int64), ...bounds(low, high), generator),
  );
  return ((...args: readonly unknown[]) => {
    const last = args[args.length - 1];
    const keywords =
      typeof last === 'object' && last !== null && !Array.isArray(last) && !(last instanceof Tensor)
        ? (last as Record<string, unknown>)
        : {};
    // Without `low`, the first bound is `high`.
    if (
      Array.isArray(args[1]) ||
      (args.length <= 2 && !('low' in keywords) && !('high' in keywords && args.length === 2))
    )
      return both(0, ...args);
    return both(...args);
  }) as never;
})();

/**
 * A random permutation of 0 … n - 1, int64 unless told otherwise.
 *
 *     torch.randperm(4)
 *     // tensor([0, 1, 3, 2])
 */
export const randperm: (n: number, options?: RandomOptions) => Tensor = creator(
  'randperm',
  'int n, *, Generator? generator=None',
  (to: Target, n: number, generator: Generator | null) => {
    const out = to.empty([n], int64);
    const limit =
      { uint8: 255, int8: 127, int16: 32767, float16: 65504 }[out.dtype.name as string] ??
      Number.MAX_SAFE_INTEGER;
    if (n > limit)
      throw new RuntimeError(
        `value cannot be converted to type ${out.dtype.name === 'float16' ? 'at::Half' : `${out.dtype.name}_t`} without overflow`,
      );
    if (n === 0 || out.device.type === 'meta') return out;
    const direct = out.dtype === int64 && out._contiguous;
    const order = direct ? out : emptyTensor([n], int64, out.device);
    backendOf('cpu').launch('random_permutation', (generator ?? default_generator)._address, order);
    return direct ? out : copyInto(out, order);
  },
);

interface LikeOptions extends TensorOptions {
  memory_format?: MemoryFormat | null;
  generator?: Generator | null;
}

const LIKE =
  'dtype? dtype=None, str? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False, str? memory_format=None';

type LikeArgs = [
  dtype: DType | null,
  layout: unknown,
  device: never,
  pin: unknown,
  requires_grad: boolean,
  memory_format: MemoryFormat | null,
];

/** A new tensor in the form of x for a random constructor. */
function likeTensor(x: Tensor, [dtype, , device, , , format]: LikeArgs): Tensor {
  return emptyFor(x, dtype, device, format);
}

const leaf = (x: Tensor, args: LikeArgs): Tensor => (args[4] ? x.requires_grad_(true) : x);

/** Uniform values on [0, 1), in the shape, dtype and memory layout of a tensor. */
export const rand_like: (input: Tensor, options?: LikeOptions) => Tensor = op(
  'rand_like',
  `Tensor input, *, Generator? generator=None, ${LIKE}`,
  (x: Tensor, generator: Generator | null, ...args: LikeArgs) =>
    leaf(fillUniform(likeTensor(x, args), 0, 1, generator), args),
);

/** Normal values of mean 0 and variance 1, in the shape, dtype and memory layout of a tensor. */
export const randn_like: (input: Tensor, options?: LikeOptions) => Tensor = op(
  'randn_like',
  `Tensor input, *, Generator? generator=None, ${LIKE}`,
  (x: Tensor, generator: Generator | null, ...args: LikeArgs) =>
    leaf(fillNormal(likeTensor(x, args), 0, 1, generator), args),
);

/** `randint_like(x, high)` and `randint_like(x, low, high)`: whole numbers on [low, high) in the dtype of x. */
export const randint_like: {
  (input: Tensor, high: Int, options?: LikeOptions): Tensor;
  (input: Tensor, low: Int, high: Int, options?: LikeOptions): Tensor;
  (input: Tensor, options: LikeOptions & { low?: Int; high: Int }): Tensor;
} = op(
  'randint_like',
  `Tensor input, int? low=None, int? high=None, *, Generator? generator=None, ${LIKE}`,
  (x: Tensor, low: Int | null, high: Int | null, generator: Generator | null, ...args: LikeArgs) => {
    if (low === null && high === null)
      throw new TypeError('randint_like() missing 1 required positional arguments: "high"');
    const [from, to] = low === null ? [0n, BigInt(high as Int)] : bounds(low, high);
    return leaf(fillIntegers(likeTensor(x, args), from, to, generator), args);
  },
);

/** Records an op whose gradient is zero. */
function constant(name: string, inputs: readonly (Tensor | null)[], out: Tensor): Tensor {
  record(
    name,
    inputs,
    [out],
    () =>
      ([g]) =>
        inputs.map((x) => (x === null || g === null ? null : zeros_(x.shape, x.dtype, x.device))),
  );
  return out;
}

interface NormalForms {
  (mean: Tensor, std?: Tensor | number, options?: Out & { generator?: Generator | null }): Tensor;
  (mean: number, std: Tensor, options?: Out & { generator?: Generator | null }): Tensor;
  (mean: number, std: number, size: readonly number[], options?: RandomOptions): Tensor;
  (mean: number, std: number, options: RandomOptions & { size: readonly number[] }): Tensor;
}

/** Normal values with the given means and standard deviations: tensors that broadcast, or numbers with a size. */
export const normal: NormalForms = op(
  'normal',
  'Operand mean, Operand std=1, int[]? size=None, *, Generator? generator=None, Tensor? out=None, dtype? dtype=None, str? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False',
  (...bound: readonly unknown[]) => {
    const [mean, std, size, generator, out] = bound as [
      Tensor | number,
      Tensor | number,
      number[] | null,
      Generator | null,
      Tensor | null,
    ];
    if (mean instanceof Tensor || std instanceof Tensor) return normalOf(mean, std, generator, out);
    if (size === null)
      throw new TypeError(
        'normal() received an invalid combination of arguments - got (float, float), but expected one of:\n * (Tensor mean, Tensor std, *, torch.Generator generator = None, Tensor out = None)\n * (Tensor mean, float std = 1, *, torch.Generator generator = None, Tensor out = None)\n * (float mean, Tensor std, *, torch.Generator generator = None, Tensor out = None)\n * (float mean, float std, tuple of ints size, *, torch.Generator generator = None, Tensor out = None, torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, bool pin_memory = False, bool requires_grad = False)',
      );
    return normalSized(
      Number(mean),
      Number(std),
      size,
      generator,
      ...(bound.slice(4) as [Tensor | null, ...unknown[]]),
    );
  },
  { ownOut: true },
);

const normalSized = (
  mean: number,
  std: number,
  size: number[],
  generator: Generator | null,
  out: Tensor | null,
  ...rest: readonly unknown[]
): Tensor => {
  const [dtype, , device, , requires_grad] = rest as [DType | null, unknown, never, unknown, boolean];
  return sized(size, mean, std, { generator, out, dtype, device, requires_grad });
};
const sized: (size: number[], mean: number, std: number, options: RandomOptions) => Tensor = creator(
  '_normal',
  'int[] size, float mean, float std, *, Generator? generator=None',
  (to: Target, size: number[], mean: number, std: number, generator: Generator | null) =>
    fillNormal(to.empty(size), mean, std, generator),
);

/** The forms with a tensor: standard values, stretched and moved. */
function normalOf(
  mean: Tensor | number,
  std: Tensor | number,
  generator: Generator | null,
  into: Tensor | null,
): Tensor {
  if (std instanceof Tensor) checkDeviations(std);
  else if (!(std >= 0)) throw new RuntimeError(`normal expects std >= 0.0, but found std ${cppDouble(std)}`);
  const like = (mean instanceof Tensor ? mean : std) as Tensor;
  const shape =
    mean instanceof Tensor && std instanceof Tensor ? broadcastShapes(mean.shape, std.shape) : like.shape;
  const fresh = sameSizes(shape, like.shape) ? emptyLike(like) : emptyTensor(shape, like.dtype, like.device);
  if (std instanceof Tensor) {
    fillNormal(fresh, 0, 1, generator);
    if (fresh._numel > 0) fresh.mul_(std.detach()).add_(mean instanceof Tensor ? mean.detach() : mean);
  } else {
    fillNormal(fresh, 0, std, generator);
    fresh.add_((mean as Tensor).detach());
  }
  if (into !== null) return into.resize_([...shape]).copy_(fresh);
  const name =
    mean instanceof Tensor
      ? std instanceof Tensor
        ? 'NormalBackward3'
        : 'NormalBackward1'
      : 'NormalBackward2';
  return constant(
    name,
    [mean, std].map((x) => (x instanceof Tensor ? x : null)),
    fresh,
  );
}

/** The least or largest element. */
function extreme(kernel: 'reduce_amin' | 'reduce_amax', x: Tensor): number {
  return Number(
    reduceKernel(
      kernel,
      x,
      x.shape.map((_, d) => d),
      x.dtype,
    )
      .view([])
      .item(),
  );
}

function checkDeviations(std: Tensor): void {
  if (std.dtype.is_complex) throw new RuntimeError('normal expects standard deviation to be non-complex');
  if (std._numel === 0 || std.device.type === 'meta') return;
  const least = extreme('reduce_amin', std.detach());
  if (!(least >= 0)) throw new RuntimeError('normal expects all elements of std >= 0.0');
}

/**
 * Ones with the probabilities in `input`, or with probability `p`; zeros otherwise.
 *
 *     torch.bernoulli(torch.full([4], 0.5))
 *     // tensor([1., 0., 1., 1.])
 */
export const bernoulli: Op<
  | [p?: number, options?: Out & { generator?: Generator | null }]
  | [options?: Out & { p?: number; generator?: Generator | null }],
  Tensor
> = op(
  'bernoulli',
  'Tensor self, float? p=None, *, Generator? generator=None, Tensor? out=None',
  (x: Tensor, p: number | null, generator: Generator | null) => {
    if (p === null) needsFloating('bernoulli_tensor_cpu_p_', x.dtype);
    const out = emptyTensor(x.shape, x.dtype, x.device);
    fillBernoulli(out, p ?? x, generator);
    return constant(p === null ? 'BernoulliBackward0' : 'NotImplemented', [x], out);
  },
);

/** Values of the Poisson distribution with the given rates. */
export const poisson: (input: Tensor, generator?: Generator | null) => Tensor = op(
  'poisson',
  'Tensor input, Generator? generator=None',
  (x: Tensor, generator: Generator | null) => {
    needsFloating('poisson_cpu', x.dtype);
    const out = emptyTensor(x.shape, x.dtype, x.device);
    if (
      out._numel > 0 &&
      x.device.type !== 'meta' &&
      backendOf('cpu').launch(
        'random_poisson',
        (generator ?? default_generator)._address,
        out,
        x.detach().contiguous(),
      ) === 0
    )
      throw new RuntimeError('invalid Poisson rate, expected rate to be non-negative');
    return constant('PoissonBackward0', [x], out);
  },
);

/** Values of the binomial distribution with the given counts and probabilities, which broadcast. */
export const binomial: (count: Tensor, prob: Tensor, generator?: Generator | null) => Tensor = op(
  'binomial',
  'Tensor count, Tensor prob, Generator? generator=None',
  (count: Tensor, prob: Tensor, generator: Generator | null) => {
    for (const [name, x] of [
      ['count', count],
      ['prob', prob],
    ] as const)
      if (!x.dtype.is_floating_point)
        throw new ValueError(
          `binomial only supports floating-point dtypes for ${name}, got: ${x.dtype.scalarName}`,
        );
    if (count.dtype !== prob.dtype)
      throw new RuntimeError(`Found dtype ${prob.dtype.scalarName} but expected ${count.dtype.scalarName}`);
    const shape = broadcastShapes(count.shape, prob.shape);
    const compute = count.dtype === float64 ? float64 : float32;
    const out = emptyTensor(shape, compute, count.device);
    const ready = (x: Tensor): Tensor =>
      castTo(x.detach(), compute)
        .expand([...shape])
        .contiguous();
    if (out._numel > 0 && out.device.type !== 'meta')
      backendOf('cpu').launch(
        'random_binomial',
        (generator ?? default_generator)._address,
        out,
        ready(count),
        ready(prob),
      );
    return constant('NotImplemented', [count, prob], castTo(out, count.dtype));
  },
);

/** @internal Values of the gamma distribution of scale 1 with the given shapes (`torch._standard_gamma`). */
export function standardGamma(alpha: Tensor, generator: Generator | null = null): Tensor {
  needsFloating('gamma_cpu', alpha.dtype);
  const out = emptyTensor(alpha.shape, alpha.dtype, alpha.device);
  if (out._numel > 0 && out.device.type !== 'meta')
    backendOf('cpu').launch(
      'random_gamma',
      (generator ?? default_generator)._address,
      out,
      alpha.detach().contiguous(),
    );
  return out;
}

/** @internal Values of the Dirichlet distribution, one per row of concentrations (`torch._sample_dirichlet`). */
export function sampleDirichlet(alpha: Tensor, generator: Generator | null = null): Tensor {
  if (alpha.dtype !== float32 && alpha.dtype !== float64)
    throw new NotImplementedError(`"dirichlet" not implemented for '${alpha.dtype.scalarName}'`);
  const out = emptyTensor(alpha.shape, alpha.dtype, alpha.device);
  if (out._numel > 0 && out.device.type !== 'meta')
    backendOf('cpu').launch(
      'random_dirichlet',
      (generator ?? default_generator)._address,
      out,
      alpha.detach().contiguous(),
    );
  return out;
}

/**
 * Indices drawn with probabilities proportional to the rows of `input`.
 *
 *     torch.multinomial(torch.tensor([0.1, 0.9]), 3, true)
 *     // tensor([1, 1, 1])
 */
export const multinomial: Op<
  | [num_samples: number, replacement?: boolean, options?: Out & { generator?: Generator | null }]
  | [num_samples: number, options?: Out & { replacement?: boolean; generator?: Generator | null }],
  Tensor
> = op(
  'multinomial',
  'Tensor self, int num_samples, bool replacement=False, *, Generator? generator=None, Tensor? out=None',
  (x: Tensor, count: number, replacement: boolean, generator: Generator | null) => {
    const columns = x.shape[x.shape.length - 1];
    if (x.shape.length < 1 || x.shape.length > 2) throw new RuntimeError('prob_dist must be 1 or 2 dim');
    if (!x.dtype.is_floating_point)
      throw new RuntimeError(
        `multinomial only supports floating-point dtypes for input, got: ${x.dtype.scalarName}`,
      );
    if (count <= 0) throw new RuntimeError('cannot sample n_sample <= 0 samples');
    if (!replacement && count > columns)
      throw new RuntimeError('cannot sample n_sample > prob_dist.size(-1) samples without replacement');
    const out = emptyTensor([...x.shape.slice(0, -1), count], int64, x.device);
    if (out._numel === 0 || out.device.type === 'meta') return out;
    const p = x.detach().contiguous();
    checkDistribution(p, replacement && count > 1);
    backendOf('cpu').launch(
      'random_multinomial',
      (generator ?? default_generator)._address,
      out,
      p,
      replacement,
    );
    return out;
  },
);

function checkDistribution(p: Tensor, inverse: boolean): void {
  const least = extreme('reduce_amin', p);
  const most = extreme('reduce_amax', p);
  if (!(least >= 0) || !(most < Number.POSITIVE_INFINITY)) {
    // Repeated draws with replacement go another way in PyTorch, with other words.
    if (!inverse) throw new RuntimeError('probability tensor contains either `inf`, `nan` or element < 0');
    throw new RuntimeError(
      `invalid multinomial distribution (encountering probability entry ${least >= 0 ? '= infinity or NaN' : '< 0'})`,
    );
  }
  if (!(extreme('reduce_amin', p.sum(-1)) > 0))
    throw new RuntimeError('invalid multinomial distribution (sum of probabilities <= 0)');
}
