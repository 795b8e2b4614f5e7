// torch.nn.utils.skip_init
import type { DeviceLike } from '../../device.js';
import { isKeywords } from '../../dispatch/schema.js';
import { RuntimeError } from '../../errors.js';
import { Module } from '../modules/module.js';

/**
 * Makes a module whose parameters keep whatever is in their memory: for those that are about to be loaded.
 * @throws RuntimeError for a class whose constructor takes no `device`.
 */
export function skip_init<A extends readonly unknown[], M extends Module>(
  module_cls: new (...args: A) => M,
  ...args: A
): M {
  if (typeof module_cls !== 'function' || !(module_cls.prototype instanceof Module))
    throw new RuntimeError(`Expected a Module; got ${String(module_cls)}`);
  const last = args[args.length - 1];
  const options = isKeywords(last) ? last : {};
  const positional = isKeywords(last) ? args.slice(0, -1) : [...args];
  const device = (options.device ?? 'cpu') as DeviceLike;
  let module: M;
  try {
    module = new module_cls(...([...positional, { ...options, device: 'meta' }] as unknown as A));
  } catch (error) {
    if (/unexpected keyword argument 'device'/.test((error as Error).message))
      throw new RuntimeError("Module must support a 'device' arg to skip initialization");
    throw error;
  }
  return module.to_empty({ device });
}
