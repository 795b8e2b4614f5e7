// torch.testing against PyTorch (goldens: scripts/goldens/testing.py).
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

const { assert_allclose, assert_close, make_tensor } = torch.testing;
const goldens = JSON.parse(readFileSync(new URL('goldens/testing.json', import.meta.url), 'utf8')) as {
  messages: ([type: string, text: string] | null)[];
  loose: ([type: string, text: string] | null)[];
  made: { dtype: string; shape: number[]; data: number[] }[];
};

const t = torch.tensor;
const double = (...values: number[]): torch.Tensor => t(values, { dtype: torch.float64 });
const calls: (() => void)[] = [
  () => assert_close(t([1, 2]), t([1, 3])),
  () => assert_close(t([1, 2]), t([1, 2 + 1e-6])),
  () => assert_close(t([1]), double(1)),
  () => assert_close(t([1]), double(1), { check_dtype: false }),
  () => assert_close(t([1, 2]), t([1, 2, 3])),
  () => assert_close(t([1n, 2n]), t([1n, 3n])),
  () => assert_close(t([1, 2]), t([1, 3]), { rtol: 0, atol: 0 }),
  () => assert_close(1, 2),
  () => assert_close(1n, 2n),
  () => assert_close(true, false),
  () => assert_close(1n, 2),
  () => assert_close(null, null),
  () => assert_close(null, 1.5),
  () => assert_close([1, 2], [1]),
  () => assert_close([t(1), t(2)], [t(1), t(3)]),
  () => assert_close({ a: t(1) }, { b: t(1) }),
  () => assert_close({ a: t(1) }, { a: t(2) }),
  () => assert_close(t(NaN), t(NaN)),
  () => assert_close(t(NaN), t(NaN), { equal_nan: true }),
  () => assert_close(t([1]), t([2]), { rtol: 0.1 }),
  () => assert_close(t([1]), t([2]), { msg: 'mine' }),
  () => assert_close(t([1]), t([2]), { msg: (m) => `X ${m}` }),
  () => assert_close(t([true, false]), t([true, true])),
  () => assert_close(t([new torch.Complex(1, 1)]), t([new torch.Complex(1, 2)])),
  () =>
    assert_close(
      t([
        [1, 5],
        [2, 3],
      ]),
      t([
        [1, 2],
        [0, 3],
      ]),
    ),
  () => assert_close(t([1]), 1.5),
  () => assert_close(t([Infinity]), t([1])),
  () => assert_close([[1]], [[2]]),
  () => assert_close(1e-9, 0),
  () => assert_close(t(3n), t(4n)),
  () => assert_close(torch.ones(2, 3), torch.ones(3, 2).t(), { check_stride: true }),
  () => assert_close('a', 'a'),
];

const nans = t([1, NaN]);
const looseCalls: (() => void)[] = [
  () => assert_allclose([1, 2], [1, 2.1]),
  () => assert_allclose(nans, nans.double()),
  () => assert_allclose(t([1]), t([1.00009])),
  () => assert_allclose(t([1]), t([1.0002])),
  () => assert_allclose(t([1n]), t([2n])),
  () => assert_allclose(nans, nans, { equal_nan: false }),
  () => assert_allclose(t([1]), t([2]), { msg: 'mine' }),
  () => assert_allclose(t([1]), t([2]), { rtol: 0.5, atol: 0 }),
];

describe.each([
  ['assert_close', calls, goldens.messages],
  ['assert_allclose', looseCalls, goldens.loose],
] as const)('%s', (_, all, messages) => {
  all.forEach((call, i) => {
    const want = messages[i];
    it(`${i}: ${want?.[1].split('\n')[0] ?? 'passes'}`, () => {
      let got: [string, string] | null = null;
      try {
        call();
      } catch (e) {
        got = [(e as Error).name, (e as Error).message];
      }
      expect(got).toEqual(want);
    });
  });
});

it('make_tensor draws what PyTorch draws', () => {
  torch.manual_seed(0);
  const made = [
    make_tensor(5, { dtype: torch.float32 }),
    make_tensor([2, 3], { dtype: torch.float64, low: 0, high: 1 }),
    make_tensor([2, 2], { dtype: torch.complex64, noncontiguous: true }),
    make_tensor([4], { dtype: torch.int64, exclude_zero: true }),
    make_tensor([4], { dtype: torch.uint8, low: 1.5, high: 7 }),
    make_tensor([6], { dtype: torch.bool }),
  ];
  expect(made[2].is_contiguous()).toBe(false);
  made.forEach((x, i) => {
    const want = goldens.made[i];
    expect([x.dtype.name, [...x.shape]]).toEqual([want.dtype, want.shape]);
    const values = (x.dtype.is_complex ? torch.view_as_real(x.contiguous()) : x).to(torch.float64).flatten();
    assert_close(values, double(...want.data.map(Number)), { rtol: 1e-6, atol: 1e-6 });
  });
  expect(() => make_tensor([2], { dtype: torch.int8, low: 3, high: 2 })).toThrow(
    '`low` must be less than `high`',
  );
});
