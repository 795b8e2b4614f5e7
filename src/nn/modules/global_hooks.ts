// torch.nn.modules.module: hooks on the calls of all modules. They run before those of the module itself.
import { addHook, type RemovableHandle } from '../../autograd/graph.js';
import {
  type BackwardHook,
  type BackwardPreHook,
  everywhere,
  type ForwardHook,
  type ForwardHookOptions,
  type ForwardHookWithKwargs,
  type ForwardPreHook,
  plainHook,
} from './hooks.js';

export { Module } from './module.js';

type GlobalOptions = Omit<ForwardHookOptions, 'prepend'>;

/** Calls `hook(module, args, output)` after the forward of every module; what it returns replaces the output. */
export function register_module_forward_hook(
  hook: ForwardHook,
  options?: GlobalOptions & { with_kwargs?: false },
): RemovableHandle;
export function register_module_forward_hook(
  hook: ForwardHookWithKwargs,
  options: GlobalOptions & { with_kwargs: true },
): RemovableHandle;
export function register_module_forward_hook(
  hook: ForwardHook | ForwardHookWithKwargs,
  options: GlobalOptions = {},
): RemovableHandle {
  const plain = options.with_kwargs ? plainHook(hook as ForwardHookWithKwargs) : (hook as ForwardHook);
  if (options.always_call) everywhere.alwaysCalled.add(plain);
  return addHook(everywhere.forwardHooks, plain);
}

/** Calls `hook(module, args)` before the forward of every module; an array that it returns replaces the arguments. */
export function register_module_forward_pre_hook(hook: ForwardPreHook): RemovableHandle {
  return addHook(everywhere.forwardPreHooks, hook);
}

/** Calls `hook(module, grad_input, grad_output)` when the gradients of the inputs of any module were computed. */
export function register_module_full_backward_hook(hook: BackwardHook): RemovableHandle {
  return addHook(everywhere.backwardHooks, hook);
}

/** Calls `hook(module, grad_output)` before the gradients of the inputs of any module are computed. */
export function register_module_full_backward_pre_hook(hook: BackwardPreHook): RemovableHandle {
  return addHook(everywhere.backwardPreHooks, hook);
}
