// Protocol buffers, written field by field (https://protobuf.dev/programming-guides/encoding): TensorBoard's messages need no more.
// Fields whose value is the default are left out by whoever writes, as proto3 does, except where presence counts.

const utf8 = new TextEncoder();
const scratch = new DataView(new ArrayBuffer(8));

/** Wire types. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** A message as it grows; `fields` are numbers of the message's definition. */
export class Message {
  private readonly parts: Uint8Array[] = [];

  private key(field: number, type: number): void {
    this.parts.push(varint(BigInt((field << 3) | type)));
  }

  /** An int32, int64, uint32, bool or enum. */
  int(field: number, value: number | bigint | boolean): this {
    this.key(field, VARINT);
    this.parts.push(varint(whole(value)));
    return this;
  }

  double(field: number, value: number): this {
    this.key(field, FIXED64);
    scratch.setFloat64(0, value, true);
    this.parts.push(new Uint8Array(scratch.buffer.slice(0, 8)));
    return this;
  }

  float(field: number, value: number): this {
    this.key(field, FIXED32);
    scratch.setFloat32(0, value, true);
    this.parts.push(new Uint8Array(scratch.buffer.slice(0, 4)));
    return this;
  }

  /** A string, bytes, or a message inside this one. */
  add(field: number, value: string | Uint8Array | Message): this {
    const bytes =
      typeof value === 'string' ? utf8.encode(value) : value instanceof Message ? value.finish() : value;
    this.key(field, LENGTH);
    this.parts.push(varint(BigInt(bytes.length)), bytes);
    return this;
  }

  /** A string that is left out when it is empty. */
  text(field: number, value: string): this {
    return value === '' ? this : this.add(field, value);
  }

  /** Packed doubles. */
  doubles(field: number, values: ArrayLike<number>): this {
    const view = new DataView(new ArrayBuffer(8 * values.length));
    for (let i = 0; i < values.length; i++) view.setFloat64(8 * i, values[i], true);
    return values.length === 0 ? this : this.add(field, new Uint8Array(view.buffer));
  }

  /** Packed floats. */
  floats(field: number, values: ArrayLike<number>): this {
    const view = new DataView(new ArrayBuffer(4 * values.length));
    for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
    return values.length === 0 ? this : this.add(field, new Uint8Array(view.buffer));
  }

  /** Packed whole numbers. */
  ints(field: number, values: ArrayLike<number | bigint | boolean>): this {
    const packed = joined(Array.from(values, (value) => varint(whole(value))));
    return values.length === 0 ? this : this.add(field, packed);
  }

  /** The message's bytes. */
  finish(): Uint8Array {
    return joined(this.parts);
  }
}

const whole = (value: number | bigint | boolean): bigint =>
  BigInt.asUintN(64, typeof value === 'number' ? BigInt(Math.trunc(value)) : BigInt(value));

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** Arrays of bytes one after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
