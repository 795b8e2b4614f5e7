/**
 * Tensors as PyTorch prints them, byte for byte: `tensor([[1., 2.],\n        [3., 4.]])`.
 * Follows the behaviour of `torch/_tensor_str.py` (PyTorch 2.13) for strided tensors.
 */

import { type PrintOptions, resolvePrintOptions } from './print_options.js';
import { pyExponential, pyFixed, pyTuple } from './pyformat.js';

export { get_printoptions, type PrintOptions, type PrintProfile, set_printoptions } from './print_options.js';
export { pyExponential, pyFixed, pyFloatRepr, pyTuple } from './pyformat.js';

/** One element of a tensor: a complex number is the pair [real, imaginary]. */
export type PrintableElement = number | bigint | boolean | readonly [number, number];

/** What the printer needs to know of a tensor. */
export interface Printable {
  readonly shape: readonly number[];
  /** The dtype's name without 'torch.': 'float32', 'int64', 'bool', 'complex64', ... */
  readonly dtype: string;
  /** The element at a row-major flat index. Called once for each element that is printed, in order, and for no other. */
  element(flat: number): PrintableElement;
  readonly requires_grad: boolean;
  /** The name of the node that made the tensor ('MulBackward0'), or null. */
  readonly grad_fn: string | null;
  /** 'cpu', 'cuda:0', 'meta', ... */
  readonly device: string;
  /** Whether the tensor is an `nn.Parameter`. */
  readonly is_parameter?: boolean;
}

/** Settings of one call that otherwise come from `set_printoptions` and `set_default_dtype`. */
export interface FormatOptions extends Partial<PrintOptions> {
  /** The dtype that `torch.get_default_dtype()` names; it and its complex partner are not printed. Default 'float32'. */
  default_dtype?: string;
}

const PREFIX = 'tensor(';

/** Right-aligned text of the elements of one column class: a whole tensor, or its real or imaginary parts. */
interface ElementFormatter {
  /** The characters that an element occupies at least. */
  readonly width: number;
  format(value: number | bigint | boolean): string;
}

/** 'torch.Size([4, 3])' */
export function formatSize(shape: readonly number[]): string {
  return `torch.Size([${shape.join(', ')}])`;
}

function exactText(value: number | bigint | boolean): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}

/** Integers and booleans: every element padded to the longest. */
function exactFormatter(values: readonly (number | bigint | boolean)[]): ElementFormatter {
  let width = 1;
  for (const value of values) width = Math.max(width, exactText(value).length);
  return { width, format: (value) => exactText(value).padStart(width) };
}

/**
 * Floating point in one of three notations, chosen from the nonzero finite elements: scientific when
 * they span more than three decades or leave [1e-4, 1e8], whole numbers with a trailing point when all
 * are whole, fixed point otherwise. Zeros, infinities and NaN do not count towards the width.
 */
function floatFormatter(values: readonly number[], options: Readonly<PrintOptions>): ElementFormatter {
  const counted = values.filter((value) => Number.isFinite(value) && value !== 0);
  if (counted.length === 0) return withWidth(1, wholeText);
  let min = Infinity;
  let max = 0;
  for (const value of counted) {
    min = Math.min(min, Math.abs(value));
    max = Math.max(max, Math.abs(value));
  }
  const scientific = options.sci_mode ?? (max / min > 1000 || max > 1e8 || min < 1e-4);
  const text = notation(scientific, counted.every(Number.isInteger), options.precision);
  let width = 1;
  for (const value of counted) width = Math.max(width, text(value).length);
  return withWidth(width, text);
}

function notation(scientific: boolean, whole: boolean, precision: number): (value: number) => string {
  if (scientific) return (value) => pyExponential(value, precision);
  return whole ? wholeText : (value) => pyFixed(value, precision);
}

/** A whole number with the point that marks it as floating point; NaN and infinities take none. */
function wholeText(value: number): string {
  return pyFixed(value, 0) + (Number.isFinite(value) ? '.' : '');
}

function withWidth(width: number, text: (value: number) => string): ElementFormatter {
  return { width, format: (value) => text(Number(value)).padStart(width) };
}

/** Formats whole elements, complex ones included, and knows how many columns one takes. */
interface CellFormatter {
  readonly width: number;
  format(value: PrintableElement): string;
}

function complexFormatter(
  values: readonly PrintableElement[],
  options: Readonly<PrintOptions>,
): CellFormatter {
  const parts = (index: 0 | 1): number[] => values.map((value) => complexParts(value)[index]);
  const real = floatFormatter(parts(0), options);
  const imag = floatFormatter(parts(1), options);
  return {
    // One more for the 'j'. The sign between the parts is not counted.
    width: real.width + imag.width + 1,
    format(value) {
      const [re, im] = complexParts(value);
      const imagText = `${imag.format(im).trimStart()}j`;
      return real.format(re) + (imagText.startsWith('-') ? '' : '+') + imagText;
    },
  };
}

function complexParts(value: PrintableElement): readonly [number, number] {
  return typeof value === 'object' ? value : [Number(value), 0];
}

function scalarPart(value: PrintableElement): number | bigint | boolean {
  return typeof value === 'object' ? value[0] : value;
}

function cellFormatter(
  dtype: string,
  values: readonly PrintableElement[],
  options: Readonly<PrintOptions>,
): CellFormatter {
  if (dtype.startsWith('complex')) return complexFormatter(values, options);
  const scalars = values.map(scalarPart);
  const isFloat = dtype.startsWith('float') || dtype.startsWith('bfloat');
  const { width, format } = isFloat ? floatFormatter(scalars.map(Number), options) : exactFormatter(scalars);
  return { width, format: (value) => format(scalarPart(value)) };
}

/** The elements of a tensor that are printed, and the layout of brackets, commas and line breaks around them. */
class Layout {
  private readonly values: PrintableElement[] = [];
  private readonly cells: CellFormatter;
  private readonly summarize: boolean;
  private cursor = 0;

  constructor(
    private readonly tensor: Printable,
    numel: number,
    private readonly options: Readonly<PrintOptions>,
  ) {
    this.summarize = numel > options.threshold;
    this.collect(0, 0, numel);
    this.cells = cellFormatter(tensor.dtype, this.values, options);
  }

  /** How many entries of a dimension are shown at each end when it is cut, or null when all are shown. */
  private cut(size: number): number | null {
    return this.summarize && size > 2 * this.options.edgeitems ? this.options.edgeitems : null;
  }

  /** Calls `visit` with the index of each shown entry of a dimension of this size. */
  private forShown(size: number, visit: (index: number) => void): void {
    const edge = this.cut(size) ?? size;
    for (let i = 0; i < edge; i++) visit(i);
    for (let i = Math.max(edge, size - edge); i < size; i++) visit(i);
  }

  /** Reads the shown elements of the sub-tensor of `numel` elements that starts at `offset`. */
  private collect(dim: number, offset: number, numel: number): void {
    const size = this.tensor.shape[dim];
    if (size === undefined) {
      this.values.push(this.tensor.element(offset));
      return;
    }
    const stride = numel / size;
    this.forShown(size, (i) => this.collect(dim + 1, offset + i * stride, stride));
  }

  private nextCell(): string {
    const value = this.values[this.cursor++];
    return value === undefined ? '' : this.cells.format(value);
  }

  /** The text of the shown entries of a dimension, with `gap` where entries are left out. */
  private entries(size: number, gap: string, entry: () => string): string[] {
    const texts: string[] = [];
    const edge = this.cut(size);
    if (edge === 0) texts.push(gap);
    this.forShown(size, () => {
      texts.push(entry());
      if (texts.length === edge) texts.push(gap);
    });
    return texts;
  }

  /** The text of the sub-tensor at the cursor, whose opening bracket stands in column `indent`. */
  render(dim: number, indent: number): string {
    const { shape } = this.tensor;
    const size = shape[dim];
    if (size === undefined) return this.nextCell();
    const remaining = shape.length - dim;
    if (remaining === 1) return this.renderRow(size, indent);
    const slices = this.entries(size, '...', () => this.render(dim + 1, indent + 1));
    return `[${slices.join(`,${'\n'.repeat(remaining - 1)}${' '.repeat(indent + 1)}`)}]`;
  }

  private renderRow(size: number, indent: number): string {
    const { linewidth, edgeitems } = this.options;
    // Two more for the comma and the space between elements.
    const perLine = Math.max(1, Math.floor((linewidth - indent) / (this.cells.width + 2)));
    const cells = this.entries(size, edgeitems === 0 ? '...' : ' ...', () => this.nextCell());
    const lines: string[] = [];
    for (let i = 0; i < cells.length; i += perLine) lines.push(cells.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
  }
}

/** The brackets and elements of a tensor, without 'tensor(' and what follows the elements. */
function contents(t: Printable, numel: number, options: Readonly<PrintOptions>): string {
  if (isMeta(t)) return '...';
  if (numel === 0) return '[]';
  return new Layout(t, numel, options).render(0, PREFIX.length);
}

function isMeta(t: Printable): boolean {
  return deviceType(t) === 'meta';
}

function deviceType(t: Printable): string {
  return t.device.split(':')[0] ?? t.device;
}

/** What follows the elements: device, size, dtype and gradient, each only where it cannot be inferred. */
function suffixesOf(t: Printable, numel: number, edgeitems: number, defaultDtype: string): string[] {
  const suffixes: string[] = [];
  const size = `size=${pyTuple(t.shape)}`;
  if (deviceType(t) !== 'cpu') suffixes.push(`device='${t.device}'`);
  // Without elements the dtype cannot be told from their form, so that only the default goes unsaid.
  let implied = [defaultDtype];
  if (isMeta(t)) {
    suffixes.push(size);
  } else if (numel === 0) {
    if (t.shape.length !== 1) suffixes.push(size);
  } else {
    if (edgeitems === 0) suffixes.push(size);
    implied = [defaultDtype, defaultDtype === 'float64' ? 'complex128' : 'complex64', 'int64', 'bool'];
  }
  if (!implied.includes(t.dtype)) suffixes.push(`dtype=torch.${t.dtype}`);
  if (t.grad_fn !== null) suffixes.push(`grad_fn=<${t.grad_fn}>`);
  else if (t.requires_grad) suffixes.push('requires_grad=True');
  return suffixes;
}

/** Appends the suffixes and the closing parenthesis, breaking the line where a suffix would pass `linewidth`. */
function appendSuffixes(text: string, suffixes: readonly string[], linewidth: number): string {
  let result = text;
  // PyTorch counts two characters more than the last line holds; the breaks depend on it.
  let column = text.length - text.lastIndexOf('\n') + 1;
  for (const suffix of suffixes) {
    if (column + suffix.length + 2 > linewidth) {
      result += `,\n${' '.repeat(PREFIX.length)}${suffix}`;
      column = PREFIX.length + suffix.length;
    } else {
      result += `, ${suffix}`;
      column += suffix.length + 2;
    }
  }
  return `${result})`;
}

/**
 * The text that PyTorch's `repr(tensor)` gives, byte for byte.
 *
 * Only the elements that appear in the text are read, so that printing a large (summarised) tensor is
 * cheap. Options left out come from `set_printoptions`; `default_dtype` is the dtype that goes unsaid.
 */
export function formatTensor(t: Printable, options: FormatOptions = {}): string {
  const defaultDtype = options.default_dtype ?? 'float32';
  const print = resolvePrintOptions(options);
  const numel = t.shape.reduce((product, size) => product * size, 1);
  const body = PREFIX + contents(t, numel, print);
  const text = appendSuffixes(body, suffixesOf(t, numel, print.edgeitems, defaultDtype), print.linewidth);
  return t.is_parameter === true ? `Parameter containing:\n${text}` : text;
}
