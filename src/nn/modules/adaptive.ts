// Softmax over very many classes.
import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { type NamedTuple, namedTuple } from '../../ops/named.js';
import { cat, tensor } from '../../ops/table.js';
import { sameSizes, type Tensor } from '../../tensor.js';
import { log_softmax } from '../functional/softmax.js';
import { bind, type Call, type Factory, type FactoryArgs } from './arguments.js';
import { ModuleList, Sequential } from './container.js';
import { Linear } from './linear.js';
import { Module } from './module.js';

export interface AdaptiveOptions extends Factory {
  in_features: number;
  n_classes: number;
  /** Where a cluster ends and the next, rarer one begins. */
  cutoffs: readonly number[];
  /** By what the width shrinks from cluster to cluster. */
  div_value?: number;
  head_bias?: boolean;
}

type AdaptiveArgs = Call<
  [in_features: number, n_classes: number, cutoffs: readonly number[]],
  [div_value: number, head_bias: boolean, ...FactoryArgs],
  AdaptiveOptions
>;

function checkCutoffs(cutoffs: readonly number[], classes: number): void {
  if (cutoffs.length === 0) throw new ValueError('cutoffs should be a sequence of length larger than 0');
  const fine = cutoffs.every(
    (c, i) => Number.isInteger(c) && c > (i === 0 ? 0 : cutoffs[i - 1]) && c <= classes - 1,
  );
  if (!fine)
    throw new ValueError(
      'cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1',
    );
}

/**
 * Efficient softmax approximation for many classes, sorted by frequency (Grave et al., 2017): frequent classes have
 * outputs of their own, the others share one per cluster. Returns the log-probability of each target and the loss.
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  in_features: number;
  n_classes: number;
  cutoffs: readonly number[];
  div_value: number;
  head_bias: boolean;
  shortlist_size: number;
  n_clusters: number;
  head_size: number;
  head: Linear;
  tail: ModuleList;

  constructor(...args: AdaptiveArgs) {
    super();
    const [features, classes, cutoffs, divisor, bias, device, dtype] = bind(
      'AdaptiveLogSoftmaxWithLoss',
      'int in_features, int n_classes, any cutoffs, float div_value=4, bool head_bias=False, device? device=None, dtype? dtype=None',
      args,
    ) as [number, number, readonly number[], number, boolean, DeviceLike | null, DType | null];
    checkCutoffs(cutoffs, classes);
    this.in_features = features;
    this.n_classes = classes;
    this.cutoffs = [...cutoffs, classes];
    this.div_value = divisor;
    this.head_bias = bias;
    this.shortlist_size = cutoffs[0];
    this.n_clusters = cutoffs.length;
    this.head_size = this.shortlist_size + this.n_clusters;
    this.head = new Linear(features, this.head_size, { bias, device, dtype });
    const clusters = cutoffs.map((from, i) => {
      const width = Math.floor(features / divisor ** (i + 1));
      const without = { bias: false, device, dtype };
      return new Sequential(
        new Linear(features, width, without),
        new Linear(width, this.cutoffs[i + 1] - from, without),
      );
    });
    this.tail = new ModuleList(clusters);
  }
  reset_parameters(): void {
    this.head.reset_parameters();
    for (const cluster of this.tail)
      for (const layer of cluster as Sequential) (layer as Linear).reset_parameters();
  }
  override _forwardNames(): readonly string[] {
    return ['input_', 'target_'];
  }
  /** Input [N, in_features] and target [N] (or without N) to the log-probabilities of the targets, [N], and their mean loss. */
  forward(input_: Tensor, target_: Tensor): NamedTuple<'output' | 'loss'> {
    const batched = this.checkShapes(input_, target_);
    const input = batched ? input_ : input_.unsqueeze(0);
    const targets = (batched ? target_ : target_.unsqueeze(0)).tolist() as number[];
    const outside = targets.filter((t) => t < 0 || t >= this.n_classes);
    if (outside.length > 0)
      throw new RuntimeError(
        `Target values should be in [0, ${this.n_classes - 1}], but values in range [${Math.min(...targets)}, ${Math.max(...targets)}] were found. `,
      );
    const clusterOf = (t: number): number => this.cutoffs.findIndex((end) => t < end);
    const headPlaces = targets.map((t) =>
      t < this.shortlist_size ? t : this.shortlist_size + clusterOf(t) - 1,
    );
    let output = picked(log_softmax(this.head(input), 1), headPlaces);
    for (let i = 1; i <= this.n_clusters; i++) {
      const rows = targets.flatMap((t, row) => (clusterOf(t) === i ? [row] : []));
      if (rows.length === 0) continue;
      const index = integers(rows);
      const scores = log_softmax((this.tail.at(i - 1) as Sequential)(input.index_select(0, index)), 1);
      output = output.index_add(
        0,
        index,
        picked(
          scores,
          rows.map((row) => targets[row] - this.cutoffs[i - 1]),
        ),
      );
    }
    const loss = output.neg().mean();
    return result(batched ? output : output.squeeze(0), loss);
  }
  private checkShapes(input: Tensor, target: Tensor): boolean {
    const size = `torch.Size([${input.shape.join(', ')}])`;
    const n = target.shape.length;
    if (n > 1) throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported');
    if (n === 1 && !sameSizes([input.shape[0]], target.shape))
      throw new RuntimeError('Input and target should have the same size in the batch dimension.');
    if (input.shape.length !== n + 1)
      throw new RuntimeError(
        `${n}D target tensor expects ${n + 1}D input tensors, but found inputs with size ${size}`,
      );
    return n === 1;
  }
  /** Log-probabilities of all classes, [N, n_classes]. */
  log_prob(input: Tensor): Tensor {
    const head = log_softmax(this.head(input), 1);
    const clusters = [...this.tail].map((cluster, i) =>
      log_softmax((cluster as Sequential)(input), 1).add(head.narrow(1, this.shortlist_size + i, 1)),
    );
    return cat([head.narrow(1, 0, this.shortlist_size), ...clusters], 1);
  }
  /** The most likely class of each row. */
  predict(input: Tensor): Tensor {
    return this.log_prob(input).argmax(1);
  }
}

const result = namedTuple('_ASMoutput', 'output', 'loss');

const integers = (values: readonly number[]): Tensor => tensor(BigInt64Array.from(values, BigInt));

/** One element of every row. */
function picked(x: Tensor, places: readonly number[]): Tensor {
  const columns = x.shape[1];
  return x.reshape([-1]).index_select(0, integers(places.map((p, row) => row * columns + p)));
}
