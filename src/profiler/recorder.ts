// What runs and for how long: ops pass the interception point, backward nodes the engine's observer, ranges say so themselves.
import { observer } from '../autograd/engine.js';
import { type Interceptor, interception } from '../dispatch/intercept.js';
import { Tensor } from '../tensor.js';

/** Where a range comes from. */
export type Kind = 'cpu_op' | 'user_annotation';

/** A range of time, in microseconds since the program started. */
export interface Span {
  readonly name: string;
  readonly kind: Kind;
  readonly start: number;
  end: number;
  readonly parent: Span | null;
  readonly children: Span[];
  /** Shapes and types of the arguments, when they are wanted. */
  readonly inputs: readonly Input[] | null;
}

/** An argument: the shape and dtype of a tensor, empty for anything else. */
export interface Input {
  readonly shape: readonly number[];
  readonly type: string;
}

const now = (): number => performance.now() * 1000;

const inputOf = (x: unknown): Input =>
  x instanceof Tensor
    ? { shape: [...x.shape], type: String(x.dtype).replace('torch.', '') }
    : { shape: [], type: typeof x === 'number' || typeof x === 'boolean' ? 'Scalar' : '' };

/** Collects spans while it is installed. */
export class Recorder {
  /** All spans, in the order of their starts. */
  readonly spans: Span[] = [];
  private open: Span | null = null;
  private outer: Interceptor | null = null;
  private active = false;
  private readonly interceptor: Interceptor;

  constructor(private readonly shapes: boolean) {
    const interceptor: Interceptor = (name, args, run) => {
      const { outer } = this;
      const next = outer === null ? run : (...given: readonly unknown[]): unknown => outer(name, given, run);
      if (!this.active) return next(...args);
      const span = this.begin(`aten::${name.slice(name.lastIndexOf('.') + 1)}`, 'cpu_op', args);
      try {
        return next(...args);
      } finally {
        this.finish(span);
      }
    };
    interceptor.passive = true;
    this.interceptor = interceptor;
  }

  begin(name: string, kind: Kind, args: readonly unknown[] = []): Span {
    const inputs = this.shapes && kind === 'cpu_op' ? args.map(inputOf) : null;
    const span: Span = { name, kind, start: now(), end: 0, parent: this.open, children: [], inputs };
    this.open?.children.push(span);
    this.spans.push(span);
    this.open = span;
    return span;
  }

  finish(span: Span): void {
    span.end = now();
    // A range that spans an await may end after one that began later.
    if (this.open === span) this.open = span.parent;
    while (this.open !== null && this.open.end !== 0) this.open = this.open.parent;
  }

  install(): void {
    this.active = true;
    this.outer = interception.current;
    interception.current = this.interceptor;
    recording.current = this;
    observer.execute = (name, run) => {
      const span = this.begin(`autograd::engine::evaluate_function: ${name}`, 'cpu_op');
      try {
        run();
      } finally {
        this.finish(span);
      }
    };
  }

  uninstall(): void {
    this.active = false;
    const end = now();
    for (const span of this.spans) if (span.end === 0) span.end = end;
    this.open = null;
    // Inside of another interceptor that was entered later, this one stays, and does nothing.
    if (interception.current === this.interceptor) interception.current = this.outer;
    if (recording.current === this) recording.current = null;
    observer.execute = null;
  }
}

/** The recorder that is installed. */
export const recording: { current: Recorder | null } = { current: null };

/** @internal Names what fn does in a profile; runs it as it is when nothing records. */
export function named<R>(name: string, fn: () => R): R {
  const recorder = recording.current;
  if (recorder === null) return fn();
  const span = recorder.begin(name, 'user_annotation');
  try {
    return fn();
  } finally {
    recorder.finish(span);
  }
}
