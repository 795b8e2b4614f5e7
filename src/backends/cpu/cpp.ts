// The C++ dialect, and the files of span functions that the addon and the WebAssembly build compile.
import { type DType, float64, int64 } from '../../dtype.js';
import { type Prim, type Program, prims } from '../../expr.js';
import { type Dialect, operandName, renderProgram } from '../c-like.js';

const call =
  (prim: Prim) =>
  (...args: string[]): string =>
    `v_${prim}(${args.join(', ')})`;

function constant(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'v_const<V>(__builtin_inf())';
  if (value === Number.NEGATIVE_INFINITY) return 'v_const<V>(-__builtin_inf())';
  if (Number.isNaN(value)) return 'v_const<V>(__builtin_nan(""))';
  return `v_const<V>(${Object.is(value, -0) ? '-0.0' : Number.isInteger(value) ? `${value}.0` : String(value)})`;
}

/** vmath.h has one function per primitive, overloaded by vector type. */
export const cpp: Dialect = {
  declare: (_kind, name, value) => `const auto ${name} = ${value};`,
  constant,
  prims: Object.fromEntries(prims.map((prim) => [prim, call(prim)])) as Record<
    Prim,
    (...args: string[]) => string
  >,
};

/** A program and the element types to compile it for. */
export interface Span {
  readonly program: Program;
  readonly types: ReadonlySet<DType>;
}

const cppType = (t: DType): string =>
  t === int64 ? 'int64_t' : t === float64 ? 'double' : t.is_complex ? 'c128' : 'float';

/** A name for the span, the same in every build. */
function spanName(key: string): string {
  let a = 0x811c9dc5;
  let b = 0;
  for (let i = 0; i < key.length; i++) {
    a = Math.imul(a ^ key.charCodeAt(i), 0x01000193) >>> 0;
    b = (Math.imul(b, 31) + key.charCodeAt(i)) >>> 0;
  }
  return `span_${a.toString(16)}${b.toString(16)}`;
}

const functionName = (span: Span, t: DType): string => `${spanName(span.program.key)}_${t.name}`;
const PARAMETERS = 'void* out, const void* const* in, i64 n';

function spanCode(span: Span): string {
  const { program } = span;
  const { statements, result } = renderProgram(program, cpp);
  const params = program.inputs.map(
    (_, i) => `const ${program.inputKinds[i] === 'bool' ? 'M' : 'V'}& ${operandName(i)}`,
  );
  const kinds = [program.kind, ...program.inputKinds]
    .map((k) => (k === 'bool' ? 'true' : 'false'))
    .join(', ');
  const name = spanName(program.key);
  const lines = [
    `// ${program.key}`,
    `struct ${name} {`,
    '  template <class V, class M>',
    `  static TT_INLINE auto value(${params.join(', ')}) {`,
    ...statements.map((s) => `    ${s}`),
    `    return ${program.kind === 'bool' ? 'M' : 'V'}(${result});`,
    '  }',
    '};',
  ];
  for (const t of span.types)
    lines.push(
      `void ${functionName(span, t)}(${PARAMETERS}) { run_span<${name}, ${cppType(t)}, ${kinds}>(out, in, n); }`,
    );
  return lines.join('\n');
}

const file = (include: string, body: readonly string[]): string =>
  [
    '// Generated from the op records by scripts/generate-kernels.mjs: do not edit.',
    `#include "../${include}"`,
    '',
    'namespace tt {',
    'inline namespace KERNEL_NS {',
    ...body,
    '}  // namespace KERNEL_NS',
    '}  // namespace tt',
    '',
  ].join('\n');

/** One C++ file of span functions. */
export function spanFile(spans: readonly Span[]): string {
  return file('span.h', spans.map(spanCode));
}

/** The file with the table of all spans. */
export function spanTableFile(spans: readonly Span[]): string {
  const declarations = spans.flatMap((s) =>
    [...s.types].map((t) => `void ${functionName(s, t)}(${PARAMETERS});`),
  );
  const entries = spans.map((s) => {
    const slots = Array.from({ length: 12 }, () => 'nullptr');
    for (const t of s.types) slots[t.code] = functionName(s, t);
    return `    {${JSON.stringify(s.program.key)}, {${slots.join(', ')}}},`;
  });
  return file('loops.h', [
    ...declarations,
    'static const SpanEntry entries[] = {',
    ...entries,
    '    {nullptr, {}},',
    '};',
    'const SpanEntry* const span_table = entries;',
  ]);
}
