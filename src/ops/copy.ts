// Copies: clone, contiguous, copy_, conversions of dtype and device, detach.
import {
  type BackwardFn,
  checkInPlace,
  connect,
  functionNode,
  graphMath,
  needsGrad,
  record,
  recordInPlace,
} from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { Device, type DeviceLike, device as toDevice } from '../device.js';
import { alias, empty, emptyLike, emptyStrided } from '../dispatch/allocate.js';
import { checkOverlap } from '../dispatch/out.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { isKeywords } from '../dispatch/schema.js';
import { DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { contiguousStrides, sameSizes, Tensor } from '../tensor.js';
import { method, type Op, type Operand, op } from './define.js';
import { fillChecked, zeros_ } from './fill.js';

/** How the memory of a copy is laid out. */
export type MemoryFormat =
  | 'torch.contiguous_format'
  | 'torch.preserve_format'
  | 'torch.channels_last'
  | 'torch.channels_last_3d';
export const contiguous_format: MemoryFormat = 'torch.contiguous_format';
export const preserve_format: MemoryFormat = 'torch.preserve_format';
export const channels_last: MemoryFormat = 'torch.channels_last';
export const channels_last_3d: MemoryFormat = 'torch.channels_last_3d';

/**
 * @internal The strides of a shape in a memory format.
 * @throws RuntimeError when the format needs another number of dimensions.
 */
export function stridesFor(shape: readonly number[], format: MemoryFormat): readonly number[] {
  if (format === contiguous_format) return contiguousStrides(shape);
  const ndim = format === channels_last ? 4 : 5;
  if (shape.length !== ndim)
    throw new RuntimeError(`required rank ${ndim} tensor to use ${format.slice(6)} format`);
  const strides = new Array<number>(ndim);
  let step = 1;
  for (const d of [1, ...Array.from({ length: ndim - 2 }, (_, i) => ndim - 1 - i), 0]) {
    strides[d] = step;
    step *= Math.max(shape[d], 1);
  }
  return strides;
}

/** @internal Whether x lies in memory as the format says (dimensions of size 1 may have any stride). */
export function hasFormat(x: Tensor, format: MemoryFormat): boolean {
  if (format === contiguous_format) return x._contiguous;
  if (x.shape.length !== (format === channels_last ? 4 : 5)) return false;
  const strides = stridesFor(x.shape, format);
  return x.shape.every((n, d) => n === 1 || x._strides[d] === strides[d]);
}

/** @internal Copies elements, converting dtypes; same shapes; no history, no version. */
export function copyInto(out: Tensor, from: Tensor): Tensor {
  if (out._numel > 0) backendOf(out.device.type).launch('copy', out, from);
  return out;
}

/** A copy of the tensor with memory of its own. Differentiable. */
export const clone: Op<[options?: { memory_format?: MemoryFormat }], Tensor> = op(
  'clone',
  'Tensor self, *, str? memory_format=None',
  (x: Tensor, format: MemoryFormat | null) => {
    const out =
      format === null || format === preserve_format
        ? emptyLike(x)
        : emptyStrided(x.shape, stridesFor(x.shape, format), x.dtype, x.device);
    copyInto(out, x);
    record('CloneBackward0', [x], [out], () => ([grad]) => [grad]);
    return out;
  },
);

/** The tensor itself when its elements lie in row-major order (or the given format), else a copy of which that is true. */
export const contiguous: Op<[options?: { memory_format?: MemoryFormat }], Tensor> = op(
  'contiguous',
  'Tensor self, *, str? memory_format=None',
  (x: Tensor, format: MemoryFormat | null) => {
    if (format === null || format === contiguous_format)
      return x._contiguous ? x : clone(x, { memory_format: contiguous_format });
    if (format === preserve_format)
      throw new RuntimeError('preserve memory format is unsupported by the contiguous operator');
    return hasFormat(x, format) ? x : clone(x, { memory_format: format });
  },
);

/** The tensor with elements of another type; itself when it has that type. */
export function castTo(
  x: Tensor,
  dtype: DType,
  copy = false,
  format: MemoryFormat = preserve_format,
): Tensor {
  if (x.dtype === dtype && !copy && (format === preserve_format || hasFormat(x, format))) return x;
  const out =
    format === preserve_format
      ? emptyLike(x, dtype)
      : emptyStrided(x.shape, stridesFor(x.shape, format), dtype, x.device);
  copyInto(out, x);
  if (!dtype.is_integral)
    record('ToCopyBackward0', [x], [out], () => ([grad]) => [grad]);
  return out;
}

/** @throws RuntimeError when x does not broadcast to the shape of what it is written to. */
function expandTo(x: Tensor, shape: readonly number[]): Tensor {
  const common = broadcastShapes(shape, x.shape);
  if (!sameSizes(common, shape))
    throw new RuntimeError(
      `output with shape [${shape.join(', ')}] doesn't match the broadcast shape [${common.join(', ')}]`,
    );
  return x.expand(shape);
}

/** Overwrites this tensor with the elements of `src`, broadcast and converted. */
export const copy_: Op<[src: Operand, non_blocking?: boolean], Tensor> = op(
  'copy_',
  'Tensor self, Operand src, bool non_blocking=False',
  (self: Tensor, src: Operand) => {
    if (!(src instanceof Tensor)) return fill_(self, src);
    const grad = needsGrad(self, src);
    checkInPlace(self, grad);
    const from = sameSizes(src.shape, self.shape) ? src : expandTo(src, self.shape);
    checkOverlap(self, src);
    copyInto(self, from);
    // What was overwritten gets zeros rather than nothing, as in PyTorch.
    const backward: BackwardFn = ([g], needs) => [g !== null && needs(0) ? graphMath.zeros(g) : null, g];
    recordInPlace(self, grad ? functionNode('CopyBackwards', () => backward) : null, [self, src]);
    return self;
  },
);

/** Writes the value to every element of x, outside the graph. */
function fillRaw(x: Tensor, value: Operand): void {
  if (!(value instanceof Tensor)) fillChecked(x, value);
  else if (value.shape.length > 0)
    throw new RuntimeError(
      `fill_ only supports 0-dimension value tensor but got tensor with ${value.shape.length} dimensions.`,
    );
  else if (x._numel > 0) copyInto(x, value.expand(x.shape));
}

/** The gradient of a fill: zero for what was overwritten, the sum for a tensor value. */
const fillBackward = ([g]: readonly (Tensor | null)[]): (Tensor | null)[] =>
  g === null ? [null, null] : [zeros_(g.shape, g.dtype, g.device), graphMath.sumTo(g, [])];

/** Overwrites every element with a value (a number, or a 0-d tensor). */
export const fill_: Op<[value: Operand], Tensor> = op(
  'fill_',
  'Tensor self, Operand value',
  (self: Tensor, value: Operand) =>
    fillAs(value instanceof Tensor ? 'FillBackward3' : 'FillBackward2', self, value),
);

/** @internal Overwrites every element, recorded by a node of the given name. */
export function fillAs(node: string, self: Tensor, value: Operand): Tensor {
  const other = value instanceof Tensor ? value : null;
  const grad = needsGrad(self, other);
  checkInPlace(self, grad);
  checkOverlap(self, self);
  fillRaw(self, value);
  recordInPlace(self, grad ? functionNode(node, () => fillBackward) : null, other ? [self, other] : [self]);
  return self;
}

/** A tensor like `input` with every element the value (a number, or a 0-d tensor). */
export const fill: (input: Tensor, value: Operand) => Tensor = op(
  'fill',
  'Tensor input, Operand value',
  (x: Tensor, value: Operand) => {
    const out = emptyLike(x);
    fillRaw(out, value);
    record(
      value instanceof Tensor ? 'FillBackward1' : 'FillBackward0',
      [x, value instanceof Tensor ? value : null],
      [out],
      () => fillBackward,
    );
    return out;
  },
  { self: null },
);

/** The same elements outside the graph; shares memory. */
export const detach: Op<[], Tensor> = op('detach', 'Tensor self', (x: Tensor) =>
  alias(x, x.shape, x._strides, x._offset, x._contiguous),
);

interface ToOptions {
  dtype?: DType;
  device?: DeviceLike;
  copy?: boolean;
  non_blocking?: boolean;
  memory_format?: MemoryFormat;
}

function parseTo(args: readonly unknown[]): {
  dtype: DType | null;
  device: Device | null;
  copy: boolean;
  format: MemoryFormat;
} {
  let dtype: DType | null = null;
  let device: Device | null = null;
  let copy = false;
  let format = preserve_format;
  let booleans = 0;
  for (const arg of args) {
    if (arg instanceof DType) dtype = arg;
    else if (arg instanceof Tensor) {
      dtype = arg.dtype;
      device = arg.device;
    } else if (arg instanceof Device || typeof arg === 'string' || typeof arg === 'number')
      device = toDevice(arg);
    else if (isKeywords(arg)) {
      const o = arg as ToOptions & { other?: Tensor };
      if (o.other) [dtype, device] = [o.other.dtype, o.other.device];
      if (o.dtype) dtype = o.dtype;
      if (o.device !== undefined && o.device !== null) device = toDevice(o.device);
      copy = o.copy ?? copy;
      format = o.memory_format ?? format;
    } else if (typeof arg === 'boolean') {
      // non_blocking, then copy
      if (booleans++ === 1) copy = arg;
    } else if (arg !== undefined && arg !== null)
      throw new TypeError(`to() received an invalid combination of arguments - got (${typeof arg})`);
  }
  return { dtype, device, copy, format };
}

/** The tensor with another dtype, on another device, or both; itself when nothing changes and no copy is asked for. */
export const to: Op<
  readonly (DType | DeviceLike | Tensor | boolean | ToOptions | null | undefined)[],
  Tensor
> = method(
  'to',
  (x: Tensor, ...args: readonly (DType | DeviceLike | Tensor | boolean | ToOptions | null | undefined)[]) => {
    const { dtype, device, copy, format } = parseTo(args);
    const moved = device === null || device.equals(x.device) ? x : move(x, device);
    return castTo(moved, dtype ?? x.dtype, copy && moved === x, format);
  },
);

function move(x: Tensor, device: Device): Tensor {
  const out = empty(x.shape, x.dtype, device);
  if (device.type !== 'meta' && x._numel > 0) {
    const bytes = new Uint8Array(x.nbytes);
    const plain = contiguous(x);
    backendOf(x.device.type).read(plain, bytes);
    backendOf(device.type).write(out, bytes);
  }
  record('ToCopyBackward0', [x], [out], () => ([grad]) => [grad === null ? null : move(grad, x.device)]);
  return out;
}

/** @internal Copies of views of x, with one node whose derivative is the views'. */
export function copyView(x: Tensor, views: readonly Tensor[]): Tensor[] {
  const outs = views.map((v) => copyInto(empty(v.shape, v.dtype, v.device), v));
  const node = views[0]?.grad_fn;
  if (node)
    connect(
      functionNode(`${node.name()}_copy`, () => (grads) => node.apply(grads)),
      [x],
      outs,
    );
  return outs;
}
