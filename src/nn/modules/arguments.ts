// Constructor arguments of modules, and how modules print theirs.
import type { DeviceLike } from '../../device.js';
import { Schema } from '../../dispatch/schema.js';
import type { DType } from '../../dtype.js';
import { empty } from '../../ops/create.js';
import { pyFloatRepr } from '../../pyformat.js';
import { Parameter } from '../parameter.js';

/** Where and as what a module makes its parameters. */
export interface Factory {
  device?: DeviceLike | null;
  dtype?: DType | null;
}

/** The positional form of {@link Factory}, in PyTorch's order. */
export type FactoryArgs = [device: DeviceLike | null, dtype: DType | null];

type Forms<R extends readonly unknown[], P extends readonly unknown[], O> =
  | [...positional: [...R, ...P], options?: Partial<O>]
  | (P extends [...infer Head, unknown] ? Forms<R, Head, O> : never);

/** Some of the required parameters by position, the others by name (which of them are missing shows at run time). */
type Begun<R extends readonly unknown[], O> = R extends readonly [...infer Head, unknown]
  ? Head extends readonly []
    ? never
    : [...Head, options: Partial<O>] | Begun<Head, O>
  : never;

/**
 * The call forms of a constructor: any number of the parameters by position, required ones (R) first, and the others by
 * name in one object.
 */
export type Call<R extends readonly unknown[], P extends readonly unknown[], O> =
  | Forms<R, P, O>
  | Begun<R, O>
  | (R extends readonly [] ? never : [options: O]);

const schemas = new Map<string, Schema>();

/**
 * Binds constructor arguments by a schema in PyTorch's notation: one value per parameter.
 * @throws TypeError for arguments that are missing, unknown, or of the wrong type.
 */
export function bind(name: string, parameters: string, args: readonly unknown[]): unknown[] {
  let schema = schemas.get(name);
  if (!schema) {
    schema = new Schema(name, parameters);
    schemas.set(name, schema);
  }
  return schema.bind(args);
}

/** A parameter of the given shape whose values are still to be set. */
export function parameter(
  shape: readonly number[],
  device: DeviceLike | null,
  dtype: DType | null,
): Parameter {
  return new Parameter(empty(shape, { device, dtype }));
}

/** A size given once for all dimensions, or one by one. */
export type Size = number | readonly number[];

/** `n` sizes from one or from as many. */
export function tuple(value: Size, n: number): number[] {
  return typeof value === 'number' ? new Array<number>(n).fill(value) : [...value];
}

/**
 * A value as Python prints it: arrays are tuples, whole numbers ints.
 * @param standard the default of a float parameter, which prints as a float when it is whole.
 */
export function py(value: unknown, standard?: number): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `(${value.map((v) => py(v)).join(', ')}${value.length === 1 ? ',' : ''})`;
  if (typeof value === 'number')
    return Number.isInteger(value) && value !== standard ? String(value) : pyFloatRepr(value);
  return String(value);
}

/** A value as Python's repr prints it: strings in quotes. */
export const quoted = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : py(value));

/** `name=value` pairs for extra_repr, of fields of the module. */
export function fields<M extends object>(module: M, ...names: readonly (keyof M & string)[]): string {
  return names.map((name) => `${name}=${py(module[name])}`).join(', ');
}
