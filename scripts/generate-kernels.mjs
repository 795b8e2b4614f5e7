// Writes native/generated/: the span functions of every pointwise op and derivative, as C++.
// Files whose text did not change keep their time stamps, so that only what changed is compiled again.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { pointwiseOps, kernelTypes } = await import('../dist/esm/dispatch/pointwise.js');
const { spanFile, spanTableFile } = await import('../dist/esm/backends/cpu/cpp.js');
// Every module that defines pointwise records; none of them loads a back end.
for (const module of ['ops/table.js', 'special.js', 'nn/index.js', 'optim/index.js'])
  await import(`../dist/esm/${module}`);

/** How many files the spans are spread over: enough to compile in parallel, the same at every run. */
const FILES = 12;
const target = join(root, 'native', 'generated');

const complexKernels = existsSync(join(root, 'native', 'vcomplex.h'));
const spans = new Map();
function add(program, types) {
  const span = spans.get(program.key) ?? { program, types: new Set() };
  for (const t of types) if (!t.is_complex || complexKernels) span.types.add(t);
  spans.set(program.key, span);
}
for (const op of pointwiseOps) {
  const { forward, derivative } = kernelTypes(op);
  add(op.program, forward);
  for (const d of op.derivatives) if (d && !d.passes) add(d.program, derivative);
}

/** A span goes to the file that its text picks, so that adding one changes one file. */
function fileOf(key) {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) >>> 0;
  return hash % FILES;
}
const byKey = (a, b) => (a.program.key < b.program.key ? -1 : 1);
const files = Array.from({ length: FILES }, () => []);
for (const span of spans.values()) files[fileOf(span.program.key)].push(span);

mkdirSync(target, { recursive: true });
const wanted = new Map(files.map((list, i) => [`spans_${i}.cc`, spanFile(list.sort(byKey))]));
wanted.set('span_table.cc', spanTableFile([...spans.values()].sort(byKey)));
for (const [name, text] of wanted) {
  const path = join(target, name);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
}
for (const name of readdirSync(target)) if (!wanted.has(name)) rmSync(join(target, name));
