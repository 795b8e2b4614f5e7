// What an editor shows: hovering a method shows the documentation of its op, and its definition is the op's record.
// Asked of TypeScript's language service (6, which @ts-morph/common carries); that of TypeScript 7 finds the definitions,
// too, but does not show documentation on members of mapped types yet.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ts } from '@ts-morph/common';
import { describe, expect, it } from 'vitest';
import '../src/index.js';
import * as families from '../src/ops/families.js';
import * as table from '../src/ops/table.js';

const root = join(import.meta.dirname, '..');
const probe = join(root, 'src', '__editor_probe__.ts');
const text = [
  "import { tensor } from './ops/data.js';",
  'const x = tensor([1]);',
  'x.sigmoid();',
  'x.softmax(0);',
  'x.matmul(x);',
].join('\n');

// The standard library's declarations come with the native compiler.
const platform = join(root, 'node_modules', '@typescript');
const library = join(platform, readdirSync(platform)[0], 'lib');
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const service = ts.createLanguageService({
  getCompilationSettings: () => ({ ...options, noEmit: true }),
  getScriptFileNames: () => [...fileNames, probe],
  getScriptVersion: () => '1',
  getScriptSnapshot: (file) =>
    file === probe
      ? ts.ScriptSnapshot.fromString(text)
      : ts.sys.fileExists(file)
        ? ts.ScriptSnapshot.fromString(readFileSync(file, 'utf8'))
        : undefined,
  getCurrentDirectory: () => root,
  getDefaultLibFileName: (o) => join(library, ts.getDefaultLibFileName(o)),
  fileExists: (file) => file === probe || ts.sys.fileExists(file),
  readFile: (file) => (file === probe ? text : ts.sys.readFile(file)),
  directoryExists: ts.sys.directoryExists,
});

/** Hover text and the line of the definition of `x.method`. */
function ask(method: string): { hover: string; file: string; line: string } {
  const position = text.indexOf(`x.${method}(`) + 2;
  const info = service.getQuickInfoAtPosition(probe, position);
  const [definition] = service.getDefinitionAtPosition(probe, position) ?? [];
  const source = readFileSync(definition.fileName, 'utf8');
  const start = source.lastIndexOf('\n', definition.textSpan.start) + 1;
  return {
    hover: ts.displayPartsToString(info?.documentation),
    file: definition.fileName,
    line: source.slice(start, source.indexOf('\n', start)),
  };
}

it('has a type for each method and a method for each type', () => {
  const ops = (names: object): string[] =>
    Object.entries(names)
      .filter(([, value]) => typeof value === 'function' && 'opName' in value)
      .map(([name]) => name)
      .sort();
  expect(ops(families)).toEqual(ops(table));
});

describe('the language service', () => {
  it.each([
    ['sigmoid', /Logistic function/],
    ['softmax', /exp\(x\) \/ sum/],
    ['matmul', /matrix product/i],
  ])(
    'documents x.%s and finds its record',
    (method, documentation) => {
      const { hover, file, line } = ask(method);
      expect(hover).toMatch(documentation);
      expect(file).toMatch(/src\/ops\/\w+\.ts$/);
      expect(line).toContain(`export const ${method}`);
    },
    60_000,
  );
});
