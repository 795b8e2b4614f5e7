/// <reference lib="dom" />
// What the tests use of Node, in a page: goldens are read over HTTP, at once.
import { gunzipSync as gunzip } from 'fflate';

class Bytes extends Uint8Array {
  override toString(encoding?: string): string {
    if (encoding === 'hex') return Array.from(this, (b) => b.toString(16).padStart(2, '0')).join('');
    return new TextDecoder().decode(this);
  }
}

export const Buffer = {
  from(data: string | Uint8Array | ArrayBuffer, second?: string | number, length?: number): Bytes {
    if (data instanceof ArrayBuffer)
      return new Bytes(data.slice(Number(second ?? 0), Number(second ?? 0) + (length ?? data.byteLength)));
    if (typeof data !== 'string') return new Bytes(data);
    if (second === 'hex')
      return new Bytes((data.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
    if (second === 'base64') return new Bytes(Array.from(atob(data), (c) => c.charCodeAt(0)));
    return new Bytes(new TextEncoder().encode(data));
  },
};
export const process = { env: {} as Record<string, string | undefined> };

export function readFileSync(file: string | URL): Bytes;
export function readFileSync(file: string | URL, encoding: string): string;
export function readFileSync(file: string | URL, encoding?: string): Bytes | string {
  const request = new XMLHttpRequest();
  request.open('GET', String(file), false);
  request.overrideMimeType('text/plain; charset=x-user-defined');
  request.send();
  if (request.status !== 200) throw new Error(`${file}: status ${request.status}`);
  const bytes = new Bytes(Array.from(request.responseText, (c) => c.charCodeAt(0)));
  return encoding ? new TextDecoder().decode(bytes) : bytes;
}
export const gunzipSync = (bytes: Uint8Array): Bytes => new Bytes(gunzip(bytes));
export const join = (...parts: string[]): string => parts.join('/');
export const setFlagsFromString = (): void => {};
/** Of the scripts that tests run elsewhere there is one: `gc`, which the browser was told to expose. */
export const runInNewContext = (): unknown => (globalThis as { gc?: unknown }).gc;
