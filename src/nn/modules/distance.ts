// Distances as layers.
import type { Tensor } from '../../tensor.js';
import { cosine_similarity, pairwise_distance } from '../functional/distance.js';
import { bind, type Call } from './arguments.js';
import { Module } from './module.js';

/** The p-norm of the difference of two vectors [N, D] (or [D]). */
export class PairwiseDistance extends Module {
  norm: number;
  eps: number;
  keepdim: boolean;
  constructor(
    ...args: Call<
      [],
      [p: number, eps: number, keepdim: boolean],
      { p?: number; eps?: number; keepdim?: boolean }
    >
  ) {
    super();
    [this.norm, this.eps, this.keepdim] = bind(
      'PairwiseDistance',
      'float p=2, float eps=1e-6, bool keepdim=False',
      args,
    ) as [number, number, boolean];
  }
  override _forwardNames(): readonly string[] {
    return ['x1', 'x2'];
  }
  forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwise_distance(x1, x2, this.norm, this.eps, this.keepdim);
  }
}

/** The cosine of the angle between two vectors along a dimension. */
export class CosineSimilarity extends Module {
  dim: number;
  eps: number;
  constructor(...args: Call<[], [dim: number, eps: number], { dim?: number; eps?: number }>) {
    super();
    [this.dim, this.eps] = bind('CosineSimilarity', 'int dim=1, float eps=1e-8', args) as [number, number];
  }
  override _forwardNames(): readonly string[] {
    return ['x1', 'x2'];
  }
  forward(x1: Tensor, x2: Tensor): Tensor {
    return cosine_similarity(x1, x2, this.dim, this.eps);
  }
}
