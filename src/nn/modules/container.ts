// Containers of modules and parameters.
import { IndexError, KeyError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { Parameter } from '../parameter.js';
import { Module } from './module.js';

/** A module that takes tensors and gives one, as most do: what a container holds unless its type says more. */
export type Layer = Module & ((...inputs: Tensor[]) => Tensor);

export interface Sequential {
  readonly [index: number]: Layer;
}

/** Modules called one after another. Takes modules, or one object (or Map) of named modules. */
export class Sequential extends Module {
  constructor(
    ...modules: readonly Module[] | readonly [Readonly<Record<string, Module>> | ReadonlyMap<string, Module>]
  ) {
    super();
    const [first] = modules;
    if (modules.length === 1 && !(first instanceof Module))
      for (const [name, module] of first instanceof Map
        ? first
        : Object.entries(first as Record<string, Module>))
        this.add_module(name, module);
    else
      (modules as readonly Module[]).forEach((module, i) => {
        this.add_module(String(i), module);
      });
  }
  forward(input: Tensor): Tensor {
    let x: unknown = input;
    for (const [, module] of Object.entries(this))
      if (module instanceof Module) x = (module as unknown as (x: unknown) => unknown)(x);
    return x as Tensor;
  }
  /** The modules, in order. */
  *[Symbol.iterator](): IterableIterator<Layer> {
    for (const value of Object.values(this)) if (value instanceof Module) yield value as Layer;
  }
  override get length(): number {
    return [...this].length;
  }
  /** The module at an index; negative ones count from the end. */
  at(index: number): Layer {
    return pick([...this], index);
  }
  append(module: Module): this {
    this.add_module(String(this.length), module);
    return this;
  }
  extend(modules: Iterable<Module>): this {
    for (const module of modules) this.append(module);
    return this;
  }
  insert(index: number, module: Module): this {
    return renumber(this, ([...this] as Module[]).toSpliced(index, 0, module));
  }
}

function pick<T>(list: readonly T[], index: number): T {
  if (index < -list.length || index >= list.length) throw new IndexError(`index ${index} is out of range`);
  return list.at(index) as T;
}

function renumber<M extends Module>(container: M, modules: readonly Module[]): M {
  for (const [name, value] of Object.entries(container))
    if (value instanceof Module) Reflect.deleteProperty(container, name);
  modules.forEach((module, i) => {
    container.add_module(String(i), module);
  });
  return container;
}

export interface ModuleList<M extends Module = Layer> {
  readonly [index: number]: M;
}

/** A list of modules; has no forward. */
export class ModuleList<M extends Module = Layer> extends Module {
  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }
  forward(..._args: never[]): never {
    throw new Error('Module [ModuleList] is missing the required "forward" function');
  }
  *[Symbol.iterator](): IterableIterator<M> {
    for (const value of Object.values(this)) if (value instanceof Module) yield value as M;
  }
  override get length(): number {
    return [...this].length;
  }
  at(index: number): M {
    return pick([...this], index);
  }
  append(module: M): this {
    this.add_module(String(this.length), module);
    return this;
  }
  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }
  insert(index: number, module: M): void {
    renumber(this, [...this].toSpliced(index, 0, module));
  }
  override _reprChildren(): [string, string][] {
    // Runs of modules that print alike share a line, as in PyTorch: (0-2): 3 x Linear(...)
    const texts = [...this].map(String);
    const out: [string, string][] = [];
    for (let i = 0; i < texts.length; ) {
      let j = i;
      while (j + 1 < texts.length && texts[j + 1] === texts[i]) j++;
      out.push(j === i ? [String(i), texts[i]] : [`${i}-${j}`, `${j - i + 1} x ${texts[i]}`]);
      i = j + 1;
    }
    return out;
  }
}

/** Modules by name; has no forward. */
export class ModuleDict<M extends Module = Layer> extends Module {
  constructor(modules: Readonly<Record<string, M>> | ReadonlyMap<string, M> | null = null) {
    super();
    if (modules !== null) this.update(modules);
  }
  forward(..._args: never[]): never {
    throw new Error('Module [ModuleDict] is missing the required "forward" function');
  }
  update(modules: Readonly<Record<string, M>> | ReadonlyMap<string, M>): void {
    for (const [name, module] of modules instanceof Map ? modules : Object.entries(modules))
      this.add_module(name, module);
  }
  /** The module of a name. @throws KeyError when there is none. */
  get(key: string): M {
    const value = (this as unknown as Record<string, unknown>)[key];
    if (!(value instanceof Module)) throw new KeyError(`'${key}'`);
    return value as M;
  }
  set(key: string, module: M): void {
    this.add_module(key, module);
  }
  has(key: string): boolean {
    return (this as unknown as Record<string, unknown>)[key] instanceof Module;
  }
  pop(key: string): M {
    const module = this.get(key);
    Reflect.deleteProperty(this, key);
    return module;
  }
  clear(): void {
    for (const key of [...this.keys()]) Reflect.deleteProperty(this, key);
  }
  *keys(): IterableIterator<string> {
    for (const [key] of this.named_children()) yield key;
  }
  *values(): IterableIterator<M> {
    yield* this.children() as IterableIterator<M>;
  }
  *items(): IterableIterator<[string, M]> {
    yield* this.named_children() as IterableIterator<[string, M]>;
  }
  override get length(): number {
    return [...this.keys()].length;
  }
}

/** The summary of a parameter in a list or dictionary. */
const parameterLine = (name: string, p: Parameter, type: string): string =>
  `  (${name}): Parameter containing: [${type} of size ${p.shape.join('x')}]`;

/** A list of parameters. */
export class ParameterList extends Module {
  constructor(values: Iterable<Tensor> = []) {
    super();
    this.extend(values);
  }
  forward(..._args: never[]): never {
    throw new Error('Module [ParameterList] is missing the required "forward" function');
  }
  *[Symbol.iterator](): IterableIterator<Parameter> {
    for (const [, p] of this._ownParameters()) yield p;
  }
  override get length(): number {
    return [...this].length;
  }
  at(index: number): Parameter {
    return pick([...this], index);
  }
  append(value: Tensor): this {
    this.register_parameter(String(this.length), value instanceof Parameter ? value : new Parameter(value));
    return this;
  }
  extend(values: Iterable<Tensor>): this {
    for (const value of values) this.append(value);
    return this;
  }
  override extra_repr(): string {
    return [...this._ownParameters()].map(([name, p]) => parameterLine(name, p, String(p.dtype))).join('\n');
  }
}

/** Parameters by name. */
export class ParameterDict extends Module {
  constructor(parameters: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor> | null = null) {
    super();
    if (parameters !== null) this.update(parameters);
  }
  forward(..._args: never[]): never {
    throw new Error('Module [ParameterDict] is missing the required "forward" function');
  }
  update(parameters: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>): void {
    for (const [key, value] of parameters instanceof Map ? parameters : Object.entries(parameters))
      this.set(key, value);
  }
  get(key: string): Parameter {
    const value = (this as unknown as Record<string, unknown>)[key];
    if (!(value instanceof Parameter)) throw new KeyError(`'${key}'`);
    return value;
  }
  set(key: string, value: Tensor): void {
    this.register_parameter(key, value instanceof Parameter ? value : new Parameter(value));
  }
  has(key: string): boolean {
    return (this as unknown as Record<string, unknown>)[key] instanceof Parameter;
  }
  *keys(): IterableIterator<string> {
    for (const [key] of this._ownParameters()) yield key;
  }
  *values(): IterableIterator<Parameter> {
    for (const [, p] of this._ownParameters()) yield p;
  }
  *items(): IterableIterator<[string, Parameter]> {
    yield* this._ownParameters();
  }
  override get length(): number {
    return [...this.keys()].length;
  }
  override extra_repr(): string {
    return [...this._ownParameters()]
      .map(([name, p]) => parameterLine(name, p, `torch.${p.dtype.scalarName}Tensor`))
      .join('\n');
  }
}
