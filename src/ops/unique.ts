// Distinct elements and distinct slices.
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { int64 } from '../dtype.js';
import { IndexError, NotImplementedError, RuntimeError } from '../errors.js';
import { type Tensor, wrapDim } from '../tensor.js';
import { add, mul } from './arithmetic.js';
import { ne } from './compare.js';
import { contiguous } from './copy.js';
import { type Overloads, op } from './define.js';
import { arangeOf, full_, ones_, zeros_ } from './fill.js';
import { index_select } from './indexing.js';
import { cat } from './join.js';
import { derivativeMissing } from './notdiff.js';
import { any } from './reduce_extreme.js';
import { cumsum } from './scan.js';
import { movedim } from './shape.js';
import { select, slice } from './view.js';

/** Distinct values with, for every element, which it is, and how often each occurs. */
interface Groups {
  readonly values: Tensor;
  readonly inverse: Tensor;
  readonly counts: Tensor;
}

/** Runs a kernel over the elements in row-major order. */
function groupsOf(kernel: 'unique' | 'unique_consecutive', x: Tensor): Groups {
  const n = x._numel;
  const values = empty([n], x.dtype, x.device);
  const inverse = empty([n], int64, x.device);
  const counts = empty([n], int64, x.device);
  const groups =
    n === 0 ? 0 : backendOf(x.device.type).launch(kernel, values, inverse, counts, contiguous(x.detach()));
  // Copies: the memory of n elements is not kept for a few.
  const head = (t: Tensor): Tensor => (groups === n ? t : slice(t, 0, 0, groups).clone());
  return { values: head(values), inverse: inverse.view(x.shape), counts: head(counts) };
}

/** The slices along d as rows. */
function rowsOf(x: Tensor, d: number): Tensor {
  const front = movedim(x.detach(), d, 0);
  return contiguous(front).view([x.shape[d], x._numel / x.shape[d]]);
}

/** The number of each row among the distinct ones, in lexicographic order. */
function rankRows(rows: Tensor): { inverse: Tensor; groups: number } {
  const [n, width] = rows.shape;
  let inverse = zeros_([n], int64, rows.device);
  let groups = 1;
  for (let c = 0; c < width && groups < n; c++) {
    const column = groupsOf('unique', contiguous(select(rows, 1, c)));
    const merged = groupsOf('unique', add(mul(inverse, column.values._numel), column.inverse));
    inverse = merged.inverse;
    groups = merged.values._numel;
  }
  return { inverse, groups };
}

function checkSlices(x: Tensor, dim: number): number {
  if (x.shape.length === 0) throw new IndexError('Dimension specified as 0 but tensor has no dimensions');
  const d = wrapDim(dim, x.shape.length);
  if (x._numel === 0 && (x.shape[d] !== 0 || x.shape.some((n, i) => i !== d && n === 0)))
    throw new RuntimeError(
      "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied",
    );
  return d;
}

/** Groups of slices along d, from their numbers. */
function sliceGroups(x: Tensor, d: number, inverse: Tensor, groups: number): Groups {
  const n = x.shape[d];
  const first = full_([groups], n, int64, x.device).scatter_reduce_(
    0,
    inverse,
    arangeOf(n, x.device),
    'amin',
  );
  const counts = zeros_([groups], int64, x.device).index_add_(0, inverse, ones_([n], int64, x.device));
  return { values: index_select(x.detach(), d, first), inverse, counts };
}

const emptyGroups = (x: Tensor): Groups => ({
  values: x.detach().clone(),
  inverse: empty([0], int64, x.device),
  counts: empty([0], int64, x.device),
});

/** Distinct slices along a dimension, in lexicographic order or as runs of equal neighbours. */
function distinctSlices(x: Tensor, dim: number, consecutive: boolean): Groups {
  const d = checkSlices(x, dim);
  if (x.shape[d] === 0) return emptyGroups(x);
  const rows = rowsOf(x, d);
  if (!consecutive) {
    const { inverse, groups } = rankRows(rows);
    return sliceGroups(x, d, inverse, groups);
  }
  const n = rows.shape[0];
  const changes = any(ne(slice(rows, 0, 1, n), slice(rows, 0, 0, n - 1)), 1).to(int64);
  const inverse = cumsum(cat([zeros_([1], int64, x.device), changes]), 0);
  return sliceGroups(x, d, inverse, Number(select(inverse, 0, -1).item()) + 1);
}

function checkDtype(x: Tensor): void {
  if (x.dtype.is_complex)
    throw new NotImplementedError(`"unique" not implemented for '${x.dtype.scalarName}'`);
}

/** What PyTorch returns: the values alone, or a tuple with what was asked for. */
function chosen(
  { values, inverse, counts }: Groups,
  withInverse: boolean,
  withCounts: boolean,
): Tensor | Tensor[] {
  if (!withInverse && !withCounts) return values;
  return [values, ...(withInverse ? [inverse] : []), ...(withCounts ? [counts] : [])];
}

interface UniqueOptions {
  dim?: number | null;
  return_inverse?: boolean;
  return_counts?: boolean;
}
type Sorted = { sorted?: boolean };
/** With both flags: values, inverse, counts; with one: values and that one; with none: values. */
interface UniqueForms<O extends UniqueOptions> {
  (
    options: O & { return_inverse: true; return_counts: true },
  ): [values: Tensor, inverse: Tensor, counts: Tensor];
  (options: O & { return_inverse: true }): [values: Tensor, inverse: Tensor];
  (options: O & { return_counts: true }): [values: Tensor, counts: Tensor];
  (options?: O): Tensor;
}
interface UniqueFunction<O extends UniqueOptions> {
  (
    input: Tensor,
    options: O & { return_inverse: true; return_counts: true },
  ): [values: Tensor, inverse: Tensor, counts: Tensor];
  (input: Tensor, options: O & { return_inverse: true }): [values: Tensor, inverse: Tensor];
  (input: Tensor, options: O & { return_counts: true }): [values: Tensor, counts: Tensor];
  (input: Tensor, options?: O): Tensor;
}
interface UniqueMethod extends UniqueForms<UniqueOptions & Sorted> {
  (
    sorted: boolean,
    return_inverse?: boolean,
    return_counts?: boolean,
    dim?: number | null,
  ): Tensor | Tensor[];
}
interface UniqueFull extends UniqueFunction<UniqueOptions & Sorted> {
  (
    input: Tensor,
    sorted: boolean,
    return_inverse?: boolean,
    return_counts?: boolean,
    dim?: number | null,
  ): Tensor | Tensor[];
}

/**
 * The distinct elements in ascending order; with `dim` the distinct slices in lexicographic order. On request also
 * the number of each element among them and their counts. Two NaNs are distinct. Not differentiable.
 *
 *     torch.tensor([2, 1, 2]).unique()
 *     // tensor([1., 2.])
 */
export const unique: Overloads<UniqueFull, UniqueMethod> = op(
  'unique',
  'Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False, int? dim=None',
  (x: Tensor, _sorted: boolean, inverse: boolean, counts: boolean, dim: number | null) => {
    checkDtype(x);
    const groups = dim === null ? groupsOf('unique', x) : distinctSlices(x, dim, false);
    if (dim === null) derivativeMissing('Unique2Backward0', '_unique2', x, [groups.values]);
    else derivativeMissing('UniqueDimBackward0', 'unique_dim', x, [groups.values]);
    return chosen(groups, inverse, counts);
  },
);

/** As {@link unique}, but only equal neighbours are one: the order stays. */
export const unique_consecutive: Overloads<UniqueFunction<UniqueOptions>, UniqueForms<UniqueOptions>> = op(
  'unique_consecutive',
  'Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None',
  (x: Tensor, inverse: boolean, counts: boolean, dim: number | null) => {
    checkDtype(x);
    const groups = dim === null ? groupsOf('unique_consecutive', x) : distinctSlices(x, dim, true);
    derivativeMissing('UniqueConsecutiveBackward0', 'unique_consecutive', x, [groups.values]);
    return chosen(groups, inverse, counts);
  },
);
