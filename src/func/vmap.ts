// torch.vmap: a function of single examples, applied to a batch.
import { isKeywords, typeName } from '../dispatch/schema.js';
import { RuntimeError, ValueError } from '../errors.js';
import { get_rng_state, set_rng_state } from '../generator.js';
import { stack } from '../ops/join.js';
import { Tensor } from '../tensor.js';
import type { AnyFunction } from './arguments.js';
import { broadcast, type Flat, flatten } from './tree.js';

/** A dimension for all tensors, null for arguments that all examples share, or a structure of them. */
export type Dims = number | null | readonly Dims[] | { readonly [key: string]: Dims };

export type Randomness = 'error' | 'different' | 'same';

export interface VmapOptions {
  /** The dimensions to map over (default 0). */
  in_dims?: Dims;
  /** Where the mapped dimension is in the outputs (default 0). */
  out_dims?: Dims;
  /** What random numbers are: refused, drawn for each example, or the same for all. */
  randomness?: Randomness;
  /** How many examples to compute at once: accepted; they are computed one by one. */
  chunk_size?: number | null;
}

const isDim = (x: unknown): x is number | null => x === null || typeof x === 'number';
const nameOf = (func: AnyFunction): string => func.name || '<lambda>';

/**
 * Maps a function of single examples over a dimension of its arguments, and stacks what it returns. The function runs
 * once for each example, so it may do anything, and the result is differentiable.
 * @throws ValueError (when called) for dimensions that do not fit the arguments.
 * @throws RuntimeError (when called) for random numbers, unless `randomness` allows them.
 */
export function vmap<A extends readonly unknown[], R>(
  func: (...args: A) => R,
  ...given:
    | [in_dims: Dims, out_dims?: Dims, randomness?: Randomness, options?: Pick<VmapOptions, 'chunk_size'>]
    | [options?: VmapOptions]
): (...args: A) => R {
  const o = bind(given);
  if (!['error', 'different', 'same'].includes(o.randomness))
    throw new RuntimeError(
      `Only allowed values for randomness are 'error', 'different', or 'same'. Got ${String(o.randomness)}`,
    );
  if (o.chunk_size !== null && o.chunk_size <= 0)
    throw new ValueError(`vmap: chunk_size should be None or greater than 0. (got ${o.chunk_size})`);
  return (...args: A): R => mapped(func as unknown as AnyFunction, o, args) as R;
}

const OPTION_NAMES = ['in_dims', 'out_dims', 'randomness', 'chunk_size'];

function bind(given: readonly unknown[]): Required<VmapOptions> {
  const last = given[given.length - 1];
  const named = isKeywords(last) && Object.keys(last).every((key) => OPTION_NAMES.includes(key));
  const options = (named ? last : {}) as VmapOptions;
  const [in_dims, out_dims, randomness] = (named ? given.slice(0, -1) : given) as [Dims?, Dims?, Randomness?];
  const pick = <T>(...choices: (T | undefined)[]): T => choices.find((x) => x !== undefined) as T;
  return {
    in_dims: pick<Dims>(options.in_dims, in_dims, 0),
    out_dims: pick<Dims>(options.out_dims, out_dims, 0),
    randomness: pick<Randomness>(options.randomness, randomness, 'error'),
    chunk_size: options.chunk_size ?? null,
  };
}

/** What a call maps over. */
interface Batch {
  readonly size: number;
  readonly flat: Flat;
  /** By leaf of the arguments. */
  readonly dims: readonly (number | null)[];
}

function batchOf(func: AnyFunction, in_dims: Dims, args: readonly unknown[]): Batch {
  const call = `vmap(${nameOf(func)}, in_dims=${JSON.stringify(in_dims)}, ...)(<inputs>)`;
  if (in_dims === null || (!isDim(in_dims) && !Array.isArray(in_dims)))
    throw new ValueError(
      `${call}: expected \`in_dims\` to be int or a (potentially nested) tuple matching the structure of inputs, got: ${typeName(in_dims)}.`,
    );
  if (args.length === 0)
    throw new ValueError(
      `vmap(${nameOf(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with no inputs. The latter is unsupported.`,
    );
  const flat = flatten(args);
  const dims = broadcast(in_dims, args, isDim);
  if (dims === null)
    throw new ValueError(
      `${call}: in_dims is not compatible with the structure of \`inputs\`. in_dims has structure ${flatten(in_dims).spec} but inputs has structure ${flat.spec}.`,
    );
  dims.forEach((dim, i) => {
    checkDim(call, dim, flat.leaves[i]);
  });
  const sizes = dims.flatMap((dim, i) => (dim === null ? [] : [(flat.leaves[i] as Tensor).size(dim)]));
  if (sizes.length === 0) throw new ValueError('vmap: Expected at least one Tensor to vmap over');
  if (sizes.some((n) => n !== sizes[0]))
    throw new ValueError(
      `vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [${sizes.join(', ')}] for the mapped dimension`,
    );
  return { size: sizes[0], flat, dims };
}

function checkDim(call: string, dim: number | null, x: unknown): void {
  if (dim === null) return;
  if (!(x instanceof Tensor))
    throw new ValueError(
      `${call}: Got in_dim=${dim} for an input but the input is of type ${typeName(x)}. We cannot vmap over non-Tensor arguments, please use None as the respective in_dim`,
    );
  if (!Number.isInteger(dim))
    throw new ValueError(
      `${call}: Got in_dim=${dim} for an input but in_dim must be either an integer dimension or None.`,
    );
  if (dim < -x.ndim || dim >= x.ndim)
    throw new ValueError(
      `${call}: Got in_dim=${dim} for some input, but that input is a Tensor of dimensionality ${x.ndim} so expected in_dim to satisfy -${x.ndim} <= in_dim < ${x.ndim}.`,
    );
}

function mapped(func: AnyFunction, o: Required<VmapOptions>, args: readonly unknown[]): unknown {
  const { size, flat, dims } = batchOf(func, o.in_dims, args);
  const example = (k: number): readonly unknown[] =>
    flat.build(
      flat.leaves.map((x, i) => {
        const dim = dims[i];
        if (dim === null) return x;
        // An empty batch shows the function what an example looks like.
        const tensor = x as Tensor;
        return size > 0
          ? tensor.select(dim, k)
          : tensor.new_zeros(tensor.shape.toSpliced(at(dim, tensor), 1));
      }),
    ) as readonly unknown[];
  const call = withRandomness(o.randomness, (k: number) => func(...example(k)));
  const results = Array.from({ length: Math.max(size, 1) }, (_, k) => flatten(call(k)));
  return joined(func, o.out_dims, size, results);
}

const at = (dim: number, x: Tensor): number => (dim < 0 ? dim + x.ndim : dim);

/** Makes calls see random numbers as asked for. */
function withRandomness(randomness: Randomness, call: (k: number) => unknown): (k: number) => unknown {
  if (randomness === 'different') return call;
  const start = get_rng_state();
  if (randomness === 'same')
    return (k) => {
      set_rng_state(start);
      return call(k);
    };
  return (k) => {
    const result = call(k);
    if (!get_rng_state().equal(start)) {
      set_rng_state(start);
      throw new RuntimeError(
        "vmap: called random operation while in randomness error mode. Please use the 'same' or 'different' randomness flags on vmap or perform the randomness operation out of vmap",
      );
    }
    return result;
  };
}

/** The results of all examples as one. */
function joined(func: AnyFunction, out_dims: Dims, size: number, results: readonly Flat[]): unknown {
  const name = nameOf(func);
  const [first] = results;
  const whole = first.build(first.leaves);
  const single = Array.isArray(out_dims) && whole instanceof Tensor && out_dims.length === 1;
  const dims = broadcast(single ? out_dims[0] : out_dims, whole, isDim);
  if (dims === null)
    throw new ValueError(
      `vmap(${name}, ..., out_dims=${JSON.stringify(out_dims)})(<inputs>): out_dims is not compatible with the structure of \`outputs\`. out_dims has structure ${flatten(out_dims).spec} but outputs has structure ${first.spec}.`,
    );
  return first.build(
    first.leaves.map((x, i) => {
      const dim = dims[i];
      if (dim === null) return x;
      if (!(x instanceof Tensor))
        throw new ValueError(
          `vmap(${name}, ...): \`${name}\` must only return Tensors, got type ${typeName(x)}. Did you mean to set out_dims= to None for output?`,
        );
      if (size === 0) {
        const place = dim < 0 ? dim + x.ndim + 1 : dim;
        return x.new_zeros(x.shape.toSpliced(place, 0, 0));
      }
      return stack(
        results.map((result) => result.leaves[i] as Tensor),
        dim,
      );
    }),
  );
}
