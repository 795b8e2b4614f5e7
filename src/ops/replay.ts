// Derivatives of derivatives for ops with kernels of their own: the op, written with ops, runs again.
import { runBackward } from '../autograd/engine.js';
import { type Grad, gradEdge } from '../autograd/graph.js';
import type { Tensor } from '../tensor.js';
import { view } from './view.js';

type Maybe = Tensor | null;

/**
 * @internal The gradients of a node whose backward is itself recorded: runs the op in its composed form on views of the
 * node's inputs, and differentiates that.
 * @param run the outputs of the composed op from the inputs that it is given.
 */
export function replayedGradients<I extends readonly Maybe[]>(
  inputs: I,
  grads: readonly Grad[],
  needs: (i: number) => boolean,
  run: (...inputs: [...I]) => readonly Maybe[],
): Grad[] {
  // Views tell apart inputs that are one tensor.
  const own = inputs.map((x, i) => (x !== null && needs(i) ? view(x, x.shape) : x));
  const roots = run(...(own as unknown as [...I])).flatMap((y, i) => {
    const [node, grad] = [y === null ? null : gradEdge(y), grads[i] ?? null];
    return node === null || grad === null ? [] : [{ node, nr: y?.output_nr ?? 0, grad }];
  });
  const out: Grad[] = own.map(() => null);
  const wanted = own.flatMap((x, i) => {
    const node = x !== null && needs(i) ? gradEdge(x) : null;
    return node === null ? [] : [{ i, node, nr: x?.output_nr ?? 0 }];
  });
  runBackward(roots, true, true, wanted, false).forEach((g, at) => {
    out[wanted[at].i] = g;
  });
  return out;
}
