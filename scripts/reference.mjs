// npm run docs: writes docs/reference/*.md, the public API by namespace, from the docstrings and types of src/.
// `collect()` is what the tests read: entries with their documentation, signatures and examples.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ts } from '@ts-morph/common';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Entry points by the name of the package path. */
const ENTRIES = {
  torch: 'src/index.ts',
  vision: 'src/vision/index.ts',
  safetensors: 'src/safetensors/index.ts',
};
/** The most call forms shown of one function. */
const FORMS = 6;

function createProgram() {
  const platform = join(root, 'node_modules', '@typescript');
  const library = join(platform, readdirSync(platform)[0], 'lib');
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  host.getDefaultLibLocation = () => library;
  host.getDefaultLibFileName = (o) => join(library, ts.getDefaultLibFileName(o));
  const files = Object.values(ENTRIES).map((file) => join(root, file));
  return ts.createProgram(files, { ...options, noEmit: true, incremental: false }, host);
}

/** Code of a docstring: lines indented by four spaces, or fenced as ts. */
function examplesOf(documentation) {
  const fenced = [...documentation.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  const blocks = documentation.replace(/```[\s\S]*?```/g, '').split(/\n(?! {4}|\s*$)/);
  const indented = blocks
    .map((block) => block.split('\n').filter((line) => line.startsWith('    ')))
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => line.slice(4)).join('\n'));
  return [...fenced, ...indented];
}

/** Everything public: { module, name, kind, documentation, throws, signatures, examples, file }. */
export function collect() {
  const program = createProgram();
  const checker = program.getTypeChecker();
  const target = (symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;
  const entries = [];
  const seen = new Set();

  const signaturesOf = (symbol) => {
    const type = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration);
    const found =
      symbol.flags & ts.SymbolFlags.Class ? type.getConstructSignatures() : type.getCallSignatures();
    // Optional parameters say so by their question mark.
    return found.map((s) => checker.signatureToString(s, undefined, flags).replaceAll(' | undefined', ''));
  };
  const kindOf = (symbol) =>
    symbol.flags & ts.SymbolFlags.Class ? 'class' : signaturesOf(symbol).length > 0 ? 'function' : 'value';

  const visit = (moduleSymbol, module) => {
    if (seen.has(moduleSymbol)) return;
    seen.add(moduleSymbol);
    for (const exported of checker.getExportsOfModule(moduleSymbol)) {
      const symbol = target(exported);
      if (symbol.flags & ts.SymbolFlags.ValueModule) {
        visit(symbol, `${module}.${exported.name}`);
        continue;
      }
      if (!symbol.valueDeclaration || exported.name.startsWith('_')) continue;
      const tags = symbol.getJsDocTags(checker);
      if (tags.some(({ name }) => name === 'internal')) continue;
      const documentation = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
      entries.push({
        module,
        name: exported.name,
        kind: kindOf(symbol),
        documentation,
        throws: tags.filter(({ name }) => name === 'throws').map(({ text }) => ts.displayPartsToString(text)),
        signatures: signaturesOf(symbol),
        examples: examplesOf(documentation),
        file: symbol.valueDeclaration.getSourceFile().fileName.slice(root.length + 1),
      });
    }
  };
  for (const [name, file] of Object.entries(ENTRIES)) {
    const source = program.getSourceFile(join(root, file));
    visit(checker.getSymbolAtLocation(source), name);
  }
  return entries;
}

function render({ name, kind, documentation, throws, signatures, file }) {
  const head = kind === 'class' ? `new ${name}` : name;
  const forms = signatures.slice(0, FORMS).map((text) => head + text);
  if (signatures.length > FORMS) forms.push(`// and ${signatures.length - FORMS} more forms`);
  return [
    `### ${name}`,
    ...(forms.length > 0 ? ['', '```ts', ...forms, '```'] : []),
    '',
    documentation.replace(/\{@link ([^}]+)\}/g, '`$1`'),
    ...throws.map((text) => `\nThrows ${text}`),
    '',
    `<sub>[${file}](../../${file})</sub>`,
    '',
  ].join('\n');
}

function write() {
  const folder = join(root, 'docs', 'reference');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const modules = Map.groupBy
    ? Map.groupBy(collect(), ({ module }) => module)
    : collect().reduce((map, e) => map.set(e.module, [...(map.get(e.module) ?? []), e]), new Map());
  const names = [...modules.keys()].sort();
  for (const name of names) {
    const entries = modules.get(name).sort((a, b) => (a.name < b.name ? -1 : 1));
    writeFileSync(join(folder, `${name}.md`), `# ${name}\n\n${entries.map(render).join('\n')}`);
  }
  const index = names.map((name) => `- [${name}](${name}.md): ${modules.get(name).length} names`);
  writeFileSync(
    join(folder, 'README.md'),
    `# Reference\n\nMade from the docstrings by \`npm run docs\`. Methods of tensors are the functions of [torch](torch.md) with the tensor in front.\n\n${index.join('\n')}\n`,
  );
  console.log(`docs/reference: ${names.length} pages, ${[...modules.values()].flat().length} names`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) write();
