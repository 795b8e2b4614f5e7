// Hooks of modules: their types, where they are kept, and the forms of forward hooks.
import { isKeywords } from '../../dispatch/schema.js';
import type { Tensor } from '../../tensor.js';
import type { Module, StateDict } from './module.js';
import type { LoadResult } from './state.js';

type Keywords = Readonly<Record<string, unknown>>;

export type ForwardHook = (module: Module, args: readonly unknown[], output: unknown) => unknown;
export type ForwardPreHook = (module: Module, args: readonly unknown[]) => unknown;
/** Sees the arguments by name, too: those in a last plain object. */
export type ForwardHookWithKwargs = (
  module: Module,
  args: readonly unknown[],
  kwargs: Keywords,
  output: unknown,
) => unknown;
/** May return `[args, kwargs]` to call with. */
export type ForwardPreHookWithKwargs = (
  module: Module,
  args: readonly unknown[],
  kwargs: Keywords,
) => readonly [args: readonly unknown[], kwargs: Keywords] | null | undefined | void;

type HookResult = readonly (Tensor | null)[] | Tensor | null | undefined | void;
export type BackwardHook = (
  module: Module,
  grad_input: readonly (Tensor | null)[],
  grad_output: readonly (Tensor | null)[],
) => HookResult;
export type BackwardPreHook = (module: Module, grad_output: readonly (Tensor | null)[]) => HookResult;

/** Called before a module's state is collected. */
export type StateDictPreHook = (module: Module, prefix: string, keep_vars: boolean) => void;
/** Called when a module's state, and that of the modules below, is in the state dict: it may change it. */
export type StateDictHook = (
  module: Module,
  state_dict: StateDict,
  prefix: string,
  local_metadata: Record<string, unknown>,
) => void;
/** Called before a module's state is taken from the state dict: it may change that, and the lists. */
export type LoadStateDictPreHook = (
  module: Module,
  state_dict: StateDict,
  prefix: string,
  local_metadata: Record<string, unknown>,
  strict: boolean,
  missing_keys: string[],
  unexpected_keys: string[],
  error_msgs: string[],
) => void;
/** Called when the state was loaded: it may change the lists, before they make an error. */
export type LoadStateDictPostHook = (module: Module, incompatible_keys: LoadResult) => void;

/** Where a hook goes among others. */
export interface HookOptions {
  /** Before those that were registered earlier. */
  prepend?: boolean;
}
export interface PreHookOptions extends HookOptions {
  /** Call `hook(module, args, kwargs)`. */
  with_kwargs?: boolean;
}
export interface ForwardHookOptions extends HookOptions {
  /** Call `hook(module, args, kwargs, output)`. */
  with_kwargs?: boolean;
  /** Call the hook also when the call fails, with null as the output. */
  always_call?: boolean;
}

/** @internal What a module keeps beside its attributes. */
export interface ModuleState {
  /** Names of buffers, and whether they are saved. */
  readonly buffers: Map<string, boolean>;
  readonly forwardHooks: Map<number, ForwardHook>;
  readonly forwardPreHooks: Map<number, ForwardPreHook>;
  readonly backwardHooks: Map<number, BackwardHook>;
  readonly backwardPreHooks: Map<number, BackwardPreHook>;
  readonly statePreHooks: Map<number, StateDictPreHook>;
  readonly stateHooks: Map<number, StateDictHook>;
  readonly loadPreHooks: Map<number, LoadStateDictPreHook>;
  readonly loadPostHooks: Map<number, LoadStateDictPostHook>;
  /** The forward hooks that are called also when the call fails. */
  readonly alwaysCalled: Set<ForwardHook>;
}

const states = new WeakMap<Module, ModuleState>();

/** @internal What a module keeps, if it keeps anything. */
export const knownState = (module: Module): ModuleState | undefined => states.get(module);

const freshState = (): ModuleState => ({
  buffers: new Map(),
  forwardHooks: new Map(),
  forwardPreHooks: new Map(),
  backwardHooks: new Map(),
  backwardPreHooks: new Map(),
  statePreHooks: new Map(),
  stateHooks: new Map(),
  loadPreHooks: new Map(),
  loadPostHooks: new Map(),
  alwaysCalled: new Set(),
});

/** @internal */
export function moduleState(module: Module): ModuleState {
  let state = states.get(module);
  if (!state) {
    state = freshState();
    states.set(module, state);
  }
  return state;
}

/** @internal The hooks of all modules; they come before a module's own. */
export const everywhere: ModuleState = freshState();

const CALL_HOOKS = ['forwardHooks', 'forwardPreHooks', 'backwardHooks', 'backwardPreHooks'] as const;

/** @internal The hooks that a call of the module runs, if there are any. */
export function callState(module: Module): ModuleState | undefined {
  const own = states.get(module);
  if (CALL_HOOKS.every((key) => everywhere[key].size === 0)) return own;
  if (own === undefined) return everywhere;
  const both = <H>(a: Map<number, H>, b: Map<number, H>): Map<number, H> => new Map([...a, ...b]);
  return {
    ...own,
    forwardHooks: both(everywhere.forwardHooks, own.forwardHooks),
    forwardPreHooks: both(everywhere.forwardPreHooks, own.forwardPreHooks),
    backwardHooks: both(everywhere.backwardHooks, own.backwardHooks),
    backwardPreHooks: both(everywhere.backwardPreHooks, own.backwardPreHooks),
    alwaysCalled: new Set([...everywhere.alwaysCalled, ...own.alwaysCalled]),
  };
}

/** Arguments by position, and those of a last plain object. */
function split(all: readonly unknown[]): [args: readonly unknown[], kwargs: Keywords] {
  const last = all[all.length - 1];
  return isKeywords(last) ? [all.slice(0, -1), last] : [all, {}];
}

/** @internal A pre-hook that sees named arguments, in the plain form. */
export function plainPreHook(hook: ForwardPreHookWithKwargs): ForwardPreHook {
  return (module, all) => {
    const result = hook(module, ...split(all));
    if (!result) return result;
    if (!Array.isArray(result) || result.length !== 2)
      throw new TypeError(
        `forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got ${String(result)}.`,
      );
    const [args, kwargs] = result as readonly [readonly unknown[], Keywords];
    return Object.keys(kwargs).length > 0 ? [...args, kwargs] : [...args];
  };
}

/** @internal A hook that sees named arguments, in the plain form. */
export function plainHook(hook: ForwardHookWithKwargs): ForwardHook {
  return (module, all, output) => hook(module, ...split(all), output);
}
