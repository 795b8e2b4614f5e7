// torch.cuda.amp: older names of autocast and GradScaler.
import { type DType, float16 } from '../dtype.js';
import { bindOptions } from '../optim/optimizer.js';
import { warnOnce } from '../warnings.js';
import { type AutocastGuard, autocast as autocastOn } from './autocast.js';
import { GradScaler as Scaler, type ScalerOptions } from './grad_scaler.js';

export { custom_bwd, custom_fwd } from './custom.js';

interface Options {
  enabled?: boolean;
  dtype?: DType;
  cache_enabled?: boolean;
}

function deprecated(name: string): void {
  warnOnce(
    `\`torch.cuda.amp.${name}(args...)\` is deprecated. Please use \`torch.amp.${name}('cuda', args...)\` instead.`,
  );
}

/** `torch.autocast('cuda', …)`, around a callback or with `using`. Deprecated. */
export function autocast(
  ...options: [enabled?: boolean, dtype?: DType, cache_enabled?: boolean] | [options: Options]
): AutocastGuard;
export function autocast<R>(fn: () => R): R;
export function autocast<R>(options: Options, fn: () => R): R;
export function autocast(...args: readonly unknown[]): unknown {
  deprecated('autocast');
  const last = args[args.length - 1];
  const fn = typeof last === 'function' ? (last as () => unknown) : null;
  const schema = 'bool enabled=True, any dtype=None, bool cache_enabled=True';
  const bound = bindOptions('autocast', schema, fn ? args.slice(0, -1) : args);
  const options = { ...bound, dtype: (bound.dtype as DType | null) ?? float16 };
  return fn ? autocastOn('cuda', options, fn) : autocastOn('cuda', options);
}

/** `torch.amp.GradScaler('cuda', …)`. Deprecated. */
export class GradScaler extends Scaler {
  constructor(
    ...args:
      | [
          init_scale?: number,
          growth_factor?: number,
          backoff_factor?: number,
          growth_interval?: number,
          enabled?: boolean,
        ]
      | [options: ScalerOptions]
  ) {
    deprecated('GradScaler');
    const schema =
      'float init_scale=65536, float growth_factor=2, float backoff_factor=0.5, int growth_interval=2000, bool enabled=True';
    super('cuda', bindOptions('GradScaler', schema, args) as ScalerOptions);
  }
}
