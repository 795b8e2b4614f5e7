// Puts the ops where they belong: methods on Tensor, and the spellings that the autograd graph asks for.
import { graphMath } from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import { emptyLike, emptyStrided } from '../dispatch/allocate.js';
import { tensorPrims } from '../dispatch/pointwise.js';
import { tensorHooks } from '../tensor.js';
import { castTo, copyInto } from './copy.js';
import { installMethods } from './define.js';
import { fillWith, ones_, zeros_ } from './fill.js';
import * as methods from './method_table.js';
import { spellings } from './prims.js';
import * as properties from './properties.js';
import * as table from './table.js';
import { select } from './view.js';
import { asStridedOf, asStridedOfBackward } from './view_dtype.js';

installMethods(table);
installMethods(properties);
installMethods(methods);

tensorHooks.index = (x, i) => select(x, 0, i);
tensorHooks.release = (storage) => backendOf(storage.device.type).release(storage);

tensorPrims.table = spellings;

Object.assign(graphMath, {
  zeros: (like) => zeros_(like.shape, like.dtype, like.device),
  ones: (like) => ones_(like.shape, like.dtype, like.device),
  add: (a, b) => a.add(b),
  add_: (a, b) => a.add_(b),
  clone: (x) => x.clone(),
  detach: (x) => x.detach(),
  copy_: (x, from) => x.copy_(from),
  zero_: (x) => fillWith(x, 0),
  sumTo: (x, shape) => sumTo(x, shape),
  cast: (x, dtype) => castTo(x, dtype),
  real: (x) => x.to(x.dtype.to_real()),
  hasNaN: (x) => hasNaN(x),
  emptyLike: (like, dtype) => emptyLike(like, dtype),
  emptyStrided: (shape, strides, like) => emptyStrided(shape, strides, like.dtype, like.device),
  asStrided: asStridedOf,
  asStridedBackward: asStridedOfBackward,
} satisfies typeof graphMath);

/** Sums a broadcast gradient back to the shape that was broadcast. */
function sumTo(x: import('../tensor.js').Tensor, shape: readonly number[]): import('../tensor.js').Tensor {
  const lead = x.shape.length - shape.length;
  const dims = x.shape
    .map((_, d) => d)
    .filter((d) => d < lead || (shape[d - lead] === 1 && x.shape[d] !== 1));
  const kept = dims.length > 0 ? x.sum(dims, true) : x;
  return lead > 0 ? kept.view([...shape]) : kept;
}

/** Is any element not a number? */
function hasNaN(x: import('../tensor.js').Tensor): boolean {
  const without = mode.grad;
  mode.grad = false;
  try {
    return x.isnan().sum().item() !== 0;
  } finally {
    mode.grad = without;
  }
}

export { copyInto };
