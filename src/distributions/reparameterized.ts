// Samples of the gamma and Dirichlet distributions with gradients for their parameters (implicit reparameterization,
// Figurnov, Mohamed and Mnih 2018): dx/da = -(dF/da) / f at the sample, F and f being its distribution and density. The
// derivative of F is an integral over one side of the sample, which is computed here relative to f, so that nothing
// underflows, by the double exponential rule (Takahasi and Mori 1974).
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { float64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { mul, sub } from '../ops/arithmetic.js';
import { castTo } from '../ops/copy.js';
import { standardGamma as drawGamma, sampleDirichlet } from '../ops/random.js';
import { sum } from '../ops/reduce.js';
import type { Tensor } from '../tensor.js';

/** Points and weights of an integral over (0, infinity): u = exp(pi / 2 sinh t), t in steps of 1 / 16. */
const RULE = Array.from({ length: 129 }, (_, i) => {
  const t = (i - 64) / 16;
  const u = Math.exp((Math.PI / 2) * Math.sinh(t));
  return [u, (u * (Math.PI / 2) * Math.cosh(t)) / 16] as const;
});

/** The integral of f from 0 to infinity; f falls off at distances of `width`. */
function integral(f: (u: number) => number, width: number): number {
  let total = 0;
  for (const [u, weight] of RULE) {
    const value = f(u * width);
    if (Number.isFinite(value)) total += value * weight;
  }
  return total * width;
}

/** The logarithmic derivative of the gamma function, for positive x: by recurrence and the asymptotic series. */
function digamma(at: number): number {
  let [x, shift] = [at, 0];
  for (; x < 8; x++) shift -= 1 / x;
  const y = 1 / (x * x);
  const tail =
    y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - (y * 691) / 32760)))));
  return shift + Math.log(x) - 0.5 / x - tail;
}

/** dx/da of a sample x of the gamma distribution with shape a. */
function gammaSlope(x: number, a: number): number {
  if (!(x > 0)) return 0;
  const offset = Math.log(x) - digamma(a);
  const width = 1 / (Math.abs(a - x) + Math.sqrt(x) + Math.min(a, 1));
  if (x < a) return -x * integral((u) => (offset - u) * Math.exp(-a * u - x * Math.expm1(-u)), width);
  return x * integral((u) => (offset + u) * Math.exp(a * u - x * Math.expm1(u)), width);
}

/** dx/da / (1 - x) of a sample x of the beta distribution with parameters a and b. */
function betaSlope(x: number, a: number, b: number): number {
  if (!(x > 0 && x < 1)) return 0;
  const offset = digamma(a + b) - digamma(a);
  const rest = 1 - x;
  const spread = Math.sqrt(a + b);
  if (x < a / (a + b)) {
    const f = (u: number): number =>
      (Math.log(x) - u + offset) * Math.exp(-a * u + (b - 1) * Math.log1p((-x * Math.expm1(-u)) / rest));
    return (-x * integral(f, 1 / (Math.abs(a - x * (a + b)) / rest + spread))) / rest;
  }
  const f = (v: number): number => {
    const t = -rest * Math.expm1(-v);
    return (Math.log(x + t) + offset) * Math.exp(-b * v + (a - 1) * Math.log1p(t / x));
  };
  return integral(f, 1 / (Math.abs(b - rest * (a + b)) / x + spread));
}

/** f of the elements of tensors of one shape, in double precision. */
function elementwise(f: (...values: number[]) => number, ...tensors: readonly Tensor[]): Tensor {
  const columns = tensors.map((t) => castTo(t.detach(), float64).contiguous().toTypedArray() as Float64Array);
  const out = empty(tensors[0].shape, float64, tensors[0].device);
  backendOf('cpu').write(
    out,
    columns[0].map((_, i) => f(...columns.map((column) => column[i]))),
  );
  return castTo(out, tensors[0].dtype);
}

function notTwice(name: string, x: Tensor, inputs: readonly Tensor[]): Tensor {
  record(name, [...inputs], [x], () => () => {
    throw new RuntimeError(`the derivative for '${name}' is not implemented.`);
  });
  return x;
}

/** Samples of the gamma distribution with scale 1 and the shapes `alpha`. */
export function standardGamma(alpha: Tensor): Tensor {
  const out = drawGamma(alpha);
  record('StandardGammaBackward0', [alpha], [out], (save) => {
    const shape = save(alpha);
    const result = save(out);
    return ([g]) => {
      if (g === null) return [null];
      const slope = elementwise(gammaSlope, result(), shape());
      return [mul(g, notTwice('_standard_gamma_grad', slope, [result(), shape()]))];
    };
  });
  return out;
}

/** Samples of the Dirichlet distribution, one for each vector of concentrations. */
export function dirichletSample(concentration: Tensor): Tensor {
  const out = sampleDirichlet(concentration);
  record('_DirichletBackward', [concentration], [out], (save) => {
    const shape = save(concentration);
    const result = save(out);
    return ([g]) => {
      if (g === null) return [null];
      const [a, x] = [shape().detach(), result().detach()];
      const total = sum(a, -1, true).expand(a.shape);
      const slope = elementwise((s, p, q) => betaSlope(s, p, q - p), x, a, total);
      return [mul(slope, sub(g, sum(mul(x, g), -1, true)))];
    };
  });
  return out;
}
