// torch.cuda: whether and which NVIDIA GPUs can be used.
import { hasBackend } from './backends/backend.js';
import type { DeviceLike } from './device.js';
import { AssertionError } from './errors.js';
import type { Tensor } from './tensor.js';

/** Whether tensors can live on a GPU here. */
export function is_available(): boolean {
  return hasBackend('cuda');
}

/** The number of GPUs. */
export function device_count(): number {
  return is_available() ? 1 : 0;
}

/** Whether torch.cuda has been set up. */
export function is_initialized(): boolean {
  return is_available();
}

function required(): void {
  if (!is_available()) throw new AssertionError('Torch not compiled with CUDA enabled');
}

/**
 * The index of the current GPU.
 * @throws AssertionError when there is none.
 */
export function current_device(): number {
  required();
  return 0;
}

/** Makes a GPU the current one. */
export function set_device(_device: DeviceLike): void {
  required();
}

/** Waits until the GPU has done what it was asked for. */
export function synchronize(_device?: DeviceLike | null): void {
  required();
}

/** Gives cached memory back; does nothing without a GPU. */
export function empty_cache(): void {}

/** Seeds the generator of the GPU; does nothing without one. */
export function manual_seed(_seed: number | bigint): void {}
/** Seeds the generators of all GPUs; does nothing without one. */
export function manual_seed_all(_seed: number | bigint): void {}

/** Bytes of GPU memory in tensors. */
export function memory_allocated(_device?: DeviceLike | null): number {
  return 0;
}

/** The random states of all GPUs. */
export function get_rng_state_all(): Tensor[] {
  return [];
}
