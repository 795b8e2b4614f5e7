// Sums of products over shared dimensions: einsum and tensordot.
import { typeName } from '../dispatch/schema.js';
import { RuntimeError, ValueError } from '../errors.js';
import { numelOf, Tensor, wrapDim } from '../tensor.js';
import { mul } from './arithmetic.js';
import { type Out, op } from './define.js';
import { diagonal } from './diagonal.js';
import { bmm, mm } from './matmul.js';
import { sum } from './reduce.js';
import { movedim } from './shape.js';
import { permute, reshape, unsqueeze, view } from './view.js';

const fail = (text: string): never => {
  throw new RuntimeError(`einsum(): ${text}`);
};

/** Letters are numbered A to Z, a to z; an ellipsis is -1. */
const ELLIPSIS = -1;
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const letterOf = (label: number): string => letters[label];

type Labels = number[];

/** Reads the subscripts of one operand, from `start` in the equation. */
function parseTerm(term: string, start: number, where: string): Labels {
  const labels: Labels = [];
  for (let i = 0; i < term.length; i++) {
    const c = term[i];
    if (c === ' ') continue;
    if (c === '.') {
      if (labels.includes(ELLIPSIS)) fail(`found '.' for ${where} for which an ellipsis was already found`);
      if (term.slice(i, i + 3) !== '...') fail(`found '.' for ${where} that is not part of any ellipsis`);
      labels.push(ELLIPSIS);
      i += 2;
      continue;
    }
    const label = letters.indexOf(c);
    if (label < 0)
      fail(
        `invalid subscript given at index ${start + i} in the equation string, subscripts must be in [a-zA-Z]`,
      );
    labels.push(label);
  }
  return labels;
}

interface Equation {
  readonly inputs: readonly Labels[];
  /** null: what appears exactly once, in alphabetical order. */
  readonly output: Labels | null;
}

function parseEquation(equation: string, operands: number): Equation {
  const arrow = equation.indexOf('->');
  const left = arrow < 0 ? equation : equation.slice(0, arrow);
  const inputs: Labels[] = [];
  let at = 0;
  for (const term of left.split(',')) {
    if (inputs.length >= operands) fail('fewer operands were provided than specified in the equation');
    inputs.push(parseTerm(term, at, `operand ${inputs.length}`));
    at += term.length + 1;
  }
  if (inputs.length < operands) fail('more operands were provided than specified in the equation');
  return { inputs, output: arrow < 0 ? null : parseTerm(equation.slice(arrow + 2), arrow + 2, 'the output') };
}

/** Sublists instead of letters: numbers below 52, '...' for an ellipsis. */
function sublist(list: unknown): Labels {
  if (!Array.isArray(list))
    throw new TypeError(`einsum(): expected a list of subscripts, but got ${typeName(list)}`);
  return list.map((label) => {
    if (label === '...') return ELLIPSIS;
    if (typeof label !== 'number')
      throw new TypeError(`'>=' not supported between instances of '${typeName(label)}' and 'int'`);
    if (!Number.isInteger(label) || label < 0 || label >= 52)
      throw new ValueError('einsum(): subscript in subscript list is not within the valid range [0, 52)');
    return label;
  });
}

/** Where each label's dimension goes: the output's labels in order, then those that are summed. */
interface Layout {
  readonly place: ReadonlyMap<number, number>;
  /** Dimensions that ellipses stand for, and the place of the first. */
  readonly spread: number;
  readonly spreadAt: number;
  /** Dimensions of the output. */
  readonly kept: number;
  readonly total: number;
}

/** How many dimensions the ellipsis of an operand stands for. */
function spreadOf(labels: Labels, x: Tensor, i: number): number {
  const named = labels.filter((l) => l !== ELLIPSIS).length;
  const ndim = x.shape.length;
  const open = labels.includes(ELLIPSIS);
  if (open ? named > ndim : named !== ndim)
    fail(
      `the number of subscripts in the equation (${named}) ${open ? 'is more than the number of dimensions' : 'does not match the number of dimensions'} (${ndim}) for operand ${i}${open ? '' : ' and no ellipsis was given'}`,
    );
  return ndim - named;
}

function implicitOutput(inputs: readonly Labels[]): Labels {
  const count = new Map<number, number>();
  for (const label of inputs.flat()) count.set(label, (count.get(label) ?? 0) + 1);
  const once = [...count].filter(([label, n]) => label !== ELLIPSIS && n === 1).map(([label]) => label);
  once.sort((a, b) => a - b);
  return count.has(ELLIPSIS) ? [ELLIPSIS, ...once] : once;
}

function layoutOf({ inputs, output }: Equation, spread: number): Layout {
  const labels = output ?? implicitOutput(inputs);
  const known = new Set(inputs.flat());
  const place = new Map<number, number>();
  let at = 0;
  let spreadAt = -1;
  for (const label of labels) {
    if (label === ELLIPSIS) {
      spreadAt = at;
      at += spread;
      continue;
    }
    if (place.has(label)) fail(`output subscript ${letterOf(label)} appears more than once in the output`);
    if (!known.has(label))
      fail(`output subscript ${letterOf(label)} does not appear in the equation for any input operand`);
    place.set(label, at++);
  }
  const kept = at;
  if (spreadAt < 0) {
    spreadAt = at;
    at += spread;
  }
  for (const label of [...known].sort((a, b) => a - b))
    if (label !== ELLIPSIS && !place.has(label)) place.set(label, at++);
  return { place, spread, spreadAt, kept, total: at };
}

/** The operand with one dimension per place of the layout: repeated labels by diagonals, missing ones of size 1. */
function aligned(x: Tensor, labels: Labels, layout: Layout, i: number): Tensor {
  const own = spreadOf(labels, x, i);
  let view = x;
  const places: number[] = [];
  let d = 0;
  for (const label of labels) {
    if (label === ELLIPSIS) {
      for (let k = 0; k < own; k++, d++) places.push(layout.spreadAt + layout.spread - own + k);
      continue;
    }
    const place = layout.place.get(label) as number;
    const before = places.indexOf(place);
    if (before < 0) {
      places.push(place);
      d++;
      continue;
    }
    if (view.shape[before] !== view.shape[d])
      fail(
        `subscript ${letterOf(label)} is repeated for operand ${i} but the sizes don't match, ${view.shape[d]} != ${view.shape[before]}`,
      );
    view = movedim(diagonal(view, 0, before, d), -1, before);
  }
  const present = places.map((place, dim) => ({ place, dim })).sort((a, b) => a.place - b.place);
  view = permute(
    view,
    present.map(({ dim }) => dim),
  );
  for (let place = 0; place < layout.total; place++)
    if (!places.includes(place)) view = unsqueeze(view, place);
  return view;
}

/** @throws RuntimeError when sizes of a label differ and neither is 1. */
function checkSizes(operands: readonly Tensor[], layout: Layout): void {
  const sizes = new Array<number>(layout.total).fill(1);
  operands.forEach((x, i) => {
    x.shape.forEach((n, place) => {
      if (n === 1) return;
      if (sizes[place] !== 1 && sizes[place] !== n) {
        const label = [...layout.place].find(([, p]) => p === place);
        fail(
          label
            ? `subscript ${letterOf(label[0])} has size ${n} for operand ${i} which does not broadcast with previously seen size ${sizes[place]}`
            : `dimension ${place - layout.spreadAt} covered by ellipsis has size ${n} for operand ${i} which does not broadcast with previously covered size ${sizes[place]}`,
        );
      }
      sizes[place] = n;
    });
  });
}

/**
 * The product of two tensors of equal rank, summed over `dims`, which stay with size 1. By one batched matrix product:
 * dimensions of both that stay are the batch, those of one its rows or columns.
 */
function contractPair(a: Tensor, b: Tensor, dims: readonly number[]): Tensor {
  let [left, right] = [a, b];
  const rank = a.shape.length;
  const [batch, rows, columns, inner]: number[][] = [[], [], [], []];
  for (let d = 0; d < rank; d++) {
    const [l, r] = [left.shape[d] !== 1, right.shape[d] !== 1];
    if (!dims.includes(d)) (l && r ? batch : l ? rows : columns).push(d);
    else if (l && r) inner.push(d);
    else if (l) left = sum(left, d, true);
    else if (r) right = sum(right, d, true);
  }
  const sizeOf = (x: Tensor, list: readonly number[]): number => numelOf(list.map((d) => x.shape[d]));
  const [nb, nr, nc, ni] = [
    sizeOf(left, batch),
    sizeOf(left, rows),
    sizeOf(right, columns),
    sizeOf(left, inner),
  ];
  const gone = dims.filter((d) => !inner.includes(d));
  const leftOrder = [...batch, ...rows, ...inner, ...gone, ...columns];
  const rightOrder = [...batch, ...inner, ...columns, ...gone, ...rows];
  const product = bmm(
    reshape(permute(left, leftOrder), [nb, nr, ni]),
    reshape(permute(right, rightOrder), [nb, ni, nc]),
  );
  const order = [...batch, ...rows, ...columns, ...inner, ...gone];
  const shape = [
    ...batch.map((d) => left.shape[d]),
    ...rows.map((d) => left.shape[d]),
    ...columns.map((d) => right.shape[d]),
  ];
  const full = reshape(product, [...shape, ...dims.map(() => 1)]);
  const back = new Array<number>(rank);
  order.forEach((d, i) => {
    back[d] = i;
  });
  return permute(full, back);
}

/** Which operands still have a dimension that is not 1. */
const needed = (rest: readonly Tensor[], d: number): boolean => rest.some((x) => x.shape[d] !== 1);

/** Contracts operands from left to right. */
function contractAll(operands: readonly Tensor[], layout: Layout): Tensor {
  const summed = Array.from({ length: layout.total - layout.kept }, (_, i) => layout.kept + i);
  let result = operands[0];
  if (operands.length === 1) {
    if (summed.length > 0) result = sum(result, summed);
    return result;
  }
  for (let i = 1; i < operands.length; i++) {
    const next = operands[i];
    const rest = operands.slice(i + 1);
    const dims = summed.filter((d) => !needed(rest, d) && (result.shape[d] !== 1 || next.shape[d] !== 1));
    result = dims.length === 0 ? mul(result, next) : contractPair(result, next, dims);
  }
  return summed.length > 0 ? view(result, result.shape.slice(0, layout.kept)) : result;
}

type Operands = readonly (Tensor | readonly Tensor[])[];

/**
 * Sums of products in Einstein's notation: `einsum('ij,jk->ik', a, b)`, or with lists of numbers instead of letters:
 * `einsum(a, [0, 1], b, [1, 2], [0, 2])`. Repeated letters take the diagonal; `'...'` stands for any dimensions.
 *
 *     torch.einsum('ij,ij->i', torch.tensor([[1, 2], [3, 4]]), torch.tensor([[1, 2], [3, 4]]))
 *     // tensor([ 5., 25.])
 *
 * @throws RuntimeError for subscripts that do not fit the operands.
 */
export const einsum: {
  (equation: string, ...operands: Operands): Tensor;
  (
    operand: Tensor,
    subscripts: readonly (number | '...')[],
    ...rest: readonly (Tensor | readonly (number | '...')[])[]
  ): Tensor;
} = op(
  'einsum',
  'any[]... args',
  (args: readonly unknown[]) => {
    if (args.length < 2)
      throw new ValueError(
        'einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list',
      );
    const [operands, equation] = readArguments(args);
    const spread = Math.max(0, ...operands.map((x, i) => spreadOf(equation.inputs[i], x, i)));
    const layout = layoutOf(equation, spread);
    const parts = operands.map((x, i) => aligned(x, equation.inputs[i], layout, i));
    checkSizes(parts, layout);
    return contractAll(parts, layout);
  },
  { self: null },
) as never;

function readArguments(args: readonly unknown[]): [readonly Tensor[], Equation] {
  const [first, ...rest] = args;
  if (typeof first === 'string') {
    const operands = (rest.length === 1 && Array.isArray(rest[0]) ? rest[0] : rest) as Tensor[];
    for (const x of operands)
      if (!(x instanceof Tensor))
        throw new TypeError(`einsum(): argument 'operands' must be tuple of Tensors, not ${typeName(x)}`);
    return [operands, parseEquation(first, operands.length)];
  }
  const operands: Tensor[] = [];
  const inputs: Labels[] = [];
  let i = 0;
  for (; i + 1 < args.length; i += 2) {
    const x = args[i];
    if (!(x instanceof Tensor))
      throw new TypeError(`einsum(): argument 'operands' must be tuple of Tensors, not ${typeName(x)}`);
    operands.push(x);
    inputs.push(sublist(args[i + 1] as unknown[]));
  }
  return [operands, { inputs, output: i < args.length ? sublist(args[i] as unknown[]) : null }];
}

type ContractedDims = number | readonly [readonly number[], readonly number[]];

/** The dimension lists that are contracted. */
function contracted(a: Tensor, b: Tensor, dims: unknown): [number[], number[]] {
  if (Array.isArray(dims)) {
    const asList = (x: unknown): number[] => (Array.isArray(x) ? (x as number[]) : [Number(x)]);
    return [asList(dims[0]), asList(dims[1])];
  }
  const n = Number(dims);
  if (n < 0) throw new RuntimeError(`tensordot expects dims >= 0, but got dims=${n}`);
  if (n > Math.min(a.shape.length, b.shape.length))
    throw new RuntimeError(`tensordot expects dims < ndim_a or ndim_b, but got dims=${n}`);
  return [Array.from({ length: n }, (_, i) => i - n), Array.from({ length: n }, (_, i) => i)];
}

/**
 * The product of two tensors summed over dimensions: the last `dims` of `a` with the first of `b`, or those in two lists.
 * @throws RuntimeError when the sizes differ.
 */
export const tensordot: (
  a: Tensor,
  b: Tensor,
  ...args: [dims?: ContractedDims, options?: Out] | [options: Out & { dims?: ContractedDims }]
) => Tensor = op(
  'tensordot',
  'Tensor a, Tensor b, any dims=2, *, Tensor? out=None',
  (first: Tensor, second: Tensor, dims: unknown) => {
    const [of, to] = contracted(first, second, dims instanceof Tensor ? dims.tolist() : dims);
    if (of.length !== to.length) throw new RuntimeError('both dimension lists should have same length');
    if (first.dtype !== second.dtype) throw new RuntimeError('both inputs should have same dtype');
    let [a, b] = [first, second];
    of.forEach((d, i) => {
      const [l, r] = [wrapDim(d, a.shape.length), wrapDim(to[i], b.shape.length)];
      if (a.shape[l] === b.shape[r]) return;
      if (b.shape[r] === 1) a = sum(a, l, true);
      else if (a.shape[l] === 1) b = sum(b, r, true);
      else
        throw new RuntimeError(
          `contracted dimensions need to match, but first has size ${a.shape[l]} in dim ${d} and second has size ${b.shape[r]} in dim ${to[i]}`,
        );
    });
    const [inA, inB] = [of.map((d) => wrapDim(d, a.shape.length)), to.map((d) => wrapDim(d, b.shape.length))];
    const restA = a.shape.map((_, d) => d).filter((d) => !inA.includes(d));
    const restB = b.shape.map((_, d) => d).filter((d) => !inB.includes(d));
    const inner = numelOf(inA.map((d) => a.shape[d]));
    const [rows, columns] = [restA.map((d) => a.shape[d]), restB.map((d) => b.shape[d])];
    const left = reshape(permute(a, [...restA, ...inA]), [numelOf(rows), inner]);
    const right = reshape(permute(b, [...inB, ...restB]), [inner, numelOf(columns)]);
    return reshape(mm(left, right), [...rows, ...columns]);
  },
  { self: null },
);
