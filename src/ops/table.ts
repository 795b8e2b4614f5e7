// Every op, family by family: functions of the torch namespace, and by them the methods of Tensor.
export * from './arithmetic.js';
export * from './complex.js';
export * from './copy.js';
export * from './create.js';
export * from './data.js';
export * from './indexing.js';
export * from './like.js';
export * from './matmul.js';
export * from './random.js';
export * from './random_fill.js';
export * from './ranges.js';
export * from './read.js';
export * from './reduce.js';
export * from './resize.js';
export * from './view.js';
