// Sliding windows of [N, C, spatial...] in any number of dimensions: what convolutions and pools read and write.

/** Windows over an image: sizes by spatial dimension. */
export interface Windows {
  readonly image: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Padding before and after. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Windows along each dimension. */
  readonly count: readonly number[];
}

export const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);
