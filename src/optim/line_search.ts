// A line search for the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, 3.5).
import type { Tensor } from '../tensor.js';

/** Loss, gradient and slope at distance t along the direction. */
export interface Evaluation {
  readonly t: number;
  readonly loss: number;
  readonly grad: Tensor;
  readonly slope: number;
}

interface Limits {
  /** How many evaluations after the first one. */
  readonly most: number;
  /** The least width of the bracket, times `scale`. */
  readonly change: number;
  readonly scale: number;
}

const DECREASE = 1e-4;
const CURVATURE = 0.9;

/** The minimum of the cubic through two points with their slopes, within bounds. */
function cubicMinimum(a: Evaluation, b: Evaluation, low: number, high: number): number {
  const [x, y] = a.t <= b.t ? [a, b] : [b, a];
  const d1 = x.slope + y.slope - (3 * (x.loss - y.loss)) / (x.t - y.t);
  const square = d1 * d1 - x.slope * y.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const t = y.t - (y.t - x.t) * ((y.slope + d2 - d1) / (y.slope - x.slope + 2 * d2));
  return Math.min(Math.max(t, low), high);
}

/** Finds a point that satisfies the conditions, or the best one within the limits. */
export function strongWolfe(
  evaluate: (t: number) => Evaluation,
  start: Evaluation,
  first: number,
  limits: Limits,
): { point: Evaluation; count: number } {
  const tooHigh = (p: Evaluation): boolean => p.loss > start.loss + DECREASE * p.t * start.slope;
  const flat = (p: Evaluation): boolean => Math.abs(p.slope) <= -CURVATURE * start.slope;
  let before = start;
  let point = evaluate(first);
  let used = 0;
  let bracket: [Evaluation, Evaluation] | null = null;
  while (used < limits.most) {
    if (tooHigh(point) || (used > 1 && point.loss >= before.loss)) bracket = [before, point];
    else if (flat(point)) return { point, count: used + 1 };
    else if (point.slope >= 0) bracket = [before, point];
    if (bracket) break;
    const t = cubicMinimum(before, point, point.t + 0.01 * (point.t - before.t), point.t * 10);
    before = point;
    point = evaluate(t);
    used++;
  }
  bracket ??= [start, point];
  return zoom(evaluate, bracket, used, limits, tooHigh, flat);
}

/** A new distance inside the bracket; close to its edge twice, it is moved a tenth of the width away. */
function trial(low: Evaluation, high: Evaluation, stalled: boolean): { t: number; stalled: boolean } {
  const left = Math.min(low.t, high.t);
  const right = Math.max(low.t, high.t);
  const t = cubicMinimum(low, high, left, right);
  const margin = 0.1 * (right - left);
  if (Math.min(right - t, t - left) >= margin) return { t, stalled: false };
  if (!stalled && t < right && t > left) return { t, stalled: true };
  return { t: Math.abs(t - right) < Math.abs(t - left) ? right - margin : left + margin, stalled: false };
}

function zoom(
  evaluate: (t: number) => Evaluation,
  bracket: [Evaluation, Evaluation],
  begun: number,
  limits: Limits,
  tooHigh: (p: Evaluation) => boolean,
  flat: (p: Evaluation) => boolean,
): { point: Evaluation; count: number } {
  let used = begun;
  let [low, high] = bracket[0].loss <= bracket[1].loss ? bracket : [bracket[1], bracket[0]];
  let stalled = false;
  while (used < limits.most && Math.abs(high.t - low.t) * limits.scale >= limits.change) {
    const next = trial(low, high, stalled);
    stalled = next.stalled;
    const point = evaluate(next.t);
    used++;
    if (tooHigh(point) || point.loss >= low.loss) {
      high = point;
      if (high.loss < low.loss) [low, high] = [high, low];
    } else {
      if (!flat(point) && point.slope * (high.t - low.t) >= 0) high = low;
      low = point;
      if (flat(point)) break;
    }
  }
  return { point: low, count: used + 1 };
}
