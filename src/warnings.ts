// Warnings: what PyTorch reports through Python's `warnings`.

let sink: (message: string) => void = (message) => console.warn(`UserWarning: ${message}`);

/** Reports something that is probably a mistake. */
export function warn(message: string): void {
  sink(message);
}

const said = new Set<string>();

/** Reports it the first time only. */
export function warnOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  warn(message);
}

/** Sends warnings elsewhere; returns where they went before. */
export function setWarningSink(to: (message: string) => void): (message: string) => void {
  const before = sink;
  sink = to;
  return before;
}
