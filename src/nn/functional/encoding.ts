// One-hot vectors, of given classes and of drawn ones.

import { empty } from '../../dispatch/allocate.js';
import { int64 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { op } from '../../ops/define.js';
import { arangeOf } from '../../ops/fill.js';
import { softmaxAlong } from '../../ops/softmax.js';
import { type Tensor, wrapDim } from '../../tensor.js';

/**
 * [*] of class numbers to [*, classes] of zeros with a one at each class. int64, as the input must be.
 *
 *     F.one_hot(torch.tensor([0n, 2n]), 3)
 *     // tensor([[1, 0, 0],
 *     //         [0, 0, 1]])
 */
export const one_hot: (
  tensor: Tensor,
  ...args: [num_classes?: number] | [options: { num_classes?: number }]
) => Tensor = op(
  'nn.functional.one_hot',
  'Tensor tensor, int num_classes=-1',
  (x: Tensor, wanted: number) => {
    if (x.dtype !== int64)
      throw new RuntimeError('one_hot is only applicable to index tensor of type LongTensor.');
    if (x._numel === 0 && wanted <= 0)
      throw new RuntimeError('Can not infer total number of classes from empty tensor.');
    if (x._numel > 0 && Number(x.amin().item()) < 0)
      throw new RuntimeError('Class values must be non-negative.');
    const most = x._numel > 0 ? Number(x.amax().item()) : -1;
    if (wanted !== -1 && most >= wanted)
      throw new RuntimeError('Class values must be smaller than num_classes.');
    const classes = wanted === -1 ? most + 1 : wanted;
    return x.unsqueeze(-1).eq(arangeOf(classes, x.device)).to(int64);
  },
);

interface GumbelOptions {
  tau?: number;
  hard?: boolean;
  eps?: number;
  dim?: number;
}
type GumbelArgs =
  | [tau?: number, hard?: boolean, eps?: number, dim?: number]
  | [tau: number, options: GumbelOptions]
  | [options: GumbelOptions];

/**
 * A sample of the Gumbel-softmax distribution (Jang et al., 2017; Maddison et al., 2017): softmax of the logits plus
 * noise, over `tau`; with `hard` one-hot forward, and differentiated as the soft sample.
 */
export const gumbel_softmax: (logits: Tensor, ...args: GumbelArgs) => Tensor = op(
  'nn.functional.gumbel_softmax',
  'Tensor logits, float tau=1, bool hard=False, float eps=1e-10, int dim=-1',
  (logits: Tensor, tau: number, hard: boolean, _eps: number, dim: number) => {
    const noise = empty(logits.shape, logits.dtype, logits.device).exponential_().log().neg();
    const soft = softmaxAlong('softmax', logits.add(noise).div(tau), dim);
    if (!hard) return soft;
    const d = wrapDim(dim, logits.shape.length);
    const places = arangeOf(logits.shape[d], logits.device).view(
      logits.shape.map((n, i) => (i === d ? n : 1)),
    );
    const one = soft.detach().argmax(d, true).eq(places).to(logits.dtype);
    return one.sub(soft.detach()).add(soft);
  },
);
