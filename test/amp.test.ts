/** Autocast, GradScaler and checkpointing. The result types of autocast are PyTorch's own (torch.autocast('cpu')). */
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

const { nn } = torch;
const F = nn.functional;
const { checkpoint, checkpoint_sequential } = torch.utils.checkpoint;

describe('autocast', () => {
  const a = torch.ones([4, 4]);
  const b = a.to(torch.bfloat16);
  const v = torch.ones([4]);
  const image = torch.ones([1, 2, 5, 5]);
  const labels = torch.zeros([4], { dtype: torch.int64 });
  const lower: Record<string, () => torch.Tensor> = {
    mm: () => torch.mm(a, a),
    'mm of two types': () => torch.mm(a, b),
    addmm: () => torch.addmm(a, a, a),
    einsum: () => torch.einsum('ij,jk->ik', a, a),
    linear: () => F.linear(a, a, v),
    conv2d: () => F.conv2d(image, torch.ones([3, 2, 2, 2])),
    'nn.Linear': () => new nn.Linear(4, 4)(a),
    attention: () => F.scaled_dot_product_attention(a.unsqueeze(0), a.unsqueeze(0), a.unsqueeze(0)),
    'cat of lower ones': () => torch.cat([b, b]),
    'softmax of a lower one': () => torch.softmax(b, -1),
  };
  const wide: Record<string, () => torch.Tensor> = {
    mv: () => torch.mv(a, v),
    mse_loss: () => F.mse_loss(b, b),
    cross_entropy: () => F.cross_entropy(b, labels),
    prod: () => b.prod(),
    cat: () => torch.cat([a, b]),
    bilinear: () => F.bilinear(a, a, torch.ones([2, 4, 4])),
    'reflection padding': () => F.pad(image.to(torch.bfloat16), [1, 1, 1, 1], { mode: 'reflect' }),
    'mm with out': () => torch.mm(a, a, { out: torch.empty([4, 4]) }),
  };
  for (const [name, fn] of Object.entries(lower))
    it(`${name} gives bfloat16`, () => expect(torch.autocast('cpu', fn).dtype).toBe(torch.bfloat16));
  for (const [name, fn] of Object.entries(wide))
    it(`${name} gives float32`, () => expect(torch.autocast('cpu', fn).dtype).toBe(torch.float32));

  it('leaves float64 alone, takes float16, and ends with its scope', () => {
    expect(torch.autocast('cpu', () => torch.mm(a.double(), a.double())).dtype).toBe(torch.float64);
    expect(torch.autocast('cpu', { dtype: torch.float16 }, () => torch.mm(a, a)).dtype).toBe(torch.float16);
    {
      using _ = torch.autocast('cpu');
      expect(torch.mm(a, a).dtype).toBe(torch.bfloat16);
      expect(torch.is_autocast_enabled('cpu')).toBe(true);
      expect(torch.autocast('cpu', { enabled: false }, () => torch.mm(a, a)).dtype).toBe(torch.float32);
      expect(torch.mm(a, a).dtype).toBe(torch.bfloat16);
    }
    expect(torch.mm(a, a).dtype).toBe(torch.float32);
    expect(torch.autocast('cpu')(() => torch.mm(a, a))().dtype).toBe(torch.bfloat16);
    expect(torch.mm(a, a).dtype).toBe(torch.float32);
  });

  it('trains: gradients have the type of the parameters', () => {
    torch.manual_seed(0);
    const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
    const x = torch.randn([16, 4]);
    const y = torch.randn([16, 2]);
    const opt = new torch.optim.SGD(model.parameters(), { lr: 0.1 });
    const losses = Array.from({ length: 20 }, () => {
      opt.zero_grad();
      const loss = torch.autocast('cpu', () => F.mse_loss(model(x), y));
      expect(loss.dtype).toBe(torch.float32);
      loss.backward();
      opt.step();
      return loss.item();
    });
    expect(losses[19]).toBeLessThan(losses[0] * 0.8);
    for (const p of model.parameters()) expect(p.grad?.dtype).toBe(torch.float32);
  });

  it('the older names do nothing without a GPU', () => {
    const scaler = new torch.cuda.amp.GradScaler();
    expect(scaler.is_enabled()).toBe(false);
    const loss = torch.cuda.amp.autocast(() => torch.mm(a, a).sum());
    expect(scaler.scale(loss)).toBe(loss);
    expect(loss.dtype).toBe(torch.float32);
  });

  it('refuses devices that it does not know', () => {
    expect(() => torch.autocast('tpu')).toThrow("User specified an unsupported autocast device_type 'tpu'");
    expect(torch.get_autocast_dtype('cpu')).toBe(torch.bfloat16);
  });
});

describe('GradScaler', () => {
  it('scales, skips steps with infinities, and adapts', () => {
    const p = torch.ones([2]).requires_grad_(true);
    const opt = new torch.optim.SGD([p], { lr: 0.5 });
    const scaler = new torch.amp.GradScaler('cpu', { init_scale: 8, growth_interval: 2 });
    const step = (factor: number): void => {
      opt.zero_grad();
      scaler.scale(p.mul(factor).sum()).backward();
      scaler.step(opt);
      scaler.update();
    };
    step(1);
    expect(p.tolist()).toEqual([0.5, 0.5]);
    expect(scaler.get_scale()).toBe(8);
    step(Number.POSITIVE_INFINITY);
    expect(p.tolist()).toEqual([0.5, 0.5]);
    expect(scaler.get_scale()).toBe(4);
    step(1);
    step(1);
    expect(scaler.get_scale()).toBe(8);
    expect(scaler.state_dict()).toEqual({
      scale: 8,
      growth_factor: 2,
      backoff_factor: 0.5,
      growth_interval: 2,
      _growth_tracker: 0,
    });
    const other = new torch.amp.GradScaler('cpu');
    other.load_state_dict(scaler.state_dict());
    expect(other.get_scale()).toBe(8);
  });

  it('unscales once', () => {
    const p = torch.ones([1]).requires_grad_(true);
    const opt = new torch.optim.SGD([p], { lr: 1 });
    const scaler = new torch.amp.GradScaler('cpu');
    expect(() => scaler.update()).toThrow('Attempted update but _scale is None.');
    scaler.scale(p.sum()).backward();
    scaler.unscale_(opt);
    expect(p.grad?.item()).toBe(1);
    expect(() => scaler.unscale_(opt)).toThrow('unscale_() has already been called on this optimizer');
    scaler.step(opt);
    expect(() => scaler.step(opt)).toThrow('step() has already been called since the last update().');
  });
});

describe('checkpoint', () => {
  torch.manual_seed(1);
  const model = new nn.Sequential(
    new nn.Linear(4, 16),
    new nn.Tanh(),
    new nn.Dropout(0.5),
    new nn.Linear(16, 16),
    new nn.GELU(),
    new nn.Linear(16, 3),
  );
  const x = torch.randn([5, 4]).requires_grad_(true);
  /** All gradients of a run with a fixed seed. */
  const gradients = (run: (x: torch.Tensor) => torch.Tensor): unknown => {
    model.zero_grad();
    x.grad = null;
    torch.manual_seed(7);
    const out = run(x);
    const next = torch.rand([1]).item();
    out.square().sum().backward();
    return [next, out.tolist(), x.grad, ...[...model.parameters()].map((p) => p.grad)].map((g) =>
      g instanceof torch.Tensor ? g.tolist() : g,
    );
  };
  const plain = gradients((input) => model(input));

  for (const use_reentrant of [true, false]) {
    it(`gives the same gradients, dropout included (use_reentrant: ${use_reentrant})`, () => {
      expect(gradients((input) => checkpoint((y) => model(y), input, { use_reentrant }))).toEqual(plain);
      expect(gradients((input) => checkpoint_sequential(model, 2, input, { use_reentrant }))).toEqual(plain);
    });
    it(`calls the function again in backward (use_reentrant: ${use_reentrant})`, () => {
      let calls = 0;
      const fn = (y: torch.Tensor): torch.Tensor => {
        calls++;
        return y.exp().sin();
      };
      const out = checkpoint(fn, x, { use_reentrant });
      expect(calls).toBe(1);
      out.sum().backward();
      expect(calls).toBe(2);
    });
  }

  it('refuses given inputs when reentrant', () => {
    const out = checkpoint((y) => y.exp(), x, { use_reentrant: true });
    expect(() => torch.autograd.grad(out.sum(), x)).toThrow(
      'When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad()',
    );
  });

  it('nests, and works with autograd.grad', () => {
    const inner = (y: torch.Tensor): torch.Tensor =>
      checkpoint((z) => z.sin().exp(), y, { use_reentrant: false });
    const out = checkpoint((y) => inner(inner(y)).cos(), x, { use_reentrant: false });
    const want = x.sin().exp().sin().exp().cos();
    const [a] = torch.autograd.grad(out.sum(), x);
    const [b] = torch.autograd.grad(want.sum(), x);
    expect(a.tolist()).toEqual(b.tolist());
  });

  it('repeats under the autocast of the first run', () => {
    const w = torch.randn([4, 4]).requires_grad_(true);
    const out = torch.autocast('cpu', () =>
      checkpoint((y) => F.linear(y, w).square(), x, { use_reentrant: false }),
    );
    expect(out.dtype).toBe(torch.bfloat16);
    out.sum().backward();
    expect(w.grad?.dtype).toBe(torch.float32);
  });

  it('finds out when the repetition differs', () => {
    let first = true;
    const fn = (y: torch.Tensor): torch.Tensor => {
      const out = first ? y.exp() : y.at(':2').exp();
      first = false;
      return out.sum();
    };
    const out = checkpoint(fn, x, { use_reentrant: false });
    expect(() => out.backward()).toThrow(
      'torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the forward pass.',
    );
  });
});
