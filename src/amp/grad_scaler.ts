// torch.amp.GradScaler: losses scaled up so that small gradients survive in half precision.
import { no_grad } from '../autograd/modes.js';
import { is_available } from '../cuda.js';
import { float16, float32, int32 } from '../dtype.js';
import { AssertionError, RuntimeError, ValueError } from '../errors.js';
import { full } from '../ops/create.js';
import { bindOptions, type Optimizer } from '../optim/optimizer.js';
import { Tensor } from '../tensor.js';
import { warn } from '../warnings.js';

type Arguments =
  | [
      device?: string,
      init_scale?: number,
      growth_factor?: number,
      backoff_factor?: number,
      growth_interval?: number,
      enabled?: boolean,
    ]
  | [device: string, options: ScalerOptions]
  | [options: ScalerOptions & { device?: string }];

export interface ScalerOptions {
  init_scale?: number;
  /** The scale grows by this factor after `growth_interval` steps without infinities … */
  growth_factor?: number;
  /** … and by this one after a step with them. */
  backoff_factor?: number;
  growth_interval?: number;
  /** False: every method passes its argument through. */
  enabled?: boolean;
}

/** What `scale` takes: tensors, in lists of any depth. */
type Scalable = Tensor | Scalable[];

export interface ScalerState {
  scale: number;
  growth_factor: number;
  backoff_factor: number;
  growth_interval: number;
  _growth_tracker: number;
}

/** An optimizer between two updates. */
interface Stage {
  readonly stage: 'unscaled' | 'stepped';
  readonly found_inf: boolean;
}

/**
 * Scales losses, unscales gradients before the optimizer's step, skips steps with infinities, and adapts the scale:
 *
 *     scaler.scale(loss).backward(); scaler.step(optimizer); scaler.update();
 */
export class GradScaler {
  private readonly _enabled: boolean;
  private _init_scale: number;
  private _growth_factor: number;
  private _backoff_factor: number;
  private _growth_interval: number;
  private _init_growth_tracker = 0;
  private _scale: Tensor | null = null;
  private _growth_tracker: Tensor | null = null;
  private stages = new Map<Optimizer, Stage>();
  private readonly device: string;

  constructor(...args: Arguments) {
    const schema =
      "str device='cuda', float init_scale=65536, float growth_factor=2, float backoff_factor=0.5, int growth_interval=2000, bool enabled=True";
    const o = bindOptions('GradScaler', schema, args) as unknown as Required<ScalerOptions> & {
      device: string;
    };
    this.device = o.device;
    const missing = o.enabled && o.device === 'cuda' && !is_available();
    if (missing) warn('torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.');
    this._enabled = o.enabled && !missing;
    if (this._enabled) {
      if (o.growth_factor <= 1) throw new AssertionError('The growth factor must be > 1.0.');
      if (o.backoff_factor >= 1) throw new AssertionError('The backoff factor must be < 1.0.');
    }
    this._init_scale = o.init_scale;
    this._growth_factor = o.growth_factor;
    this._backoff_factor = o.backoff_factor;
    this._growth_interval = o.growth_interval;
  }

  private started(method: string): Tensor {
    if (this._scale === null)
      throw new AssertionError(
        `Attempted ${method} but _scale is None.  This may indicate your script did not use scaler.scale(loss or outputs) earlier in the iteration.`,
      );
    return this._scale;
  }

  /** The outputs times the scale: a tensor, or tensors in lists. */
  scale<T extends Scalable>(outputs: T): T {
    if (!this._enabled) return outputs;
    if (outputs instanceof Tensor) {
      if (this._scale === null) {
        const { device } = outputs;
        this._scale = full([], this._init_scale, { dtype: float32, device });
        this._growth_tracker = full([], this._init_growth_tracker, { dtype: int32, device });
      }
      return outputs.mul(this._scale.to(outputs.device)) as T;
    }
    if (!Array.isArray(outputs)) throw new ValueError('outputs must be a Tensor or an iterable of Tensors');
    return outputs.map((x) => this.scale(x)) as T;
  }

  /**
   * Divides the gradients of an optimizer's parameters by the scale, for those that look at them before the step.
   * @throws RuntimeError when it was done since the last update.
   */
  unscale_(optimizer: Optimizer): void {
    if (!this._enabled) return;
    const scale = this.started('unscale_');
    const stage = this.stages.get(optimizer)?.stage;
    if (stage === 'unscaled')
      throw new RuntimeError('unscale_() has already been called on this optimizer since the last update().');
    if (stage === 'stepped') throw new RuntimeError('unscale_() is being called after step().');
    const inverse = Math.fround(1 / (scale.item() as number));
    let found_inf = false;
    no_grad(() => {
      for (const p of optimizer.param_groups.flatMap((group) => group.params)) {
        if (p.grad === null) continue;
        if (p.grad.dtype === float16) throw new ValueError('Attempting to unscale FP16 gradients.');
        found_inf ||= !(p.grad.isfinite().all().item() as unknown as boolean);
        p.grad.mul_(inverse);
      }
    });
    this.stages.set(optimizer, { stage: 'unscaled', found_inf });
  }

  /**
   * Unscales the gradients if that was not done, and steps unless one of them is not finite.
   * @returns what the optimizer's step returns; undefined for a step that was skipped.
   */
  step(optimizer: Optimizer, ...args: readonly unknown[]): unknown {
    const step = optimizer.step as unknown as (...given: readonly unknown[]) => unknown;
    if (!this._enabled) return step.apply(optimizer, [...args]);
    if (args.length > 0)
      throw new RuntimeError('Closure use is not currently supported if GradScaler is enabled.');
    this.started('step');
    if (this.stages.get(optimizer)?.stage === 'stepped')
      throw new RuntimeError('step() has already been called since the last update().');
    if (!this.stages.has(optimizer)) this.unscale_(optimizer);
    if (optimizer.param_groups.every((group) => group.params.every((p) => p.grad === null)))
      throw new AssertionError('No inf checks were recorded for this optimizer.');
    const found_inf = this.stages.get(optimizer)?.found_inf ?? false;
    const result = found_inf ? undefined : step.apply(optimizer, []);
    this.stages.set(optimizer, { stage: 'stepped', found_inf });
    return result;
  }

  /** Adapts the scale after the steps of all optimizers; or sets it. */
  update(new_scale: number | Tensor | null = null): void {
    if (!this._enabled) return;
    const scale = this.started('update');
    const tracker = this._growth_tracker as Tensor;
    if (typeof new_scale === 'number') scale.fill_(new_scale);
    else if (new_scale !== null) scale.copy_(this.checked(new_scale));
    else {
      if (this.stages.size === 0) throw new AssertionError('No inf checks were recorded prior to update.');
      if ([...this.stages.values()].some((s) => s.found_inf)) {
        scale.mul_(this._backoff_factor);
        tracker.fill_(0);
      } else if ((tracker.add_(1).item() as number) === this._growth_interval) {
        const grown = scale.mul(this._growth_factor);
        if (grown.isfinite().item()) scale.copy_(grown);
        tracker.fill_(0);
      }
    }
    this.stages = new Map();
  }

  private checked(new_scale: Tensor): Tensor {
    if (new_scale.device.type !== this.device || new_scale.numel() !== 1 || new_scale.requires_grad)
      throw new AssertionError(
        'new_scale should be a float or a 1-element torch.cuda.FloatTensor or torch.FloatTensor with requires_grad=False.',
      );
    return new_scale.reshape([]);
  }

  get_scale(): number {
    if (!this._enabled) return 1;
    return this._scale === null ? this._init_scale : (this._scale.item() as number);
  }
  get_growth_factor(): number {
    return this._growth_factor;
  }
  set_growth_factor(new_factor: number): void {
    this._growth_factor = new_factor;
  }
  get_backoff_factor(): number {
    return this._backoff_factor;
  }
  set_backoff_factor(new_factor: number): void {
    this._backoff_factor = new_factor;
  }
  get_growth_interval(): number {
    return this._growth_interval;
  }
  set_growth_interval(new_interval: number): void {
    this._growth_interval = new_interval;
  }
  is_enabled(): boolean {
    return this._enabled;
  }

  /** Everything that a checkpoint needs; empty when disabled. */
  state_dict(): ScalerState | Record<string, never> {
    if (!this._enabled) return {};
    return {
      scale: this.get_scale(),
      growth_factor: this._growth_factor,
      backoff_factor: this._backoff_factor,
      growth_interval: this._growth_interval,
      _growth_tracker:
        this._growth_tracker === null ? this._init_growth_tracker : (this._growth_tracker.item() as number),
    };
  }
  /** @throws RuntimeError for the empty state of a disabled scaler. */
  load_state_dict(state_dict: ScalerState | Record<string, never>): void {
    if (!this._enabled) return;
    if (Object.keys(state_dict).length === 0)
      throw new RuntimeError(
        'The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler.',
      );
    const state = state_dict as ScalerState;
    this._init_scale = state.scale;
    this._scale?.fill_(state.scale);
    this._growth_factor = state.growth_factor;
    this._backoff_factor = state.backoff_factor;
    this._growth_interval = state.growth_interval;
    this._init_growth_tracker = state._growth_tracker;
    this._growth_tracker?.fill_(state._growth_tracker);
  }
}
