// What the tests use of vitest, in a page: cases are collected, then run one after the other between two turns of the
// event loop, as the memory of dropped tensors comes back there.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  customMatchers,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
} from '@vitest/expect';
import * as chai from 'chai';

type Body = () => unknown;
interface Case {
  readonly name: string;
  readonly body: Body;
  readonly suite: Suite;
}
interface Suite {
  readonly name: string;
  readonly parent: Suite | null;
  readonly before: Body[];
  readonly after: Body[];
  readonly afterEach: Body[];
}

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = ((value: unknown, message?: string) => chai.expect(value, message)) as unknown as {
  (value: unknown, message?: string): Chai.Assertion;
  extend(matchers: object): void;
};
Object.assign(expect, chai.expect, (globalThis as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT]);
(chai.expect as unknown as { extend(to: unknown, matchers: object): void }).extend(expect, customMatchers);

const root: Suite = { name: '', parent: null, before: [], after: [], afterEach: [] };
let current = root;
const cases: Case[] = [];

/** printf-like names of tables of cases: %s, %i, %j … take the arguments in turn. */
const titled = (title: string, args: readonly unknown[]): string => {
  let next = 0;
  return title.replace(/%[sdifjop]/g, () => String(args[next++]));
};
/** What runs a body for each row of a table, under a name made from the row. */
const forEach =
  (run: (name: string, body: Body) => void) =>
  (table: readonly unknown[]) =>
  (title: string, body: (...args: unknown[]) => unknown): void => {
    for (const row of table) {
      const args = Array.isArray(row) ? row : [row];
      run(titled(title, args), () => body(...args));
    }
  };

function suite(name: string, body: () => void): void {
  const outer = current;
  current = { name, parent: outer, before: [], after: [], afterEach: [] };
  body();
  current = outer;
}
export const describe = Object.assign(suite, { each: forEach(suite) });

const addCase = (name: string, body: Body): void => {
  cases.push({ name, body, suite: current });
};
const skip = (_name: string, _body: Body): void => {};
export const it = Object.assign(addCase, {
  skipIf: (condition: boolean) => (condition ? skip : it),
  each: forEach(addCase),
});
export const test = it;
export const beforeAll = (body: Body): number => current.before.push(body);
export const afterAll = (body: Body): number => current.after.push(body);
export const afterEach = (body: Body): number => current.afterEach.push(body);
const anything: unknown = new Proxy(() => anything, { get: () => anything });
/** Types are checked where the tests are compiled. */
export const expectTypeOf = (): unknown => anything;

const chain = (suite: Suite): Suite[] => (suite.parent ? [...chain(suite.parent), suite] : [suite]);

export interface Outcome {
  passed: number;
  failures: { name: string; message: string }[];
}

/** Runs what was collected. */
export async function run(): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failures: [] };
  const started = new Set<Suite>();
  for (const { name, body, suite } of cases) {
    const suites = chain(suite);
    try {
      for (const s of suites)
        if (!started.has(s)) {
          started.add(s);
          for (const before of s.before) await before();
        }
      await body();
      for (const s of suites) for (const after of s.afterEach) await after();
      outcome.passed++;
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      outcome.failures.push({
        name: [...suites.map((s) => s.name), name].filter(Boolean).join(' > '),
        message,
      });
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  for (const s of started) for (const after of s.after) await after();
  return outcome;
}
