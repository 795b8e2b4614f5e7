// Random number generators: mt19937 streams with PyTorch's states, one default generator per JavaScript thread.
import { backendOf } from './backends/backend.js';
import { cpu, type Device, type DeviceLike, device as toDevice } from './device.js';
import { empty } from './dispatch/allocate.js';
import { uint8 } from './dtype.js';
import { RuntimeError, ValueError } from './errors.js';
import type { Storage } from './storage.js';
import { Tensor } from './tensor.js';

/** The seed of a generator that nobody seeded. */
const DEFAULT_SEED = 67280421310721n;

/** What is taken as a seed: a whole number, a bigint up to 64 bits, a boolean or a decimal string. */
export type Seed = number | bigint | boolean | string;

const small = (v: bigint): number | bigint => (v <= 2n ** 53n ? Number(v) : v);

/** A seed's 64 bits; negative seeds wrap. */
function seedBits(value: bigint): bigint {
  if (value < -(2n ** 63n) || value >= 2n ** 64n) throw new ValueError('Overflow when unpacking long long');
  return BigInt.asUintN(64, value);
}

/** Python's `int(seed)`: floats truncate, digits are read. */
function intOf(seed: unknown): bigint {
  if (typeof seed === 'bigint') return seed;
  if (typeof seed === 'boolean') return seed ? 1n : 0n;
  if (typeof seed === 'number') {
    if (Number.isNaN(seed)) throw new ValueError('cannot convert float NaN to integer');
    if (!Number.isFinite(seed)) throw new ValueError('cannot convert float infinity to integer');
    return BigInt(Math.trunc(seed));
  }
  if (seed instanceof Tensor) return intOf(seed.item());
  if (typeof seed !== 'string')
    throw new TypeError(
      `int() argument must be a string, a bytes-like object or a real number, not '${seed === null || seed === undefined ? 'NoneType' : typeof seed}'`,
    );
  const text = seed.trim();
  if (!/^[+-]?\d+$/.test(text)) throw new ValueError(`invalid literal for int() with base 10: '${seed}'`);
  return BigInt(text.replace('+', ''));
}

/** 64 bits from the operating system (or the browser). */
function entropy(): bigint {
  const words = globalThis.crypto.getRandomValues(new Uint32Array(2));
  return (BigInt(words[0]) << 32n) | BigInt(words[1]);
}

/**
 * A stream of random numbers. Its state is PyTorch's: the same seed gives the same values.
 * `new torch.Generator()` starts with the seed 67280421310721.
 */
export class Generator {
  /** @internal The state in native memory, made on first use. */
  private state: Storage | null = null;
  readonly device: Device;

  constructor(device: DeviceLike = cpu) {
    this.device = toDevice(device);
    if (this.device.type === 'meta') throw new RuntimeError('META device type not an accelerator.');
    if (this.device.type !== 'cpu')
      throw new RuntimeError(
        `Cannot get a generator of the device ${this.device}: random numbers are drawn on the CPU`,
      );
  }

  /** @internal Address of the state: what random kernels take. */
  get _address(): number {
    if (this.state === null) {
      const backend = backendOf('cpu');
      backend.launch('generator_size');
      this.state = backend.allocate(backend.result(0));
      this.reseed(this.firstSeed());
    }
    return this.state.address;
  }

  /** @internal */
  protected firstSeed(): bigint {
    return DEFAULT_SEED;
  }

  /** @internal */
  protected reseed(bits: bigint): void {
    backendOf('cpu').launch('generator_seed', this._address, Number(bits & 0xffffffffn), Number(bits >> 32n));
  }

  /**
   * Starts the stream of a seed.
   * @throws RuntimeError for a seed that is no integer, ValueError for one outside [-2^63, 2^64).
   */
  manual_seed(seed: number | bigint): this {
    if (typeof seed !== 'bigint' && !(typeof seed === 'number' && Number.isInteger(seed)))
      throw new RuntimeError(`manual_seed expected a long, but got ${pythonType(seed)}`);
    this.reseed(seedBits(BigInt(seed)));
    return this;
  }

  /** Seeds with 64 random bits and returns them. */
  seed(): number | bigint {
    const bits = entropy();
    this.reseed(bits);
    return small(bits);
  }

  /** The seed of the stream (as a bigint beyond 2^53). */
  initial_seed(): number | bigint {
    const backend = backendOf('cpu');
    backend.launch('generator_initial_seed', this._address);
    return small((BigInt(backend.result(1)) << 32n) | BigInt(backend.result(0)));
  }

  /** The state as PyTorch saves it: a uint8 tensor of 5056 bytes. */
  get_state(): Tensor {
    const backend = backendOf('cpu');
    const address = this._address;
    backend.launch('generator_size');
    const out = empty([backend.result(1)], uint8, cpu);
    backend.launch('generator_get', address, out._address);
    return out;
  }

  /** Continues from a state that `get_state` returned, here or in PyTorch. */
  set_state(new_state: Tensor): this {
    if (!(new_state instanceof Tensor))
      throw new TypeError(`expected a torch.ByteTensor, but got ${pythonType(new_state)}`);
    if (new_state.dtype !== uint8 || new_state.device.type !== 'cpu')
      throw new TypeError('RNG state must be a torch.ByteTensor');
    if (!new_state._contiguous) throw new RuntimeError('RNG state must be contiguous');
    const backend = backendOf('cpu');
    const address = this._address;
    backend.launch('generator_size');
    const size = backend.result(1);
    if (new_state._numel !== size)
      throw new RuntimeError(
        `Expected a CPUGeneratorImplState of size ${size} but found the input RNG state size to be ${new_state._numel}`,
      );
    if (backend.launch('generator_set', address, new_state._address) === 0)
      throw new RuntimeError('Invalid mt19937 state');
    return this;
  }

  /** A generator of its own in the same state. */
  clone_state(): Generator {
    return new Generator(this.device).set_state(this.get_state());
  }

  get_offset(): never {
    throw new RuntimeError('CPU Generator does not use offset');
  }
  set_offset(_offset: number): never {
    throw new RuntimeError('CPU Generator does not use offset');
  }
}

function pythonType(x: unknown): string {
  if (x === null || x === undefined) return 'NoneType';
  if (typeof x === 'number') return Number.isInteger(x) ? 'int' : 'float';
  if (typeof x === 'string') return 'str';
  if (typeof x === 'boolean') return 'bool';
  if (Array.isArray(x)) return 'list';
  return x instanceof Tensor ? 'Tensor' : typeof x;
}

/** The generator of ops without a `generator`: nobody's seed until `manual_seed`. */
class DefaultGenerator extends Generator {
  protected override firstSeed(): bigint {
    return entropy();
  }
}

/** The generator that random ops use when none is given; one per JavaScript thread, randomly seeded. */
export const default_generator: Generator = new DefaultGenerator();

/** Seeds the default generator: `torch.manual_seed(0); torch.rand(3)` gives PyTorch's numbers. Returns it. */
export function manual_seed(seed: Seed): Generator {
  return default_generator.manual_seed(intOf(seed));
}

/** Seeds the default generator with random bits and returns them. */
export function seed(): number | bigint {
  return default_generator.seed();
}

/** The seed of the default generator. */
export function initial_seed(): number | bigint {
  return default_generator.initial_seed();
}

/** The state of the default generator as a uint8 tensor. */
export function get_rng_state(): Tensor {
  return default_generator.get_state();
}

/** Continues the default generator from a state of `get_rng_state`. */
export function set_rng_state(new_state: Tensor): void {
  default_generator.set_state(new_state);
}
