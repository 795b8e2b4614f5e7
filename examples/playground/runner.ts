// Runs one program of the code pane, and shows what it prints as Node would.
import * as torch from 'typetorch';

export type Output =
  /** The library is loaded; the program may come. */
  { type: 'ready' } | { type: 'text' | 'error'; text: string } | { type: 'done'; seconds: number };

/** Where the program finds the library: the module that this worker has loaded itself. */
const places: Readonly<Record<string, string>> = {
  typetorch: '/dist/index.browser.js',
  'typetorch/vision': '/dist/vision.browser.js',
  'typetorch/safetensors': '/dist/safetensors.browser.js',
};

const send = (output: Output): void => postMessage(output);

function text(value: unknown, inside = false): string {
  if (typeof value === 'string') return inside ? `'${value}'` : value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof torch.Tensor || value instanceof torch.nn.Module) return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value))
    return value.length === 0 ? '[]' : `[ ${value.map((v) => text(v, true)).join(', ')} ]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Object.getPrototypeOf(value) !== Object.prototype) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, v]) => `${key}: ${text(v, true)}`)
    .join(', ')} }`;
}

const print = (...values: unknown[]): void =>
  send({ type: 'text', text: values.map((v) => text(v)).join(' ') });
Object.assign(console, { log: print, info: print, warn: print, error: print });

self.addEventListener('message', async ({ data }: MessageEvent<string>) => {
  const code = data.replace(
    /(from\s*|import\s*\(?\s*)(['"])(typetorch[^'"]*)\2/g,
    (whole, before, quote, name) =>
      places[name] ? `${before}${quote}${self.location.origin}${places[name]}${quote}` : whole,
  );
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const started = performance.now();
  try {
    await import(url);
    send({ type: 'done', seconds: (performance.now() - started) / 1000 });
  } catch (error) {
    send({ type: 'error', text: text(error) });
    send({ type: 'done', seconds: (performance.now() - started) / 1000 });
  }
});
send({ type: 'ready' });
