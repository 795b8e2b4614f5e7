/** torch.autograd against PyTorch (test/goldens/autograd.json, made by scripts/goldens/autograd.py). */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FunctionCtx } from '../src/autograd/function.js';
import * as torch from '../src/index.js';
import { setWarningSink } from '../src/warnings.js';

type Tensor = torch.Tensor;
const {
  grad,
  graph,
  functional,
  gradcheck,
  Function: TorchFunction,
  once_differentiable,
  detect_anomaly,
} = torch.autograd;

interface Golden {
  value?: unknown;
  error?: [type: string, message: string];
}
const goldens = JSON.parse(readFileSync(new URL('goldens/autograd.json', import.meta.url), 'utf8')) as Record<
  string,
  Golden
>;

/** Values as the goldens hold them. */
function plain(x: unknown): unknown {
  if (x instanceof torch.Tensor) return x.tolist();
  if (x instanceof torch.autograd.Node) return x.name();
  if (Array.isArray(x)) return x.map(plain);
  return x ?? null;
}

const one = (...shape: number[]): Tensor =>
  torch.ones(shape.length > 0 ? shape : [2], { requires_grad: true });
const zeros = (...shape: number[]): Tensor => torch.zeros(shape);
const f64 = (...values: number[]): Tensor =>
  torch.tensor(values, { dtype: torch.float64, requires_grad: true });

type Forward = (ctx: FunctionCtx, ...args: never[]) => unknown;
type Backward = (ctx: FunctionCtx, ...grads: Tensor[]) => unknown;

/** A Function called G with these methods. */
function custom(
  forward: (ctx: FunctionCtx, x: Tensor, y?: unknown) => unknown,
  backward?: Backward,
): { apply: (...args: unknown[]) => unknown } {
  class G extends TorchFunction {
    static forward: Forward = forward as Forward;
  }
  if (backward) Object.assign(G, { backward });
  return G as never;
}
const call = (f: { apply: (...args: unknown[]) => unknown }, ...args: unknown[]): Tensor =>
  f.apply(...args) as Tensor;

const inference = (): Tensor => torch.inference_mode(() => torch.ones([3]));
const noGradView = (p: Tensor): Tensor => torch.no_grad(() => p.view(-1));
const doubling = (ctx: FunctionCtx, x: Tensor): Tensor => {
  x.mul_(2);
  ctx.mark_dirty(x);
  return x;
};

class Exp extends TorchFunction {
  static forward(ctx: FunctionCtx, x: Tensor): Tensor {
    const r = x.exp();
    ctx.save_for_backward(r);
    return r;
  }
  static backward(ctx: FunctionCtx, g: Tensor): Tensor {
    const [r] = ctx.saved_tensors;
    return r.mul(g);
  }
}
class Once extends TorchFunction {
  static forward(ctx: FunctionCtx, x: Tensor): Tensor {
    ctx.save_for_backward(x);
    return x.mul(x);
  }
  static backward = once_differentiable((ctx: FunctionCtx, g: Tensor) => ctx.saved_tensors[0].mul(2).mul(g));
}

const X = torch.tensor([1, 2, 3]);
const Y = torch.tensor([4, 5, 6]);

/** One function per golden. */
const cases: Record<string, () => unknown> = {
  capture_before_hooks() {
    const x = one();
    const y = x.mul(2);
    y.register_hook((g) => g.mul(10));
    return grad(y.sum(), [x, y]);
  },
  capture_after_hooks() {
    const y = one().mul(2);
    y.register_hook((g) => g.mul(10));
    return grad(y.sum(), [y]);
  },
  retain_and_hooks() {
    const x = one();
    const y = x.mul(2);
    y.retain_grad();
    y.register_hook((g) => g.mul(3));
    y.mul_(5);
    y.sum().backward();
    return [y.grad, x.grad];
  },
  hook_stays_on_old_node() {
    const y = one().mul(2);
    const log: unknown[] = [];
    y.register_hook((g) => void log.push(['a', g.tolist()]));
    y.mul_(3);
    y.register_hook((g) => void log.push(['b', g.tolist()]));
    y.sum().backward();
    return log;
  },
  leaf_hook_order() {
    const x = one();
    const log: unknown[] = [];
    x.register_hook(() => void log.push('tensor'));
    x.register_post_accumulate_grad_hook((p) => void log.push(['post', plain(p.grad), p === x]));
    const y = x.mul(2);
    const a = y.grad_fn?.next_functions[0][0];
    a?.register_hook((gi, go) => void log.push(['node', plain(gi), plain(go)]));
    a?.register_prehook(() => void log.push('pre'));
    y.sum().backward();
    return log;
  },
  hook_changes_size() {
    const x = one();
    x.register_hook(() => torch.ones([3]));
    x.mul(2).sum().backward();
  },
  hook_changes_type() {
    const x = one();
    x.register_hook((g) => g.to(torch.float64));
    x.mul(2).sum().backward();
  },
  node_hook_not_tuple() {
    const y = one().mul(2);
    y.grad_fn?.register_hook((gi) => gi[0] as never);
    y.sum().backward();
  },
  node_hook_count() {
    const y = one().mul(2);
    y.grad_fn?.register_hook((gi) => [gi[0]]);
    y.sum().backward();
  },
  node_prehook() {
    const x = one();
    const y = x.mul(2);
    y.grad_fn?.register_prehook((go) => [(go[0] as Tensor).mul(2)]);
    y.sum().backward();
    return x.grad;
  },
  post_hook_non_leaf: () =>
    one()
      .mul(2)
      .register_post_accumulate_grad_hook(() => {}),
  hook_no_grad: () => torch.ones([2]).register_hook(() => {}),
  retain_no_grad: () => torch.ones([2]).retain_grad(),
  multi_grad_hook() {
    const [a, b, c] = [one(), one(), one()];
    const log: unknown[] = [];
    const handle = graph.register_multi_grad_hook([a, b, c], (gs) => void log.push(plain(gs)));
    a.mul(b).sum().backward();
    a.mul(b).mul(c).sum().backward();
    handle.remove();
    a.sum().backward();
    return log;
  },
  multi_grad_hook_any() {
    const [a, b] = [one(), one()];
    let count = 0;
    graph.register_multi_grad_hook([a, b], () => void count++, { mode: 'any' });
    a.mul(2).mul(b).sum().backward();
    return count;
  },
  no_grad_view_write: () => noGradView(one()).mul_(2),
  no_grad_view_used() {
    const p = one();
    const v = noGradView(p);
    v.mul(2).sum().backward();
    return [v.requires_grad, v.is_leaf, v.grad_fn, p.grad, v.grad];
  },
  stale_view() {
    const x = one(2, 3);
    const y = zeros(2, 3);
    const v = y[0];
    y.mul_(x);
    v.mul(2).sum().backward();
    return [x.grad, v.grad_fn, v.requires_grad];
  },
  overlapping_views() {
    const x = one(3);
    const y = x.mul(1);
    const v = y.narrow(0, 0, 2);
    const w = y.narrow(0, 1, 2);
    v.mul_(2);
    w.mul_(3);
    y.mul(y).sum().backward();
    return [x.grad, y, y.grad_fn];
  },
  view_write_retains() {
    const x = one(2, 3);
    const y = x.mul(2);
    const v = y[0];
    y.retain_grad();
    v.retain_grad();
    v.mul_(3);
    y.sum().backward();
    return [y.grad, v.grad, x.grad];
  },
  copy_into_view() {
    const x = one(2, 3);
    const y = zeros(2, 3);
    y[0].copy_(x[1]);
    y.sum().backward();
    return [x.grad, y.grad_fn, y[0].grad_fn];
  },
  inference_saved: () => inference().mul(one(3)),
  inference_added: () => inference().add(one(3)),
  inference_written: () => inference().mul_(2),
  inference_requires_grad: () => inference().requires_grad_(),
  inference_version: () => inference()._version,
  modified_output() {
    const y = one().exp();
    y.mul_(2);
    y.sum().backward();
  },
  modified_input() {
    const y = one().mul(2);
    const z = y.mul(y);
    y.add_(1);
    z.sum().backward();
  },
  modified_leaf() {
    const x = one();
    const z = x.mul(x);
    torch.no_grad(() => x.add_(1));
    z.sum().backward();
  },
  leaf_write: () => one().add_(1),
  leaf_view_write: () => one().view(2).add_(1),
  data_write() {
    const x = one();
    const y = x.mul(x);
    x.data.add_(1);
    y.sum().backward();
    return [x.grad, x._version];
  },
  detach_shares_version() {
    const x = one();
    x.detach().add_(1);
    return x._version;
  },
  detach_view: () => one().view(2).detach_(),
  backward_twice() {
    const y = one().pow(2).sum();
    y.backward();
    y.backward();
  },
  no_graph: () => torch.ones([]).backward(),
  not_scalar: () => one().mul(2).backward(),
  gradient_shape: () => grad(one().mul(2), one(), torch.ones([3])),
  gradient_dtype() {
    const x = one();
    return grad(x.mul(2), x, torch.ones([2], { dtype: torch.float64 }))[0].dtype === torch.float32;
  },
  unused: () => grad(one().sum(), one()),
  materialized() {
    const x = one();
    return grad(x.sum(), [x, one(3)], { materialize_grads: true });
  },
  materialize_contradiction: () => grad(one().sum(), one(), { allow_unused: false, materialize_grads: true }),
  no_inputs: () => one().sum().backward({ inputs: [] }),
  input_not_tensor: () =>
    one()
      .sum()
      .backward({ inputs: [3 as never] }),
  input_no_grad: () => grad(one().sum(), torch.ones([2])),
  non_leaf_input() {
    const x = one();
    const y = x.mul(2);
    y.sum().backward({ inputs: [y] });
    return [y.grad, y.retains_grad, x.grad];
  },
  layout() {
    const w = torch.ones([3, 4]).t().requires_grad_();
    w.mul(2).sum().backward();
    return w.grad?.stride();
  },
  create_graph() {
    const x = one();
    x.mul(x).sum().backward({ create_graph: true });
    return [x.grad, x.grad?.grad_fn];
  },
  create_graph_twice() {
    const x = one();
    x.mul(x).sum().backward({ create_graph: true });
    x.grad?.sum().backward();
    return x.grad;
  },
  grad_of_half() {
    const x = torch.ones([2], { dtype: torch.float16, requires_grad: true });
    x.to(torch.float32).mul(2).sum().backward();
    return String(x.grad?.dtype);
  },
  reentrant() {
    const x = one();
    const y = x.mul(x);
    const nested = (): Tensor => {
      const w = one();
      torch.enable_grad(() => w.mul(3).sum().backward());
      return w.grad as Tensor;
    };
    y.register_hook((g) => g.mul(nested()));
    y.sum().backward();
    return x.grad;
  },
  reentrant_same_graph() {
    const x = one();
    const y = x.mul(x);
    const z = y.mul(y);
    let first = true;
    // The sum is inside of the hook, where nothing is recorded, as in PyTorch.
    z.register_hook(() => {
      if (first) {
        first = false;
        y.sum().backward({ retain_graph: true });
      }
    });
    z.sum().backward();
    return x.grad;
  },
  hook_throws() {
    const x = one();
    const y = x.mul(x);
    const handle = y.register_hook(() => {
      throw new torch.ValueError('mine');
    });
    expect(() => y.sum().backward({ retain_graph: true })).toThrow('mine');
    handle.remove();
    y.sum().backward();
    return [x.grad, torch.is_grad_enabled()];
  },
  nan_found: () => detect_anomaly(() => one().sub(1).sqrt().mul(0).sum().backward()),
  nan_not_checked() {
    const x = one();
    detect_anomaly({ check_nan: false }, () => x.sub(1).sqrt().mul(0).sum().backward());
    return x.grad?.isnan();
  },
  assign_size() {
    torch.ones([2]).grad = torch.ones([3]);
  },
  assign_dtype() {
    torch.ones([2]).grad = torch.ones([2], { dtype: torch.float64 });
  },
  assign_itself() {
    const z = torch.ones([2]);
    z.grad = z;
  },
  requires_int: () => torch.ones([2], { dtype: torch.int64 }).requires_grad_(),
  requires_int_factory: () => torch.ones([2], { dtype: torch.int64, requires_grad: true }),
  requires_non_leaf: () => one().mul(1).requires_grad_(false),
  set_grad_enabled_type: () => torch.set_grad_enabled(3 as never),
  edge_no_grad: () => graph.get_gradient_edge(torch.ones([2])),
  edge_as_input() {
    const x = one();
    return grad(x.mul(3).sum(), [graph.get_gradient_edge(x)]);
  },
  function_few_gradients() {
    const x = one();
    call(
      custom(
        (_, a, b) => a.mul(b as Tensor),
        (_, g) => g,
      ),
      x,
      x,
    )
      .sum()
      .backward();
  },
  function_gradient_of_number: () =>
    call(
      custom(
        (_, x) => x.mul(2),
        (_, g) => [g, g],
      ),
      one(),
      2,
    )
      .sum()
      .backward(),
  function_extra_none() {
    const x = one();
    call(
      custom(
        (_, a) => a.mul(2),
        (_, g) => [g, null, null],
      ),
      x,
    )
      .sum()
      .backward();
    return x.grad;
  },
  function_shape: () =>
    call(
      custom(
        (_, x) => x.mul(2),
        () => torch.ones([3]),
      ),
      one(),
    )
      .sum()
      .backward(),
  function_type: () =>
    call(
      custom(
        (_, x) => x.mul(2),
        () => 3,
      ),
      one(),
    )
      .sum()
      .backward(),
  function_no_backward: () =>
    call(
      custom((_, x) => x.mul(2)),
      one(),
    )
      .sum()
      .backward(),
  function_no_forward: () => call(class N extends TorchFunction {} as never, one()),
  function_saves_number: () =>
    call(
      custom((ctx, x) => {
        ctx.save_for_backward(3 as never);
        return x.mul(2);
      }),
      one(),
    ),
  function_dirty() {
    const x = one();
    const z = x.mul(1);
    const r = call(
      custom(doubling, (_, g) => g.mul(2)),
      z,
    );
    r.sum().backward();
    return [r === z, r._version, x.grad];
  },
  function_dirty_leaf: () =>
    call(
      custom(doubling, (_, g) => g),
      one(),
    ),
  function_dirty_view() {
    const x = one();
    const z = x.mul(1);
    const v = z.narrow(0, 0, 1);
    const r = call(
      custom(doubling, (_, g) => g.mul(2)),
      v,
    );
    z.sum().backward();
    return [r === v, z.grad_fn, v.grad_fn, x.grad];
  },
  function_dirty_not_returned: () =>
    call(
      custom((ctx, x) => {
        ctx.mark_dirty(x);
        return x.add(1);
      }),
      one().mul(1),
    ),
  function_returns_input() {
    const x = one();
    const r = call(
      custom(
        (_, a) => a,
        (_, g) => g.mul(5),
      ),
      x,
    );
    r.sum().backward();
    return [r === x, r._is_view(), x.grad];
  },
  function_returned_input_written: () =>
    call(
      custom(
        (_, x) => x,
        (_, g) => g.mul(5),
      ),
      one(),
    ).mul_(2),
  function_returned_views_written: () =>
    (
      custom(
        (_, x) => [x.view(-1), x.mul(2)],
        (_, g) => g,
      ).apply(one().mul(1)) as Tensor[]
    )[0].mul_(2),
  function_non_differentiable() {
    const seen: unknown[] = [];
    const x = one();
    const f = custom(
      (ctx, a) => {
        const b = a.mul(3);
        ctx.mark_non_differentiable(b);
        return [a.mul(2), b];
      },
      (_, ...g) => {
        seen.push(plain(g));
        return g[0];
      },
    );
    const r = f.apply(x) as Tensor[];
    r[0].sum().backward();
    return [r[1].requires_grad, seen, x.grad];
  },
  function_not_materialized() {
    const seen: unknown[] = [];
    const f = custom(
      (ctx, x) => {
        ctx.set_materialize_grads(false);
        return [x.mul(2), x.mul(3)];
      },
      (_, ...g) => {
        seen.push(plain(g));
        return g[0];
      },
    );
    (f.apply(one()) as Tensor[])[0].sum().backward();
    return seen;
  },
  function_double() {
    const x = torch.zeros([2], { requires_grad: true });
    const [g] = grad(Exp.apply(x).sum(), x, { create_graph: true });
    return [g, grad(g.sum(), x)];
  },
  function_saved_modified() {
    class ExpOnce extends Exp {}
    Object.defineProperty(ExpOnce, 'name', { value: 'Exp' });
    const y = ExpOnce.apply(one());
    y.mul_(2);
    y.sum().backward();
  },
  function_freed() {
    const y = Exp.apply(one());
    y.sum().backward();
    return (y.grad_fn as FunctionCtx).saved_tensors;
  },
  function_once() {
    const x = one();
    const [g] = grad(Once.apply(x), x, { grad_outputs: one(), create_graph: true });
    g.sum().backward();
  },
  gradcheck_fails: () =>
    gradcheck(
      (x: Tensor) =>
        call(
          custom(
            (_, a) => a.mul(a),
            (_, g) => g.mul(3),
          ),
          x,
        ),
      f64(1, 2),
    ),
  gradcheck_not_linear: () =>
    gradcheck(
      (x: Tensor) =>
        call(
          custom(
            (_, a) => a.mul(3),
            (_, g) => g.mul(0).add(3),
          ),
          x,
        ),
      f64(1, 1),
    ),
  gradcheck_no_inputs: () => gradcheck((x: Tensor) => x, torch.ones([2])),
  gradcheck_overlap: () =>
    gradcheck((x: Tensor) => x, torch.ones([1], { dtype: torch.float64 }).expand(3).requires_grad_()),
  jacobian_one: () => functional.jacobian((x: Tensor) => x.mul(x), X),
  jacobian_many: () => functional.jacobian((x: Tensor, y: Tensor) => [x.mul(y), x.sum()], [X, Y]),
  hessian_many: () => functional.hessian((x: Tensor, y: Tensor) => x.mul(x).mul(y).sum(), [X, Y]),
  hessian_strict: () => functional.hessian((x: Tensor) => x.sum(), X, { strict: true }),
  hessian_not_scalar: () => functional.hessian((x: Tensor) => x, X),
  vjp: () => functional.vjp((x: Tensor) => x.mul(x), X, Y),
  vjp_no_vector: () => functional.vjp((x: Tensor) => x.mul(x), X),
  vjp_size: () => functional.vjp((x: Tensor) => x.mul(x), X, torch.ones([2])),
  jvp: () => functional.jvp((x: Tensor) => x.mul(x), X, Y),
  jvp_length: () => functional.jvp((x: Tensor) => x, [X, Y], [X]),
  vhp: () => functional.vhp((x: Tensor) => x.mul(x).mul(x).sum(), X, Y),
  hvp: () => functional.hvp((x: Tensor) => x.mul(x).mul(x).sum(), X, Y),
  strict_independent: () => functional.jacobian(() => X, Y, { strict: true }),
};

describe('as in PyTorch', () => {
  let sink: (message: string) => void = () => {};
  beforeAll(() => {
    sink = setWarningSink(() => {});
  });
  afterAll(() => void setWarningSink(sink));

  it('has a case for every golden', () =>
    expect(Object.keys(cases).sort()).toEqual(Object.keys(goldens).sort()));

  for (const [name, run] of Object.entries(cases))
    it(name, () => {
      const { value, error } = goldens[name];
      if (error === undefined) {
        expect(plain(run())).toEqual(value);
        return;
      }
      let thrown: unknown = null;
      try {
        run();
      } catch (e) {
        thrown = e;
      }
      expect(thrown).toBeInstanceOf(Error);
      expect([(thrown as Error).name, (thrown as Error).message]).toEqual(error);
    });
});
