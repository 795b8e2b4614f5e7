// Normalisation of channels over a batch, and over each sample.
import { record } from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import { alias, empty } from '../dispatch/allocate.js';
import { PointwiseOp } from '../dispatch/pointwise.js';
import { float32 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { e } from '../expr.js';
import { contiguousStrides, type Tensor } from '../tensor.js';
import { add, mul, rsqrt, sub } from './arithmetic.js';
import { castTo, contiguous } from './copy.js';
import { op } from './define.js';
import { sum } from './reduce.js';
import { notImplemented } from './reduce_extreme.js';
import { mean } from './reduce_mean.js';

/** What a batch normalisation works with; statistics that are tracked may be absent. */
interface BatchNorm {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly running_mean: Tensor | null;
  readonly running_var: Tensor | null;
  readonly training: boolean;
  readonly momentum: number;
  readonly eps: number;
}

const given = (x: Tensor | null): readonly [Tensor] | null => (x === null ? null : [x]);

/** The running value moved towards the batch's: (1 - momentum) running + momentum scale statistic. */
const moved = new PointwiseOp('running_statistic', {
  types: 'real',
  forward: (running, statistic, momentum, scale) =>
    e.add(e.mul(momentum, e.mul(statistic, scale)), e.mul(e.sub(1, momentum), running)),
});

/** A contiguous [N, C, …] seen as [N, C, L]. */
function asChannels(x: Tensor): Tensor {
  const [n, c] = x.shape;
  const shape = [n, c, n * c === 0 ? 0 : x._numel / (n * c)];
  return alias(x, shape, contiguousStrides(shape), x._offset, true);
}

/** A statistic or parameter is a vector of the input's dtype; float32 serves the 16-bit ones too. */
function checkVector(x: Tensor, name: string, t: Tensor): void {
  if (t.shape.length !== 1)
    throw new RuntimeError(`TensorAccessor expected 1 dims but tensor has ${t.shape.length}`);
  if (t.dtype === x.dtype || (x.dtype.itemsize === 2 && t.dtype === float32) || !x.dtype.is_floating_point)
    return;
  throw new RuntimeError(
    name.startsWith('running')
      ? `expected scalar type ${x.dtype.scalarName} but found ${t.dtype.scalarName}`
      : 'mixed dtype (CPU): expect parameter to have scalar type of Float',
  );
}

function checkVectors(x: Tensor, p: BatchNorm): void {
  if (x.shape.length < 2 && x._numel > 0)
    throw new RuntimeError(`Expected 2 or more dimensions for input, got ${x.shape.length}`);
  const channels = x.shape[1] ?? 0;
  for (const name of ['running_mean', 'running_var', 'weight', 'bias'] as const) {
    const t = p[name];
    if (t !== null && t._numel !== channels)
      throw new RuntimeError(`${name} should contain ${channels} elements not ${t._numel}`);
    if (t === null && !p.training && name.startsWith('running'))
      throw new RuntimeError(`${name} must be defined in evaluation mode`);
    if (t !== null && x._numel > 0) checkVector(x, name, t);
  }
}

const byChannel = (t: Tensor, x: Tensor): Tensor => t.reshape(x.shape.map((size, d) => (d === 1 ? size : 1)));
const otherDims = (x: Tensor): number[] => x.shape.map((_, d) => d).filter((d) => d !== 1);

/** The gradients of input, weight and bias written with ops, for higher derivatives. */
function composedGradients(
  p: BatchNorm,
  g: Tensor,
  x: Tensor,
  weight: Tensor | null,
  center: Tensor,
  rstd: Tensor,
  needs: (i: number) => boolean,
): (Tensor | null)[] {
  const dims = otherDims(x);
  const over = (t: Tensor): Tensor => mean(t, dims, true);
  const shifted = sub(x, p.training ? over(x) : byChannel(center, x));
  const scale = p.training ? rsqrt(add(over(mul(shifted, shifted)), p.eps)) : byChannel(rstd, x);
  const normal = mul(shifted, scale);
  const h = weight === null ? g : mul(g, byChannel(weight, x));
  const inner = p.training ? sub(sub(h, over(h)), mul(normal, over(mul(h, normal)))) : h;
  return [
    needs(0) ? mul(inner, scale) : null,
    needs(1) ? sum(mul(g, normal), dims) : null,
    needs(2) ? sum(g, dims) : null,
  ];
}

function kernelGradients(
  p: BatchNorm,
  g: Tensor,
  x: Tensor,
  weight: Tensor | null,
  center: Tensor,
  rstd: Tensor,
  needs: (i: number) => boolean,
): (Tensor | null)[] {
  const channels = [x.shape[1]];
  const grads = [
    needs(0) ? empty(x.shape, x.dtype, x.device) : null,
    needs(1) ? empty(channels, (weight ?? x).dtype, x.device) : null,
    needs(2) ? empty(channels, (p.bias ?? x).dtype, x.device) : null,
  ];
  backendOf(x.device.type).launch(
    'batch_norm_backward',
    grads[0] === null ? null : [asChannels(grads[0])],
    given(grads[1]),
    given(grads[2]),
    asChannels(contiguous(g)),
    asChannels(x),
    center,
    rstd,
    given(weight),
    p.training,
  );
  return grads;
}

function track(p: BatchNorm, center: Tensor, spread: Tensor, count: number): void {
  const before = mode.grad;
  mode.grad = false;
  try {
    if (p.running_mean !== null) moved.call([p.running_mean, center, p.momentum, 1], p.running_mean, true);
    if (p.running_var !== null)
      moved.call([p.running_var, spread, p.momentum, count / (count - 1)], p.running_var, true);
  } finally {
    mode.grad = before;
  }
}

/** Normalises [N, C, …] by channel: the output, and mean and reciprocal deviation where they are the batch's own. */
function normalizeBatch(input: Tensor, p: BatchNorm): [Tensor, Tensor, Tensor] {
  checkVectors(input, p);
  if (input.shape.length < 2) return [mul(input, 1), input.detach(), input.detach()];
  if (!input.dtype.is_floating_point) notImplemented('batch_norm', input.dtype);
  const x = contiguous(input);
  const type = x.dtype.itemsize < 4 ? float32 : x.dtype;
  const channels = x.shape[1];
  const out = empty(x.shape, x.dtype, x.device);
  const make = (): Tensor => empty([channels], type, x.device);
  const center = p.training ? make() : (p.running_mean as Tensor);
  const spread = p.training ? make() : (p.running_var as Tensor);
  const rstd = make();
  backendOf(x.device.type).launch(
    'batch_norm',
    asChannels(out),
    center,
    spread,
    rstd,
    asChannels(x),
    given(p.weight),
    given(p.bias),
    p.eps,
    p.training,
  );
  if (p.training && x._numel > 0) track(p, center, spread, x._numel / channels);
  record('NativeBatchNormBackward0', [x, p.weight, p.bias], [out], (save) => {
    const savedInput = save(x);
    const savedWeight = p.weight === null ? null : save(p.weight);
    return ([g], needs) => {
      if (g === null) return [null, null, null];
      const gradients = mode.grad ? composedGradients : kernelGradients;
      return gradients(p, g, savedInput(), savedWeight?.() ?? null, center, rstd, needs);
    };
  });
  const shown = p.running_mean?.dtype ?? p.weight?.dtype ?? x.dtype;
  const none = (): Tensor => empty([0], shown, x.device);
  return p.training ? [out, castTo(center, shown), castTo(rstd, shown)] : [out, none(), none()];
}

type Optional = Tensor | null;
type BatchNormParameters<R> = (
  input: Tensor,
  weight: Optional,
  bias: Optional,
  running_mean: Optional,
  running_var: Optional,
  training: boolean,
  momentum: number,
  eps: number,
  cudnn_enabled?: boolean,
) => R;

const parameters =
  'Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps';

/** Batch normalisation with its statistics: output, mean and reciprocal deviation (empty in evaluation). */
export const native_batch_norm: BatchNormParameters<[Tensor, Tensor, Tensor]> = op(
  'native_batch_norm',
  parameters,
  (
    x: Tensor,
    weight: Optional,
    bias: Optional,
    running_mean: Optional,
    running_var: Optional,
    training: boolean,
    momentum: number,
    eps: number,
  ) => normalizeBatch(x, { weight, bias, running_mean, running_var, training, momentum, eps }),
);

/** Normalises each channel of [N, C, …] over the batch, or by the running statistics in evaluation. */
export const batch_norm: BatchNormParameters<Tensor> = op(
  'batch_norm',
  `${parameters}, bool cudnn_enabled=True`,
  (
    x: Tensor,
    weight: Optional,
    bias: Optional,
    running_mean: Optional,
    running_var: Optional,
    training: boolean,
    momentum: number,
    eps: number,
  ) => normalizeBatch(x, { weight, bias, running_mean, running_var, training, momentum, eps })[0],
);

/** Normalises each channel of each sample: a batch normalisation of [1, N C, …]. */
export const instance_norm: BatchNormParameters<Tensor> = op(
  'instance_norm',
  'Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled=True',
  (
    x: Tensor,
    weight: Optional,
    bias: Optional,
    running_mean: Optional,
    running_var: Optional,
    training: boolean,
    momentum: number,
    eps: number,
  ) => {
    if (!training && (running_mean === null || running_var === null))
      throw new RuntimeError(
        'Expected running_mean and running_var to be defined when use_input_stats is false',
      );
    const [n, c] = x.shape;
    const each = (t: Optional): Optional => (t === null ? null : t.repeat(n));
    const running = {
      mean: each(running_mean?.detach() ?? null),
      variance: each(running_var?.detach() ?? null),
    };
    const flat = contiguous(x).reshape([1, n * c, ...x.shape.slice(2)]);
    const out = normalizeBatch(flat, {
      weight: each(weight),
      bias: each(bias),
      running_mean: running.mean,
      running_var: running.variance,
      training,
      momentum,
      eps,
    })[0];
    if (training) {
      if (running_mean !== null && running.mean !== null)
        running_mean.detach().copy_(mean(running.mean.reshape([n, c]), 0));
      if (running_var !== null && running.variance !== null)
        running_var.detach().copy_(mean(running.variance.reshape([n, c]), 0));
    }
    return out.reshape([...x.shape]);
  },
);
