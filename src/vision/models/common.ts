// What the models share: options, initialisation, rounding of channels.
import { RuntimeError } from '../../errors.js';
import * as nn from '../../nn/index.js';

export interface ModelOptions {
  num_classes?: number;
  /** Only null: trained weights are loaded from a file, `model.load_state_dict(torch.load(path))`. */
  weights?: null;
  progress?: boolean;
}

/** @throws RuntimeError when trained weights are asked for. */
export function checkWeights(options: { weights?: unknown }): void {
  if (options.weights !== undefined && options.weights !== null)
    throw new RuntimeError(
      'typetorch does not download trained weights: save them in PyTorch, and load them with model.load_state_dict(torch.load(path))',
    );
}

/** Options without those that every model function has. */
export function rest<O extends { weights?: unknown; progress?: unknown }>(
  options: O,
): Omit<O, 'weights' | 'progress'> {
  checkWeights(options);
  const { weights: _weights, progress: _progress, ...others } = options;
  return others;
}

/** Channels as a multiple of a divisor, not more than a tenth below. */
export function makeDivisible(v: number, divisor: number): number {
  const near = Math.max(divisor, Math.floor(Math.trunc(v + divisor / 2) / divisor) * divisor);
  return near < 0.9 * v ? near + divisor : near;
}

/** Initialises convolutions (normal by their outputs), normalisations (1 and 0), and linear layers by `linear`. */
export function initialise(model: nn.Module, linear: (layer: nn.Linear) => void): void {
  for (const m of model.modules()) {
    if (m instanceof nn.Conv2d) {
      nn.init.kaiming_normal_(m.weight, { mode: 'fan_out' });
      if (m.bias !== null) nn.init.zeros_(m.bias);
    } else if (m instanceof nn.BatchNorm2d || m instanceof nn.GroupNorm) {
      if (m.weight !== null) nn.init.ones_(m.weight);
      if (m.bias !== null) nn.init.zeros_(m.bias);
    } else if (m instanceof nn.Linear) linear(m);
  }
}

/** Normal weights of spread 0.01, no bias: what most classifiers start from. */
export function smallLinear(layer: nn.Linear): void {
  nn.init.normal_(layer.weight, 0, 0.01);
  if (layer.bias !== null) nn.init.zeros_(layer.bias);
}
