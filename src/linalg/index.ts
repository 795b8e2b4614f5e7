// torch.linalg.
export { LinAlgError } from '../errors.js';
export { matmul } from '../ops/matmul.js';

export { cholesky, cholesky_ex } from './cholesky.js';
export { det, slogdet } from './det.js';
export { diagonal, multi_dot, tensorinv, tensorsolve, vecdot } from './equations.js';
export { ldl_factor, ldl_factor_ex, ldl_solve } from './ldl.js';
export { lu, lu_factor, lu_factor_ex, lu_solve } from './lu.js';
export * from './norm.js';
export { matrix_exp, matrix_power } from './powers.js';
export * from './products.js';
export { inv, inv_ex, solve, solve_ex } from './solve.js';
export { solve_triangular } from './triangular.js';
