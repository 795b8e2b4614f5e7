// The exceptions that PyTorch raises, as classes. Wrong argument types are JavaScript's own TypeError.

/** What PyTorch raises as RuntimeError: shapes that do not fit, devices that are missing, graph misuse. */
export class RuntimeError extends Error {
  override name = 'RuntimeError';
}

/** An index or dimension out of range. */
export class IndexError extends Error {
  override name = 'IndexError';
}

/** An argument of the right type with a value that is not allowed. */
export class ValueError extends Error {
  override name = 'ValueError';
}

/** The op has no kernel for this dtype or device. */
export class NotImplementedError extends RuntimeError {
  override name = 'NotImplementedError';
}

/** A name that a mapping or namespace does not have. */
export class KeyError extends Error {
  override name = 'KeyError';
}

/** A decomposition that did not converge or a matrix that is singular. */
export class LinAlgError extends RuntimeError {
  override name = 'LinAlgError';
}

/** A condition that the caller must meet does not hold. */
export class AssertionError extends Error {
  override name = 'AssertionError';
}
