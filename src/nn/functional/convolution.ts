// The three products of a convolution (output, gradient of the input, gradient of the weight) on the back end's
// kernels. Each is linear in both operands and the derivatives of one are the others, so every order of derivative works.
import { record } from '../../autograd/graph.js';
import { unrecorded } from '../../autograd/modes.js';
import { backendOf } from '../../backends/backend.js';
import { alias, empty } from '../../dispatch/allocate.js';
import { type DType, int64 } from '../../dtype.js';
import { add, sub } from '../../ops/arithmetic.js';
import { castTo, contiguous } from '../../ops/copy.js';
import { complex } from '../../ops/table.js';
import { contiguousStrides, type Tensor } from '../../tensor.js';
import { inSpace, type Windows } from './windows.js';

const NODE = 'ConvolutionBackwardBackward0';

/** The conjugate of complex operands: derivatives of products take it. */
export const conjugate = (x: Tensor): Tensor => (x.is_complex() ? x.conj() : x);

/** A contiguous tensor with its spatial dimensions filled up to three. */
function volumes(x: Tensor): Tensor {
  const [n, c, ...spatial] = x.shape;
  const shape = [n, c, ...inSpace(spatial, 1)];
  return alias(x, shape, contiguousStrides(shape), x._offset, true);
}

const numbers = (w: Windows, groups: number): number[] => [
  groups,
  ...inSpace(w.stride, 1),
  ...inSpace(w.before, 0),
  ...inSpace(w.dilation, 1),
];

/** Calls one kernel on real operands; integers narrower than int64 are summed as int64. */
function run(
  kernel: string,
  shape: readonly number[],
  a: Tensor,
  b: Tensor,
  bias: readonly (readonly [Tensor] | null)[],
  settings: readonly number[],
): Tensor {
  const type: DType = a.dtype.is_floating_point ? a.dtype : int64;
  const ready = (x: Tensor): Tensor => contiguous(castTo(x.detach(), type));
  const [left, right] = [ready(a), ready(b)];
  const offset = bias.map((x) => (x === null ? null : ([ready(x[0])] as const)));
  const out = empty(shape, type, a.device);
  if (out._numel > 0)
    backendOf(a.device.type).launch(
      kernel,
      volumes(out),
      volumes(left),
      volumes(right),
      ...offset,
      ...settings,
    );
  return castTo(out, a.dtype);
}

/** A product of complex operands by three real ones. */
function product(a: Tensor, b: Tensor, real: (a: Tensor, b: Tensor) => Tensor): Tensor {
  if (!a.is_complex()) return real(a, b);
  const [x, y, u, v] = [a.real, a.imag, b.real, b.imag];
  const [first, second] = [real(x, u), real(y, v)];
  return complex(sub(first, second), sub(sub(real(add(x, y), add(u, v)), first), second));
}

function withBias(
  kernel: string,
  shape: readonly number[],
  a: Tensor,
  b: Tensor,
  bias: Tensor | null,
  settings: readonly number[],
): Tensor {
  if (!a.is_complex()) return run(kernel, shape, a, b, [bias === null ? null : [bias]], settings);
  const out = product(a, b, (p, q) => run(kernel, shape, p, q, [null], settings));
  return bias === null ? out : add(out, bias.reshape([-1, ...shape.slice(2).map(() => 1)]));
}

/** Windows of x [N, C, image...] times weight [O, C / groups, kernel...]: [N, O, count...]. The bias has no derivative here. */
export function convForward(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  w: Windows,
  groups: number,
): Tensor {
  const shape = [x.shape[0], weight.shape[0], ...w.count];
  const out = unrecorded(() => withBias('conv_forward', shape, x, weight, bias, numbers(w, groups)));
  record(NODE, [x, weight], [out], (save) => {
    const [input, kernel] = [save(x), save(weight)];
    const size = weight.shape;
    return ([g], needs) => [
      needs(0) && g !== null ? convGradInput(g, conjugate(kernel()), null, w, groups) : null,
      needs(1) && g !== null ? convGradWeight(g, conjugate(input()), size, w, groups) : null,
    ];
  });
  return out;
}

/** The transpose in x: grad [N, O, count...] times weight, added up to [N, C, image...]. The bias has no derivative here. */
export function convGradInput(
  grad: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  w: Windows,
  groups: number,
): Tensor {
  const shape = [grad.shape[0], weight.shape[1] * groups, ...w.image];
  const out = unrecorded(() => withBias('conv_grad_input', shape, grad, weight, bias, numbers(w, groups)));
  record(NODE, [grad, weight], [out], (save) => {
    const [incoming, kernel] = [save(grad), save(weight)];
    const size = weight.shape;
    return ([g], needs) => [
      needs(0) && g !== null ? convForward(g, conjugate(kernel()), null, w, groups) : null,
      needs(1) && g !== null ? convGradWeight(conjugate(incoming()), g, size, w, groups) : null,
    ];
  });
  return out;
}

/** The transpose in the weight: grad [N, O, count...] times windows of x, summed to `shape` [O, C / groups, kernel...]. */
export function convGradWeight(
  grad: Tensor,
  x: Tensor,
  shape: readonly number[],
  w: Windows,
  groups: number,
): Tensor {
  const settings = numbers(w, groups);
  const out = unrecorded(() =>
    product(grad, x, (p, q) => run('conv_grad_weight', shape, p, q, [], settings)),
  );
  record(NODE, [grad, x], [out], (save) => {
    const [incoming, input] = [save(grad), save(x)];
    return ([g], needs) => [
      needs(0) && g !== null ? convForward(conjugate(input()), g, null, w, groups) : null,
      needs(1) && g !== null ? convGradInput(conjugate(incoming()), g, null, w, groups) : null,
    ];
  });
  return out;
}
