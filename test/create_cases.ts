// Replays the cases of scripts/goldens/create.py: calls as JavaScript text, with what PyTorch gave.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as torch from '../src/index.js';

interface TensorGolden {
  dtype: string;
  shape: number[];
  stride: number[];
  bytes: string;
}

interface Case {
  js: string;
  tensor?: TensorGolden;
  text?: string;
  value?: unknown;
  error?: [name: string, message: string];
  close?: boolean;
}

const hex = (data: ArrayBufferView): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

function checkTensor(x: torch.Tensor, want: TensorGolden, close: boolean): void {
  expect(x.dtype.name).toBe(want.dtype);
  expect([...x.shape]).toEqual(want.shape);
  if (x.numel() > 0) expect([...x.stride()]).toEqual(want.stride);
  const data = x.detach().toTypedArray();
  if (!close) {
    expect(hex(data)).toBe(want.bytes);
    return;
  }
  const bytes = Uint8Array.from(Buffer.from(want.bytes, 'hex'));
  const expected = new (data.constructor as Float32ArrayConstructor)(bytes.buffer);
  Array.from(data as Float32Array).forEach((v, i) =>
    expect(Math.abs(v - expected[i])).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(expected[i]))),
  );
}

/** PyTorch's exception classes by their JavaScript names. */
const sameError = (name: string): string => (name === 'OverflowError' ? 'ValueError' : name);

function check(c: Case): void {
  torch.manual_seed(0);
  const evaluate = (): unknown => new Function('torch', `return ${c.js}`)(torch) as unknown;
  if (c.error) {
    const [name, message] = c.error;
    let thrown: unknown;
    try {
      evaluate();
    } catch (e) {
      thrown = e;
    }
    expect(thrown, 'an error').toBeInstanceOf(Error);
    expect([(thrown as Error).name, (thrown as Error).message.split(', but expected one of')[0]]).toEqual([
      sameError(name),
      message,
    ]);
    return;
  }
  const result = evaluate();
  if (c.text !== undefined) expect(String(result)).toBe(c.text);
  else if (c.tensor) checkTensor(result as torch.Tensor, c.tensor, c.close ?? false);
  else if (result instanceof torch.DType || typeof result === 'bigint') expect(String(result)).toBe(c.value);
  else expect(result).toEqual(c.value);
}

/** One test per case of a file in test/goldens. */
export function replay(file: string): void {
  const cases = JSON.parse(readFileSync(new URL(`goldens/${file}`, import.meta.url), 'utf8')) as Case[];
  // Two cases may be the same call, once for its values and once for its text.
  cases.forEach((c, i) => test(`${i} ${c.js}`, () => check(c)));
}
