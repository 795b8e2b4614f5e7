// Scalar expressions: pointwise math written once, as data. Op records write them, back ends render them
// (C++ at build time; WGSL and CUDA C at run time), and autograd replays them with tensors for higher orders.

const UNARY = [
  'neg',
  'conj',
  'abs',
  'sign',
  'reciprocal',
  'sqrt',
  'rsqrt',
  'floor',
  'ceil',
  'trunc',
  'round',
  'mantissa',
  'exponent',
  'exp',
  'exp2',
  'expm1',
  'log',
  'log2',
  'log10',
  'log1p',
  'sigmoid',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'erf',
  'cdf',
  'erfc',
  'erfinv',
  'erfcx',
  'lgamma',
  'digamma',
  'ndtri',
  'log_ndtr',
  'i0',
  'i0e',
  'i1',
  'i1e',
  'bessel_j0',
  'bessel_j1',
  'bessel_y0',
  'bessel_y1',
  'spherical_bessel_j0',
  'airy_ai',
  'modified_bessel_i0',
  'modified_bessel_i1',
  'modified_bessel_k0',
  'modified_bessel_k1',
  'scaled_modified_bessel_k0',
  'scaled_modified_bessel_k1',
  'bnot',
] as const;

const BINARY = [
  'add',
  'sub',
  'mul',
  'div',
  'min',
  'max',
  'fmin',
  'fmax',
  'fmod',
  'remainder',
  'floor_div',
  'trunc_div',
  'copysign',
  'nextafter',
  'hypot',
  'atan2',
  'pow',
  'polygamma',
  'zeta',
  'igamma',
  'igammac',
  'band',
  'bor',
  'bxor',
  'shl',
  'shr',
  'gcd',
  'lcm',
  'chebyshev_polynomial_t',
  'chebyshev_polynomial_u',
  'chebyshev_polynomial_v',
  'chebyshev_polynomial_w',
  'shifted_chebyshev_polynomial_t',
  'shifted_chebyshev_polynomial_u',
  'shifted_chebyshev_polynomial_v',
  'shifted_chebyshev_polynomial_w',
  'hermite_polynomial_h',
  'hermite_polynomial_he',
  'laguerre_polynomial_l',
  'legendre_polynomial_p',
] as const;

/** Numbers to truth value. */
const TEST = ['isnan', 'isinf', 'isfinite', 'signbit'] as const;
const COMPARE = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
/** Truth values to truth value. */
const LOGIC = ['mand', 'mor', 'mxor'] as const;

type NumberUnary = (typeof UNARY)[number];
type NumberBinary = (typeof BINARY)[number];
type Test = (typeof TEST)[number];
type Compare = (typeof COMPARE)[number];
type Logic = (typeof LOGIC)[number];

/** Every scalar primitive: a renderer or interpreter must spell each (`Record<Prim, …>`). */
export type Prim = NumberUnary | NumberBinary | Test | Compare | Logic | 'mnot' | 'select' | 'fma';

export const prims: readonly Prim[] = [
  ...UNARY,
  ...BINARY,
  ...TEST,
  ...COMPARE,
  ...LOGIC,
  'mnot',
  'select',
  'fma',
];
const truthful: ReadonlySet<string> = new Set<Prim>([...TEST, ...COMPARE, ...LOGIC, 'mnot']);

export type ExprKind = 'number' | 'bool';

/** One node of a scalar expression. Build them with {@link e}. */
export type Expr =
  | { readonly is: 'input'; readonly index: number; readonly kind: ExprKind }
  | { readonly is: 'const'; readonly value: number; readonly kind: 'number' }
  | { readonly is: 'prim'; readonly prim: Prim; readonly args: readonly Expr[]; readonly kind: ExprKind };

/** An operand: a plain number stands for the constant. */
export type ExprLike = Expr | number;

const lift = (x: ExprLike): Expr => (typeof x === 'number' ? { is: 'const', value: x, kind: 'number' } : x);

function apply(prim: Prim, ...args: ExprLike[]): Expr {
  return { is: 'prim', prim, args: args.map(lift), kind: truthful.has(prim) ? 'bool' : 'number' };
}

type Builder = { readonly [P in NumberUnary | Test | 'mnot']: (x: ExprLike) => Expr } & {
  readonly [P in NumberBinary | Compare | Logic]: (x: ExprLike, y: ExprLike) => Expr;
} & {
  /** a where the condition holds, else b. */
  readonly select: (condition: Expr, a: ExprLike, b: ExprLike) => Expr;
  /** a * b + c with one rounding. */
  readonly fma: (a: ExprLike, b: ExprLike, c: ExprLike) => Expr;
};

/** The expression builder: `e.div(1, e.add(1, e.exp(e.neg(x))))`. */
export const e = Object.fromEntries(
  prims.map((prim) => [prim, (...args: ExprLike[]) => apply(prim, ...args)]),
) as unknown as Builder;

/** The same number everywhere. */
export function constant(value: number): Expr {
  return { is: 'const', value, kind: 'number' };
}

/** The i-th operand. */
export function input(index: number, kind: ExprKind = 'number'): Expr {
  return { is: 'input', index, kind };
}

/** A value of a program: the n-th operand, the n-th step's result, or a constant. */
export type Ref = { readonly operand: number } | { readonly step: number } | { readonly value: number };

export interface Step {
  readonly prim: Prim;
  readonly args: readonly Ref[];
  readonly kind: ExprKind;
}

/** An expression as straight-line code, each shared subexpression once. */
export interface Program {
  /** Which inputs of the expression are read, ascending; `operand: n` is the n-th of these. */
  readonly inputs: readonly number[];
  readonly inputKinds: readonly ExprKind[];
  readonly steps: readonly Step[];
  readonly result: Ref;
  readonly kind: ExprKind;
  /** The same for equal programs: the name of the kernel. */
  readonly key: string;
}

/** Flattens an expression; equal subexpressions are computed once. */
export function program(expr: Expr): Program {
  const kinds = new Map<number, ExprKind>();
  collectInputs(expr, kinds, new Set());
  const inputs = [...kinds.keys()].sort((a, b) => a - b);
  const steps: Step[] = [];
  const texts: string[] = [];
  const byText = new Map<string, Ref>();
  const byNode = new Map<Expr, Ref>();
  const visit = (x: Expr): Ref => {
    const known = byNode.get(x);
    if (known) return known;
    const ref = emit(x);
    byNode.set(x, ref);
    return ref;
  };
  const emit = (x: Expr): Ref => {
    if (x.is === 'input') return { operand: inputs.indexOf(x.index) };
    if (x.is === 'const') return { value: x.value };
    const args = x.args.map(visit);
    const text = `${x.prim}(${args.map(refText).join(',')})`;
    let ref = byText.get(text);
    if (!ref) {
      ref = { step: steps.length };
      steps.push({ prim: x.prim, args, kind: x.kind });
      texts.push(text);
      byText.set(text, ref);
    }
    return ref;
  };
  const result = visit(expr);
  const inputKinds = inputs.map((i) => kinds.get(i) as ExprKind);
  const signature = inputKinds.map((k) => k[0]).join('');
  return {
    inputs,
    inputKinds,
    steps,
    result,
    kind: expr.kind,
    key: `${signature}:${[...texts, refText(result)].join(';')}`,
  };
}

function collectInputs(x: Expr, found: Map<number, ExprKind>, seen: Set<Expr>): void {
  if (seen.has(x)) return;
  seen.add(x);
  if (x.is === 'input') found.set(x.index, x.kind);
  else if (x.is === 'prim') for (const arg of x.args) collectInputs(arg, found, seen);
}

/** 'a' for the first operand, 't0' for the first step, or the constant. */
function refText(ref: Ref): string {
  if ('operand' in ref) return String.fromCharCode(97 + ref.operand);
  return 'step' in ref ? `t${ref.step}` : Object.is(ref.value, -0) ? '-0' : String(ref.value);
}
