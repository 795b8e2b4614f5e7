// Collating: samples to batches.

import { isKeywords, typeName } from '../../dispatch/schema.js';
import { bool, type DType, int64 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { encode, tensor } from '../../ops/data.js';
import { stack } from '../../ops/join.js';
import { Tensor } from '../../tensor.js';

/**
 * Puts samples together as PyTorch's `default_collate`: tensors are stacked, arrays and objects collated member by
 * member, strings listed. Whole numbers are labels and collate to int64, booleans to bool; typed arrays are tensors.
 * @throws TypeError for a number that is not whole: return a tensor instead.
 */
export function default_collate(batch: readonly unknown[]): unknown {
  if (batch.length === 0) throw new RuntimeError('default_collate: the batch is empty');
  const first = batch[0];
  if (first instanceof Tensor) return stack(batch as Tensor[]);
  if (ArrayBuffer.isView(first)) return stack((batch as ArrayBufferView[]).map((x) => tensor(x)));
  if (typeof first === 'number' || typeof first === 'bigint') return labels(batch as (number | bigint)[]);
  if (typeof first === 'boolean') return scalars(batch as boolean[], bool);
  if (typeof first === 'string') return [...batch];
  if (Array.isArray(first)) {
    const rows = batch as unknown[][];
    if (rows.some((r) => r.length !== first.length))
      throw new RuntimeError('each element in list of batch should be of equal size');
    return first.map((_, i) => default_collate(rows.map((r) => r[i])));
  }
  if (isKeywords(first))
    return Object.fromEntries(
      Object.keys(first).map((key) => [
        key,
        default_collate(batch.map((x) => (x as Record<string, unknown>)[key])),
      ]),
    );
  throw new TypeError(
    `default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found ${typeName(first)}`,
  );
}

function labels(values: readonly (number | bigint)[]): Tensor {
  for (const v of values)
    if (typeof v === 'number' && !Number.isInteger(v))
      throw new TypeError(
        `default_collate: a bare number stands for an integer label, and ${v} is not whole: return a tensor, such as torch.tensor(${v}), from __getitem__`,
      );
  return scalars(values, int64);
}

function scalars(values: readonly (number | bigint | boolean)[], dtype: DType): Tensor {
  return encode(values, dtype);
}

/** Makes tensors of the leaves of one sample, for loaders without batching. */
export function default_convert(data: unknown): unknown {
  if (data instanceof Tensor || typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) return tensor(data);
  if (Array.isArray(data)) return data.map(default_convert);
  if (isKeywords(data))
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, default_convert(value)]));
  return data;
}
