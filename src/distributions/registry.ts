// Transforms to constrained values: biject_to and transform_to.
import { NotImplementedError } from '../errors.js';
import { Tensor } from '../tensor.js';
import * as c from './constraints.js';
import {
  CatTransform,
  CorrCholeskyTransform,
  PositiveDefiniteTransform,
  StackTransform,
} from './joined_transforms.js';
import {
  AffineTransform,
  ComposeTransform,
  ExpTransform,
  IndependentTransform,
  identity_transform,
  LowerCholeskyTransform,
  SigmoidTransform,
  SoftmaxTransform,
  StickBreakingTransform,
  type Transform,
} from './transforms.js';

type Kind = abstract new (...args: never[]) => c.Constraint;
type Factory = (constraint: never) => Transform;

/** Transforms from all real numbers to the values of a constraint. */
export interface ConstraintRegistry {
  (constraint: c.Constraint): Transform;
  /** Names the transform of a constraint, or of all constraints of a class. */
  register(constraint: c.Constraint | Kind, factory: Factory): Factory;
}

function registry(): ConstraintRegistry {
  const byClass = new Map<unknown, Factory>();
  const byValue = new Map<c.Constraint, Factory>();
  const find = (constraint: c.Constraint): Transform => {
    const factory = byValue.get(constraint) ?? byClass.get(constraint.constructor);
    if (!factory)
      throw new NotImplementedError(`Cannot transform ${constraint.constructor.name} constraints`);
    return factory(constraint as never);
  };
  return Object.assign(find, {
    register(constraint: c.Constraint | Kind, factory: Factory): Factory {
      if (constraint instanceof c.Constraint) byValue.set(constraint, factory);
      else byClass.set(constraint, factory);
      return factory;
    },
  });
}

/** Bijective transforms. @throws NotImplementedError where none is known. */
export const biject_to: ConstraintRegistry = registry();
/** Transforms, not all of them injective, that suit optimization. @throws NotImplementedError where none is known. */
export const transform_to: ConstraintRegistry = registry();

function toInterval({ lower_bound: low, upper_bound: high }: c.Interval): Transform {
  if (low === 0 && high === 1) return new SigmoidTransform();
  const width =
    high instanceof Tensor ? high.sub(low) : low instanceof Tensor ? low.neg().add(high) : high - low;
  return new ComposeTransform([new SigmoidTransform(), new AffineTransform(low, width)]);
}

for (const to of [biject_to, transform_to]) {
  to.register(c.real, () => identity_transform);
  to.register(
    c.IndependentConstraint,
    (x: c.IndependentConstraint) =>
      new IndependentTransform(to(x.base_constraint), x.reinterpreted_batch_ndims),
  );
  for (const region of [c.positive, c.nonnegative]) to.register(region, () => new ExpTransform());
  for (const kind of [c.GreaterThan, c.GreaterThanEq])
    to.register(
      kind,
      (x: c.GreaterThan) => new ComposeTransform([new ExpTransform(), new AffineTransform(x.lower_bound, 1)]),
    );
  to.register(
    c.LessThan,
    (x: c.LessThan) => new ComposeTransform([new ExpTransform(), new AffineTransform(x.upper_bound, -1)]),
  );
  to.register(c.Interval, toInterval);
  to.register(c.HalfOpenInterval, toInterval);
  to.register(c.corr_cholesky, () => new CorrCholeskyTransform());
  to.register(c.Cat, (x: c.Cat) => new CatTransform(x.cseq.map(to), x.dim, x.lengths));
  to.register(c.Stack, (x: c.Stack) => new StackTransform(x.cseq.map(to), x.dim));
}
biject_to.register(c.simplex, () => new StickBreakingTransform());
transform_to.register(c.simplex, () => new SoftmaxTransform());
transform_to.register(c.lower_cholesky, () => new LowerCholeskyTransform());
transform_to.register(c.positive_definite, () => new PositiveDefiniteTransform());
