// torch.distributions.
export * as transforms from './all_transforms.js';
export { ContinuousBernoulli, GeneralizedPareto, VonMises } from './bounded.js';
export {
  Categorical,
  Multinomial,
  OneHotCategorical,
  OneHotCategoricalStraightThrough,
} from './categorical.js';
export * as constraints from './constraints.js';
export {
  Gumbel,
  HalfCauchy,
  HalfNormal,
  InverseGamma,
  Kumaraswamy,
  LogisticNormal,
  LogNormal,
  Pareto,
  Weibull,
} from './derived.js';
export { Bernoulli, Binomial, Geometric, NegativeBinomial, Poisson } from './discrete.js';
export { Distribution } from './distribution.js';
export { Exponential } from './exponential.js';
export { Beta, Chi2, Dirichlet, FisherSnedecor, Gamma } from './gamma.js';
export { Independent, MixtureSameFamily } from './independent.js';
export {
  CatTransform,
  CorrCholeskyTransform,
  CumulativeDistributionTransform,
  PositiveDefiniteTransform,
  StackTransform,
} from './joined_transforms.js';
export { kl_divergence, register_kl } from './kl.js';
export { Cauchy, Laplace, Normal, StudentT, Uniform } from './location_scale.js';
export { LKJCholesky, LowRankMultivariateNormal } from './matrices.js';
export { MultivariateNormal } from './multivariate_normal.js';
export { biject_to, type ConstraintRegistry, transform_to } from './registry.js';
export {
  ExpRelaxedCategorical,
  LogitRelaxedBernoulli,
  RelaxedBernoulli,
  RelaxedOneHotCategorical,
} from './relaxed.js';
export { TransformedDistribution } from './transformed.js';
export {
  AbsTransform,
  AffineTransform,
  ComposeTransform,
  ExpTransform,
  IndependentTransform,
  identity_transform,
  LowerCholeskyTransform,
  PowerTransform,
  ReshapeTransform,
  SigmoidTransform,
  SoftmaxTransform,
  SoftplusTransform,
  StickBreakingTransform,
  TanhTransform,
  Transform,
} from './transforms.js';
