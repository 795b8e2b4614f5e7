// Random draws of transforms, from torch's default generator in torchvision's order.
import { float32, int64 } from '../../dtype.js';
import { empty } from '../../ops/create.js';
import { tensor } from '../../ops/data.js';
import { exp, log, rand, randint as randintOp } from '../../ops/table.js';

/** `torch.rand(1)` */
export const random = (): number => rand(1).item();

/** `torch.empty(1).uniform_(low, high)` */
export const uniform = (low: number, high: number): number =>
  empty([1], { dtype: float32 }).uniform_(low, high).item();

/** `torch.randint(low, high, (1,))`: at least low, below high. */
export const randint = (low: number, high: number): number =>
  Number(randintOp(low, high, [1], { dtype: int64 }).item());

/** A number whose logarithm is uniform, in single precision. */
export function logUniform(low: number, high: number): number {
  const [a, b] = log(tensor([low, high], { dtype: float32 })).tolist() as number[];
  return exp(empty([1], { dtype: float32 }).uniform_(a, b)).item();
}
