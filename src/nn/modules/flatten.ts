// Layers that change the shape only.
import type { Tensor } from '../../tensor.js';
import { bind, type Call, py } from './arguments.js';
import { Module } from './module.js';

/** Flattens dimensions start_dim to end_dim into one. By default all but the batch. */
export class Flatten extends Module {
  start_dim: number;
  end_dim: number;
  constructor(
    ...args: Call<[], [start_dim: number, end_dim: number], { start_dim?: number; end_dim?: number }>
  ) {
    super();
    [this.start_dim, this.end_dim] = bind('Flatten', 'int start_dim=1, int end_dim=-1', args) as [
      number,
      number,
    ];
  }
  forward(input: Tensor): Tensor {
    return input.flatten(this.start_dim, this.end_dim);
  }
  override extra_repr(): string {
    return `start_dim=${this.start_dim}, end_dim=${this.end_dim}`;
  }
}

/** Splits a dimension into several. */
export class Unflatten extends Module {
  dim: number;
  unflattened_size: readonly number[];
  constructor(
    ...args: Call<
      [dim: number, unflattened_size: readonly number[]],
      [],
      { dim: number; unflattened_size: readonly number[] }
    >
  ) {
    super();
    [this.dim, this.unflattened_size] = bind('Unflatten', 'int dim, any unflattened_size', args) as [
      number,
      readonly number[],
    ];
    if (!Array.isArray(this.unflattened_size))
      throw new TypeError(
        `unflattened_size must be a tuple of ints, but found type ${typeof this.unflattened_size}`,
      );
    this.unflattened_size.forEach((n, i) => {
      if (!Number.isInteger(n))
        throw new TypeError(
          `unflattened_size must be tuple of ints, but found element of type ${typeof n} at pos ${i}`,
        );
    });
  }
  forward(input: Tensor): Tensor {
    return input.unflatten(this.dim, this.unflattened_size);
  }
  override extra_repr(): string {
    return `dim=${this.dim}, unflattened_size=${py(this.unflattened_size)}`;
  }
}
