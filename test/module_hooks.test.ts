/** Hooks of modules around state dicts and calls, in PyTorch's order. */
import { expect, it } from 'vitest';
import * as torch from '../src/index.js';

const { nn } = torch;
type Tensor = torch.Tensor;

class Counter extends nn.Module {
  count = 3;
  inner = new nn.Linear(1, 1);
  forward(x: Tensor): Tensor {
    return this.inner(x);
  }
  override get_extra_state(): unknown {
    return { count: this.count };
  }
  override set_extra_state(state: unknown): void {
    this.count = (state as { count: number }).count;
  }
}

it('extra state is saved and loaded', () => {
  const state = new Counter().state_dict();
  // PyTorch's order: the module's own entries, its extra state, then the children.
  expect(Object.keys(state)).toEqual(['_extra_state', 'inner.weight', 'inner.bias']);
  const other = new Counter();
  other.count = 0;
  expect(String(other.load_state_dict(state))).toBe('<All keys matched successfully>');
  expect(other.count).toBe(3);
  const { _extra_state, ...rest } = state;
  expect(() => other.load_state_dict(rest)).toThrow('Missing key(s) in state_dict: "_extra_state".');
});

it('state hooks are called around each module', () => {
  const log: string[] = [];
  const m = new Counter();
  m.register_state_dict_pre_hook((_, prefix, keep) => void log.push(`pre '${prefix}' ${keep}`));
  m.inner.register_state_dict_pre_hook((_, prefix) => void log.push(`pre '${prefix}'`));
  m.inner.register_state_dict_post_hook((_, state, prefix) => {
    log.push(`post '${prefix}' ${Object.keys(state).length}`);
  });
  m.register_state_dict_post_hook((_, state, prefix) => {
    log.push(`post '${prefix}' ${Object.keys(state).length}`);
    state.renamed = state['inner.bias'];
    delete state['inner.bias'];
  });
  const state = m.state_dict();
  expect(log).toEqual(["pre '' false", "pre 'inner.'", "post 'inner.' 3", "post '' 3"]);
  expect(() => m.load_state_dict(state)).toThrow('Unexpected key(s) in state_dict: "renamed".');
  const handle = m.register_load_state_dict_pre_hook((_, given) => {
    given['inner.bias'] = given.renamed;
    delete given.renamed;
  });
  expect(m.load_state_dict(state).unexpected_keys).toEqual([]);
  expect(Object.keys(state)).toContain('renamed');
  handle.remove();
  m.register_load_state_dict_post_hook((_, keys) => {
    keys.missing_keys.length = 0;
    keys.unexpected_keys.length = 0;
  });
  expect(m.load_state_dict(state).missing_keys).toEqual([]);
});

it('forward hooks: order, named arguments, and calls that fail', () => {
  class Scale extends nn.Module {
    forward(x: Tensor, options: { by?: number } = {}): Tensor {
      if (options.by === 0) throw new Error('zero');
      return x.mul(options.by ?? 1);
    }
  }
  const m = new Scale();
  const log: string[] = [];
  m.register_forward_pre_hook(() => void log.push('second'));
  m.register_forward_pre_hook(() => void log.push('first'), { prepend: true });
  m.register_forward_pre_hook((_, args, kwargs) => [args, { by: Number(kwargs.by ?? 1) * 2 }], {
    with_kwargs: true,
  });
  m.register_forward_hook((_, args, kwargs, out) => void log.push(`${args.length} ${kwargs.by} ${out}`), {
    with_kwargs: true,
  });
  m.register_forward_hook((_, __, out) => void log.push(`always ${out === null}`), { always_call: true });
  expect(m(torch.ones([1]), { by: 3 }).item()).toBe(6);
  expect(log).toEqual(['first', 'second', '1 6 tensor([6.])', 'always false']);
  log.length = 0;
  expect(() => m(torch.ones([1]), { by: 0 })).toThrow('zero');
  expect(log).toEqual(['first', 'second', 'always true']);
});

it('set_submodule replaces a module deep inside', () => {
  const m = new Counter();
  m.set_submodule('inner', new nn.Identity() as unknown as torch.nn.Linear);
  expect(String(m.inner)).toBe('Identity()');
  expect(() => m.set_submodule('other.x', new nn.Identity())).toThrow('Counter has no attribute `other`');
  expect(() => m.set_submodule('other', new nn.Identity(), { strict: true })).toThrow('has no attribute');
});

it('hooks of all modules run before those of the module', () => {
  const log: string[] = [];
  const all = torch.nn.modules.module;
  const m = new nn.Sequential(new nn.Linear(1, 1), new nn.ReLU());
  const handles = [
    all.register_module_forward_pre_hook((module) => void log.push(`pre ${module._getName()}`)),
    all.register_module_forward_hook((module) => void log.push(`all ${module._getName()}`)),
    all.register_module_full_backward_hook(
      (module, grads) => void log.push(`back ${module._getName()} ${grads.length}`),
    ),
  ];
  m.register_forward_hook(() => void log.push('own'));
  m(torch.ones([1, 1]).requires_grad_(true))
    .sum()
    .backward();
  expect(log).toEqual([
    'pre Sequential',
    'pre Linear',
    'all Linear',
    'pre ReLU',
    'all ReLU',
    'all Sequential',
    'own',
    'back ReLU 1',
    'back Linear 1',
    'back Sequential 1',
  ]);
  for (const handle of handles) handle.remove();
  log.length = 0;
  m(torch.ones([1, 1]));
  expect(log).toEqual(['own']);
});
