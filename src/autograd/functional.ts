// torch.autograd.functional: Jacobians, Hessians and their products, by (double) backward.

import { typeName } from '../dispatch/schema.js';
import { NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { sizeText } from '../pyformat.js';
import { sameSizes, Tensor } from '../tensor.js';
import { grad } from './backward.js';
import { graphMath } from './graph.js';
import { enable_grad } from './modes.js';

type One = Tensor;
type Many = readonly Tensor[];
type Given = One | Many;
type Grads = readonly (Tensor | null)[];

/** A function of one tensor, or of several. */
type Func<I extends Given, O extends Given = Given> = (...inputs: I extends Many ? I : [I & Tensor]) => O;

export interface FunctionalOptions {
  /** Whether the results can be differentiated further. */
  create_graph?: boolean;
  /** Fail, rather than return zeros, when an output does not depend on an input. */
  strict?: boolean;
}

const isList = (x: Given): x is Many => !(x instanceof Tensor);

function asList(x: unknown, arg: string, fn: string): Many {
  const list: readonly unknown[] = Array.isArray(x) ? x : [x];
  list.forEach((el, i) => {
    if (el instanceof Tensor) return;
    const what = Array.isArray(x) ? `value at index ${i}` : `given ${arg}`;
    throw new TypeError(
      `The ${arg} given to ${fn} must be either a Tensor or a tuple of Tensors but the ${what} has type <class '${typeName(el)}'>.`,
    );
  });
  return list as Many;
}

/** The inputs as new tensors, connected to the given ones when a graph is wanted. */
function enter(inputs: Many, createGraph: boolean): Tensor[] {
  return inputs.map((x) => (createGraph && x.requires_grad ? x.view(x.shape) : x.detach().requires_grad_()));
}

function leave(x: Tensor, createGraph: boolean): Tensor {
  return createGraph ? x : x.detach();
}

/** Gradients of those outputs that have any. */
function gradsOf(outputs: Many, inputs: Many, seeds: Many | null, create: boolean, retain = create): Grads {
  const kept = outputs.flatMap((o, i) => (o.requires_grad ? [i] : []));
  if (kept.length === 0) return inputs.map(() => null);
  return grad(
    kept.map((i) => outputs[i]),
    inputs,
    {
      grad_outputs: seeds === null ? null : kept.map((i) => seeds[i]),
      allow_unused: true,
      create_graph: create,
      retain_graph: retain,
    },
  );
}

type Stage = 'back' | 'back_trick' | 'double_back' | 'double_back_trick';

const independent: Readonly<Record<Stage, (i: number) => string>> = {
  back: (i) =>
    `The output of the user-provided function is independent of input ${i}. This is not allowed in strict mode.`,
  back_trick: (i) =>
    `The gradient with respect to the input is independent of entry ${i} in the grad_outputs when using the double backward trick to compute forward mode gradients. This is not allowed in strict mode.`,
  double_back: (i) =>
    `The jacobian of the user-provided function is independent of input ${i}. This is not allowed in strict mode.`,
  double_back_trick: (i) =>
    `The hessian of the user-provided function is independent of entry ${i} in the grad_jacobian. This is not allowed in strict mode as it prevents from using the double backward trick to replace forward mode AD.`,
};

/** Zeros where there is no gradient. @throws RuntimeError in strict mode. */
function filled(grads: Grads, like: Many, strict: boolean, create: boolean, stage: Stage): Tensor[] {
  return grads.map((g, i) => {
    if (g === null) {
      if (strict) throw new RuntimeError(independent[stage](i));
      return graphMath.zeros(like[i]);
    }
    if (strict && create && !g.requires_grad) {
      const what = stage.startsWith('double') ? 'hessian' : 'jacobian';
      throw new RuntimeError(
        `The ${what} of the user-provided function is independent of input ${i}. This is not allowed in strict mode when create_graph=True.`,
      );
    }
    return g;
  });
}

function checkOutputs(outputs: Many, strict: boolean): void {
  const i = strict ? outputs.findIndex((o) => !o.requires_grad) : -1;
  if (i >= 0)
    throw new RuntimeError(
      `Output ${i} of the user-provided function does not require gradients. The outputs must be computed in a differentiable manner from the input when running in strict mode.`,
    );
}

function checkGrads(grads: Grads, strict: boolean): void {
  if (!strict) return;
  grads.forEach((g, i) => {
    if (g === null) throw new RuntimeError(independent.back(i));
    if (!g.requires_grad)
      throw new RuntimeError(
        `The gradient with respect to input ${i} is independent of the inputs of the user-provided function. This is not allowed in strict mode.`,
      );
  });
}

/** The gradient of a function whose Hessian is taken. @throws RuntimeError in strict mode, where it is constant. */
function gradientOf(out: Tensor, xs: Many, strict: boolean): Tensor[] {
  checkOutputs([out], strict);
  return gradsOf([out], xs, null, true).map((g, i) => {
    if (strict && g === null) throw new RuntimeError(independent.back(i));
    if (strict && g?.requires_grad === false)
      throw new RuntimeError(
        `While computing the hessian, found that the jacobian of the user-provided function with respect to input ${i} is independent of the input. This is not allowed in strict mode. You should ensure that your function is twice differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for example).`,
      );
    return g ?? graphMath.zeros(xs[i]);
  });
}

/** @throws RuntimeError when the vector does not fit. */
function checkVector(v: Many, other: Many, tuple: boolean): void {
  if (v.length !== other.length)
    throw new RuntimeError(
      tuple
        ? `v is a tuple of invalid length: should be ${other.length} but got ${v.length}.`
        : 'The given v should contain a single Tensor.',
    );
  v.forEach((x, i) => {
    if (!sameSizes(x.shape, other[i].shape))
      throw new RuntimeError(
        `${tuple ? `Entry ${i} in ` : ''}v has invalid size: should be ${sizeText(other[i].shape)} but got ${sizeText(x.shape)}.`,
      );
  });
}

/** The vector of a product: ones when none is given and there is one element. */
function vectorFor(v: Given | null, like: Many, tuple: boolean, name: string, what: string): Many {
  if (v === null) {
    if (like.length !== 1 || like[0]._numel !== 1) throw new RuntimeError(what);
    return [graphMath.ones(like[0])];
  }
  const list = asList(v, 'v', name);
  checkVector(list, like, tuple);
  return list;
}

const scalarOutput =
  'The vector v can only be None if the user-provided function returns a single Tensor with a single element.';
const scalarInput =
  'The vector v can only be None if the input to the user-provided function is a single Tensor with a single element.';

function call<I extends Given>(func: Func<I>, inputs: Many, name: string): { outputs: Many; tuple: boolean } {
  const result = (func as unknown as (...args: Many) => Given)(...inputs);
  return { outputs: asList(result, 'outputs of the user-provided function', name), tuple: isList(result) };
}

/** The one output of a function whose Hessian is taken. */
function scalarOf<I extends Given>(func: Func<I>, inputs: Many, name: string): Tensor {
  const { outputs, tuple } = call(func, inputs, name);
  if (tuple || outputs.length !== 1)
    throw new RuntimeError(`The function given to ${name} should return a single Tensor`);
  if (outputs[0]._numel !== 1)
    throw new RuntimeError(
      'The Tensor returned by the function given to hvp should contain a single element'.replace('hvp', name),
    );
  return outputs[0];
}

/** Results in the form of what they belong to: one tensor, or a list. */
type Like<T extends Given, R> = T extends Many ? R[] : R;

/**
 * The product of a vector `v` (as the outputs are) with the Jacobian of `func` at the inputs.
 * @returns the outputs, and the products, one per input.
 */
export function vjp<I extends Given, O extends Given>(
  func: Func<I, O>,
  inputs: I,
  v: Given | null = null,
  options: FunctionalOptions = {},
): [O, Like<I, Tensor>] {
  const { create_graph: create = false, strict = false } = options;
  return enable_grad(() => {
    const xs = enter(asList(inputs, 'inputs', 'vjp'), create);
    const { outputs, tuple } = call(func, xs, 'vjp');
    checkOutputs(outputs, strict);
    const seeds = vectorFor(v, outputs, tuple, 'vjp', scalarOutput);
    const grads = filled(gradsOf(outputs, xs, seeds, create), xs, strict, create, 'back');
    return pack(outputs, tuple, grads, isList(inputs), create) as [O, Like<I, Tensor>];
  });
}

function pack(
  outputs: Many,
  outTuple: boolean,
  results: Many,
  tuple: boolean,
  create: boolean,
): [Given, Given] {
  const out = outputs.map((o) => leave(o, create));
  const res = results.map((r) => leave(r, create));
  return [outTuple ? out : out[0], tuple ? res : res[0]];
}

/**
 * The product of the Jacobian of `func` at the inputs with a vector `v` (as the inputs are), by double backward.
 * @returns the outputs, and the products, one per output.
 */
export function jvp<I extends Given, O extends Given>(
  func: Func<I, O>,
  inputs: I,
  v: Given | null = null,
  options: FunctionalOptions = {},
): [O, Like<O, Tensor>] {
  const { create_graph: create = false, strict = false } = options;
  return enable_grad(() => {
    const xs = enter(asList(inputs, 'inputs', 'jvp'), create);
    const direction = vectorFor(v, xs, isList(inputs), 'jvp', scalarInput);
    const { outputs, tuple } = call(func, xs, 'jvp');
    checkOutputs(outputs, strict);
    // The gradient is linear in the seeds: differentiated by them along v, it gives the product.
    const seeds = outputs.map((o) => graphMath.ones(o).requires_grad_());
    const grads = gradsOf(outputs, xs, seeds, true);
    checkGrads(grads, strict);
    const live = grads.flatMap((g, i) => (g === null ? [] : [i]));
    const products = gradsOf(
      live.map((i) => grads[i] as Tensor),
      seeds,
      live.map((i) => direction[i]),
      create,
    );
    const results = filled(products, outputs, strict, create, 'back_trick');
    return pack(outputs, tuple, results, tuple, create) as [O, Like<O, Tensor>];
  });
}

/** The Jacobian of one output with respect to all inputs, a row per element of the output. */
function rowsOf(output: Tensor, xs: Many, strict: boolean, create: boolean): Tensor[] {
  const flat = output.reshape([-1]);
  const rows: Tensor[][] = [];
  for (let j = 0; j < output._numel; j++)
    rows.push(filled(gradsOf([flat[j]], xs, null, create, true), xs, strict, create, 'back'));
  return xs.map((x, i) => {
    const shape = [...output.shape, ...x.shape];
    return rows.length === 0
      ? graphMath.zeros({ shape, dtype: x.dtype, device: x.device })
      : stackRows(rows.map((row) => row[i])).view(shape);
  });
}

/** Rows one below the other; differentiable. */
function stackRows(rows: Many): Tensor {
  const out = graphMath.zeros({
    shape: [rows.length, ...rows[0].shape],
    dtype: rows[0].dtype,
    device: rows[0].device,
  });
  rows.forEach((row, i) => {
    out[i].copy_(row);
  });
  return out;
}

/** @throws NotImplementedError or ValueError for strategies that PyTorch refuses. */
function checkStrategy(fn: string, strategy: unknown, vectorize: boolean | undefined, create: boolean): void {
  if (strategy === undefined || strategy === 'reverse-mode') return;
  if (strategy !== 'forward-mode')
    throw new ValueError(
      `Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".`,
    );
  if (create)
    throw new NotImplementedError(
      `torch.autograd.functional.${fn}: \`create_graph=True\` and \`strategy="forward-mode"\` are not supported together (yet). Please either set \`create_graph=False\` or \`strategy="reverse-mode"\`.`,
    );
  if (!vectorize)
    throw new NotImplementedError(
      `torch.autograd.functional.${fn}: \`strategy="forward-mode"\` is only supported when \`vectorize=True\`. Please set \`vectorize=True\` or \`strategy="reverse-mode"\`.`,
    );
}

/** The Jacobian in the nesting of outputs and inputs. */
type JacobianOf<I extends Given, O extends Given> = O extends Many ? Like<I, Tensor>[] : Like<I, Tensor>;

/**
 * The Jacobian of `func` at the inputs: for each output and each input a tensor of the output's sizes followed by the
 * input's. Nested as outputs, then inputs, where these are lists.
 */
export function jacobian<I extends Given, O extends Given>(
  func: Func<I, O>,
  inputs: I,
  options: FunctionalOptions & {
    /** Accepted for PyTorch's sake. */
    vectorize?: boolean;
    /** Both give the same; forward mode needs `vectorize`, as in PyTorch. */
    strategy?: 'reverse-mode' | 'forward-mode';
  } = {},
): JacobianOf<I, O> {
  const { create_graph: create = false, strict = false } = options;
  checkStrategy('jacobian', options.strategy, options.vectorize, create);
  return enable_grad(() => {
    const xs = enter(asList(inputs, 'inputs', 'jacobian'), create);
    const { outputs, tuple } = call(func, xs, 'jacobian');
    checkOutputs(outputs, strict);
    const results = outputs.map((o) => {
      const list = rowsOf(o, xs, strict, create).map((r) => leave(r, create));
      return isList(inputs) ? list : list[0];
    });
    return (tuple ? results : results[0]) as JacobianOf<I, O>;
  });
}

/**
 * The Hessian of `func`, which returns one element, at the inputs: a tensor of the input's sizes twice, or, for
 * several inputs, a list of lists of them.
 */
export function hessian<I extends Given>(
  func: Func<I, Tensor>,
  inputs: I,
  options: FunctionalOptions & {
    vectorize?: boolean;
    outer_jacobian_strategy?: 'reverse-mode' | 'forward-mode';
  } = {},
): I extends Many ? Tensor[][] : Tensor {
  const { create_graph: create = false, strict = false } = options;
  return enable_grad(() => {
    const given = asList(inputs, 'inputs', 'hessian');
    const gradient = (...xs: Many): Many => gradientOf(scalarOf(func, xs, 'hessian'), xs, strict);
    const result = jacobian(gradient as never, given as never, {
      create_graph: create,
      strict,
    }) as unknown as Tensor[][];
    return (isList(inputs) ? result : result[0][0]) as never;
  });
}

/**
 * The product of a vector `v` with the Hessian of `func`, which returns one element.
 * @returns the output, and the products, one per input.
 */
export function vhp<I extends Given>(
  func: Func<I, Tensor>,
  inputs: I,
  v: Given | null = null,
  options: FunctionalOptions = {},
): [Tensor, Like<I, Tensor>] {
  const { create_graph: create = false, strict = false } = options;
  return enable_grad(() => {
    const xs = enter(asList(inputs, 'inputs', 'vhp'), create);
    const vector = vectorFor(v, xs, isList(inputs), 'vhp', scalarInput);
    const out = scalarOf(func, xs, 'vhp');
    const grads = gradientOf(out, xs, strict);
    const products = filled(gradsOf(grads, xs, vector, create), xs, strict, create, 'double_back');
    return pack([out], false, products, isList(inputs), create) as [Tensor, Like<I, Tensor>];
  });
}

/**
 * The product of the Hessian of `func`, which returns one element, with a vector `v`; {@link vhp} is cheaper and, the
 * Hessian being symmetric, gives the same.
 * @returns the output, and the products, one per input.
 */
export function hvp<I extends Given>(
  func: Func<I, Tensor>,
  inputs: I,
  v: Given | null = null,
  options: FunctionalOptions = {},
): [Tensor, Like<I, Tensor>] {
  const { create_graph: create = false, strict = false } = options;
  return enable_grad(() => {
    const xs = enter(asList(inputs, 'inputs', 'hvp'), create);
    const vector = vectorFor(v, xs, isList(inputs), 'hvp', scalarInput);
    const out = scalarOf(func, xs, 'hvp');
    const grads = gradientOf(out, xs, strict);
    const seeds = xs.map((x) => graphMath.ones(x).requires_grad_());
    const double = gradsOf(grads, xs, seeds, true);
    checkGrads(double, strict);
    const live = double.flatMap((g, i) => (g === null ? [] : [i]));
    const products = gradsOf(
      live.map((i) => double[i] as Tensor),
      seeds,
      live.map((i) => vector[i]),
      create,
    );
    return pack(
      [out],
      false,
      filled(products, xs, strict, create, 'double_back_trick'),
      isList(inputs),
      create,
    ) as [Tensor, Like<I, Tensor>];
  });
}
