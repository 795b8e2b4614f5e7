// Affine functions of one and two inputs.
import { RuntimeError } from '../../errors.js';
import { op } from '../../ops/define.js';
import { linear, matmul } from '../../ops/matmul.js';
import type { Tensor } from '../../tensor.js';

export { linear };

/**
 * `x1^T A_k x2 + b_k` for every output k: inputs [*, in1] and [*, in2], weight [out, in1, in2], result [*, out].
 * @throws RuntimeError when the shapes do not fit.
 */
export const bilinear: (input1: Tensor, input2: Tensor, weight: Tensor, bias?: Tensor | null) => Tensor = op(
  'nn.functional.bilinear',
  'Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None',
  (a: Tensor, b: Tensor, weight: Tensor, bias: Tensor | null) => {
    if (a.shape.length !== b.shape.length)
      throw new RuntimeError(
        `bilinear(): input dimensions do not match: got ${a.shape.length} and ${b.shape.length}`,
      );
    const last = a.shape.length - 1;
    for (let d = 0; d < last; d++)
      if (a.shape[d] !== b.shape[d])
        throw new RuntimeError(
          `bilinear(): input batch dimensions do not match at dim ${d}: got ${a.shape[d]} and ${b.shape[d]}`,
        );
    const [out, in1, in2] = weight.shape;
    if (a.shape[last] !== in1)
      throw new RuntimeError(
        `bilinear(): input1 size does not match weight size: got ${a.shape[last]} but expected ${in1}`,
      );
    if (b.shape[last] !== in2)
      throw new RuntimeError(
        `bilinear(): input2 size does not match weight size: got ${b.shape[last]} but expected ${in2}`,
      );
    if (bias !== null && bias.shape[0] !== out)
      throw new RuntimeError(
        `bilinear(): bias size does not match weight size: got ${bias.shape[0]} but expected ${out}`,
      );
    const rows = a.shape.slice(0, -1).reduce((x, y) => x * y, 1);
    // [rows, out, in2] = x1 times every A_k, then the inner products with x2.
    const left = matmul(a.reshape([rows, in1]), weight.permute([1, 0, 2]).reshape([in1, out * in2])).view([
      rows,
      out,
      in2,
    ]);
    const result = matmul(left, b.reshape([rows, in2, 1])).reshape([...a.shape.slice(0, -1), out]);
    return bias === null ? result : result.add(bias);
  },
);
