/** Runs damaged files. Returns what went wrong, the refused ones, the longest time (ms) and largest growth (bytes). */
export function fuzz(
  count: number,
  seed: number,
): { problems: string[]; failed: number; slowest: number; grown: number };
