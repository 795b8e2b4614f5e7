// Reading safetensors tensor by tensor: from a file or bytes, and from a server by range requests.
import { openFile, withFile, writeFileWhole } from '#files';
import { cpu, type DeviceLike, device } from '../device.js';
import { empty } from '../dispatch/allocate.js';
import { RuntimeError } from '../errors.js';
import {
  type ByteSource,
  type Bytes,
  BytesIO,
  bytesOf,
  inPieces,
  isBytes,
  MemorySource,
  PIECE,
} from '../serialization/source.js';
import { writeBytes } from '../serialization/storage_bytes.js';
import type { Tensor } from '../tensor.js';
import {
  type Entry,
  type Header,
  headerLength,
  type Metadata,
  parseHeader,
  type Tensors,
  writeTensors,
} from './format.js';

export interface OpenOptions {
  /** Where the tensors go (default the CPU). */
  device?: DeviceLike;
}

/** The bytes of a safetensors file with these tensors, and texts to keep with them. */
export function save(tensors: Tensors, metadata?: Metadata): Uint8Array<ArrayBuffer> {
  const memory = new BytesIO();
  writeTensors(tensors, metadata, memory);
  return memory.getvalue();
}

/**
 * Writes tensors to a file, one by one. The file appears whole or not at all: a crash while saving leaves the old one.
 * @param metadata texts to keep with the tensors.
 */
export function save_file(tensors: Tensors, filename: string | URL, metadata?: Metadata): void {
  writeFileWhole(filename, (sink) => writeTensors(tensors, metadata, sink));
}

function readHeader(source: ByteSource): Header {
  const length = headerLength(source.read(0, Math.min(8, source.size)), source.size);
  return parseHeader(source.read(8, length), source.size);
}

function readTensor(source: ByteSource, entry: Entry, options: OpenOptions): Tensor {
  const x = empty(entry.shape, entry.dtype, cpu);
  inPieces(source, entry.start, entry.nbytes, (piece, at) => writeBytes(x._storage, piece, at));
  return moved(x, options);
}

function moved(x: Tensor, options: OpenOptions): Tensor {
  const to = device(options.device ?? cpu);
  return to.type === 'cpu' ? x : x.to(to);
}

function readAll(source: ByteSource, options: OpenOptions): Record<string, Tensor> {
  const out: Record<string, Tensor> = {};
  for (const [name, entry] of readHeader(source).entries) out[name] = readTensor(source, entry, options);
  return out;
}

/**
 * The tensors of a safetensors file's bytes.
 * @throws RuntimeError when the bytes are not such a file, or are damaged.
 */
export function load(bytes: Bytes, options: OpenOptions = {}): Record<string, Tensor> {
  return readAll(new MemorySource(bytesOf(bytes)), options);
}

/** Reads the tensors of a file, each straight into its memory. @throws RuntimeError when it is damaged. */
export function load_file(filename: string | URL, options: OpenOptions = {}): Record<string, Tensor> {
  return withFile(filename, (source) => readAll(source, options));
}

function missing(name: string): RuntimeError {
  return new RuntimeError(`File does not contain tensor ${name}`);
}

/** An open file whose tensors are read when they are asked for. Close it, or write `using f = safe_open(path)`. */
export class SafeOpen implements Disposable {
  private readonly header: Header;
  /** @internal */
  constructor(
    private readonly source: ByteSource & { close?(): void },
    private readonly options: OpenOptions,
  ) {
    this.header = readHeader(source);
  }
  /** The names of the tensors. */
  keys(): string[] {
    return [...this.header.entries.keys()];
  }
  /** The texts that were saved with the tensors. */
  metadata(): Metadata | null {
    return this.header.metadata;
  }
  /** The shape of a tensor, without reading it. */
  get_shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }
  /** Reads one tensor. @throws RuntimeError when the file does not have it. */
  get_tensor(name: string): Tensor {
    return readTensor(this.source, this.entry(name), this.options);
  }
  /** Reads rows `[start, end)` of a tensor along its first dimension. */
  get_rows(name: string, start: number, end: number): Tensor {
    return readTensor(this.source, rowsOf(this.entry(name), name, start, end), this.options);
  }
  private entry(name: string): Entry {
    const entry = this.header.entries.get(name);
    if (!entry) throw missing(name);
    return entry;
  }
  close(): void {
    this.source.close?.();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The part of a tensor with the given rows. */
function rowsOf(entry: Entry, name: string, start: number, end: number): Entry {
  const [rows] = entry.shape;
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || !(end <= rows))
    throw new RuntimeError(
      `rows [${start}, ${end}) are not in tensor ${name} of shape [${entry.shape.join(', ')}]`,
    );
  const each = rows === 0 ? 0 : entry.nbytes / rows;
  return {
    dtype: entry.dtype,
    shape: [end - start, ...entry.shape.slice(1)],
    start: entry.start + start * each,
    nbytes: (end - start) * each,
  };
}

/** Opens a file (or bytes) to read single tensors of it. @throws RuntimeError when its header is damaged. */
export function safe_open(file: string | URL | Bytes, options: OpenOptions = {}): SafeOpen {
  if (isBytes(file)) return new SafeOpen(new MemorySource(bytesOf(file)), options);
  const source = openFile(file);
  try {
    return new SafeOpen(source, options);
  } catch (error) {
    source.close();
    throw error;
  }
}

// Remote files.

/** Bytes that arrive later. */
interface AsyncSource {
  readonly size: number;
  read(at: number, length: number): Promise<Uint8Array>;
}

export interface RemoteOptions extends OpenOptions {
  /** Headers of the requests, such as an authorisation. */
  headers?: Readonly<Record<string, string>>;
  /** In place of the global fetch. */
  fetch?: typeof fetch;
}

/** The header is read together with what follows, since its length is not known before. */
const FIRST = 1 << 16;

async function remoteSource(url: string, options: RemoteOptions): Promise<AsyncSource> {
  const request = options.fetch ?? fetch;
  const range = async (at: number, length: number): Promise<{ bytes: Uint8Array; size: number }> => {
    const reply = await request(url, {
      headers: { ...options.headers, Range: `bytes=${at}-${at + length - 1}` },
    });
    if (reply.status === 200) {
      await reply.body?.cancel();
      throw new RuntimeError(
        `${url}: the server does not answer range requests; fetch the file and use load(bytes)`,
      );
    }
    if (reply.status !== 206)
      throw new RuntimeError(`${url}: the server answered ${reply.status} ${reply.statusText}`);
    const total = /\/(\d+)$/.exec(reply.headers.get('Content-Range') ?? '');
    return { bytes: new Uint8Array(await reply.arrayBuffer()), size: total ? Number(total[1]) : -1 };
  };
  const first = await range(0, FIRST);
  if (first.size < 0 && first.bytes.length < FIRST) first.size = first.bytes.length;
  // Content-Range may be hidden from scripts of other origins: then only the header tells the size.
  const size = first.size < 0 ? Number.MAX_SAFE_INTEGER : first.size;
  return {
    size,
    async read(at, length) {
      if (at + length <= first.bytes.length) return first.bytes.subarray(at, at + length);
      const { bytes } = await range(at, length);
      if (bytes.length !== length)
        throw new RuntimeError(`${url}: the server sent ${bytes.length} bytes instead of ${length}`);
      return bytes;
    },
  };
}

function blobSource(blob: Blob): AsyncSource {
  return {
    size: blob.size,
    read: async (at, length) => new Uint8Array(await blob.slice(at, at + length).arrayBuffer()),
  };
}

/** A file on a server, or a Blob, whose tensors are fetched when they are asked for. */
export class AsyncSafeOpen {
  /** @internal */
  constructor(
    private readonly source: AsyncSource,
    private readonly header: Header,
    private readonly options: OpenOptions,
  ) {}
  /** The names of the tensors. */
  keys(): string[] {
    return [...this.header.entries.keys()];
  }
  /** The texts that were saved with the tensors. */
  metadata(): Metadata | null {
    return this.header.metadata;
  }
  /** The shape of a tensor, without fetching it. */
  get_shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }
  /** Fetches one tensor. @throws RuntimeError when the file does not have it, or the connection fails. */
  get_tensor(name: string): Promise<Tensor> {
    return this.fetchEntry(this.entry(name));
  }
  /** Fetches rows `[start, end)` of a tensor along its first dimension. */
  get_rows(name: string, start: number, end: number): Promise<Tensor> {
    return this.fetchEntry(rowsOf(this.entry(name), name, start, end));
  }
  /** Fetches several tensors (default all), one after another; `progress` hears of the bytes that came. */
  async get_tensors(
    names: readonly string[] = this.keys(),
    progress?: (done: number, total: number) => void,
  ): Promise<Record<string, Tensor>> {
    const total = names.reduce((n, name) => n + this.entry(name).nbytes, 0);
    const out: Record<string, Tensor> = {};
    let done = 0;
    for (const name of names) {
      out[name] = await this.fetchEntry(this.entry(name), (n) => progress?.((done += n), total));
    }
    return out;
  }
  private async fetchEntry(entry: Entry, came?: (bytes: number) => void): Promise<Tensor> {
    const x = empty(entry.shape, entry.dtype, cpu);
    for (let at = 0; at < entry.nbytes; at += PIECE) {
      const piece = await this.source.read(entry.start + at, Math.min(PIECE, entry.nbytes - at));
      writeBytes(x._storage, piece, at);
      came?.(piece.length);
    }
    return moved(x, this.options);
  }
  private entry(name: string): Entry {
    const entry = this.header.entries.get(name);
    if (!entry) throw missing(name);
    return entry;
  }
}

/**
 * Opens a safetensors file on a server by HTTP range requests (or a Blob): only the header is read at first, then the
 * tensors that are asked for. In the browser too: `const f = await safe_open_async(url); await f.get_tensor('wte.weight')`.
 * @throws RuntimeError when the server does not answer range requests, or the header is damaged.
 */
export async function safe_open_async(
  file: string | URL | Blob,
  options: RemoteOptions = {},
): Promise<AsyncSafeOpen> {
  const source = file instanceof Blob ? blobSource(file) : await remoteSource(String(file), options);
  const length = headerLength(await source.read(0, Math.min(8, source.size)), source.size);
  const json = await source.read(8, length);
  const size = source.size === Number.MAX_SAFE_INTEGER ? null : source.size;
  return new AsyncSafeOpen(source, parseHeader(json, size), options);
}
