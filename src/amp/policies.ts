// Which ops autocast runs in which type on the CPU: the lists of PyTorch's aten/src/ATen/autocast_mode.cpp.

/** What happens to the floating-point tensors among an op's arguments. */
export type Policy = 'lower' | 'float32' | 'promote' | 'none';

const words = (text: string): string[] => text.trim().split(/\s+/);

// Products and convolutions run in the lower precision.
const LOWER = words(`
  conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d conv_tbc
  bmm mm baddbmm addmm addbmm linear matmul linalg.vecdot prelu scaled_dot_product_attention
  lstm rnn_tanh rnn_relu rnn_tanh.data rnn_relu.data rnn_tanh_cell rnn_relu_cell
`);

// What loses too much there, or is not implemented, runs in float32.
const FLOAT32 = words(`
  avg_pool3d adaptive_avg_pool3d max_pool3d adaptive_max_pool3d max_unpool2d max_unpool3d
  max_pool3d_with_indices adaptive_max_pool3d_with_indices
  fractional_max_pool2d fractional_max_pool3d grid_sample grid_sampler grid_sampler_2d grid_sampler_3d
  polar prod quantile nanquantile stft cdist trace view_as_complex
  binary_cross_entropy binary_cross_entropy_with_logits mse_loss l1_loss smooth_l1_loss huber_loss cosine_embedding_loss
  nll_loss cross_entropy hinge_embedding_loss poisson_nll_loss margin_ranking_loss soft_margin_loss triplet_margin_loss
  multi_margin_loss multilabel_margin_loss ctc_loss kl_div
  cholesky cholesky_inverse cholesky_solve inverse lu_solve orgqr ormqr pinverse geqrf qr svd triangular_solve
  fft.fft fft.ifft fft.fft2 fft.ifft2 fft.fftn fft.ifftn fft.rfft fft.irfft fft.rfft2 fft.irfft2 fft.rfftn fft.irfftn
  fft.hfft fft.ihfft
  linalg.cond linalg.matrix_rank linalg.solve linalg.cholesky linalg.cholesky_ex linalg.svd linalg.svdvals linalg.eig
  linalg.eigvals linalg.eigh linalg.eigvalsh linalg.inv linalg.inv_ex linalg.householder_product linalg.tensorinv
  linalg.tensorsolve linalg.qr linalg.lstsq
`);

// Operands that must agree take the widest type among them.
const PROMOTE = words('stack cat concat concatenate index_copy');

// A kernel of its own in PyTorch, without a policy: the products that it is made of here are not cast.
const NONE = words('bilinear');

const table = new Map<string, Policy>([
  ...LOWER.map((name) => [name, 'lower'] as const),
  ...FLOAT32.map((name) => [name, 'float32'] as const),
  ...NONE.map((name) => [name, 'none'] as const),
  ...PROMOTE.map((name) => [name, 'promote'] as const),
]);

/** Padding beyond zeros runs in float32, reflection of three dimensions apart. */
function paddingPolicy([, pad, mode]: readonly unknown[]): Policy | undefined {
  const dims = Array.isArray(pad) ? pad.length / 2 : 0;
  if (mode === 'replicate') return 'float32';
  return mode === 'reflect' && dims <= 2 ? 'float32' : undefined;
}

/** The policy for a call of an op; none when autocast leaves it alone. */
export function policyOf(name: string, args: readonly unknown[]): Policy | undefined {
  const short = name.startsWith('nn.functional.') ? name.slice('nn.functional.'.length) : name;
  return short === 'pad' ? paddingPolicy(args) : table.get(short);
}
