// torch.func: modules in function transforms.
import { RuntimeError } from '../errors.js';
import { BatchNorm } from '../nn/modules/batchnorm.js';
import type { Module } from '../nn/modules/module.js';
import { stack } from '../ops/join.js';
import type { Tensor } from '../tensor.js';

/**
 * The parameters and buffers of models of one class, stacked by name: for an ensemble,
 * `vmap((params, buffers, x) => functional_call(base, [params, buffers], x), [0, 0, null])`.
 * @throws RuntimeError when the models differ in class or mode.
 */
export function stack_module_state(
  models: Iterable<Module>,
): [params: Record<string, Tensor>, buffers: Record<string, Tensor>] {
  const list = [...models];
  if (list.length === 0) throw new RuntimeError('stack_module_state: Expected at least one model, got 0.');
  if (list.some((m) => m.training !== list[0].training))
    throw new RuntimeError('stack_module_state: Expected all models to have the same training/eval mode.');
  if (list.some((m) => m.constructor !== list[0].constructor))
    throw new RuntimeError('stack_module_state: Expected all models to be of the same class.');
  const params = list.map((m) => Object.fromEntries(m.named_parameters()) as Record<string, Tensor>);
  const buffers = list.map((m) => Object.fromEntries(m.named_buffers()));
  return [stacked(params), stacked(buffers)];
}

function stacked(all: readonly Record<string, Tensor>[]): Record<string, Tensor> {
  return Object.fromEntries(
    Object.keys(all[0]).map((name) => {
      const tensors = all.map((one) => one[name]);
      const wanted = tensors[0].requires_grad;
      if (tensors.some((x) => x.requires_grad !== wanted))
        throw new RuntimeError(`Expected ${name} from each model to have the same .requires_grad`);
      const result = stack(tensors).detach();
      return [name, wanted ? result.requires_grad_() : result];
    }),
  );
}

/** Takes the running statistics away from every batch normalisation, which transforms cannot update. */
export function replace_all_batch_norm_modules_<M extends Module>(root: M): M {
  for (const module of root.modules())
    if (module instanceof BatchNorm) {
      module.running_mean = null;
      module.running_var = null;
      module.num_batches_tracked = null;
      module.track_running_stats = false;
    }
  return root;
}
