// torch.nn.utils.prune
import { ValueError } from '../../errors.js';
import { ones_like } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import type { Module } from '../modules/module.js';
import { parameters_to_vector } from './convert_parameters.js';
import {
  BasePruningMethod,
  CustomFromMask,
  Identity,
  L1Unstructured,
  LnStructured,
  type PruningClass,
  PruningContainer,
  RandomStructured,
  RandomUnstructured,
} from './prune_methods.js';
import { findPreHook, named } from './recompute.js';

export * from './prune_methods.js';

interface Scores {
  /** What to choose by, instead of the tensor's own values; of the same shape. */
  importance_scores?: Tensor | null;
}

/** A positional scores tensor, or the one in an options object. */
function scoresOf(given: Tensor | Scores | null): Tensor | null {
  if (given === null) return null;
  return 'importance_scores' in given ? ((given as Scores).importance_scores ?? null) : (given as Tensor);
}

/** Registers pruning without pruning anything. */
export function identity<M extends Module>(module: M, name: string): M {
  Identity.apply(module, name);
  return module;
}

/** Prunes elements at random; a whole `amount` counts them, a fraction is a part of all. */
export function random_unstructured<M extends Module>(
  module: M,
  name: string,
  amount: number | { amount: number },
): M {
  new RandomUnstructured(amount).applyTo(module, name);
  return module;
}

/** Prunes the elements of least magnitude. */
export function l1_unstructured<M extends Module>(
  module: M,
  name: string,
  amount: number | ({ amount: number } & Scores),
  importance_scores: Tensor | Scores | null = null,
): M {
  const scores =
    typeof amount === 'object' ? (amount.importance_scores ?? null) : scoresOf(importance_scores);
  new L1Unstructured(amount).applyTo(module, name, scores);
  return module;
}

/** Prunes channels along `dim` at random. */
export function random_structured<M extends Module>(
  module: M,
  name: string,
  ...args: [amount: number, dim: number | { dim: number }] | [options: { amount: number; dim: number }]
): M {
  const [first, second] = args;
  const o =
    typeof first === 'object'
      ? first
      : { amount: first, dim: typeof second === 'object' ? second.dim : (second as number) };
  RandomStructured.apply(module, name, o.amount, o.dim);
  return module;
}

interface NormOptions extends Scores {
  amount: number;
  /** The order of the norm. */
  n: number | 'fro';
  dim: number;
}

/** Prunes the channels along `dim` that have the least norm of order n. */
export function ln_structured<M extends Module>(
  module: M,
  name: string,
  ...args:
    | [amount: number, n: number | 'fro', dim: number, importance_scores?: Tensor | Scores | null]
    | [amount: number, options: Omit<NormOptions, 'amount'>]
    | [options: NormOptions]
): M {
  const [first, second, dim, scores = null] = args;
  const given: Partial<NormOptions> =
    typeof first === 'object'
      ? first
      : typeof second === 'object'
        ? { ...second, amount: first }
        : { amount: first, n: second, dim, importance_scores: scoresOf(scores) };
  const o = given as NormOptions;
  LnStructured.apply(module, name, o.amount, o.n, o.dim, o.importance_scores ?? null);
  return module;
}

/** Prunes where a mask is zero. */
export function custom_from_mask<M extends Module>(
  module: M,
  name: string,
  mask: Tensor | { mask: Tensor },
): M {
  new CustomFromMask(mask).applyTo(module, name);
  return module;
}

/**
 * Prunes tensors of several modules together: the method chooses among all their elements.
 * @param pruning_method a class whose `PRUNING_TYPE` is 'unstructured'; the remaining options are its arguments.
 */
export function global_unstructured<A>(
  parameters: Iterable<readonly [module: Module, name: string]>,
  pruning_method: PruningClass<[options: A]>,
  options: Exclude<A, number | Tensor> & { importance_scores?: ReadonlyMap<Tensor, Tensor> },
): void {
  if (parameters === null || typeof parameters !== 'object' || !(Symbol.iterator in parameters))
    throw new TypeError('global_unstructured(): parameters is not an Iterable');
  const { importance_scores, ...own } = options;
  const list = [...parameters].map(([module, name]) => ({ module, name, tensor: named(module, name) }));
  const scores = parameters_to_vector(
    list.map(({ tensor }) => (importance_scores?.get(tensor) ?? tensor).detach()),
  );
  const masks = parameters_to_vector(
    list.map(({ module, name, tensor }) => {
      const mask = (module as unknown as Record<string, unknown>)[`${name}_mask`] as Tensor | undefined;
      return mask ?? ones_like(tensor.detach());
    }),
  );
  const method = new pruning_method(own as unknown as A);
  if (method.PRUNING_TYPE !== 'unstructured')
    throw new TypeError(
      `Only "unstructured" PRUNING_TYPE supported for the \`pruning_method\`. Found method ${pruning_method.name} of type ${method.PRUNING_TYPE}`,
    );
  const container = new PruningContainer();
  method._tensor_name = 'temp';
  container._tensor_name = 'temp';
  container.add_pruning_method(method);
  const all = container.compute_mask(scores, masks);
  let at = 0;
  for (const { module, name, tensor } of list) {
    CustomFromMask.apply(module, name, all.narrow(0, at, tensor._numel).view(tensor.shape));
    at += tensor._numel;
  }
}

/** Makes the pruning of a tensor permanent. @throws ValueError when it is not pruned. */
export function remove<M extends Module>(module: M, name: string): M {
  const found = findPreHook(module, BasePruningMethod, name);
  if (!found)
    throw new ValueError(
      `Parameter '${name}' of module ${module} has to be pruned before pruning can be removed`,
    );
  found.hook.remove(module);
  found.remove();
  return module;
}

/** Whether the module, or one below it, has a pruned tensor. */
export function is_pruned(module: Module): boolean {
  return [...module.modules()].some((m) => findPreHook(m, BasePruningMethod, null) !== null);
}
