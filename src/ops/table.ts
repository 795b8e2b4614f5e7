// Every op, family by family: functions of the torch namespace, and by them the methods of Tensor.
export * from './arithmetic.js';
export * from './complex.js';
export * from './copy.js';
export * from './indexing.js';
export * from './matmul.js';
export * from './read.js';
export * from './reduce.js';
export * from './view.js';
