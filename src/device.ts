// Devices: where a tensor's storage lives.
import { RuntimeError } from './errors.js';

export type DeviceType = 'cpu' | 'meta' | 'cuda' | 'webgpu';

const known: readonly string[] = ['cpu', 'meta', 'cuda', 'webgpu'];
/** Types that PyTorch knows and this library does not: they parse, and using them says so. */
const foreign =
  'cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, hpu, mtia, privateuseone';

/** A device such as `cpu` or `cuda:1`. */
export class Device {
  constructor(
    readonly type: DeviceType,
    readonly index: number | null = null,
  ) {}
  toString(): string {
    return this.index === null ? this.type : `${this.type}:${this.index}`;
  }
  equals(other: Device): boolean {
    return this.type === other.type && (this.index ?? 0) === (other.index ?? 0);
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.index === null
      ? `device(type='${this.type}')`
      : `device(type='${this.type}', index=${this.index})`;
  }
}

export const cpu: Device = new Device('cpu');
export const meta: Device = new Device('meta');

let defaultDevice: Device = cpu;

/** The device of constructors that are given none. Initially the CPU. */
export function get_default_device(): Device {
  return defaultDevice;
}

/** Sets the device of constructors that are given none; null for the CPU. */
export function set_default_device(to: DeviceLike | null): void {
  defaultDevice = to === null ? cpu : device(to);
}

/** What the API accepts where PyTorch takes a device. */
export type DeviceLike = Device | string | number;

/**
 * Parses a device.
 * @param type `'cpu'`, `'cuda'`, `'cuda:1'`, or an accelerator index.
 * @param index the device index, when `type` has none.
 * @throws RuntimeError for a string that names no device.
 */
export function device(type: DeviceLike, index?: number): Device {
  if (type instanceof Device) return type;
  if (typeof type === 'number') return new Device('cuda', type);
  if (typeof type !== 'string')
    throw new TypeError(`device(): argument 'type' (position 1) must be str, not ${typeof type}`);
  const match = /^([a-z_]+)(?::(\d+))?$/.exec(type);
  if (!match) throw new RuntimeError(`Invalid device string: '${type}'`);
  const [, name, suffix] = match;
  if (!known.includes(name))
    throw new RuntimeError(`Expected one of ${foreign} device type at start of device string: ${name}`);
  if (suffix !== undefined && index !== undefined)
    throw new RuntimeError(
      `type (string) must not include an index because index was passed explicitly: ${type}`,
    );
  const number = suffix !== undefined ? Number(suffix) : (index ?? null);
  if (number === null) {
    if (name === 'cpu') return cpu;
    if (name === 'meta') return meta;
  }
  return new Device(name as DeviceType, number);
}

/** The type of what `torch.device(…)` makes, under PyTorch's name. */
export type device = Device;
