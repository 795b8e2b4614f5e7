// torch.utils.checkpoint: activations that are computed again in backward instead of kept.
import { cpuAutocast } from '../amp/autocast.js';
import { backward } from '../autograd/backward.js';
import { running } from '../autograd/engine.js';
import { Function as AutogradFunction, type FunctionCtx } from '../autograd/function.js';
import { type Grad, type SavedTensor, saveTensor } from '../autograd/graph.js';
import { saved_tensors_hooks } from '../autograd/graph_api.js';
import { enable_grad, mode, no_grad } from '../autograd/modes.js';
import { isKeywords } from '../dispatch/schema.js';
import { RuntimeError, ValueError } from '../errors.js';
import { formatSize } from '../format.js';
import { get_rng_state, set_rng_state } from '../generator.js';
import { Sequential } from '../nn/modules/container.js';
import { Tensor } from '../tensor.js';
import { warn } from '../warnings.js';

/** What a checkpointed function saves in its first run and in the repetition differ. */
export class CheckpointError extends RuntimeError {}

/** Leaves a scope that a `context_fn` entered. */
type Context = Disposable | null;

export interface CheckpointOptions {
  /**
   * True: the function runs without a graph first, and again inside of backward; gradients flow through tensor
   * arguments only. False (recommended): what the graph would keep is dropped, and computed again when it is asked for.
   */
  use_reentrant?: boolean | null;
  /** Draw the same random numbers in the repetition (default true). */
  preserve_rng_state?: boolean;
  /** Makes two scopes: one for the first run, one for the repetition. Each is entered by the call of its function. */
  context_fn?: (() => readonly [forward: () => Context, recompute: () => Context]) | null;
  /** 'default' compares shape, dtype and device of what was kept; 'none' nothing. */
  determinism_check?: 'default' | 'none';
  /** Accepted for PyTorch's sake. */
  debug?: boolean;
  /** Stop the repetition when everything that was asked for is there (default true). */
  early_stop?: boolean;
}

const OPTION_NAMES = new Set<string>([
  'use_reentrant',
  'preserve_rng_state',
  'context_fn',
  'determinism_check',
  'debug',
  'early_stop',
]);

type AnyFunction = (...args: readonly unknown[]) => unknown;

const state: { earlyStop: boolean | null } = { earlyStop: null };

/** Whether repetitions stop early, for the calls in fn (or until the guard is left), instead of each call's option. */
export function set_checkpoint_early_stop(enable: boolean): Disposable;
export function set_checkpoint_early_stop<R>(enable: boolean, fn: () => R): R;
export function set_checkpoint_early_stop<R>(enable: boolean, fn?: () => R): R | Disposable {
  const before = state.earlyStop;
  state.earlyStop = enable;
  const leave = (): void => {
    state.earlyStop = before;
  };
  if (fn === undefined) return { [Symbol.dispose]: leave };
  try {
    return fn();
  } finally {
    leave();
  }
}

/** Remembers how the function runs: random numbers and autocast. @returns what runs it that way again. */
function remember(preserve: boolean): <R>(fn: () => R) => R {
  const random = preserve ? get_rng_state() : null;
  const autocast = cpuAutocast();
  return (fn) => {
    if (random === null) return autocast(fn);
    const now = get_rng_state();
    set_rng_state(random);
    try {
      return autocast(fn);
    } finally {
      set_rng_state(now);
    }
  };
}

/** A place that a tensor would have been kept in. */
interface Holder {
  readonly index: number;
}

interface Metadata {
  readonly shape: readonly number[];
  readonly text: string;
}

function metadata(x: Tensor): Metadata {
  const text = `{'shape': ${formatSize([...x.shape])}, 'dtype': ${x.dtype}, 'device': device(type='${x.device.type}')}`;
  return { shape: x.shape, text };
}

/** Ends a repetition that has everything. */
class StopRecomputation extends Error {}

/** A checkpointed call: what it would have kept, and how to get it. */
class Frame {
  private readonly metas: Metadata[] = [];
  /** What the last repetition computed and was not taken yet. */
  private recomputed = new Map<number, Tensor>();
  /** The backward pass that asked for it. */
  private pass = -1;

  constructor(
    private readonly recompute: () => void,
    private readonly options: Required<Pick<CheckpointOptions, 'determinism_check' | 'early_stop'>>,
  ) {}

  readonly pack = (x: Tensor): Holder => {
    this.metas.push(metadata(x));
    return { index: this.metas.length - 1 };
  };

  /** Hands a tensor out once, so that it lives no longer than its use; asked for again, it is computed again. */
  readonly unpack = ({ index }: Holder): Tensor => {
    if (this.pass !== running.pass || !this.recomputed.has(index)) {
      this.run();
      this.pass = running.pass;
    }
    const x = this.recomputed.get(index) as Tensor;
    this.recomputed.delete(index);
    return x;
  };

  private run(): void {
    const found = new Map<number, Tensor>();
    const metas: Metadata[] = [];
    const total = this.metas.length;
    const { early_stop, determinism_check } = this.options;
    const pack = (given: Tensor): Tensor => {
      const x = given.requires_grad ? given.detach() : given;
      if (metas.length >= total)
        throw new CheckpointError(
          'torch.utils.checkpoint: trying to save more tensors during recomputation than during the original forward pass.',
        );
      found.set(metas.length, x);
      metas.push(metadata(x));
      if (early_stop && metas.length === total) throw new StopRecomputation();
      return x;
    };
    try {
      saved_tensors_hooks(
        pack,
        (x: Tensor) => x,
        () => enable_grad(this.recompute),
      );
    } catch (error) {
      if (!(error instanceof StopRecomputation)) throw error;
    }
    if (metas.length !== total)
      throw new CheckpointError(
        `torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation.\nNumber of tensors saved during forward: ${total}\nNumber of tensors saved during recomputation: ${metas.length}.`,
      );
    if (determinism_check === 'default') this.compare(metas);
    this.recomputed = found;
  }

  private compare(metas: readonly Metadata[]): void {
    const different = metas.flatMap((meta, i) =>
      meta.text === this.metas[i].text
        ? []
        : [
            `tensor at position ${i}:\nsaved metadata: ${this.metas[i].text}\nrecomputed metadata: ${meta.text}\n`,
          ],
    );
    if (different.length > 0)
      throw new CheckpointError(
        `torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the forward pass.\n${different.join('')}`,
      );
  }
}

/** Runs the function with a graph whose kept tensors are computed again on demand. */
function withoutReentrance(
  fn: AnyFunction,
  args: readonly unknown[],
  o: Required<CheckpointOptions>,
): unknown {
  const [forwardScope, recomputeScope] = o.context_fn?.() ?? [() => null, () => null];
  if (!mode.grad) return inScope(forwardScope, () => fn(...args));
  const again = remember(o.preserve_rng_state);
  // Arguments must not be written to in the meantime.
  const kept = args.map((x) => (x instanceof Tensor ? new Argument(x) : x));
  const frame = new Frame(
    () => {
      const inputs = kept.map((x) => (x instanceof Argument ? x.value : x));
      again(() => inScope(recomputeScope, () => fn(...inputs)));
    },
    { determinism_check: o.determinism_check, early_stop: state.earlyStop ?? o.early_stop },
  );
  return saved_tensors_hooks(frame.pack, frame.unpack, () => inScope(forwardScope, () => fn(...args)));
}

/** An argument that is kept for the repetition. */
class Argument {
  private readonly saved: SavedTensor;
  constructor(private readonly x: Tensor) {
    this.saved = saveTensor(x);
  }
  get value(): Tensor {
    return this.x.grad_fn === null ? this.saved.unpack(NO_NODE) : this.saved.unpack(this.x.grad_fn);
  }
}
const NO_NODE = { outputs: [] } as unknown as Parameters<SavedTensor['unpack']>[0];

function inScope<R>(enter: () => Context, fn: () => R): R {
  const scope = enter();
  try {
    return fn();
  } finally {
    scope?.[Symbol.dispose]();
  }
}

/** The reentrant form: a function whose backward repeats it, with a graph, and runs backward through that. */
class CheckpointFunction extends AutogradFunction {
  static forward(ctx: FunctionCtx, run: AnyFunction, preserve: boolean, ...args: unknown[]): unknown {
    if (!args.some((x) => x instanceof Tensor && x.requires_grad))
      warn('None of the inputs have requires_grad=True. Gradients will be None');
    ctx.again = remember(preserve);
    ctx.run = run;
    ctx.others = args.map((x) => (x instanceof Tensor ? null : x));
    ctx.isTensor = args.map((x) => x instanceof Tensor);
    ctx.save_for_backward(...args.filter((x): x is Tensor => x instanceof Tensor));
    return no_grad(() => run(...args));
  }

  static backward(ctx: FunctionCtx, ...grads: Grad[]): Grad[] {
    if (running.limited)
      throw new RuntimeError(
        'When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` parameter to .backward(). To resolve this error, you can either set use_reentrant=False, or call .backward() without passing the `inputs` argument.',
      );
    const tensors = [...ctx.saved_tensors];
    const isTensor = ctx.isTensor as readonly boolean[];
    const inputs = (ctx.others as readonly unknown[]).map((x, i) => {
      if (!isTensor[i]) return x;
      const given = tensors.shift() as Tensor;
      return given.detach().requires_grad_(given.requires_grad);
    });
    const again = ctx.again as <R>(fn: () => R) => R;
    const result = again(() => enable_grad(() => (ctx.run as AnyFunction)(...inputs)));
    const outputs: readonly unknown[] = Array.isArray(result) ? result : [result];
    const recorded = outputs.flatMap((out, i) =>
      out instanceof Tensor && out.requires_grad ? [{ out, grad: grads[i] }] : [],
    );
    if (recorded.length === 0)
      throw new RuntimeError('none of output has requires_grad=True, this checkpoint() is not necessary');
    backward(
      recorded.map(({ out }) => out),
      recorded.map(({ grad }) => grad),
    );
    return [null, null, ...inputs.map((x) => (x instanceof Tensor ? x.grad : null))];
  }
}

/** Splits a last object with options of checkpoint off the arguments; what else it has goes to the function. */
function splitOptions(given: readonly unknown[]): {
  args: unknown[];
  options: CheckpointOptions;
  kwargs: object | null;
} {
  const last = given[given.length - 1];
  if (!isKeywords(last) || !Object.keys(last).some((key) => OPTION_NAMES.has(key)))
    return { args: [...given], options: {}, kwargs: null };
  const entries = Object.entries(last);
  const kwargs = Object.fromEntries(entries.filter(([key]) => !OPTION_NAMES.has(key)));
  return {
    args: given.slice(0, -1),
    options: Object.fromEntries(entries.filter(([key]) => OPTION_NAMES.has(key))),
    kwargs: Object.keys(kwargs).length > 0 ? kwargs : null,
  };
}

/**
 * Calls `fn(...args)` without keeping what its backward needs; it is called again in backward. The last argument may
 * be an object of options; other entries of it are passed to `fn`.
 * @throws CheckpointError in backward, when the repetition keeps other tensors than the first run.
 */
export function checkpoint<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  ...args: [...A] | [...A, CheckpointOptions]
): R {
  const { args: own, options, kwargs } = splitOptions(args);
  let { use_reentrant } = options;
  if (use_reentrant === undefined || use_reentrant === null) {
    warn(
      'torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, calling checkpoint without use_reentrant will raise an exception. use_reentrant=False is recommended, but if you need to preserve the current default behavior, you can pass use_reentrant=True. Refer to docs for more details on the differences between the two variants.',
    );
    use_reentrant = true;
  }
  const call = fn as unknown as AnyFunction;
  const { preserve_rng_state = true, determinism_check = 'default', debug = false } = options;
  if (use_reentrant) {
    if (kwargs !== null)
      throw new ValueError(`Unexpected keyword arguments: ${Object.keys(kwargs).join(',')}`);
    if (options.context_fn || debug)
      throw new ValueError('Passing `context_fn` or `debug` is only supported when use_reentrant=False.');
    return CheckpointFunction.apply(call, preserve_rng_state, ...own) as R;
  }
  if (determinism_check !== 'default' && determinism_check !== 'none')
    throw new ValueError(
      `determinism_check should be one of ['default', 'none'], but got ${String(determinism_check)}`,
    );
  return withoutReentrance(call, kwargs === null ? own : [...own, kwargs], {
    use_reentrant,
    preserve_rng_state,
    context_fn: options.context_fn ?? null,
    determinism_check,
    debug,
    early_stop: options.early_stop ?? true,
  }) as R;
}

/**
 * Checkpoints a chain of modules or functions in `segments` parts; the last part is kept as usual.
 * @throws ValueError for options other than `use_reentrant` and `preserve_rng_state`.
 */
export function checkpoint_sequential(
  functions: Sequential | readonly ((x: Tensor) => Tensor)[],
  segments: number,
  input: Tensor,
  options: Pick<CheckpointOptions, 'use_reentrant' | 'preserve_rng_state'> | boolean | null = {},
): Tensor {
  const given = typeof options === 'object' && options !== null ? options : { use_reentrant: options };
  const unknown = Object.keys(given).filter((key) => key !== 'use_reentrant' && key !== 'preserve_rng_state');
  if (unknown.length > 0) throw new ValueError(`Unexpected keyword arguments: ${unknown.join(',')}`);
  let { use_reentrant } = given as CheckpointOptions;
  const { preserve_rng_state = true } = given as CheckpointOptions;
  if (use_reentrant === undefined || use_reentrant === null) {
    warn(
      'torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. In version 2.9 we will raise an exception if use_reentrant is not passed. use_reentrant=False is recommended, but if you need to preserve the current default behavior, you can pass use_reentrant=True. Refer to docs for more details on the differences between the two variants.',
    );
    use_reentrant = true;
  }
  const list = (functions instanceof Sequential ? [...functions] : functions) as unknown as ((
    x: Tensor,
  ) => Tensor)[];
  const size = Math.floor(list.length / segments);
  const part = (start: number, end: number) => (x: Tensor) =>
    list.slice(start, end).reduce((y, f) => f(y), x);
  let x = input;
  let start = 0;
  for (; start < size * (segments - 1); start += size)
    x = checkpoint(part(start, start + size), x, { use_reentrant, preserve_rng_state });
  return part(start, list.length)(x);
}
