/** Recurrent networks and torch.nn.utils.rnn against PyTorch (test/goldens/rnn.json, made by scripts/goldens/rnn.py). */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

const { nn } = torch;
const R = nn.utils.rnn;
const dtypes = { float32: torch.float32, float64: torch.float64 };

interface Plain {
  shape: number[];
  data: number[];
}
interface Case {
  name: string;
  args: number[];
  options: Record<string, unknown>;
  shape: number[];
  lengths: number[] | null;
  states: number[][];
  dtype: 'float32' | 'float64';
  repr: string;
  out: Plain[];
  keys: string[];
  first: Plain;
  input_grads: Plain[];
  grads: Record<string, Plain>;
}
interface Golden {
  cases: Case[];
  utils: {
    packed: [Plain, number[], number[], number[]];
    text: string;
    padded: Plain;
    lengths: number[];
    left: Plain;
    unpacked: Plain[];
    inverse: number[];
  };
  errors: [string, string][];
}

const golden = JSON.parse(readFileSync(new URL('./goldens/rnn.json', import.meta.url), 'utf8')) as Golden;

function expectClose(actual: torch.Tensor | null, expected: Plain, tolerance = 2e-5): void {
  expect(actual?.shape).toEqual(expected.shape);
  const values = (actual as torch.Tensor).detach().flatten().tolist() as number[];
  values.forEach((v, i) => {
    const e = expected.data[i];
    if (Math.abs(v - e) > tolerance * (1 + Math.abs(e))) expect(v).toBe(e);
  });
}

type Outputs = torch.Tensor | InstanceType<typeof R.PackedSequence> | Outputs[];
const leaves = (x: Outputs): torch.Tensor[] =>
  x instanceof torch.Tensor ? [x] : x instanceof R.PackedSequence ? [x.data] : x.flatMap(leaves);

type Network = InstanceType<typeof nn.Module>;

function build(c: Case): Network {
  torch.manual_seed(0);
  const Class = (nn as unknown as Record<string, new (...args: unknown[]) => Network>)[c.name];
  return new Class(...c.args, { ...c.options, dtype: dtypes[c.dtype] });
}

/** The module's arguments and the leaves among them. */
function inputs(c: Case): { args: unknown[]; leaves: torch.Tensor[] } {
  torch.manual_seed(1);
  const make = (shape: number[]): torch.Tensor =>
    torch.rand(shape).sub(0.5).to(dtypes[c.dtype]).requires_grad_();
  const x = make(c.shape);
  const hx = c.states.map(make);
  const given =
    c.lengths === null
      ? x
      : R.pack_padded_sequence(x, c.lengths, {
          batch_first: c.options.batch_first === true,
          enforce_sorted: false,
        });
  return { args: [given, ...(hx.length === 0 ? [] : [hx.length === 1 ? hx[0] : hx])], leaves: [x, ...hx] };
}

describe('recurrent networks', () => {
  for (const c of golden.cases)
    it(`${c.name}(${c.args}, ${JSON.stringify(c.options)}) of [${c.shape}] ${c.lengths ?? ''}`, () => {
      const module = build(c);
      expect(String(module)).toBe(c.repr);
      expect(Object.keys(module.state_dict())).toEqual(c.keys);
      expectClose([...module.parameters()][0].flatten().at(':4'), c.first, 1e-6);
      const { args, leaves: variables } = inputs(c);
      torch.manual_seed(2);
      const out = (module as unknown as (...args: unknown[]) => Outputs)(...args);
      const ys = leaves(out);
      ys.forEach((y, i) => {
        expectClose(y, c.out[i]);
      });
      torch.manual_seed(3);
      torch.autograd.backward(
        ys,
        ys.map((y) => torch.rand(y.shape).to(y.dtype)),
      );
      variables.forEach((x, i) => {
        expectClose(x.grad, c.input_grads[i]);
      });
      for (const [name, p] of module.named_parameters())
        expectClose(p.shape.length > 1 ? (p.grad as torch.Tensor).sum(-1) : p.grad, c.grads[name], 1e-4);
    });
});

describe('derivatives', () => {
  const { autograd } = torch;
  const make = (...shape: number[]): torch.Tensor =>
    torch.rand(shape, { dtype: torch.float64 }).sub(0.5).requires_grad_();
  for (const [name, gates] of [
    ['lstm', 4],
    ['gru', 3],
    ['rnn_tanh', 1],
  ] as const)
    it(`${name}: first and second, against finite differences`, () => {
      torch.manual_seed(5);
      const sizes = torch.tensor([3n, 2n, 2n]);
      const [x, h, c] = [make(7, 2), make(2, 3, 2), make(2, 3, 2)];
      const params = [0, 1].flatMap(() => [
        make(gates * 2, 2),
        make(gates * 2, 2),
        make(gates * 2),
        make(gates * 2),
      ]);
      const run = (x: torch.Tensor, h: torch.Tensor, c: torch.Tensor, ...p: torch.Tensor[]) =>
        name === 'lstm'
          ? torch.lstm(x, sizes, [h, c], p, true, 1, 0, true, true)
          : { gru: torch.gru, rnn_tanh: torch.rnn_tanh }[name](x, sizes, h, p, true, 1, 0, true, true);
      const given = [x, h, c, ...params];
      const used = name === 'lstm' ? run : (...a: torch.Tensor[]) => run(a[0], a[1], c, ...a.slice(2));
      const variables = name === 'lstm' ? given : [x, h, ...params];
      expect(autograd.gradcheck(used as never, variables)).toBe(true);
      expect(autograd.gradgradcheck(used as never, variables)).toBe(true);
    });
  it('lstm with a projection, twice', () => {
    torch.manual_seed(6);
    const run = (x: torch.Tensor, h: torch.Tensor, c: torch.Tensor, ...p: torch.Tensor[]) =>
      torch.lstm(x, [h, c], p, false, 1, 0, true, false, true);
    const variables = [make(2, 3, 2), make(1, 2, 2), make(1, 2, 3), make(12, 2), make(12, 2), make(2, 3)];
    expect(autograd.gradgradcheck(run as never, variables)).toBe(true);
  });
  it('one tensor in two places gets both gradients', () => {
    const s = make(1, 2, 2);
    const p = [make(8, 2), make(8, 2)];
    const run = (s: torch.Tensor) =>
      torch.lstm(make(2, 2, 2).detach().mul(0).add(0.3), [s, s], p, false, 1, 0, true, false, false)[0];
    expect(autograd.gradgradcheck(run as never, [s])).toBe(true);
  });
});

describe('packed and padded sequences', () => {
  const { utils } = golden;
  torch.manual_seed(0);
  const sequences = [2, 4, 1].map((n) => torch.rand(n, 2));
  const packed = R.pack_sequence(sequences, false);
  it('packs and prints', () => {
    expectClose(packed.data, utils.packed[0], 1e-6);
    expect(packed.batch_sizes.tolist()).toEqual(utils.packed[1]);
    expect(packed.sorted_indices?.tolist()).toEqual(utils.packed[2]);
    expect(packed.unsorted_indices?.tolist()).toEqual(utils.packed[3]);
    expect(String(packed)).toBe(utils.text);
  });
  it('pads', () => {
    const options = { padding_value: -1, total_length: 5 };
    expectClose(R.pad_packed_sequence(packed, true, options)[0], utils.padded);
    expect(R.pad_packed_sequence(packed)[1].tolist()).toEqual(utils.lengths);
    expectClose(R.pad_sequence(sequences, { padding_value: 7, padding_side: 'left' }), utils.left);
  });
  it('unpacks', () => {
    R.unpack_sequence(packed).forEach((x, i) => {
      expectClose(x, utils.unpacked[i]);
    });
    expect(R.invert_permutation(torch.tensor([2n, 0n, 1n])).tolist()).toEqual(utils.inverse);
  });
  it('differentiates', () => {
    const x = torch.rand(4, 2, 3, { dtype: torch.float64, requires_grad: true });
    const f = (x: torch.Tensor): torch.Tensor =>
      R.pad_packed_sequence(R.pack_padded_sequence(x.pow(2), [2, 4], { enforce_sorted: false }))[0];
    expect(torch.autograd.gradcheck(f as never, [x])).toBe(true);
    expect(torch.autograd.gradgradcheck(f as never, [x])).toBe(true);
  });
});

describe('messages', () => {
  const z = (...shape: number[]): torch.Tensor => torch.zeros(shape);
  const calls: Record<string, () => unknown> = {
    'cell input': () => new nn.LSTMCell(3, 4)(z(2, 5)),
    'cell batch': () => new nn.LSTMCell(3, 4)(z(2, 3), [z(3, 4), z(2, 4)]),
    'cell hidden': () => new nn.GRUCell(3, 4)(z(2, 3), z(2, 5)),
    'cell dims': () => new nn.GRUCell(3, 4)(z(2, 3, 3)),
    'cell type': () => new nn.RNNCell(3, 4)(z(2, 3).double()),
    type: () => new nn.LSTM(3, 4)(z(2, 3, 3).double()),
    dims: () => new nn.RNN(3, 4)(z(3)),
    size: () => new nn.GRU(3, 4)(z(2, 3, 5)),
    hidden: () => new nn.LSTM(3, 4)(z(2, 3, 3), [z(1, 2, 4), z(1, 3, 4)]),
    'hidden dims': () => new nn.GRU(3, 4)(z(2, 3, 3), z(1, 4)),
    empty: () => new nn.LSTM(3, 4)(z(0, 3, 3)),
    dropout: () => new nn.LSTM(3, 4, { dropout: 2 }),
    projection: () => new nn.LSTM(3, 4, { proj_size: 5 }),
    'no projection': () => new nn.GRU(3, 4, { proj_size: 2 } as never),
    nonlinearity: () => new nn.RNN(3, 4, { nonlinearity: 'x' as never }),
    bias: () => new nn.LSTM(3, 4, { bias: 3 as never }),
    'input size': () => new nn.LSTM(0, 4),
    sorted: () => R.pack_padded_sequence(z(4, 2, 3), [2, 4]),
    'no length': () => R.pack_padded_sequence(z(4, 2, 3), [4, 0]),
    lengths: () => R.pack_padded_sequence(z(4, 2, 3), [4, 2, 1]),
    total: () => R.pad_packed_sequence(R.pack_padded_sequence(z(4, 2, 3), [4, 2]), { total_length: 3 }),
    nothing: () => R.pad_sequence([]),
  };
  for (const [name, message] of golden.errors)
    it(name, () => {
      expect(calls[name]).toThrow(message);
    });
  it('refuses what the kernels trust', () => {
    const w = [z(16, 3), z(16, 4)];
    const states = [z(1, 2, 4), z(1, 2, 4)];
    const run = (...a: unknown[]) => (torch.lstm as (...a: unknown[]) => unknown)(...a);
    expect(() => run(z(5, 2, 3), states, [z(16, 3)], false, 1, 0, true, false, false)).toThrow('parameters');
    expect(() => run(z(5, 2, 3), states, [z(15, 3), z(16, 4)], false, 1, 0, true, false, false)).toThrow(
      'weight_ih',
    );
    expect(() => run(z(5, 3, 3), states, w, false, 1, 0, true, false, false)).toThrow('hidden[0]');
    expect(() => run(z(5, 3), torch.tensor([2n, 4n]), states, w, false, 1, 0, true, false)).toThrow(
      'batch_sizes',
    );
    expect(() => run(z(5, 3), torch.tensor([2n, 2n]), states, w, false, 1, 0, true, false)).toThrow(
      'batch_sizes',
    );
  });
});
