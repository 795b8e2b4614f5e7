// Grad modes, memory of the graph, saved-tensor hooks, anomaly traces and gradcheck over ops.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { FunctionCtx } from '../src/autograd/function.js';
import * as torch from '../src/index.js';
import { setWarningSink } from '../src/warnings.js';

type Tensor = torch.Tensor;
const { grad, graph, gradcheck, gradgradcheck, Function: TorchFunction, detect_anomaly } = torch.autograd;
const one = (): Tensor => torch.ones([2], { requires_grad: true });
const pause = (ms = 1): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

describe('grad modes', () => {
  it('hold during a callback, also when it throws', () => {
    expect(torch.no_grad(() => torch.is_grad_enabled())).toBe(false);
    expect(() =>
      torch.no_grad(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(torch.is_grad_enabled()).toBe(true);
    expect(torch.no_grad(() => torch.enable_grad(() => one().mul(2).requires_grad))).toBe(true);
    expect(torch.inference_mode(() => [torch.is_grad_enabled(), torch.is_inference_mode_enabled()])).toEqual([
      false,
      true,
    ]);
  });
  it('refuse a callback that returns a promise, and name using', () => {
    expect(() => torch.no_grad(async () => 1)).toThrow(
      /callback returned a promise.*using _ = torch\.no_grad\(\)/s,
    );
    expect(torch.is_grad_enabled()).toBe(true);
  });
  it('hold in a scope across awaits', async () => {
    const run = async (): Promise<boolean[]> => {
      using _ = torch.no_grad();
      const before = torch.is_grad_enabled();
      await pause();
      return [before, torch.is_grad_enabled()];
    };
    expect(await run()).toEqual([false, false]);
    expect(torch.is_grad_enabled()).toBe(true);
  });
  it('are restored when scopes interleave', async () => {
    const run = async (ms: number): Promise<boolean> => {
      using _ = torch.no_grad();
      await pause(ms);
      return torch.is_grad_enabled();
    };
    const first = run(5);
    const second = run(30);
    expect(await first).toBe(false);
    expect(torch.is_grad_enabled()).toBe(false);
    expect(await second).toBe(false);
    expect(torch.is_grad_enabled()).toBe(true);
  });
  it('wrap functions and methods', () => {
    const f = torch.no_grad()((x: Tensor) => x.mul(2).requires_grad);
    expect(torch.is_grad_enabled()).toBe(true);
    expect(f(one())).toBe(false);
    const box = {
      k: 3,
      scaled: torch.no_grad()(function (this: { k: number }, x: number) {
        return this.k * x;
      } as (x: number) => number),
    };
    expect(box.scaled(2)).toBe(6);
  });
  it('set_grad_enabled lasts, until an outer scope ends', () => {
    torch.set_grad_enabled(false);
    expect(torch.is_grad_enabled()).toBe(false);
    torch.set_grad_enabled(true);
    {
      using _ = torch.enable_grad();
      torch.set_grad_enabled(false);
    }
    expect(torch.is_grad_enabled()).toBe(true);
    {
      using _ = torch.set_grad_enabled(false);
      expect(torch.is_grad_enabled()).toBe(false);
    }
    expect(torch.is_grad_enabled()).toBe(true);
  });
});

describe('memory', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const collected = async (ref: WeakRef<object>): Promise<boolean> => {
    for (let i = 0; i < 5 && ref.deref() !== undefined; i++) {
      await pause();
      gc();
    }
    return ref.deref() === undefined;
  };
  it('backward releases saved tensors while the graph is still held', async () => {
    const make = (): [Tensor, WeakRef<object>, WeakRef<object>] => {
      const x = one();
      const y = x.mul(2).exp();
      const z = y.matmul(y);
      return [z, new WeakRef(y), new WeakRef(y._storage)];
    };
    const [z, y, storage] = make();
    await pause();
    gc();
    expect(y.deref()).toBeDefined();
    z.backward();
    expect(await collected(y)).toBe(true);
    expect(await collected(storage)).toBe(true);
    expect(z.grad_fn).not.toBeNull();
  });
  it('Function releases what it saved', async () => {
    class Square extends TorchFunction {
      static forward(ctx: FunctionCtx, x: Tensor): Tensor {
        ctx.save_for_backward(x);
        return x.mul(x);
      }
      static backward(ctx: FunctionCtx, g: Tensor): Tensor {
        return g.mul(ctx.saved_tensors[0]).mul(2);
      }
    }
    const make = (): [Tensor, WeakRef<object>] => {
      const y = one().mul(3);
      return [Square.apply(y).sum(), new WeakRef(y)];
    };
    const [z, y] = make();
    z.backward();
    expect(await collected(y)).toBe(true);
  });
  it('a pass that failed leaves nothing on the nodes', async () => {
    const x = one();
    const y = x.mul(x);
    const run = (): WeakRef<object> => {
      const seed = torch.ones([2]);
      const handle = y.register_hook(() => {
        throw new Error('mine');
      });
      expect(() => y.backward(seed, true)).toThrow('mine');
      handle.remove();
      return new WeakRef(seed);
    };
    expect(await collected(run())).toBe(true);
    expect(y.grad_fn?.task).toBeNull();
  });
});

describe('ownership of gradients', () => {
  it('never writes to tensors that hooks or Functions hand out', () => {
    const constant = torch.ones([2]);
    class Held extends TorchFunction {
      static forward(_: FunctionCtx, x: Tensor): Tensor {
        return x.mul(1);
      }
      static backward(): Tensor {
        return constant;
      }
    }
    const x = one();
    const seen: Tensor[] = [];
    x.register_hook((g) => void seen.push(g));
    Held.apply(x).add(Held.apply(x)).sum().backward();
    expect(constant.tolist()).toEqual([1, 1]);
    expect(x.grad?.tolist()).toEqual([2, 2]);
    x.mul(5).sum().backward();
    expect(seen.map((g) => g.tolist())).toEqual([
      [2, 2],
      [5, 5],
    ]);
    expect(x.grad?.tolist()).toEqual([7, 7]);
  });
  it('keeps a captured gradient apart from those that go on', () => {
    const x = one();
    const y = x.mul(2);
    const [gy, gx] = grad(y.sum().add(x.mul(3).sum()), [y, x]);
    expect([gy.tolist(), gx.tolist()]).toEqual([
      [1, 1],
      [5, 5],
    ]);
  });
});

describe('saved-tensor hooks', () => {
  it('pack and unpack, with the place in the graph', () => {
    const x = torch.tensor([1, 2], { requires_grad: true });
    let packed = 0;
    const [g, h] = graph.saved_tensors_hooks(
      (t) => {
        packed++;
        return t.detach().mul(1);
      },
      (t: Tensor) => t,
      () => {
        const [first] = grad(x.exp().mul(x).sum(), x, { create_graph: true });
        return [first, grad(first.sum(), x)[0]];
      },
    );
    expect(packed).toBeGreaterThan(2);
    const e = (v: number): number => Math.exp(v);
    (g.tolist() as number[]).forEach((v, i) => expect(v).toBeCloseTo(e(i + 1) * (i + 2), 4));
    (h.tolist() as number[]).forEach((v, i) => expect(v).toBeCloseTo(e(i + 1) * (i + 3), 4));
  });
  it('refuse packing in place', () => {
    const w = torch.ones([2]);
    expect(() =>
      graph.saved_tensors_hooks(
        (t) => t.add_(1),
        (t: Tensor) => t,
        () => one().mul(w),
      ),
    ).toThrow(/^A saved tensor pack hook is modifying its input in place\./);
  });
  it('can be forbidden', () => {
    expect(() => graph.disable_saved_tensors_hooks('not here', () => graph.save_on_cpu(() => 1))).toThrow(
      'not here',
    );
    expect(graph.save_on_cpu(() => grad(one().exp().sum(), [one()], { allow_unused: true }))).toEqual([null]);
  });
});

describe('anomaly mode', () => {
  it('shows the forward call that failed', () => {
    const said: string[] = [];
    const sink = setWarningSink((message) => void said.push(message));
    let error: Error | null = null;
    try {
      detect_anomaly(() => one().sub(1).sqrt().mul(0).sum().backward());
    } catch (e) {
      error = e as Error;
    } finally {
      setWarningSink(sink);
    }
    expect(error?.message).toBe("Function 'SqrtBackward0' returned nan values in its 0th output.");
    expect(said.at(-1)).toMatch(
      /^Error detected in SqrtBackward0\. Traceback of forward call that caused the error:\n.*autograd_modes\.(test\.ts|js)/s,
    );
    expect(error?.stack).toContain('Traceback of forward call');
  });
});

describe('types', () => {
  it('apply takes the parameters of forward', () => {
    class Scale extends TorchFunction {
      static forward(x: Tensor, k: number): Tensor {
        return x.mul(k);
      }
      static setup_context(ctx: FunctionCtx, inputs: [Tensor, number], output: Tensor): void {
        ctx.k = inputs[1];
        expect(output.requires_grad).toBe(false);
      }
      static backward(ctx: FunctionCtx, g: Tensor): [Tensor, null] {
        return [g.mul(ctx.k as number), null];
      }
    }
    class Pair extends TorchFunction {
      static forward(_: FunctionCtx, x: Tensor, names: readonly string[]): [Tensor, string] {
        return [x.mul(1), names[0]];
      }
    }
    const x = one();
    const y = Scale.apply(x, 3);
    expectTypeOf(y).toEqualTypeOf<Tensor>();
    expectTypeOf(Pair.apply(x, ['a'])).toEqualTypeOf<[Tensor, string]>();
    // @ts-expect-error a number is wanted
    const wrong = (): Tensor => Scale.apply(x, 'three');
    expect(wrong).toBeTypeOf('function');
    y.sum().backward();
    expect(x.grad?.tolist()).toEqual([3, 3]);
    expect(y.grad_fn?.name()).toBe('ScaleBackward');
  });
});

describe('gradcheck over ops', () => {
  const d = (...shape: number[]): Tensor =>
    torch.rand(shape, { dtype: torch.float64 }).add(0.5).requires_grad_();
  const ops: Record<string, [(...x: Tensor[]) => Tensor | Tensor[], Tensor[]]> = {
    'mul broadcast': [(x, y) => x.mul(y), [d(2, 3), d(3)]],
    div: [(x, y) => x.div(y), [d(3), d(2, 1)]],
    pow: [(x, y) => x.pow(y), [d(3), d(3)]],
    'exp, log': [(x) => [x.exp(), x.log()], [d(3)]],
    'sigmoid of sin': [(x) => x.sin().sigmoid(), [d(4)]],
    matmul: [(x, y) => x.matmul(y), [d(2, 3), d(3, 2)]],
    'sum of a view': [(x) => x.t().mul(x.sum(0)[0]), [d(2, 2)]],
    'write through a view': [
      (x, y) => {
        const z = x.mul(1);
        z[0].mul_(y);
        return z;
      },
      [d(2, 3), d(3)],
    ],
    'write over everything': [(x, y) => x.mul(1).copy_(y.exp()), [d(2), d(2)]],
  };
  for (const [name, [f, x]] of Object.entries(ops))
    it(name, () => {
      expect(gradcheck(f as never, x as never)).toBe(true);
      expect(gradgradcheck(f as never, x as never)).toBe(true);
    });
});
