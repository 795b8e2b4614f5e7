// Losses of detection.
import { float32, float64 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { binary_cross_entropy_with_logits } from '../../nn/functional/index.js';
import { maximum, minimum } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';

export type Reduction = 'none' | 'mean' | 'sum';

function reduced(loss: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return loss;
  if (reduction === 'mean') return loss.numel() > 0 ? loss.mean() : loss.sum().mul(0);
  if (reduction === 'sum') return loss.sum();
  throw new ValueError(
    `Invalid Value for arg 'reduction': '${String(reduction)} \n Supported reduction modes: 'none', 'mean', 'sum'`,
  );
}

/** Focal loss (Lin et al., 2017) of scores against 0 and 1; `alpha` of -1 weighs nothing. */
export function sigmoid_focal_loss(
  inputs: Tensor,
  targets: Tensor,
  alpha = 0.25,
  gamma = 2,
  reduction: Reduction = 'none',
): Tensor {
  if (!(alpha >= 0 && alpha <= 1) && alpha !== -1)
    throw new ValueError(`Invalid alpha value: ${alpha}. alpha must be in the range [0,1] or -1 for ignore.`);
  const p = inputs.sigmoid();
  const others = targets.neg().add(1);
  const right = p.mul(targets).add(p.neg().add(1).mul(others));
  const loss = binary_cross_entropy_with_logits(inputs, targets, { reduction: 'none' }).mul(
    right.neg().add(1).pow(gamma),
  );
  return reduced(
    alpha >= 0
      ? targets
          .mul(alpha)
          .add(others.mul(1 - alpha))
          .mul(loss)
      : loss,
    reduction,
  );
}

/** `1 - ` the generalised overlap of each box with its own target (Rezatofighi et al., 2019). */
export function generalized_box_iou_loss(
  boxes1: Tensor,
  boxes2: Tensor,
  reduction: Reduction = 'none',
  eps = 1e-7,
): Tensor {
  const float = (x: Tensor): Tensor => (x.dtype === float32 || x.dtype === float64 ? x : x.to(float32));
  const [x1, y1, x2, y2] = float(boxes1).unbind(-1);
  const [u1, v1, u2, v2] = float(boxes2).unbind(-1);
  const w = minimum(x2, u2).sub(maximum(x1, u1)).clamp(0);
  const h = minimum(y2, v2).sub(maximum(y1, v1)).clamp(0);
  const inter = w.mul(h);
  const union = x2
    .sub(x1)
    .mul(y2.sub(y1))
    .add(u2.sub(u1).mul(v2.sub(v1)))
    .sub(inter);
  const area = maximum(x2, u2)
    .sub(minimum(x1, u1))
    .mul(maximum(y2, v2).sub(minimum(y1, v1)));
  const giou = inter.div(union.add(eps)).sub(area.sub(union).div(area.add(eps)));
  return reduced(giou.neg().add(1), reduction);
}
