/** Optimizers and schedules against PyTorch (test/goldens/optim.json, made by scripts/goldens/optim.py). */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

interface Golden {
  optimizers: { name: string; options: Record<string, unknown>; params: number[][] }[];
  schedules: { name: string; args: unknown[]; options: Record<string, unknown>; rates: [number, number][] }[];
}
const golden = JSON.parse(readFileSync(new URL('./goldens/optim.json', import.meta.url), 'utf8')) as Golden;

type Optimizers = Record<
  string,
  new (
    params: torch.Tensor[],
    options: Record<string, unknown>,
  ) => torch.optim.Optimizer
>;
type Schedules = Record<string, new (...args: unknown[]) => { step(): void }>;

/** The numbers that the script uses, on [-1, 1]. */
const values = (i: number, dtype = torch.float32): torch.Tensor =>
  torch
    .tensor(
      Array.from({ length: 6 }, (_, k) => ((k * 7 + i * 5) % 11) / 5 - 1),
      { dtype },
    )
    .reshape([3, 2]);

describe('optimizers', () => {
  for (const { name, options, params } of golden.optimizers)
    it(`${name} ${JSON.stringify(options)}`, () => {
      const dtype = name === 'LBFGS' ? torch.float64 : torch.float32;
      const p = values(0, dtype).requires_grad_(true);
      const opt = new (torch.optim as unknown as Optimizers)[name]([p], options);
      params.forEach((want, i) => {
        if (name === 'LBFGS')
          opt.step(() => {
            opt.zero_grad();
            const loss = p.sub(values(3, dtype)).mul(values(4, dtype)).square().sum().add(p.pow(4).sum());
            loss.backward();
            return loss;
          });
        else {
          p.grad = values(i + 1);
          opt.step();
        }
        const got = (p.detach().flatten().tolist() as number[]).map((x, k) => Math.abs(x - want[k]));
        expect(Math.max(...got), `step ${i + 1}`).toBeLessThan(name === 'LBFGS' ? 1e-8 : 1e-5);
      });
    });
});

describe('schedules', () => {
  for (const { name, args, options, rates } of golden.schedules)
    it(`${name} ${JSON.stringify(options)}`, () => {
      const p = torch.zeros([1]).requires_grad_(true);
      const opt = new torch.optim.SGD([p], 0.1, { momentum: 0.9 });
      const schedule = new (torch.optim.lr_scheduler as unknown as Schedules)[name](opt, ...args, options);
      rates.forEach(([lr, momentum], i) => {
        if (i > 0) {
          opt.step();
          schedule.step();
        }
        expect(opt.param_groups[0].lr).toBeCloseTo(lr, 12);
        expect(opt.param_groups[0].momentum as number).toBeCloseTo(momentum, 12);
      });
    });
});

describe('optimizer options', () => {
  const target = (p: torch.Tensor): torch.Tensor => p.sub(0.25).abs().square().sum();

  it('updates complex parameters as pairs of real numbers, with complex state', () => {
    const pairs = torch.tensor([1, 2, -0.5, 1]).reshape([2, 2]);
    const z = torch.view_as_complex(pairs.clone()).requires_grad_(true);
    const x = pairs.clone().requires_grad_(true);
    const [a, b] = [new torch.optim.Adam([z], { lr: 0.1 }), new torch.optim.Adam([x], { lr: 0.1 })];
    for (let i = 0; i < 3; i++) {
      z.grad = torch.view_as_complex(values(i).flatten().narrow(0, 0, 4).reshape([2, 2]));
      x.grad = values(i).flatten().narrow(0, 0, 4).reshape([2, 2]);
      a.step();
      b.step();
    }
    expect(torch.view_as_real(z.detach()).tolist()).toEqual(x.detach().tolist());
    expect((a.state_dict().state[0].exp_avg as torch.Tensor).dtype).toBe(torch.complex64);
  });

  it('updates block by block as it does op by op', () => {
    const n = 70_001;
    for (const dtype of [torch.float32, torch.float64])
      for (const name of ['SGD', 'Adam', 'RMSprop']) {
        torch.manual_seed(3);
        const [start, g] = [torch.randn([n], { dtype }), torch.randn([n], { dtype })];
        const options = name === 'SGD' ? { momentum: 0.9, nesterov: true } : { weight_decay: 0.1 };
        const results = [false, true].map((strided) => {
          // A tensor with gaps takes the ops one by one.
          const p = strided ? torch.zeros([n, 2], { dtype }).select(1, 0) : torch.zeros([n], { dtype });
          const leaf = p.copy_(start).requires_grad_(true);
          const opt = new (torch.optim as unknown as Optimizers)[name]([leaf], { lr: 0.01, ...options });
          for (let i = 0; i < 3; i++) {
            leaf.grad = g.mul(i + 1);
            opt.step();
          }
          return leaf.detach();
        });
        expect(results[0].equal(results[1]), `${name} ${dtype}`).toBe(true);
      }
  });

  it('records the step when differentiable', () => {
    const leaf = torch.tensor([1, -2, 0.5], { requires_grad: true });
    const g = torch.tensor([0.3, -0.1, 0.7], { requires_grad: true });
    const p = leaf.clone();
    p.grad = g;
    new torch.optim.RMSprop([p], { differentiable: true, weight_decay: 0.1 }).step();
    p.mul(torch.tensor([1, 2, 3]))
      .sum()
      .backward();
    // From PyTorch.
    expect(torch.allclose(leaf.grad as torch.Tensor, torch.tensor([1, 2, 3]))).toBe(true);
    expect((g.grad as torch.Tensor).abs().max().item()).toBeLessThan(1e-5);
  });

  it('calls hooks around steps and state dicts, in order', () => {
    const p = torch.ones([2]).requires_grad_(true);
    const opt = new torch.optim.SGD([p], 0.1, { momentum: 0.9 });
    const log: string[] = [];
    opt.register_step_pre_hook(() => void log.push('pre'));
    opt.register_step_post_hook((_, args) => void log.push(`post ${args.length}`));
    const all = torch.optim.optimizer.register_optimizer_step_pre_hook(() => void log.push('global'));
    opt.register_state_dict_post_hook((_, s) => ({
      ...s,
      param_groups: [{ ...s.param_groups[0], mark: 1 }],
    }));
    opt.register_load_state_dict_pre_hook(() => void log.push('second'));
    opt.register_load_state_dict_pre_hook(() => void log.push('first'), true);
    opt.step(() => {
      opt.zero_grad();
      const loss = target(p);
      loss.backward();
      return loss;
    });
    all.remove();
    opt.load_state_dict(opt.state_dict());
    expect(log).toEqual(['global', 'pre', 'post 1', 'first', 'second']);
    expect(opt.param_groups[0].mark).toBe(1);
  });

  it("optimizers and schedules of one's own", () => {
    class SignSGD extends torch.optim.Optimizer {
      protected update(p: torch.Tensor, grad: torch.Tensor, group: torch.optim.ParamGroup): void {
        p.sub_(grad.sign().mul(group.lr));
      }
    }
    class Inverse extends torch.optim.lr_scheduler.LRScheduler {
      constructor(
        optimizer: torch.optim.Optimizer,
        readonly scale: number,
      ) {
        super(optimizer);
        this.start();
      }
      get_lr(): number[] {
        return this.base_lrs.map((lr) => lr / (1 + this.scale * this.last_epoch));
      }
    }
    const p = torch.tensor([1, -1]).requires_grad_(true);
    const opt = new SignSGD([p], { lr: 0.5 });
    const schedule = new Inverse(opt, 1);
    p.grad = torch.tensor([3, -2]);
    opt.step();
    schedule.step();
    opt.step();
    expect(p.tolist()).toEqual([0.25, -0.25]);
    expect(String(opt)).toBe('SignSGD (\nParameter Group 0\n    initial_lr: 0.5\n    lr: 0.25\n)');
  });

  it('works on other parameters and state for a while', () => {
    const p = torch.ones([2]).requires_grad_(true);
    const opt = new torch.optim.SGD([p], { lr: 0.5, momentum: 0.9 });
    p.grad = torch.ones([2]);
    opt.step();
    const other = torch.zeros([2]).requires_grad_(true);
    other.grad = torch.ones([2]);
    const state = opt.state_dict();
    state.param_groups[0].lr = 1;
    torch.optim.swap_in_optimizer_params_and_state(opt, { p: other }, state, () => opt.step());
    expect(Math.abs((other.tolist() as number[])[0] + 1.9)).toBeLessThan(1e-6);
    expect(p.tolist()).toEqual([0.5, 0.5]);
    expect(opt.param_groups[0].lr).toBe(0.5);
    expect(() => torch.optim.swap_in_optimizer_params_and_state(opt, {}, state)).toThrow(
      'requires the explicit parameter state to match optimizer.param_groups ordering.',
    );
  });

  it('refuses mixed names, and prints as PyTorch', () => {
    const [p, q] = [torch.ones([1]).requires_grad_(true), torch.ones([1]).requires_grad_(true)];
    const opt = new torch.optim.ASGD([['p', p]]);
    expect(() => opt.add_param_group({ params: [q] })).toThrow(
      'all optimizer param groups should be with/without names. cannot add param group without names to the optimizer',
    );
    expect(String(new torch.optim.Adadelta([q]))).toBe(
      'Adadelta (\nParameter Group 0\n    capturable: False\n    differentiable: False\n    eps: 1e-06\n    foreach: None\n    lr: 1.0\n    maximize: False\n    rho: 0.9\n    weight_decay: 0\n)',
    );
    expect(() => new torch.optim.SGD([q], { fused: true, foreach: true })).toThrow(
      '`fused` and `foreach` cannot be `True` together.',
    );
  });
});

describe('swa_utils', () => {
  const { AveragedModel, SWALR, get_ema_multi_avg_fn, update_bn } = torch.optim.swa_utils;

  it('averages parameters over updates', () => {
    const model = new torch.nn.Linear(2, 1);
    const swa = new AveragedModel(model);
    const ema = new AveragedModel(model, { multi_avg_fn: get_ema_multi_avg_fn(0.5) });
    for (const value of [1, 2, 6]) {
      torch.no_grad(() => model.weight.fill_(value));
      swa.update_parameters(model);
      ema.update_parameters(model);
    }
    expect(swa.module.weight.tolist()).toEqual([[3, 3]]);
    expect(ema.module.weight.tolist()).toEqual([[3.75, 3.75]]);
    expect(swa.n_averaged.item()).toBe(3);
    expect(Object.keys(swa.state_dict()).sort()).toEqual(['module.bias', 'module.weight', 'n_averaged']);
    expect(swa(torch.ones([1, 2])).shape).toEqual([1, 1]);
  });

  it('recomputes statistics of batch normalisation', async () => {
    const norm = new torch.nn.BatchNorm1d(2);
    const model = new torch.nn.Sequential(norm);
    const batches = [torch.tensor([0, 2, 4, 6]).reshape([2, 2]), torch.tensor([8, 2, 4, 2]).reshape([2, 2])];
    update_bn(batches, model);
    expect((norm.running_mean as torch.Tensor).tolist()).toEqual([4, 3]);
    await update_bn(
      (async function* () {
        for (const x of batches) yield [x, null];
      })(),
      model,
    );
    expect((norm.running_mean as torch.Tensor).tolist()).toEqual([4, 3]);
    expect(norm.momentum).toBe(0.1);
  });

  it('anneals to the given rate', () => {
    const opt = new torch.optim.SGD([torch.ones([1]).requires_grad_(true)], 0.1);
    const schedule = new SWALR(opt, { swa_lr: 0.5, anneal_epochs: 4, anneal_strategy: 'linear' });
    const rates = [];
    for (let i = 0; i < 6; i++) {
      rates.push(Number(opt.param_groups[0].lr));
      opt.step();
      schedule.step();
    }
    expect(rates.map((x) => Math.round(x * 1e6) / 1e6)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.5]);
  });
});
