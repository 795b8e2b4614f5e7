// Arguments of function transforms: which ones are differentiated, and what the function may return.
import { isKeywords, typeName } from '../dispatch/schema.js';
import { RuntimeError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { type Flat, flatten } from './tree.js';

/** One argument by its number, or several. */
export type ArgNums = number | readonly number[];

/** The arguments that are differentiated: alone, or in a list. */
export type Picked<A extends readonly unknown[], N extends ArgNums> = N extends readonly number[]
  ? { [K in keyof N]: A[N[K] & number] }
  : A[N & number];

export type AnyFunction = (...args: readonly unknown[]) => unknown;

/** The numbers of the differentiated arguments, counted from the front. @throws RuntimeError for what is none. */
export function argumentNumbers(argnums: unknown, count: number): number[] {
  const list: readonly unknown[] = Array.isArray(argnums) ? argnums : [argnums];
  const numbers = list.map((n) => {
    if (typeof n !== 'number' || !Number.isInteger(n))
      throw new RuntimeError(`argnum must be int, got: ${typeName(n)}`);
    if (n < -count || n >= count)
      throw new RuntimeError(`Got argnum=${n}, but only ${count} positional inputs`);
    return n < 0 ? n + count : n;
  });
  if (numbers.length === 0) throw new RuntimeError('argnums must be non-empty');
  if (new Set(numbers).size !== numbers.length)
    throw new RuntimeError(`argnums elements must be unique, got (${numbers.join(', ')})`);
  return numbers;
}

/** Arguments of which some are differentiated, and what they are made of. */
export interface Chosen {
  /** The tensors to differentiate by, and their structure: that of the argument, or of the list of arguments. */
  readonly flat: Flat;
  readonly tensors: readonly Tensor[];
  /** All arguments, with other tensors in place of those. */
  readonly replaced: (tensors: readonly Tensor[]) => unknown[];
}

/** @throws RuntimeError when something that is no tensor would be differentiated. */
export function choose(args: readonly unknown[], argnums: ArgNums | null): Chosen {
  const numbers = argnums === null ? args.map((_, i) => i) : argumentNumbers(argnums, args.length);
  const one = typeof argnums === 'number';
  const flat = flatten(one ? args[numbers[0]] : numbers.map((n) => args[n]));
  for (const x of flat.leaves)
    if (!(x instanceof Tensor))
      throw new RuntimeError(`Thing passed to transform API must be Tensor, got ${typeName(x)}`);
  return {
    flat,
    tensors: flat.leaves as readonly Tensor[],
    replaced: (tensors) => {
      const built = flat.build(tensors);
      const values = one ? [built] : (built as readonly unknown[]);
      return args.map((x, i) => (numbers.includes(i) ? values[numbers.indexOf(i)] : x));
    },
  };
}

/** A function's result apart from its auxiliary part. @throws RuntimeError when it is no pair. */
export function splitAux(api: string, result: unknown, has_aux: boolean): [output: unknown, aux: unknown] {
  if (!has_aux) return [result, undefined];
  if (!Array.isArray(result) || result.length !== 2)
    throw new RuntimeError(
      `${api}: output of function f should be a tuple: (output, aux) if has_aux is True`,
    );
  return [result[0], result[1]];
}

/** The tensors of an output. @throws RuntimeError when there are none, or something else. */
export function outputTensors(api: string, output: unknown): { flat: Flat; tensors: readonly Tensor[] } {
  const flat = flatten(output);
  if (flat.leaves.length === 0 || (flat.leaves.length === 1 && (flat.leaves[0] ?? null) === null))
    throw new RuntimeError(
      `${api}: Expected f to be a function that has non-empty output (got output = ${String(output)})`,
    );
  for (const x of flat.leaves)
    if (!(x instanceof Tensor))
      throw new RuntimeError(
        `${api}: expected f(*primals) to return only tensors, got unsupported type ${typeName(x)}`,
      );
  return { flat, tensors: flat.leaves as readonly Tensor[] };
}

/** @throws RuntimeError for complex tensors. */
export function refuseComplex(api: string, tensors: readonly unknown[], what: 'inputs' | 'outputs'): void {
  const i = tensors.findIndex((x) => x instanceof Tensor && x.is_complex());
  if (i >= 0)
    throw new RuntimeError(
      `${api}: Expected all ${what} to be real but received complex tensor at flattened input idx: ${i}`,
    );
}

/** Options in a last object that has nothing else; positional values otherwise. */
export function withOptions<O extends object>(
  given: readonly unknown[],
  names: readonly (keyof O & string)[],
): { values: readonly unknown[]; options: Partial<O> } {
  const last = given[given.length - 1];
  const keys = isKeywords(last) ? Object.keys(last) : [];
  if (keys.length === 0 || keys.some((key) => !names.includes(key as keyof O & string)))
    return { values: given, options: {} };
  return { values: given.slice(0, -1), options: last as Partial<O> };
}
