// torch.linalg.
export { LinAlgError } from '../errors.js';
export { matmul } from '../ops/matmul.js';

export { cholesky, cholesky_ex } from './cholesky.js';
export { det, slogdet } from './det.js';
export { eig, eigvals } from './eig.js';
export { eigh, eigvalsh } from './eigh.js';
export { diagonal, multi_dot, tensorinv, tensorsolve, vecdot } from './equations.js';
export { ldl_factor, ldl_factor_ex, ldl_solve } from './ldl.js';
export { lstsq } from './lstsq.js';
export { lu, lu_factor, lu_factor_ex, lu_solve } from './lu.js';
export { matrix_norm, norm, vector_norm } from './norm.js';
export { cond, matrix_rank, pinv } from './pinv.js';
export { matrix_exp, matrix_power } from './powers.js';
export { cross, vander } from './products.js';
export { householder_product, qr } from './qr.js';
export { inv, inv_ex, solve, solve_ex } from './solve.js';
export { svd, svdvals } from './svd.js';
export { solve_triangular } from './triangular.js';
