// Transforms and pictures on their way to the worker threads of a DataLoader: transforms by class name and fields.
import { Module } from '../../nn/index.js';
import { registerTraveller } from '../../utils/data/wire.js';
import { Image } from '../image.js';

type ModuleClass = abstract new (...args: never[]) => Module;

registerTraveller({
  name: 'vision.Image',
  owns: (x) => x instanceof Image,
  pack: (x: Image, inner) => inner(x.pixels),
  unpack: (data: never, inner) => new Image(inner(data) as Image['pixels']),
});

/** Lets instances of exactly these classes travel. */
export function registerTransforms(namespace: string, classes: Readonly<Record<string, unknown>>): void {
  for (const [name, type] of Object.entries(classes)) {
    if (typeof type !== 'function' || !(type.prototype instanceof Module)) continue;
    registerTraveller({
      name: `${namespace}.${name}`,
      owns: (x) => x instanceof Module && x.constructor === type,
      pack: (x: Module, inner) => Object.fromEntries(Object.entries(x).map(([k, v]) => [k, inner(v)])),
      unpack: (fields: Record<string, unknown>, inner) => {
        // The function object of the base class, with the class's prototype: its constructor has nothing to check again.
        const copy = Reflect.construct(Module as unknown as new () => Module, [], type as ModuleClass);
        for (const [k, v] of Object.entries(fields)) Object.assign(copy, { [k]: inner(v) });
        return copy;
      },
    });
  }
}
