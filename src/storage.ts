// Storages: the bytes behind tensors. Several tensors (views) share one.
import type { Device } from './device.js';

/** Bytes on a device. The backend that made it takes the bytes back when it has been garbage collected. */
export class Storage {
  /** Counts the in-place writes: autograd compares it with the value at the time of saving. */
  version = 0;
  /** @internal Has served as a gradient: its owner is not known any more (see autograd/engine.ts). */
  passed = false;

  /** @internal 1: another storage stands on the same bytes; 2: given back, nothing may use it any more. */
  state: 0 | 1 | 2 = 0;

  constructor(
    readonly device: Device,
    /** @internal Native address of the first byte; 0 for the meta device and for empty storages. */
    public address: number,
    public nbytes: number,
    /** @internal What owns the bytes, when not this object: a slab, an ArrayBuffer, an aliased storage. */
    readonly owner: object | null = null,
  ) {}

  /** The same bytes with a version count of their own: what `x.data` stands on. */
  alias(): Storage {
    if (this.state === 0) this.state = 1;
    return new Storage(this.device, this.address, this.nbytes, this);
  }
  size(): number {
    return this.nbytes;
  }
  data_ptr(): number {
    return this.address;
  }
}
