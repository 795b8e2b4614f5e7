// Which JavaScript object owns which block of linear memory, and when a block is free again.
//
// Where a garbage collection can be asked for (Node), a sweep runs one in the middle of synchronous code and looks at a
// weak reference per block, as the addon does. Elsewhere (browsers) blocks come back through a FinalizationRegistry,
// which runs between tasks.
import type { MemoryStats } from './native.js';

/** The heap of the module (native/wasm_memory.cc). Addresses are unsigned. */
export interface Heap {
  /** 0 when there is no memory. */
  take(nbytes: number): number;
  giveBack(address: number): void;
  used(): number;
  peak(): number;
  /** Bytes of linear memory. */
  reserved(): number;
}

/** Collects garbage at once, such that weak references made in this job let go as well. */
export type Collector = () => void;

interface Block {
  readonly address: number;
  readonly nbytes: number;
  readonly owner: WeakRef<object> | null;
  live: boolean;
}

const MIN_BUDGET = 96e6;
const MAX_BUDGET = 384e6;
/** A sweep should cost at most this share of the time. */
const SHARE = 0.04;
/** What a block costs besides its bytes: the JavaScript objects around it. */
const CHARGE = 2048;
/** Bytes handed out between two hints to an engine that does not see linear memory fill. */
const HINT = 64e6;
const LIMIT = 2 ** 32 - 65536;

export class Blocks {
  private readonly blocks = new Map<number, Block>();
  private readonly registry: FinalizationRegistry<Block> | null;
  private handedOut = 0;
  private budget = MIN_BUDGET;
  private lastSweep = performance.now();
  private sweeps = 0;
  private seconds = 0;
  private live = 0;

  constructor(
    private readonly heap: Heap,
    private readonly collector: Collector | undefined,
  ) {
    this.registry = collector ? null : new FinalizationRegistry<Block>((block) => this.free(block));
  }

  /** @throws Error in PyTorch's words when there is not enough memory. */
  allocate(owner: object, nbytes: number): number {
    this.handedOut += nbytes + CHARGE;
    if (this.handedOut >= this.budget) this.relieve();
    let address = nbytes <= LIMIT ? this.heap.take(nbytes) : 0;
    if (address === 0) {
      if (nbytes <= LIMIT && this.collector) {
        this.sweep();
        address = this.heap.take(nbytes);
      }
      if (address === 0) throw outOfMemory(nbytes);
    }
    const block: Block = {
      address,
      nbytes,
      owner: this.registry ? null : new WeakRef(owner),
      live: true,
    };
    this.registry?.register(owner, block, block);
    this.blocks.set(address, block);
    this.live += nbytes;
    return address;
  }

  /** @throws Error when no block in use starts there. */
  release(address: number): void {
    const block = this.blocks.get(address);
    if (!block) throw new Error('release(address): no block in use starts at this address');
    this.registry?.unregister(block);
    this.handedOut = Math.max(0, this.handedOut - block.nbytes);
    this.free(block);
  }

  private free(block: Block): void {
    if (!block.live) return;
    block.live = false;
    this.live -= block.nbytes;
    this.blocks.delete(block.address);
    this.heap.giveBack(block.address);
  }

  private relieve(): void {
    if (this.collector) {
      this.sweep();
      return;
    }
    // The engine sees small objects only. A buffer of the same size that is dropped at once tells it how much hangs on
    // them; its pages are never touched.
    new ArrayBuffer(HINT);
    this.handedOut = 0;
    this.budget = HINT;
  }

  /** Collects garbage and takes back the blocks of dead owners. */
  sweep(): void {
    if (!this.collector) return;
    const start = performance.now();
    this.collector();
    for (const block of this.blocks.values()) if (block.owner?.deref() === undefined) this.free(block);
    const end = performance.now();
    const cost = end - start;
    this.sweeps++;
    this.seconds += cost / 1000;
    // Rarer where sweeps take too much of the time, within what tensors take anyway and linear memory has room for.
    const most = Math.max(MAX_BUDGET, this.live);
    const room = Math.max(MIN_BUDGET, Math.min(most, (LIMIT - this.heap.used()) / 2));
    const dear = cost > SHARE * (end - this.lastSweep);
    this.budget = Math.min(room, Math.max(MIN_BUDGET, dear ? this.budget * 1.5 : this.budget * 0.8));
    this.handedOut = 0;
    this.lastSweep = end;
  }

  stats(): MemoryStats {
    const reserved = this.heap.reserved();
    return {
      live: this.live,
      cached: reserved - this.heap.used(),
      reserved,
      peak: this.heap.peak(),
      sweeps: this.sweeps,
      minor: 0,
      major: this.sweeps,
      sweepSeconds: this.seconds,
    };
  }
}

export function outOfMemory(nbytes: number): Error {
  return new Error(
    `[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate ${nbytes} bytes.`,
  );
}
