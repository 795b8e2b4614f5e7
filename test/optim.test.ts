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
  torch.tensor(Array.from({ length: 6 }, (_, k) => ((k * 7 + i * 5) % 11) / 5 - 1), { dtype }).reshape([3, 2]);

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
        if (i > 0) schedule.step();
        expect(opt.param_groups[0].lr).toBeCloseTo(lr, 12);
        expect(opt.param_groups[0].momentum as number).toBeCloseTo(momentum, 12);
      });
    });
});
