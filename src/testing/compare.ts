// assert_close: tensors, numbers and collections of them that must agree.
import { typeName } from '../dispatch/schema.js';
import { type DType, int64, promote_types } from '../dtype.js';
import { AssertionError, ValueError } from '../errors.js';
import { tensor } from '../ops/data.js';
import { pyFloatRepr, pyTuple } from '../pyformat.js';
import { Tensor } from '../tensor.js';
import { warnOnce } from '../warnings.js';

type Message = string | ((text: string) => string) | null;

/** Options of {@link assert_close}. */
export interface CloseOptions {
  /** Relative tolerance; given together with `atol`, or neither. */
  rtol?: number | null;
  atol?: number | null;
  equal_nan?: boolean;
  check_device?: boolean;
  check_dtype?: boolean;
  check_layout?: boolean;
  check_stride?: boolean;
  /** What the error says, or a function of what it would say. */
  msg?: Message;
}

/** Relative and absolute tolerances by dtype; none for integers. */
const PRECISIONS: Readonly<Record<string, readonly [rtol: number, atol: number]>> = {
  float16: [0.001, 1e-5],
  bfloat16: [0.016, 1e-5],
  float32: [1.3e-6, 1e-5],
  float64: [1e-7, 1e-7],
  complex64: [1.3e-6, 1e-5],
  complex128: [1e-7, 1e-7],
};

type Path = readonly (number | string)[];

class Comparison {
  constructor(private readonly options: CloseOptions) {}

  private fail(text: string, path: Path): never {
    const where = path.map((key) => `[${typeof key === 'string' ? `'${key}'` : key}]`).join('');
    const whole = where === '' ? text : `${text}\n\nThe failure occurred for item ${where}`;
    const { msg } = this.options;
    throw new AssertionError(typeof msg === 'function' ? msg(whole) : (msg ?? whole));
  }

  private tolerances(types: readonly string[]): [rtol: number, atol: number] {
    const { rtol = null, atol = null } = this.options;
    if ((rtol === null) !== (atol === null))
      throw new ValueError(
        `Both 'rtol' and 'atol' must be either specified or omitted, but got no ${rtol === null ? 'rtol' : 'atol'}.`,
      );
    if (rtol !== null && atol !== null) return [rtol, atol];
    const known = types.map((type) => PRECISIONS[type] ?? [0, 0]);
    return [Math.max(...known.map(([r]) => r)), Math.max(...known.map(([, a]) => a))];
  }

  compare(actual: unknown, expected: unknown, path: Path = []): void {
    if (actual === null || expected === null) {
      if (actual !== expected) this.fail(`None mismatch: ${shown(actual)} is not ${shown(expected)}`, path);
    } else if (actual instanceof Tensor && expected instanceof Tensor) this.tensors(actual, expected, path);
    else if (typeof actual === 'boolean' && typeof expected === 'boolean') {
      if (actual !== expected)
        this.fail(`Booleans mismatch: ${shown(actual)} is not ${shown(expected)}`, path);
    } else if (isNumber(actual) && isNumber(expected)) this.numbers(actual, expected, path);
    else if (Array.isArray(actual) && Array.isArray(expected)) this.sequences(actual, expected, path);
    else if (isMapping(actual) && isMapping(expected)) this.mappings(actual, expected, path);
    else
      throw new TypeError(
        `No comparison pair was able to handle inputs of type ${className(actual)} and ${className(expected)}.`,
      );
  }

  private sequences(actual: readonly unknown[], expected: readonly unknown[], path: Path): void {
    if (actual.length !== expected.length)
      this.fail(`The length of the sequences mismatch: ${actual.length} != ${expected.length}`, path);
    for (let i = 0; i < actual.length; i++) this.compare(actual[i], expected[i], [...path, i]);
  }

  private mappings(actual: Mapping, expected: Mapping, path: Path): void {
    const [a, b] = [keysOf(actual), keysOf(expected)];
    const list = (keys: string[]): string => `[${keys.map((key) => `'${key}'`).join(', ')}]`;
    const missing = b.filter((key) => !a.includes(key));
    const additional = a.filter((key) => !b.includes(key));
    if (missing.length > 0 || additional.length > 0)
      this.fail(
        [
          'The keys of the mappings do not match:',
          ...(missing.length > 0 ? [`Missing keys in the actual mapping: ${list(missing)}`] : []),
          ...(additional.length > 0 ? [`Additional keys in the actual mapping: ${list(additional)}`] : []),
        ].join('\n'),
        path,
      );
    for (const key of [...a].sort())
      this.compare(valueAt(actual, key), valueAt(expected, key), [...path, key]);
  }

  private numbers(actual: number | bigint, expected: number | bigint, path: Path): void {
    if (typeof actual !== typeof expected)
      this.fail(`The (d)types do not match: ${className(actual)} != ${className(expected)}.`, path);
    const type = typeof actual === 'number' ? 'float64' : 'int64';
    const [rtol, atol] = this.tolerances([type]);
    if (!this.close(Number(actual), Number(expected), rtol, atol))
      this.fail(scalarText(actual, expected, rtol, atol), path);
  }

  private close(actual: number, expected: number, rtol: number, atol: number): boolean {
    if (actual === expected) return true;
    if (Number.isNaN(actual) && Number.isNaN(expected)) return this.options.equal_nan === true;
    const far = Math.abs(actual - expected);
    return Number.isFinite(far) && far <= atol + rtol * Math.abs(expected);
  }

  private attributes(a: Tensor, b: Tensor, path: Path): void {
    const differ = (name: string, x: string, y: string): void => {
      if (x !== y) this.fail(`The values for attribute '${name}' do not match: ${x} != ${y}.`, path);
    };
    const size = (x: Tensor): string => `torch.Size([${x.shape.join(', ')}])`;
    differ('shape', size(a), size(b));
    if (this.options.check_device !== false) differ('device', String(a.device), String(b.device));
    if (this.options.check_dtype !== false) differ('dtype', String(a.dtype), String(b.dtype));
    if (this.options.check_stride) differ('stride()', pyTuple([...a.stride()]), pyTuple([...b.stride()]));
  }

  private tensors(actual: Tensor, expected: Tensor, path: Path): void {
    this.attributes(actual, expected, path);
    const [rtol, atol] = this.tolerances([actual.dtype.name, expected.dtype.name]);
    const type: DType = promote_types(actual.dtype, expected.dtype);
    const [a, b] = [actual, expected].map((x) => x.detach().cpu().to(type));
    const matches = a.isclose(b, { rtol, atol, equal_nan: this.options.equal_nan ?? false });
    if (matches.all().item()) return;
    if (a.shape.length > 0) this.fail(tensorText(a, b, matches, rtol, atol), path);
    const plain = (x: Tensor): number | bigint => (type.is_integral ? BigInt(x.item()) : x.item());
    this.fail(scalarText(plain(a), plain(b), rtol, atol), path);
  }
}

const isNumber = (x: unknown): x is number | bigint => typeof x === 'number' || typeof x === 'bigint';
const shown = (x: unknown): string => {
  if (x === null) return 'None';
  if (typeof x === 'boolean') return x ? 'True' : 'False';
  return typeof x === 'number' ? pyFloatRepr(x) : String(x);
};
const className = (x: unknown): string =>
  `<class '${x instanceof Tensor ? 'torch.Tensor' : typeof x === 'number' ? 'float' : typeName(x)}'>`;

type Mapping = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;
const isMapping = (x: unknown): x is Mapping =>
  x instanceof Map || (typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype);
const keysOf = (x: Mapping): string[] => (x instanceof Map ? [...x.keys()].map(String) : Object.keys(x));
const valueAt = (x: Mapping, key: string): unknown =>
  x instanceof Map ? x.get(key) : (x as Record<string, unknown>)[key];

function differenceText(
  what: string,
  extra: string,
  differences: readonly (readonly [
    type: string,
    value: number | bigint,
    at: string | null,
    allowed: number,
  ])[],
): string {
  const equal = differences.every(([, , , allowed]) => allowed === 0);
  const lines = differences.map(([type, value, at, allowed]) => {
    const head =
      at === null
        ? `${type[0].toUpperCase()}${type.slice(1)} difference: ${shown(value)}`
        : `Greatest ${type} difference: ${shown(value)} at index ${at}`;
    return equal ? head : `${head} (up to ${pyFloatRepr(allowed)} allowed)`;
  });
  return [`${what} are not ${equal ? 'equal' : 'close'}!`, '', extra, ...lines].join('\n');
}

function scalarText(actual: number | bigint, expected: number | bigint, rtol: number, atol: number): string {
  const far = Math.abs(Number(actual) - Number(expected));
  const relative = Number(expected) === 0 ? Number.POSITIVE_INFINITY : far / Math.abs(Number(expected));
  const absolute = typeof actual === 'bigint' ? BigInt(far) : far;
  return differenceText('Scalars', `Expected ${shown(expected)} but got ${shown(actual)}.`, [
    ['absolute', absolute, null, atol],
    ['relative', relative, null, rtol],
  ]);
}

/** Where the n-th element in row-major order is. */
function indexText(shape: readonly number[], n: number): string {
  const index: number[] = [];
  let rest = n;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return pyTuple(index);
}

function tensorText(a: Tensor, b: Tensor, matches: Tensor, rtol: number, atol: number): string {
  const count = matches.numel();
  const wrong = count - matches.sum().item();
  const wide = (x: Tensor): Tensor => (x.dtype.is_integral ? x.to(int64) : x).flatten();
  const hit = matches.flatten();
  const far = wide(a).sub(wide(b)).abs().masked_fill(hit, 0);
  const relative = far.div(wide(b).abs()).masked_fill(hit, 0);
  const greatest = (x: Tensor): [number | bigint, string] => {
    const at = x.argmax().item();
    const value = x[at].item();
    return [x.dtype.is_integral ? BigInt(value) : value, indexText(a.shape, at)];
  };
  return differenceText(
    'Tensor-likes',
    `Mismatched elements: ${wrong} / ${count} (${((100 * wrong) / count).toFixed(1)}%)`,
    [
      ['absolute', ...greatest(far), atol],
      ['relative', ...greatest(relative), rtol],
    ],
  );
}

/**
 * Throws unless `|actual - expected| <= atol + rtol |expected|` everywhere: of tensors, numbers, or arrays, plain objects
 * and maps of them. The tolerances depend on the dtype; of integers and booleans they are 0.
 * @throws AssertionError that says how many elements differ, by how much, and where.
 */
export function assert_close(actual: unknown, expected: unknown, options: CloseOptions = {}): void {
  new Comparison(options).compare(actual, expected);
}

/** Relative and absolute tolerances of {@link assert_allclose}; none for other types. */
const LOOSE: Readonly<Record<string, readonly [rtol: number, atol: number]>> = {
  float16: [1e-3, 1e-3],
  float32: [1e-4, 1e-5],
  float64: [1e-5, 1e-8],
};

/** Options of {@link assert_allclose}. */
export interface AllCloseOptions {
  /** Relative tolerance; given together with `atol`, or neither. */
  rtol?: number | null;
  atol?: number | null;
  /** Whether NaN equals NaN; here the default is true. */
  equal_nan?: boolean;
  msg?: string;
}

/**
 * The older form of `assert_close`, with wider tolerances: dtypes may differ, and NaN equals NaN. Numbers and lists become tensors.
 *
 *     torch.testing.assert_allclose([1, 2], torch.tensor([1, 2.0001]));
 *
 * @throws AssertionError when the values differ, with the message of `assert_close`.
 */
export function assert_allclose(actual: unknown, expected: unknown, options: AllCloseOptions = {}): void {
  warnOnce(
    '`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. Please use `torch.testing.assert_close()` instead. You can find detailed upgrade instructions in https://github.com/pytorch/pytorch/issues/61844.',
  );
  const a = actual instanceof Tensor ? actual : tensor(actual as number);
  const b = expected instanceof Tensor ? expected : tensor(expected as number, { dtype: a.dtype });
  let { rtol = null, atol = null } = options;
  if (rtol === null && atol === null) {
    const known = [a, b].map(({ dtype }) => LOOSE[String(dtype).replace('torch.', '')] ?? [0, 0]);
    rtol = Math.max(...known.map(([r]) => r));
    atol = Math.max(...known.map(([, limit]) => limit));
  }
  const { equal_nan = true, msg = '' } = options;
  assert_close(a, b, { rtol, atol, equal_nan, check_dtype: false, check_stride: false, msg: msg || null });
}
