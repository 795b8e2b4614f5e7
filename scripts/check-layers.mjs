// Checks the floors of docs/architecture.md: value imports lead only to floors below, or to files of the same floor
// without a cycle; type-only imports are free. Also: `node:` modules only in *.node.ts, and no file of src/ has
// more than 600 lines.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MAX_LINES = 600;

/** Each floor's files, from the ground up; a file belongs to the first floor that matches. */
const floors = [
  ['values', /^(dtype|device|errors|warnings|complex|pyformat|version)\.ts$/],
  ['expressions', /^expr\.ts$/],
  ['tensor', /^(storage|tensor)\.ts$/],
  ['back ends', /^backends\//],
  ['graph', /^autograd\/(modes|node|saved|graph|hooks|anomaly|engine)\.ts$/],
  ['dispatch', /^(dispatch\/|generator\.ts|print_options\.ts)/],
  ['ops', /^(ops|linalg|fft|signal|masked)\/|^(special|threads|format|cuda)\.ts$/],
  ['built from ops', /^autograd\/(?!index\.ts)/],
  ['training', /./],
];

/** Imports that go up, and files that are too long, with the reason for each. */
const exceptions = new Map([]);

const floorOf = (file) => floors.findIndex(([, pattern]) => pattern.test(file));

const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) =>
    relative(join(root, 'src'), join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'),
  )
  .sort();
const { imports: packageImports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The file of src/ that a specifier leads to; null for other modules. */
function target(from, specifier) {
  const compiled = packageImports[specifier]?.default;
  if (compiled) return compiled.replace('./dist/esm/', '').replace(/\.js$/, '.ts');
  if (!specifier.startsWith('.')) return null;
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

/** Does a clause such as `{ type A, type B }` import types alone? */
function typesOnly(clause) {
  if (/^type\s/.test(clause)) return true;
  const named = /^\{([\s\S]*)\}$/.exec(clause.trim());
  if (!named) return false;
  const names = named[1].split(',').filter((name) => name.trim() !== '');
  return names.length > 0 && names.every((name) => /^\s*type\s/.test(name));
}

const STATEMENT = /^(?:import|export)\s+(?:([^'";]*?)\s+from\s+)?'([^']+)'/gm;

/** The specifiers of a file's imports at run time. */
function valueImports(text) {
  return [...text.matchAll(STATEMENT)]
    .filter(([, clause]) => clause === undefined || !typesOnly(clause))
    .map(([, , specifier]) => specifier);
}

const problems = [];
const used = new Set();
function problem(key, text) {
  if (exceptions.has(key)) used.add(key);
  else problems.push(text);
}

const graph = new Map();
for (const file of files) {
  const text = readFileSync(join(root, 'src', file), 'utf8');
  const lines = text.split('\n').length - 1;
  if (lines > MAX_LINES) problem(file, `${file} has ${lines} lines, more than ${MAX_LINES}`);
  const below = [];
  for (const specifier of valueImports(text)) {
    if (specifier.startsWith('node:') && !file.endsWith('.node.ts'))
      problem(`${file} > ${specifier}`, `${file} imports ${specifier}: only *.node.ts may`);
    const to = target(file, specifier);
    if (to === null) continue;
    if (floorOf(to) > floorOf(file))
      problem(
        `${file} > ${to}`,
        `${file} (${floors[floorOf(file)][0]}) imports ${to} from a floor above (${floors[floorOf(to)][0]})`,
      );
    below.push(to);
  }
  graph.set(file, below);
}

/** Reports every cycle that a depth-first search closes. */
function findCycles() {
  const state = new Map();
  const path = [];
  const visit = (file) => {
    state.set(file, 'open');
    path.push(file);
    for (const to of graph.get(file) ?? []) {
      if (state.get(to) === 'open') {
        const cycle = [...path.slice(path.indexOf(to)), to];
        problem(`${file} > ${to}`, `import cycle: ${cycle.join(' > ')}`);
      } else if (!state.has(to)) visit(to);
    }
    path.pop();
    state.set(file, 'done');
  };
  for (const file of files) if (!state.has(file)) visit(file);
}
findCycles();

for (const key of exceptions.keys())
  if (!used.has(key)) problems.push(`the exception '${key}' is not needed any more`);
for (const text of problems) console.error(text);
console.error(
  problems.length ? `${problems.length} problems` : `${files.length} files: every floor rests on those below`,
);
process.exit(problems.length ? 1 : 0);
