// Renders scalar programs as statements of a C-like language. A language says how it declares a value and
// writes a constant, and spells each primitive; a primitive without a spelling fails type-checking.
import type { ExprKind, Prim, Program, Ref } from '../expr.js';

export interface Dialect {
  /** `const float t0 = …;` */
  declare(kind: ExprKind, name: string, value: string): string;
  constant(value: number): string;
  /** How each primitive is written over its arguments. */
  readonly prims: Readonly<Record<Prim, (...args: string[]) => string>>;
}

export interface Rendered {
  readonly statements: readonly string[];
  /** The expression of the result. */
  readonly result: string;
}

/** Operands are named `a`, `b`, … in the order of `program.inputs`. */
export function renderProgram(program: Program, dialect: Dialect): Rendered {
  const text = (ref: Ref): string => {
    if ('operand' in ref) return operandName(ref.operand);
    return 'step' in ref ? `t${ref.step}` : dialect.constant(ref.value);
  };
  const statements = program.steps.map(({ prim, args, kind }, i) =>
    dialect.declare(kind, `t${i}`, dialect.prims[prim](...args.map(text))),
  );
  return { statements, result: text(program.result) };
}

export const operandName = (i: number): string => String.fromCharCode(97 + i);
