// Tensors in lists and plain objects of any depth, as function transforms take and return them.
import { isKeywords } from '../dispatch/schema.js';
import { Tensor } from '../tensor.js';

/** A structure taken apart: its leaves, and how to put others in their places. */
export interface Flat {
  readonly leaves: readonly unknown[];
  /** Describes the structure: equal for equal structures. */
  readonly spec: string;
  readonly build: (leaves: readonly unknown[]) => unknown;
}

/** Takes a structure of lists and plain objects apart. */
export function flatten(tree: unknown): Flat {
  const leaves: unknown[] = [];
  const visit = (x: unknown): [spec: string, build: (next: () => unknown) => unknown] => {
    if (Array.isArray(x)) {
      const parts = x.map(visit);
      return [`[${parts.map(([spec]) => spec).join(', ')}]`, (next) => parts.map(([, build]) => build(next))];
    }
    if (isKeywords(x)) {
      const parts = Object.entries(x).map(([key, value]) => [key, visit(value)] as const);
      return [
        `{${parts.map(([key, [spec]]) => `${key}: ${spec}`).join(', ')}}`,
        (next) => Object.fromEntries(parts.map(([key, [, build]]) => [key, build(next)])),
      ];
    }
    leaves.push(x);
    return ['*', (next) => next()];
  };
  const [spec, build] = visit(tree);
  return {
    leaves,
    spec,
    build: (given) => {
      let at = 0;
      return build(() => given[at++]);
    },
  };
}

/** The structure with every tensor replaced. */
export function mapTensors(tree: unknown, fn: (x: Tensor) => Tensor): unknown {
  const { leaves, build } = flatten(tree);
  return build(leaves.map((x) => (x instanceof Tensor ? fn(x) : x)));
}

/**
 * One value for each leaf of a structure: from one for all, or a structure of them whose upper part is the same.
 * @returns null when the structures do not fit.
 */
export function broadcast<T>(values: unknown, tree: unknown, isLeaf: (x: unknown) => x is T): T[] | null {
  if (isLeaf(values)) return flatten(tree).leaves.map(() => values);
  const pairs = children(values, tree);
  if (pairs === null) return null;
  const lists = pairs.map(([v, x]) => broadcast(v, x, isLeaf));
  return lists.includes(null) ? null : (lists as T[][]).flat();
}

function children(values: unknown, tree: unknown): (readonly [unknown, unknown])[] | null {
  if (Array.isArray(values) && Array.isArray(tree))
    return values.length === tree.length ? values.map((v, i) => [v, tree[i]] as const) : null;
  if (!isKeywords(values) || !isKeywords(tree)) return null;
  const keys = Object.keys(tree);
  if (keys.length !== Object.keys(values).length || keys.some((key) => !(key in values))) return null;
  return keys.map((key) => [values[key], tree[key]] as const);
}
