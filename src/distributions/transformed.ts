// Distributions of transformed values.

import { unrecorded } from '../autograd/modes.js';
import { ValueError } from '../errors.js';
import { sizeText } from '../pyformat.js';
import type { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { Distribution } from './distribution.js';
import { Independent } from './independent.js';
import { ComposeTransform, Transform } from './transforms.js';
import { type DistributionOptions, type Shape, sumRightmost } from './utils.js';

const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** The distribution of `transforms(x)`, one after the other, for x of the base distribution. */
export class TransformedDistribution<D extends Distribution = Distribution> extends Distribution {
  base_dist: D;
  transforms: readonly Transform[];
  constructor(
    base_distribution: Distribution,
    transforms: Transform | readonly Transform[],
    options: DistributionOptions = {},
  ) {
    super();
    const list = transforms instanceof Transform ? [transforms] : transforms;
    if (!Array.isArray(list) || !list.every((t) => t instanceof Transform))
      throw new ValueError('transforms must be a Transform or a list of Transforms');
    this.transforms = list;
    const whole = new ComposeTransform(list);
    let base = base_distribution;
    const baseShape = [...base.batch_shape, ...base.event_shape];
    const baseDims = base.event_shape.length;
    const [from, to] = [whole.domain.event_dim, whole.codomain.event_dim];
    if (baseShape.length < from)
      throw new ValueError(
        `base_distribution needs to have shape with size at least ${from}, but got ${sizeText(baseShape)}.`,
      );
    const shape = whole.forward_shape(baseShape);
    const wide = whole.inverse_shape(shape);
    if (!sameShape(wide, baseShape)) base = base.expand(wide.slice(0, wide.length - baseDims));
    if (from > baseDims) base = new Independent(base, from - baseDims);
    this.base_dist = base as D;
    const cut = shape.length - Math.max(to, baseDims + to - from);
    this.finish(shape.slice(0, cut), shape.slice(cut), options.validate_args);
  }
  /** Checks parameters, in subclasses once they are set. */
  protected finish(batch: Shape, event: Shape, validate_args: boolean | null | undefined): void {
    this.begin(batch, event, validate_args);
  }
  override expand(batch_shape: Shape): this {
    const copy = super.expand(batch_shape);
    const shape = this.transforms.reduceRight<Shape>(
      (s, t) => t.inverse_shape(s),
      [...batch_shape, ...this.event_shape],
    );
    copy.base_dist = this.base_dist.expand(shape.slice(0, shape.length - this.base_dist.event_shape.length));
    return copy;
  }
  override get support(): constraints.Constraint {
    if (this.transforms.length === 0) return this.base_dist.support;
    const last = this.transforms[this.transforms.length - 1].codomain;
    const more = this.event_shape.length - last.event_dim;
    return more > 0 ? constraints.independent(last, more) : last;
  }
  override get has_rsample(): boolean {
    return this.base_dist.has_rsample;
  }
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() =>
      this.transforms.reduce((x, t) => t.forward(x), this.base_dist.sample(sample_shape)),
    );
  }
  override rsample(sample_shape: Shape = []): Tensor {
    return this.transforms.reduce((x, t) => t.forward(x), this.base_dist.rsample(sample_shape));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    let dims = this.event_shape.length;
    let total: Tensor | null = null;
    let y = value;
    for (const t of [...this.transforms].reverse()) {
      const x = t.inv.forward(y);
      dims += t.domain.event_dim - t.codomain.event_dim;
      const term = sumRightmost(t.log_abs_det_jacobian(x, y), dims - t.domain.event_dim);
      total = total === null ? term.neg() : total.sub(term);
      y = x;
    }
    const base = sumRightmost(this.base_dist.log_prob(y), dims - this.base_dist.event_shape.length);
    return total === null ? base : total.add(base);
  }
  /** The product of the transforms' signs, by which cumulative probabilities turn around. */
  private get direction(): number | Tensor {
    return new ComposeTransform(this.transforms).sign;
  }
  private turned(p: Tensor): Tensor {
    const { direction } = this;
    if (direction === 1) return p;
    return p.sub(0.5).mul(direction).add(0.5);
  }
  override cdf(value: Tensor): Tensor {
    const x = [...this.transforms].reverse().reduce((y, t) => t.inv.forward(y), value);
    this.checkValue(value);
    return this.turned(this.base_dist.cdf(x));
  }
  override icdf(value: Tensor): Tensor {
    return this.transforms.reduce((x, t) => t.forward(x), this.base_dist.icdf(this.turned(value)));
  }
}
