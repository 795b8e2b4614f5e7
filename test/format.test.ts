/** Tensor printing against texts from PyTorch (test/goldens/print.json, made by scripts/goldens/print.py). */

import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  formatSize,
  formatTensor,
  get_printoptions,
  type Printable,
  type PrintableElement,
  type PrintProfile,
  pyExponential,
  pyFixed,
  pyFloatRepr,
  pyTuple,
  set_printoptions,
} from '../src/format.js';

type Stored = number | boolean | string | [number | string, number | string];

interface TensorCase {
  shape: number[];
  dtype: string;
  data?: Stored[];
  at?: number[];
  device?: string;
  requires_grad?: boolean;
  grad_fn?: string;
  is_parameter?: boolean;
  default_dtype?: string;
  options?: {
    precision?: number;
    threshold?: number | 'inf';
    edgeitems?: number;
    linewidth?: number;
    profile?: PrintProfile;
    sci_mode?: boolean;
  };
  text: string;
}

type NumberRow = [x: number | string, digits: number, fixed: string, exponential: string, repr: string];

const path = process.env.PRINT_GOLDENS ?? new URL('goldens/print.json', import.meta.url);
const goldens = JSON.parse(readFileSync(path, 'utf8')) as { tensors: TensorCase[]; numbers: NumberRow[] };

function toNumber(stored: number | string): number {
  return typeof stored === 'number' ? stored : Number(stored.replace('inf', 'Infinity'));
}

function toElement(stored: Stored, dtype: string): PrintableElement {
  if (Array.isArray(stored)) return [toNumber(stored[0]), toNumber(stored[1])];
  if (typeof stored === 'boolean') return stored;
  return typeof stored === 'string' && dtype === 'int64' ? BigInt(stored) : toNumber(stored);
}

/** Rebuilds the tensor; reading an element that PyTorch does not print throws. */
function printable(golden: TensorCase): Printable {
  const data = golden.data ?? [];
  const position = new Map((golden.at ?? [...data.keys()]).map((flat, i) => [flat, i]));
  return {
    shape: golden.shape,
    dtype: golden.dtype,
    element(flat) {
      const stored = data[position.get(flat) ?? -1];
      if (stored === undefined) throw new Error(`element ${flat} is not printed`);
      return toElement(stored, golden.dtype);
    },
    requires_grad: golden.requires_grad ?? false,
    grad_fn: golden.grad_fn ?? null,
    device: golden.device ?? 'cpu',
    is_parameter: golden.is_parameter,
  };
}

afterEach(() => set_printoptions({ profile: 'default' }));

describe('formatTensor', () => {
  it("gives PyTorch's text for every golden tensor", () => {
    for (const golden of goldens.tensors) {
      const { threshold, ...options } = golden.options ?? {};
      set_printoptions({ ...options, threshold: threshold === 'inf' ? Infinity : threshold });
      const { text, ...description } = golden;
      const printed = formatTensor(printable(golden), { default_dtype: golden.default_dtype });
      expect(printed, JSON.stringify(description)).toBe(text);
      set_printoptions({ profile: 'default' });
    }
  });

  it('reads each printed element once, in order', () => {
    const read: number[] = [];
    const tensor: Printable = {
      shape: [1000, 1000],
      dtype: 'int64',
      element: (flat) => read.push(flat),
      requires_grad: false,
      grad_fn: null,
      device: 'cpu',
    };
    formatTensor(tensor, { edgeitems: 1 });
    expect(read).toEqual([0, 999, 999_000, 999_999]);
  });

  it('names a device that is not the default', () => {
    const tensor: Printable = {
      shape: [2],
      dtype: 'float32',
      element: (flat) => flat,
      requires_grad: true,
      grad_fn: null,
      device: 'cuda:0',
    };
    expect(formatTensor(tensor)).toBe("tensor([0., 1.], device='cuda:0', requires_grad=True)");
  });
});

describe('print options', () => {
  it('keep what a call leaves out, except sci_mode', () => {
    set_printoptions({ precision: 7, sci_mode: true });
    set_printoptions({ edgeitems: 1 });
    expect(get_printoptions()).toEqual({
      precision: 7,
      threshold: 1000,
      edgeitems: 1,
      linewidth: 80,
      sci_mode: null,
    });
  });

  it('know profiles, which the options beside them override', () => {
    set_printoptions({ profile: 'short', linewidth: 60 });
    expect(get_printoptions()).toMatchObject({ precision: 2, edgeitems: 2, threshold: 1000, linewidth: 60 });
    set_printoptions({ profile: 'full' });
    expect(get_printoptions()).toMatchObject({ precision: 4, threshold: Infinity, linewidth: 80 });
  });
});

describe("Python's number formats", () => {
  it('round and spell every golden number alike', () => {
    for (const [stored, digits, fixed, exponential, repr] of goldens.numbers) {
      const x = toNumber(stored);
      const printed = [pyFixed(x, digits), pyExponential(x, digits), pyFloatRepr(x)];
      expect(printed, `${stored} to ${digits} digits`).toEqual([fixed, exponential, repr]);
    }
  });

  it('write sizes and tuples', () => {
    expect(formatSize([4, 3])).toBe('torch.Size([4, 3])');
    expect(formatSize([])).toBe('torch.Size([])');
    expect([pyTuple([]), pyTuple([3]), pyTuple([2, 3])]).toEqual(['()', '(3,)', '(2, 3)']);
  });
});
