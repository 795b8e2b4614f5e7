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

/** Values of one to three spatial dimensions as those of three: `value` for what comes before. */
export const inSpace = (list: readonly number[], value: number): number[] => [
  ...new Array<number>(3 - list.length).fill(value),
  ...list,
];
