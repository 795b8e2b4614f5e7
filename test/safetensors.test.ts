// safetensors: files both ways, single tensors, and range requests to a server.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as torch from '../dist/index.js';
import { load, load_file, safe_open, safe_open_async, save, save_file } from '../dist/safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'typetorch-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'x.safetensors');
const tensors = {
  small: torch.tensor([1n, 2n]),
  weight: torch.arange(24, { dtype: torch.float32 }).view(4, 6),
  view: torch.arange(24, { dtype: torch.float32 }).view(4, 6).t(),
  half: torch.tensor([1.5, 2]).to(torch.bfloat16),
  flag: torch.tensor([true]),
  empty: torch.empty(0, 3),
};

describe('files', () => {
  it('round trip, wide types first', () => {
    save_file(tensors, file, { made: 'here' });
    const back = load_file(file);
    for (const [name, x] of Object.entries(tensors)) {
      expect(back[name].dtype).toBe(x.dtype);
      expect(back[name].equal(x)).toBe(true);
    }
    expect(Object.keys(back)).toEqual(['small', 'empty', 'view', 'weight', 'half', 'flag']);
    expect(Buffer.from(save(tensors, { made: 'here' })).equals(readFileSync(file))).toBe(true);
  });
  it('single tensors', () => {
    using f = safe_open(file);
    expect(f.metadata()).toEqual({ made: 'here' });
    expect(f.get_shape('weight')).toEqual([4, 6]);
    expect(f.get_tensor('half').tolist()).toEqual([1.5, 2]);
    expect(f.get_rows('weight', 1, 3).tolist()).toEqual(tensors.weight.narrow(0, 1, 2).tolist());
    expect(() => f.get_tensor('nothing')).toThrow('File does not contain tensor nothing');
    expect(() => f.get_rows('weight', 3, 5)).toThrow(/are not in tensor weight of shape \[4, 6\]/);
  });
  it('damage', () => {
    const bytes = readFileSync(file);
    expect(() => load(bytes.subarray(0, bytes.length - 1))).toThrow(/Error while deserializing header/);
    expect(() => load(Buffer.concat([bytes, Buffer.from('x')]))).toThrow('file not fully covered');
    expect(() => load(bytes.subarray(0, 5))).toThrow('header too small');
    const header = (text: string): Buffer => {
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(BigInt(text.length));
      return Buffer.concat([size, Buffer.from(text), Buffer.alloc(8)]);
    };
    const entry = (from: number, to: number): string =>
      `{"dtype":"F32","shape":[${(to - from) / 4}],"data_offsets":[${from},${to}]}`;
    expect(() => load(header(`{"a":${entry(0, 8)},"b":${entry(4, 8)}}`))).toThrow(
      "invalid offset for tensor 'b'",
    );
    expect(() => load(header(`{"a":${entry(0, 8).replace('F32', 'F99')}}`))).toThrow('unknown dtype F99');
    writeFileSync(join(folder, 'bad.safetensors'), '12345678');
    expect(() => safe_open(join(folder, 'bad.safetensors'))).toThrow('header too large');
  });
});

describe('on a server', () => {
  let server: Server;
  let url = '';
  const ranges: string[] = [];
  beforeAll(async () => {
    const big = { ...tensors, big: torch.rand(200, 300) };
    const bytes = Buffer.from(save(big));
    server = createServer((request, reply) => {
      if (request.url === '/plain') {
        reply.end(bytes);
        return;
      }
      if (request.url === '/gone') {
        reply.statusCode = 404;
        reply.end();
        return;
      }
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
      ranges.push(`${from}-${to}`);
      const end = Math.min(Number(to) + 1, bytes.length);
      reply.writeHead(206, { 'Content-Range': `bytes ${from}-${end - 1}/${bytes.length}` });
      reply.end(bytes.subarray(Number(from), end));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it('tensors are fetched when they are asked for', async () => {
    const f = await safe_open_async(`${url}/x`);
    expect(ranges).toEqual(['0-65535']);
    expect(f.keys()).toContain('big');
    expect((await f.get_tensor('small')).tolist()).toEqual([1, 2]);
    expect((await f.get_rows('big', 199, 200)).shape).toEqual([1, 300]);
    const seen: number[] = [];
    const some = await f.get_tensors(['weight', 'half'], (done) => seen.push(done));
    expect(some.weight.equal(tensors.weight)).toBe(true);
    expect(seen.at(-1)).toBe(24 * 4 + 4);
    expect(ranges.length).toBeGreaterThan(1);
  });
  it('servers without ranges, missing files', async () => {
    await expect(safe_open_async(`${url}/plain`)).rejects.toThrow('does not answer range requests');
    await expect(safe_open_async(`${url}/gone`)).rejects.toThrow('the server answered 404');
  });
  it('a Blob', async () => {
    const f = await safe_open_async(new Blob([save(tensors)]));
    expect((await f.get_tensor('weight')).equal(tensors.weight)).toBe(true);
  });
});
