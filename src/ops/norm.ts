// torch.norm, the older spelling of the norms in torch.linalg.
import type { DType } from '../dtype.js';
import { matrixNorm } from '../linalg/norm.js';
import type { Tensor } from '../tensor.js';
import { type Op, type Out, op } from './define.js';
import { type NormDim, vectorNorm } from './norms.js';

interface NormOptions extends Out {
  p?: number | 'fro' | 'nuc' | null;
  dim?: NormDim;
  keepdim?: boolean;
  dtype?: DType | null;
}

/**
 * The p-norm along `dim` (all elements by default); `'fro'` is the 2-norm. See `torch.linalg.vector_norm`.
 *
 *     torch.norm(torch.tensor([3, 4]))
 *     // tensor(5.)
 */
export const norm: Op<
  | [p?: number | 'fro' | 'nuc' | null, dim?: NormDim, keepdim?: boolean, options?: NormOptions]
  | [options: NormOptions]
  | [p: number | 'fro' | 'nuc', options: NormOptions]
  | [p: number | 'fro' | 'nuc', dim: NormDim, options: NormOptions],
  Tensor
> = op(
  'norm',
  "Tensor self, any p='fro', int[1]? dim=None, bool keepdim=False, Tensor? out=None, dtype? dtype=None",
  (x: Tensor, p: number | string | null, dim: NormDim, keepdim: boolean, _out: null, dtype: DType | null) => {
    const few = dim === null || typeof dim === 'number' || dim.length <= 2;
    if (p === null || (p === 'fro' && few)) return vectorNorm(x, 2, dim, keepdim, dtype);
    if (typeof p === 'number') return vectorNorm(x, p, dim, keepdim, dtype);
    return matrixNorm(
      x,
      p as 'nuc',
      dim === null ? x.shape.map((_, d) => d) : typeof dim === 'number' ? [dim] : dim,
      keepdim,
      dtype,
    );
  },
);
