// Plans of Fourier transforms: which algorithm native/fft.cc runs for a length, and its tables of roots of unity. Tables are
// computed in double precision, by octants, and kept for the next call.
import { backendOf } from '../backends/backend.js';
import { cpu } from '../device.js';
import { empty } from '../dispatch/allocate.js';
import { complex128, type DType, float32, float64 } from '../dtype.js';
import type { Tensor } from '../tensor.js';

/** What the kernel does: complex to complex, real to half a spectrum, half a spectrum to real. */
export const Kind = { complex: 0, realToHalf: 1, halfToReal: 2 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** The kernel's algorithms: a vector of lines at a time; one line by four steps; a convolution. */
const Mode = { tile: 0, line: 1, convolution: 2 } as const;
type Mode = (typeof Mode)[keyof typeof Mode];

/** Columns that share a factor of their twiddles, as in native/fft.cc. */
const GROUP = 16;
/** The largest radix of a plain pass. */
const MAX_RADIX = 31;
/** From this length on, one line fills vectors by itself. */
const MIN_LINE = 64;
/** Lines that need more bytes than this work in memory of their own, which is freed, instead of a thread's scratch memory. */
const MAX_SCRATCH = 2 ** 23;
/** Up to this length, a vector of lines stays in the cache. */
const MAX_TILE = 2048;

interface Plan {
  readonly table: Tensor;
  /** Elements that a line's buffers take, as `buffer` of native/fft.cc counts them. */
  readonly work: number;
  /** The kernel's arguments after the table. */
  readonly args: readonly number[];
}

/** exp(-2 pi i k / n) as [cos, sin], exact where it is simple: the angle is reduced to an eighth of the circle. */
export function root(k: number, n: number): [re: number, im: number] {
  let x = 8 * (k % n);
  const octant = Math.floor(x / n);
  x -= octant * n;
  const odd = octant % 2 === 1;
  const angle = ((odd ? n - x : x) / n) * (Math.PI / 4);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  // Octants 1, 2, 5 and 6 are nearer to the imaginary axis.
  const [a, b] = ((octant + 1) & 3) >= 2 ? [s, c] : [c, s];
  return [octant >= 2 && octant < 6 ? -a : a, octant < 4 ? -b : b];
}

/** The radices of a length's passes, or null when it has a prime factor that is too large. */
export function radicesOf(n: number): number[] | null {
  const radices: number[] = [];
  let rest = n;
  let twos = 0;
  for (; rest % 2 === 0; rest /= 2) twos++;
  while (twos >= 5 || twos === 3) {
    radices.push(8);
    twos -= 3;
  }
  if (twos === 4) radices.push(4, 4);
  else if (twos > 0) radices.push(2 ** twos);
  for (let p = 3; p <= MAX_RADIX && rest > 1; p += 2) for (; rest % p === 0; rest /= p) radices.push(p);
  return rest === 1 ? radices : null;
}

/** The rows and columns as which a line is transformed: near a square, and with full vectors. */
function splitLength(n: number): [n1: number, n2: number] {
  const padded = (size: number): number => Math.ceil(size / GROUP) * GROUP;
  let best: [number, number] = [1, n];
  let least = Number.POSITIVE_INFINITY;
  for (let a = 2; a * a <= n; a++) {
    if (n % a !== 0) continue;
    for (const [n1, n2] of [
      [a, n / a],
      [n / a, a],
    ]) {
      const cost = (padded(n2) * n1 + padded(n1) * n2) * (1 + 0.05 * Math.abs(Math.log2(n1 / n2)));
      if (cost < least) [best, least] = [[n1, n2], cost];
    }
  }
  return best;
}

/** Tables one after the other, each from an even place on. */
class Tables {
  readonly values: number[] = [];

  /** Starts a table; returns its place. */
  begin(): number {
    return this.values.length;
  }
  put(k: number, n: number): void {
    const [re, im] = root(k, n);
    this.values.push(re, im);
  }
  /** The tables of the passes over n elements. */
  passes(n: number, radices: readonly number[]): number {
    const at = this.begin();
    let length = n;
    for (const r of radices) {
      if (r > 5 && r !== 8)
        for (let j = 0; j < r; j++) {
          const [re, im] = root(j, r);
          this.values.push(re, -im);
        }
      for (let p = 0; p < length / r; p++) for (let k = 1; k < r; k++) this.put(p * k, length);
      length /= r;
    }
    return at;
  }
  /** exp(-2 pi i k g / n), the real parts of a group before its imaginary ones. */
  byColumn(n: number, n1: number): number {
    const at = this.begin();
    for (let k = 0; k < n1; k++) {
      const roots = Array.from({ length: GROUP }, (_, g) => root(k * g, n));
      for (const part of [0, 1] as const) for (const z of roots) this.values.push(z[part]);
    }
    return at;
  }
  byGroup(n: number, n1: number, n2: number): number {
    const at = this.begin();
    for (let b = 0; b < Math.ceil(n2 / GROUP); b++) for (let k = 0; k < n1; k++) this.put(k * GROUP * b, n);
    return at;
  }
  /** exp(-2 pi i k / n) for k < size, real parts first. */
  separate(n: number, size: number): number {
    const at = this.begin();
    for (const part of [0, 1] as const) for (let k = 0; k < size; k++) this.values.push(root(k, n)[part]);
    return at;
  }
  chirp(n: number): number {
    const at = this.begin();
    for (let j = 0; j < n; j++) this.put((j * j) % (2 * n), 2 * n);
    return at;
  }
  append(values: ArrayLike<number>): number {
    const at = this.begin();
    for (let i = 0; i < values.length; i++) this.values.push(values[i]);
    return at;
  }
}

/** The transform of the conjugate chirp over `inner` points, divided by them: what Bluestein's algorithm multiplies with. */
function chirpSpectrum(n: number, inner: number): Float64Array {
  const values = new Float64Array(2 * inner);
  for (let j = 0; j < n; j++) {
    const [re, im] = root((j * j) % (2 * n), 2 * n);
    for (const at of [j, (inner - j) % inner]) {
      values[2 * at] = re;
      values[2 * at + 1] = -im;
    }
  }
  const backend = backendOf('cpu');
  const x = empty([inner], complex128, cpu);
  backend.write(x, values);
  const { table, args } = planOf(inner, Mode.line, 0, float64);
  backend.launch('fft', x, x, 0, Kind.complex, inner, false, 1 / inner, table, ...args, null);
  backend.read(x, values);
  return values;
}

function makePlan(core: number, mode: Mode, real: number, dtype: DType): Plan {
  const tables = new Tables();
  let inner = core;
  if (mode === Mode.convolution) for (inner = 1; inner < 2 * core - 1; inner *= 2);
  const [n1, n2] = mode === Mode.tile ? [inner, 1] : splitLength(inner);
  const radices1 = radicesOf(n1) ?? [];
  const radices2 = radicesOf(n2) ?? [];
  const at1 = tables.passes(n1, radices1);
  const at2 = tables.passes(n2, radices2);
  const byColumn = mode === Mode.tile ? 0 : tables.byColumn(inner, n1);
  const byGroup = mode === Mode.tile ? 0 : tables.byGroup(inner, n1, n2);
  const realSize = real === 0 ? 0 : Math.floor(core / 2) + 1 + GROUP;
  const realAt = tables.separate(real, realSize);
  const convolution = mode === Mode.convolution;
  const chirp = convolution ? tables.chirp(core) : 0;
  const spectrum = convolution ? tables.append(chirpSpectrum(core, inner)) : 0;
  const table = empty([Math.max(tables.values.length, 1)], dtype, cpu);
  backendOf('cpu').write(table, (dtype === float64 ? Float64Array : Float32Array).from(tables.values));
  const places = [at1, at2, byColumn, byGroup, realAt, realSize, chirp, spectrum];
  const passes = [radices1.length, ...radices1, radices2.length, ...radices2];
  const row = Math.ceil(n1 / GROUP) * GROUP + GROUP;
  const work = 2 * (2 * 2 * core + 2) + 2 * core + 2 + 2 * inner + 2 * row * n2;
  return { table, work, args: [mode, core, inner, n1, n2, ...passes, ...places] };
}

/** Plans by their parameters, the least recently used first. */
const plans = new Map<string, Plan>();
/** Numbers in the tables that are kept: 32 MB of doubles. */
const MAX_KEPT = 2 ** 22;
let kept = 0;

function planOf(core: number, mode: Mode, real: number, dtype: DType): Plan {
  const key = `${core} ${mode} ${real} ${dtype.name}`;
  const known = plans.get(key);
  if (known) {
    plans.delete(key);
    plans.set(key, known);
    return known;
  }
  const plan = makePlan(core, mode, real, dtype);
  plans.set(key, plan);
  kept += plan.table._numel;
  for (const [old, { table }] of plans) {
    if (kept <= MAX_KEPT || old === key) break;
    plans.delete(old);
    kept -= table._numel;
  }
  return plan;
}

/** Do lines along d lie side by side in both tensors? */
function sideBySide(x: Tensor, out: Tensor, d: number): boolean {
  return x.shape.some((size, i) => i !== d && size >= 4 && x._strides[i] === 1 && out._strides[i] === 1);
}

/**
 * Writes the transform of x's lines along d to `out`, which may be x when both are complex.
 * @param n elements of a line (of the real one, where one is).
 * @param inverse the direction of complex transforms.
 */
export function runTransform(
  kind: Kind,
  out: Tensor,
  x: Tensor,
  d: number,
  n: number,
  inverse: boolean,
  scale: number,
): void {
  if (out._numel === 0 || out.device.type !== 'cpu') return;
  const packed = kind !== Kind.complex && n % 2 === 0;
  const core = packed ? n / 2 : n;
  const short = core < MIN_LINE || (core <= MAX_TILE && sideBySide(x, out, d));
  const mode = radicesOf(core) === null ? Mode.convolution : short ? Mode.tile : Mode.line;
  const dtype = out.dtype.to_real() === float64 ? float64 : float32;
  const { table, args, work } = planOf(core, mode, packed ? n : 0, dtype);
  const long = mode !== Mode.tile && work * dtype.itemsize > MAX_SCRATCH;
  const space = long ? ([empty([work], dtype, cpu)] as const) : null;
  backendOf('cpu').launch('fft', out, x, d, kind, n, inverse, scale, table, ...args, space);
}
