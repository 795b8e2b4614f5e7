// gradcheck: analytical gradients against finite differences.
import { alias } from '../dispatch/allocate.js';
import { float64 } from '../dtype.js';
import { NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { castTo } from '../ops/copy.js';
import { tensor } from '../ops/data.js';
import { sameSizes, Tensor } from '../tensor.js';
import { warn } from '../warnings.js';
import { grad } from './backward.js';
import { graphMath, record } from './graph.js';
import { enable_grad, no_grad } from './modes.js';

/** What {@link gradcheck} throws when gradients differ. */
export class GradcheckError extends RuntimeError {
  override name = 'GradcheckError';
}

export interface GradcheckOptions {
  /** Step of the finite differences. */
  eps?: number;
  atol?: number;
  rtol?: number;
  /** Throw when the check fails (the default), rather than return false. */
  raise_exception?: boolean;
  /** How much two runs of backward may differ. */
  nondet_tol?: number;
  /** Also check that missing gradients of outputs count as zeros. */
  check_undefined_grad?: boolean;
  /** Also check that gradients have the dtypes of their inputs. */
  check_grad_dtypes?: boolean;
  /** Taken for compatibility: the whole Jacobian is computed either way. */
  fast_mode?: boolean;
  /** Taken for compatibility: without meaning for dense tensors. */
  masked?: boolean;
}

/** A function to check: of tensors and other arguments, to tensors. */
export type Checkable<A extends readonly unknown[]> = (...inputs: A) => Tensor | readonly Tensor[];

const listOf = (x: Tensor | readonly Tensor[]): readonly Tensor[] => (x instanceof Tensor ? [x] : x);
const needsGrad = (x: unknown): x is Tensor => x instanceof Tensor && x.requires_grad;

/** A Jacobian: `rows` elements of the input by `columns` elements of the output. */
class Jacobian {
  readonly values: Float64Array;
  constructor(
    readonly rows: number,
    readonly columns: number,
  ) {
    this.values = new Float64Array(rows * columns);
  }
  toString(): string {
    return String(tensor(this.values).view(this.rows, this.columns));
  }
}

const numbers = (x: Tensor): Float64Array => castTo(x.detach(), float64).toTypedArray() as Float64Array;

/**
 * Checks the gradients of `func` at `inputs` (a tensor, or the list of its arguments) with respect to those that
 * require gradients, against central differences. Made for float64; complex tensors are refused.
 * @returns true when all agree within `atol + rtol * |numerical|`; false otherwise, or it throws.
 * @throws GradcheckError that shows both Jacobians.
 */
export function gradcheck<A extends readonly unknown[]>(
  func: Checkable<A>,
  inputs: readonly [...A],
  options?: GradcheckOptions,
): boolean;
export function gradcheck(func: Checkable<[Tensor]>, inputs: Tensor, options?: GradcheckOptions): boolean;
export function gradcheck(
  func: unknown,
  inputs: Tensor | readonly unknown[],
  options: GradcheckOptions = {},
): boolean {
  const args = inputs instanceof Tensor ? [inputs] : inputs;
  try {
    return enable_grad(() => check(func as Checkable<readonly unknown[]>, args, options));
  } catch (error) {
    if (error instanceof GradcheckError && options.raise_exception === false) return false;
    throw error;
  }
}

function check(
  func: Checkable<readonly unknown[]>,
  args: readonly unknown[],
  options: GradcheckOptions,
): boolean {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  checkInputs(args);
  const run = (): readonly Tensor[] => listOf(func(...args));
  const all = run();
  const inputs = args.filter(needsGrad);
  const numerical = inputs.map((x) => numericalJacobians(run, all, x, eps));
  const outputs = all.filter((o) => o.requires_grad);
  if (outputs.length === 0) {
    if (numerical.some((perOutput) => perOutput.some((j) => j.values.some((v) => v !== 0))))
      throw new GradcheckError('Numerical gradient for function expected to be zero');
    return true;
  }
  const places = all.flatMap((o, i) => (o.requires_grad ? [i] : []));
  outputs.forEach((output, i) => {
    const analytical = analyticalJacobians(output, inputs, options);
    analytical.forEach((a, j) => {
      const n = numerical[j][places[i]];
      if (!allClose(a, n, rtol, atol))
        throw new GradcheckError(
          `Jacobian mismatch for output ${i} with respect to input ${j},\nnumerical:${n}\nanalytical:${a}\n`,
        );
    });
  });
  checkLinear(outputs, inputs);
  if (options.check_undefined_grad ?? true) checkUndefined(run, outputs.length, inputs);
  return true;
}

function checkInputs(args: readonly unknown[]): void {
  args.forEach((x, i) => {
    if (!needsGrad(x)) return;
    if (x.dtype.is_complex) throw new NotImplementedError('gradcheck of complex tensors');
    if (x.dtype !== float64)
      warn(
        `Input #${i} requires gradient and is not a double precision floating point or complex. This check will likely fail if all the inputs are not of double precision floating point or complex. `,
      );
    if (x._strides.some((stride, d) => stride === 0 && x.shape[d] > 1))
      throw new RuntimeError(
        `The ${i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck.`,
      );
  });
  if (!args.some(needsGrad))
    throw new ValueError(
      'gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True.',
    );
}

/** The Jacobians of every output with respect to x, by moving each element of x both ways. */
function numericalJacobians(
  run: () => readonly Tensor[],
  outputs: readonly Tensor[],
  x: Tensor,
  eps: number,
): Jacobian[] {
  const jacobians = outputs.map((o) => new Jacobian(x._numel, o._numel));
  const evaluate = (): Float64Array[] => run().map(numbers);
  const { data } = x;
  for (let i = 0; i < x._numel; i++) {
    let offset = x._offset;
    for (let d = x.shape.length - 1, rest = i; d >= 0; d--) {
      offset += (rest % x.shape[d]) * x._strides[d];
      rest = Math.floor(rest / x.shape[d]);
    }
    const place = data.as_strided([], [], offset);
    const value = place.item() as number;
    no_grad(() => place.fill_(value + eps));
    const above = evaluate();
    no_grad(() => place.fill_(value - eps));
    const below = evaluate();
    no_grad(() => place.fill_(value));
    jacobians.forEach((j, o) => {
      for (let c = 0; c < j.columns; c++)
        j.values[i * j.columns + c] = (above[o][c] - below[o][c]) / (2 * eps);
    });
  }
  return jacobians;
}

/** The Jacobians of an output with respect to the inputs, one backward per element of the output; computed twice. */
function analyticalJacobians(
  output: Tensor,
  inputs: readonly Tensor[],
  options: GradcheckOptions,
): Jacobian[] {
  const { nondet_tol = 0, check_grad_dtypes = false } = options;
  const state = { dtypes: true, sizes: true };
  const first = jacobianRows(output.clone(), inputs, state);
  const second = jacobianRows(output.clone(), inputs, state);
  if (check_grad_dtypes && !state.dtypes) throw new GradcheckError('Gradient has dtype mismatch');
  if (!state.sizes) throw new GradcheckError('Analytical gradient has incorrect size');
  if (first.some((j, k) => j.values.some((v, i) => Math.abs(v - second[k].values[i]) > nondet_tol)))
    throw new GradcheckError(
      `Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different values, although analytical gradient matches numerical gradient.The tolerance for nondeterminism was ${Number.isInteger(nondet_tol) ? nondet_tol.toFixed(1) : nondet_tol}.`,
    );
  return first;
}

function jacobianRows(
  output: Tensor,
  inputs: readonly Tensor[],
  state: { dtypes: boolean; sizes: boolean },
): Jacobian[] {
  const jacobians = inputs.map((x) => new Jacobian(x._numel, output._numel));
  const seed = no_grad(() => graphMath.zeros(output));
  const flat = seed.view(-1);
  for (let c = 0; c < output._numel; c++) {
    no_grad(() => flat[c].fill_(1));
    const grads = grad(output, inputs, {
      grad_outputs: seed.clone(),
      retain_graph: true,
      allow_unused: true,
    });
    no_grad(() => flat[c].fill_(0));
    grads.forEach((g, k) => {
      if (g === null) return;
      if (g.dtype !== inputs[k].dtype) state.dtypes = false;
      if (!sameSizes(g.shape, inputs[k].shape)) {
        state.sizes = false;
        return;
      }
      const { values, columns } = jacobians[k];
      numbers(g).forEach((v, r) => {
        values[r * columns + c] = v;
      });
    });
  }
  return jacobians;
}

function allClose(a: Jacobian, n: Jacobian, rtol: number, atol: number): boolean {
  return a.values.every(
    (v, i) => v === n.values[i] || Math.abs(v - n.values[i]) <= atol + rtol * Math.abs(n.values[i]),
  );
}

/** Backward of zeros must be zeros, of the inputs' dtype, device and size. */
function checkLinear(outputs: readonly Tensor[], inputs: readonly Tensor[]): void {
  const zeros = outputs.map((o) => graphMath.zeros(o));
  const grads = grad(outputs, inputs, { grad_outputs: zeros, allow_unused: true, retain_graph: true });
  grads.forEach((g, i) => {
    if (g === null) return;
    if (numbers(g).some((v) => v !== 0)) throw new GradcheckError('backward not multiplied by grad_output');
    if (g.dtype !== inputs[i].dtype) throw new GradcheckError('grad is incorrect type');
    if (!g.device.equals(inputs[i].device)) throw new GradcheckError('grad is incorrect device');
    if (!sameSizes(g.shape, inputs[i].shape)) throw new GradcheckError('grad is incorrect size');
  });
}

/** The tensor through a node that passes no gradient on. */
function withoutGradient(x: Tensor): Tensor {
  const out = alias(x, x.shape, x._strides, x._offset, x._contiguous);
  record('UndefinedGradBackward', [x], [out], () => () => [null]);
  return out;
}

/** Gradients of outputs that are missing must act as zeros: all of them, and each alone. */
function checkUndefined(run: () => readonly Tensor[], count: number, inputs: readonly Tensor[]): void {
  const cases: ((i: number) => boolean)[] = [() => true];
  if (count > 1) for (let k = 0; k < count; k++) cases.push((i) => i === k);
  for (const undefinedAt of cases) {
    const outputs = run()
      .filter((o) => o.requires_grad)
      .map((o, i) => (undefinedAt(i) ? withoutGradient(o) : o));
    let grads: readonly (Tensor | null)[];
    try {
      grads = grad(outputs, inputs, {
        grad_outputs: outputs.map((o) => graphMath.zeros(o)),
        allow_unused: true,
      });
    } catch (error) {
      throw new GradcheckError(
        'Expected backward function to handle undefined output grads. Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"',
        { cause: error },
      );
    }
    if (grads.some((g) => g !== null && numbers(g).some((v) => v !== 0)))
      throw new GradcheckError(
        'Expected all input grads to be undefined or zero when all output grads are undefined or zero. Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"',
      );
  }
}

export interface GradgradcheckOptions extends GradcheckOptions {
  /** The gradients of the outputs; random ones in [-1, 1) by default. */
  grad_outputs?: Tensor | readonly Tensor[] | null;
}

/**
 * Checks second derivatives: {@link gradcheck} of the function that maps inputs and gradients of the outputs to
 * gradients of the inputs.
 */
export function gradgradcheck<A extends readonly unknown[]>(
  func: Checkable<A>,
  inputs: readonly [...A],
  options?: GradgradcheckOptions,
): boolean;
export function gradgradcheck(
  func: Checkable<[Tensor]>,
  inputs: Tensor,
  options?: GradgradcheckOptions,
): boolean;
export function gradgradcheck(
  func: unknown,
  inputs: Tensor | readonly unknown[],
  options: GradgradcheckOptions = {},
): boolean {
  const f = func as Checkable<readonly unknown[]>;
  const args = inputs instanceof Tensor ? [inputs] : inputs;
  const outputsOf = (given: readonly unknown[]): Tensor[] =>
    listOf(f(...given)).filter((o) => o.requires_grad);
  const { grad_outputs = null, ...rest } = options;
  const seeds =
    grad_outputs === null ? enable_grad(() => outputsOf(args)).map(randomSeed) : listOf(grad_outputs);
  const gradients = (...given: readonly unknown[]): Tensor[] => {
    const own = given.slice(0, args.length);
    const grads = grad(outputsOf(own), own.filter(needsGrad), {
      grad_outputs: given.slice(args.length) as Tensor[],
      create_graph: true,
      allow_unused: true,
    });
    return grads.filter((g) => g !== null);
  };
  return gradcheck(gradients, [...args, ...seeds], rest);
}

function randomSeed(output: Tensor): Tensor {
  const values = Float64Array.from({ length: output._numel }, () => 2 * Math.random() - 1);
  return castTo(tensor(values).view(output.shape), output.dtype).requires_grad_();
}
