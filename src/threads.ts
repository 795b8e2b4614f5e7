// How many threads the kernels use.
import { cpuThreads } from './backends/cpu/cpu.js';
import { RuntimeError } from './errors.js';

function typeOf(x: unknown): string {
  return typeof x === 'number'
    ? 'float'
    : typeof x === 'string'
      ? 'str'
      : typeof x === 'boolean'
        ? 'bool'
        : x === null || x === undefined
          ? 'NoneType'
          : typeof x;
}

function checked(name: string, n: number): number {
  if (typeof n !== 'number' || !Number.isInteger(n))
    throw new RuntimeError(`${name} expects an int, but got ${typeOf(n)}`);
  if (n <= 0) throw new RuntimeError(`${name} expects a positive integer`);
  return n;
}

/** The number of threads that one op may use. */
export function get_num_threads(): number {
  return cpuThreads.get();
}

/** Sets the number of threads that one op may use. Results depend on it at most by rounding. */
export function set_num_threads(num: number): void {
  cpuThreads.set(checked('set_num_threads', num));
}

let interop = 1;

/** The number of ops that may run at once: always one, whatever was set. */
export function get_num_interop_threads(): number {
  return interop;
}

/** Accepted for PyTorch's sake: ops run one after another. */
export function set_num_interop_threads(num: number): void {
  interop = checked('set_num_interop_threads', num);
}
