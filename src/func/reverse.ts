// torch.func: gradients, vector-Jacobian products and Jacobians by backward.
import { inLevel, type Level, pullBack } from '../autograd/levels.js';
import { mode } from '../autograd/modes.js';
import { typeName } from '../dispatch/schema.js';
import { RuntimeError, ValueError } from '../errors.js';
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
import { flatten, mapTensors } from './tree.js';

interface GradOptions<N extends ArgNums> {
  /** Which arguments to differentiate by (default: the first). */
  argnums?: N;
  has_aux?: false;
}
interface AuxOptions<N extends ArgNums> {
  argnums?: N;
  /** The function returns `[output, aux]`; the second part is passed on. */
  has_aux: true;
}

type Bound = { argnums: ArgNums; has_aux: boolean };

function bindOptions(given: readonly unknown[]): Bound {
  const { values, options } = withOptions<Bound>(given, ['argnums', 'has_aux']);
  const [argnums = 0, has_aux = false] = values as [ArgNums?, boolean?];
  return { argnums: options.argnums ?? argnums, has_aux: options.has_aux ?? has_aux };
}

/** The gradient and the value of a function that returns one number, and what else it returns. */
function gradientAndValue(
  func: AnyFunction,
  args: readonly unknown[],
  { argnums, has_aux }: Bound,
): { gradient: unknown; value: Tensor; aux: unknown } {
  const api = 'grad_and_value(f)(*args)';
  return inLevel((level) => {
    const chosen = choose(args, argnums);
    const inputs = chosen.tensors.map((x) => level.enter(x));
    const [output, aux] = splitAux(api, func(...chosen.replaced(inputs)), has_aux);
    if (!(output instanceof Tensor))
      throw new RuntimeError(`${api}: Expected f(*args) to return a Tensor, got ${typeName(output)}`);
    if (output.ndim !== 0)
      throw new RuntimeError(
        `${api}: Expected f(*args) to return a scalar Tensor, got tensor with ${output.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?`,
      );
    const recorded = level.depends([output]);
    const grads = pullBack([output], inputs, null, recorded, recorded);
    return {
      gradient: chosen.flat.build(grads.map((g) => level.leave(g))),
      value: level.leave(output),
      aux: leaveAll(level, aux),
    };
  });
}

const leaveAll = (level: Level, tree: unknown): unknown => mapTensors(tree, (x) => level.leave(x));

/**
 * A function that computes the gradient of `func`, which returns one number, by the arguments `argnums`.
 * @throws RuntimeError (when called) for other outputs, and for arguments that are no tensors.
 */
export function grad<A extends readonly unknown[]>(func: (...args: A) => Tensor): (...args: A) => A[0];
export function grad<A extends readonly unknown[], const N extends ArgNums>(
  func: (...args: A) => Tensor,
  options: N | GradOptions<N>,
): (...args: A) => Picked<A, N>;
export function grad<A extends readonly unknown[], X, const N extends ArgNums = 0>(
  func: (...args: A) => readonly [output: Tensor, aux: X],
  options: AuxOptions<N>,
): (...args: A) => [gradient: Picked<A, N>, aux: X];
export function grad(func: unknown, ...given: readonly unknown[]): AnyFunction {
  const options = bindOptions(given);
  return (...args) => {
    const { gradient, aux } = gradientAndValue(func as AnyFunction, args, options);
    return options.has_aux ? [gradient, aux] : gradient;
  };
}

/** Like {@link grad}, for `[gradient, value]`; with `has_aux`, `[gradient, [value, aux]]`. */
export function grad_and_value<A extends readonly unknown[]>(
  func: (...args: A) => Tensor,
): (...args: A) => [gradient: A[0], value: Tensor];
export function grad_and_value<A extends readonly unknown[], const N extends ArgNums>(
  func: (...args: A) => Tensor,
  options: N | GradOptions<N>,
): (...args: A) => [gradient: Picked<A, N>, value: Tensor];
export function grad_and_value<A extends readonly unknown[], X, const N extends ArgNums = 0>(
  func: (...args: A) => readonly [output: Tensor, aux: X],
  options: AuxOptions<N>,
): (...args: A) => [gradient: Picked<A, N>, result: [value: Tensor, aux: X]];
export function grad_and_value(func: unknown, ...given: readonly unknown[]): AnyFunction {
  const options = bindOptions(given);
  return (...args) => {
    const { gradient, value, aux } = gradientAndValue(func as AnyFunction, args, options);
    return [gradient, options.has_aux ? [value, aux] : value];
  };
}

/** A vector-Jacobian product: from cotangents in the structure of the output, gradients in that of the inputs. */
export type VjpFunction<P, O> = (cotangents: O, retain_graph?: boolean, create_graph?: boolean | null) => P;

/** A call of `func` and how to pull cotangents back through it. @internal */
export function pullBackOf(
  api: string,
  func: AnyFunction,
  args: readonly unknown[],
  argnums: ArgNums | null,
  has_aux: boolean,
): { output: unknown; aux: unknown; vjp: VjpFunction<unknown, unknown> } {
  return inLevel((level) => {
    const chosen = choose(args, argnums);
    const inputs = chosen.tensors.map((x) => level.enter(x));
    const [output, aux] = splitAux(api, func(...chosen.replaced(inputs)), has_aux);
    const { flat, tensors } = outputTensors(api, output);
    for (const x of tensors)
      if (!x.is_floating_point() && !x.is_complex())
        throw new RuntimeError(
          `vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype ${x.dtype}`,
        );
    const recorded = level.depends(tensors);
    const vjp: VjpFunction<unknown, unknown> = (cotangents, retain_graph = true, create_graph = null) => {
      const given = flatten(cotangents);
      if (given.spec !== flat.spec)
        throw new RuntimeError(
          `Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. cotangents: ${given.spec}, primal output: ${flat.spec}`,
        );
      const seeds = given.leaves as readonly Tensor[];
      const create = create_graph ?? (mode.grad && (recorded || seeds.some((x) => x.requires_grad)));
      const grads = pullBack(tensors, inputs, seeds, create, retain_graph);
      return chosen.flat.build(grads.map((g) => level.leave(g)));
    };
    return {
      output: flat.build(tensors.map((x) => level.leave(x))),
      aux: leaveAll(level, aux),
      vjp,
    };
  });
}

/**
 * The output of `func` at the primals, and a function that multiplies vectors (in the structure of the output) with the
 * Jacobian: `const [out, vjp_fn] = vjp(f, x); const [g] = vjp_fn(v);`.
 */
export function vjp<A extends readonly unknown[], O>(
  func: (...args: A) => O,
  ...primals: A
): [output: O, vjp: VjpFunction<A, O>];
export function vjp<A extends readonly unknown[], O, X>(
  func: (...args: A) => readonly [output: O, aux: X],
  ...given: [...primals: A, options: { has_aux: true }]
): [output: O, vjp: VjpFunction<A, O>, aux: X];
export function vjp(func: unknown, ...given: readonly unknown[]): unknown[] {
  const { values, options } = withOptions<{ has_aux: boolean }>(given, ['has_aux']);
  const has_aux = options.has_aux ?? false;
  const found = pullBackOf('vjp(f, *primals)', func as AnyFunction, values, null, has_aux);
  return has_aux ? [found.output, found.vjp, found.aux] : [found.output, found.vjp];
}

interface JacobianOptions<N extends ArgNums> {
  argnums?: N;
  has_aux?: boolean;
  /** How many rows to compute at once: accepted; they are computed one by one. */
  chunk_size?: number | null;
}

/** A structure like the output's, with one like the arguments' in each place. */
export type Jacobian<O, P> = O extends Tensor ? P : { [K in keyof O]: Jacobian<O[K], P> };

/**
 * A function that computes the Jacobian of `func` row by row: for each output and each argument a tensor of the output's
 * sizes followed by the argument's.
 */
export function jacrev<A extends readonly unknown[], O, const N extends ArgNums = 0>(
  func: (...args: A) => O,
  ...given: [argnums: N] | [options?: JacobianOptions<N>]
): (...args: A) => Jacobian<O, Picked<A, N>> {
  const { values, options } = withOptions<Bound & { chunk_size: number | null }>(given, [
    'argnums',
    'has_aux',
    'chunk_size',
  ]);
  const argnums = options.argnums ?? (values[0] as ArgNums | undefined) ?? 0;
  const has_aux = options.has_aux ?? false;
  if (typeof options.chunk_size === 'number' && options.chunk_size <= 0)
    throw new ValueError('jacrev: `chunk_size` should be greater than 0.');
  return ((...args: readonly unknown[]) => {
    refuseComplex('jacrev', flatten(args).leaves, 'inputs');
    const call = pullBackOf('vjp(f, *primals)', func as AnyFunction, args, argnums, has_aux);
    const flat = flatten(call.output);
    refuseComplex('jacrev', flat.leaves, 'outputs');
    const outputs = flat.leaves as readonly Tensor[];
    const parts = outputs.map((out, i) => rowsOf(out, i, outputs, flat.build, call.vjp));
    const result = flat.build(parts);
    return has_aux ? [result, call.aux] : result;
  }) as never;
}

/** The Jacobian of one output. */
function rowsOf(
  out: Tensor,
  i: number,
  outputs: readonly Tensor[],
  build: (leaves: readonly unknown[]) => unknown,
  vjp: VjpFunction<unknown, unknown>,
): unknown {
  const zeros = outputs.map((x) => zeros_like(x));
  const basis = eye(out._numel, { dtype: out.dtype, device: out.device }).view([out._numel, ...out.shape]);
  const rows = Array.from({ length: out._numel }, (_, k) =>
    flatten(vjp(build(zeros.map((z, j) => (j === i ? basis.select(0, k) : z))))),
  );
  if (rows.length === 0) {
    const like = flatten(vjp(build(zeros)));
    return like.build((like.leaves as Tensor[]).map((x) => x.new_zeros([...out.shape, ...x.shape])));
  }
  return rows[0].build(
    rows[0].leaves.map((x, k) =>
      stack(rows.map((row) => row.leaves[k] as Tensor)).view([...out.shape, ...(x as Tensor).shape]),
    ),
  );
}
