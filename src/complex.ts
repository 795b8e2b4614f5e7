// Complex numbers as plain values: what item() returns and what scalar operands may be.

/** An immutable complex number. */
export class Complex {
  constructor(
    readonly re: number,
    readonly im: number = 0,
  ) {
    if (typeof re !== 'number' || typeof im !== 'number')
      throw new TypeError(`Complex takes two numbers, not ${typeof re} and ${typeof im}`);
  }
  /** As Python prints it: `(1+2j)`. */
  toString(): string {
    const sign = this.im < 0 || Object.is(this.im, -0) ? '-' : '+';
    return `(${this.re}${sign}${Math.abs(this.im)}j)`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
