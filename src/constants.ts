// Numbers that PyTorch names (its `torch.pi`, `torch.inf`, …).

/** Euler's number. */
export const e: number = Math.E;
/** Positive infinity. */
export const inf: number = Number.POSITIVE_INFINITY;
/** Not a number. */
export const nan: number = Number.NaN;
/** The index that adds a dimension, as `null`: `x.at(torch.newaxis, '...')`. */
export const newaxis = null;
/** The ratio of a circle's circumference to its diameter. */
export const pi: number = Math.PI;
