// torch.func: Jacobian-vector products and Jacobians, by double backward; Hessians.
import { checkDirection, inLevel, linearMap } from '../autograd/levels.js';
import { typeName } from '../dispatch/schema.js';
import { RuntimeError } from '../errors.js';
import { eye } from '../ops/create.js';
import { stack } from '../ops/join.js';
import { zeros_like } from '../ops/like.js';
import { Tensor } from '../tensor.js';
import {
  type AnyFunction,
  type ArgNums,
  choose,
  outputTensors,
  type Picked,
  refuseComplex,
  splitAux,
  withOptions,
} from './arguments.js';
import { type Jacobian, jacrev } from './reverse.js';
import { type Flat, flatten, mapTensors } from './tree.js';

const API = 'jvp(f, primals, tangents)';

/** A call of a function, and its derivative along directions. */
interface Linearized {
  readonly output: unknown;
  readonly flat: Flat;
  readonly aux: unknown;
  readonly inputs: readonly Tensor[];
  readonly inputTree: Flat;
  /** Null for outputs that depend on no input. */
  readonly push: (directions: readonly Tensor[], retain: boolean) => (Tensor | null)[];
}

function linearized(
  func: AnyFunction,
  args: readonly unknown[],
  argnums: ArgNums | null,
  has_aux: boolean,
): Linearized {
  return inLevel((level) => {
    const chosen = choose(args, argnums);
    const inputs = chosen.tensors.map((x) => level.enter(x));
    const [output, aux] = splitAux(API, func(...chosen.replaced(inputs)), has_aux);
    const { flat, tensors } = outputTensors(API, output);
    const map = linearMap(tensors, inputs);
    const recorded = level.depends(tensors);
    return {
      output: flat.build(tensors.map((x) => level.leave(x))),
      flat,
      aux: mapTensors(aux, (x) => level.leave(x)),
      inputs: chosen.tensors,
      inputTree: chosen.flat,
      push: (directions, retain) => {
        const create = recorded || (level.recorded && directions.some((t) => t.requires_grad));
        return map(directions, create, retain || create).map((t) => (t === null ? null : level.leave(t)));
      },
    };
  });
}

/** Zeros for outputs that depend on no input. */
function filled(call: Linearized, tangents: readonly (Tensor | null)[]): unknown {
  const outputs = flatten(call.output).leaves as readonly Tensor[];
  return call.flat.build(tangents.map((t, i) => t ?? zeros_like(outputs[i])));
}

interface JvpOptions {
  /** Fail when an output does not depend on the inputs. */
  strict?: boolean;
  has_aux?: boolean;
}

/**
 * The output of `func` at the primals, and its derivative along the tangents, in the structure of the output.
 * @throws RuntimeError when primals and tangents differ in structure, or sizes.
 */
export function jvp<A extends readonly unknown[], O>(
  func: (...args: A) => O,
  primals: A,
  tangents: A,
  options?: { strict?: boolean; has_aux?: false },
): [output: O, tangent: O];
export function jvp<A extends readonly unknown[], O, X>(
  func: (...args: A) => readonly [output: O, aux: X],
  primals: A,
  tangents: A,
  options: { strict?: boolean; has_aux: true },
): [output: O, tangent: O, aux: X];
export function jvp(
  func: unknown,
  primals: readonly unknown[],
  tangents: readonly unknown[],
  options: JvpOptions = {},
): unknown[] {
  const { strict = false, has_aux = false } = options;
  if (!Array.isArray(primals))
    throw new RuntimeError(
      `${API}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).`,
    );
  const directions = fitting(flatten(primals), flatten(tangents));
  const call = linearized(func as AnyFunction, primals, null, has_aux);
  const found = call.push(directions, false);
  if (strict && found.includes(null))
    throw new RuntimeError(
      'jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed with strict=True.',
    );
  const tangent = filled(call, found);
  return has_aux ? [call.output, tangent, call.aux] : [call.output, tangent];
}

/** The tangents' tensors. @throws RuntimeError when they do not fit the primals. */
function fitting(primals: Flat, tangents: Flat): readonly Tensor[] {
  if (primals.spec !== tangents.spec)
    throw new RuntimeError(
      `${API}: Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with structure ${primals.spec} and tangents with structure ${tangents.spec}`,
    );
  for (const [what, { leaves }] of [
    ['primals', primals],
    ['tangents', tangents],
  ] as const) {
    if (leaves.length === 0)
      throw new RuntimeError(`${API}: Expected ${what} to contain at least one Tensor.`);
    for (const x of leaves)
      if (!(x instanceof Tensor))
        throw new RuntimeError(`${API}: Expected ${what} to only contain Tensors, got ${typeName(x)}`);
  }
  primals.leaves.forEach((x, i) => {
    checkDirection(x as Tensor, tangents.leaves[i] as Tensor);
  });
  return tangents.leaves as readonly Tensor[];
}

/**
 * The output of `func` at the primals, and a function that computes its derivative there along any tangents: the
 * function itself runs once.
 */
export function linearize<A extends readonly unknown[], O>(
  func: (...args: A) => O,
  ...primals: A
): [output: O, jvp: (...tangents: A) => O] {
  const call = linearized(func as unknown as AnyFunction, primals, null, false);
  const push = (...tangents: A): O => {
    const given = flatten(tangents);
    if (given.spec !== call.inputTree.spec)
      throw new RuntimeError(
        `Expected the tangents to have the same python structure as the primals. Got ${given.spec}, expected ${call.inputTree.spec}`,
      );
    const directions = given.leaves as readonly Tensor[];
    directions.forEach((t, i) => {
      checkTangent(call.inputs[i], t, i);
    });
    return filled(call, call.push(directions, true)) as O;
  };
  return [call.output as O, push];
}

function checkTangent(x: Tensor, t: Tensor, i: number): void {
  for (const key of ['shape', 'device', 'dtype'] as const)
    if (String(t[key]) !== String(x[key]))
      throw new RuntimeError(
        `tangent:${i} with ${key} ${t[key]} in flattened pytree doesn't match the ${key} ${x[key]} of the corresponding primal.`,
      );
}

interface JacobianOptions<N extends ArgNums> {
  argnums?: N;
  has_aux?: boolean;
  randomness?: 'error' | 'same' | 'different';
}

/**
 * A function that computes the Jacobian of `func` column by column, in the form of {@link jacrev}: for functions with
 * more outputs than inputs.
 */
export function jacfwd<A extends readonly unknown[], O, const N extends ArgNums = 0>(
  func: (...args: A) => O,
  ...given: [argnums: N, has_aux?: boolean] | [options?: JacobianOptions<N>]
): (...args: A) => Jacobian<O, Picked<A, N>> {
  const { values, options } = withOptions<{ argnums: ArgNums; has_aux: boolean; randomness: string }>(given, [
    'argnums',
    'has_aux',
    'randomness',
  ]);
  const argnums = options.argnums ?? (values[0] as ArgNums | undefined) ?? 0;
  const has_aux = options.has_aux ?? (values[1] as boolean | undefined) ?? false;
  return ((...args: readonly unknown[]) => {
    refuseComplex('jacfwd', flatten(args).leaves, 'inputs');
    const call = linearized(func as unknown as AnyFunction, args, argnums, has_aux);
    const outputs = flatten(call.output).leaves as readonly Tensor[];
    refuseComplex('jacfwd', outputs, 'outputs');
    const byInput = call.inputs.map((_, i) => columnsOf(call, outputs, i));
    const result = call.flat.build(outputs.map((_, o) => call.inputTree.build(byInput.map((c) => c[o]))));
    return has_aux ? [result, call.aux] : result;
  }) as never;
}

/** For each output the Jacobian by one input. */
function columnsOf(call: Linearized, outputs: readonly Tensor[], i: number): Tensor[] {
  const x = call.inputs[i];
  const basis = eye(x._numel, { dtype: x.dtype, device: x.device }).view([x._numel, ...x.shape]);
  const zeros = call.inputs.map((input) => zeros_like(input));
  const columns = Array.from({ length: x._numel }, (_, k) =>
    call.push(
      zeros.map((z, j) => (j === i ? basis.select(0, k) : z)),
      true,
    ),
  );
  return outputs.map((out, o) =>
    columns.length === 0
      ? out.new_zeros([...out.shape, ...x.shape])
      : stack(
          columns.map((column) => column[o] ?? zeros_like(out)),
          -1,
        ).view([...out.shape, ...x.shape]),
  );
}

/** A function that computes the Hessian of `func`, which returns one number, by the arguments `argnums`. */
export function hessian<A extends readonly unknown[], O, const N extends ArgNums = 0>(
  func: (...args: A) => O,
  argnums: N | { argnums?: N } = 0 as N,
): (...args: A) => Jacobian<Jacobian<O, Picked<A, N>>, Picked<A, N>> {
  const numbers = (typeof argnums === 'object' && 'argnums' in argnums ? argnums.argnums : argnums) as N;
  // Two backward passes: forward over reverse would take three here.
  return jacrev(jacrev(func, { argnums: numbers }), { argnums: numbers }) as never;
}
