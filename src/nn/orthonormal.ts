// Householder QR in double precision, for orthogonal initialisation.

/**
 * The orthonormal factor of a tall matrix (rows >= columns, row-major), with the columns signed so that the
 * diagonal of the triangular factor is positive: it is unique.
 */
export function orthonormal(data: Float64Array, rows: number, columns: number): Float64Array {
  const a = data.slice();
  const reflectors: Float64Array[] = [];
  const signs = new Float64Array(columns);
  for (let k = 0; k < columns; k++) {
    const v = reflector(a, rows, columns, k);
    reflectors.push(v);
    reflect(a, v, columns, k, k);
    signs[k] = Math.sign(a[k * columns + k]);
  }
  const q = new Float64Array(rows * columns);
  for (let k = 0; k < columns; k++) q[k * columns + k] = 1;
  for (let k = columns - 1; k >= 0; k--) reflect(q, reflectors[k], columns, k, k);
  for (let i = 0; i < q.length; i++) q[i] *= signs[i % columns];
  return q;
}

/** The unit vector whose reflection takes column k, from row k on, to a multiple of the first axis. */
function reflector(a: Float64Array, rows: number, columns: number, k: number): Float64Array {
  const v = new Float64Array(rows - k);
  let norm = 0;
  for (let i = k; i < rows; i++) {
    v[i - k] = a[i * columns + k];
    norm += v[i - k] ** 2;
  }
  norm = Math.sqrt(norm);
  v[0] += v[0] >= 0 ? norm : -norm;
  let length = 0;
  for (const x of v) length += x * x;
  if (length > 0) for (let i = 0; i < v.length; i++) v[i] /= Math.sqrt(length);
  return v;
}

/** Reflects the rows from `row` on of the columns from `column` on. */
function reflect(a: Float64Array, v: Float64Array, columns: number, row: number, column: number): void {
  for (let j = column; j < columns; j++) {
    let dot = 0;
    for (let i = 0; i < v.length; i++) dot += v[i] * a[(row + i) * columns + j];
    for (let i = 0; i < v.length; i++) a[(row + i) * columns + j] -= 2 * dot * v[i];
  }
}
