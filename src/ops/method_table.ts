// Ops that are tensor methods only, without a function in the torch namespace.
export * from './convert.js';
export * from './new.js';
export * from './random_fill.js';
export * from './tensor_only.js';
