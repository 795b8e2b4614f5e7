// Named tuples: arrays whose elements also have names, such as the values and indices of `max(x, dim)`.
import type { Tensor } from '../tensor.js';

/** An array of tensors with PyTorch's field names: destructure it as `const [v, i] = …` or `const {values, indices} = …`. */
export type NamedTuple<K extends string> = Iterable<Tensor> & { readonly [I in number]: Tensor } & {
  readonly length: number;
} & { readonly [N in K]: Tensor };

/**
 * A maker of named tuples.
 * @param name what `torch.return_types` calls the type.
 * @param fields the names of the elements, in order.
 */
export function namedTuple<K extends string>(
  name: string,
  ...fields: readonly K[]
): (...elements: readonly Tensor[]) => NamedTuple<K> {
  const text = function (this: Tensor[]): string {
    return `torch.return_types.${name}(\n${fields.map((field, i) => `${field}=${String(this[i])}`).join(',\n')})`;
  };
  const prototype = Object.create(Array.prototype, {
    constructor: { value: Array },
    toString: { value: text },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: text },
  }) as object;
  fields.forEach((field, i) => {
    Object.defineProperty(prototype, field, {
      get(this: Tensor[]) {
        return this[i];
      },
    });
  });
  return (...elements) => Object.setPrototypeOf([...elements], prototype) as NamedTuple<K>;
}
