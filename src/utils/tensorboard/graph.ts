// A module's ops as TensorFlow's GraphDef, which TensorBoard's graph page draws: one node per op, inside of its module.
import { no_grad } from '../../autograd/modes.js';
import { intercept } from '../../dispatch/intercept.js';
import { flatten } from '../../func/tree.js';
import type { Module } from '../../nn/modules/module.js';
import { Tensor } from '../../tensor.js';
import { Message } from './proto.js';

/** DT_INVALID apart, shapes are all that TensorBoard shows of a node's results. */
function outputShapes(tensors: readonly Tensor[]): Message {
  const list = new Message();
  for (const { shape } of tensors) {
    const dims = new Message();
    for (const size of shape) dims.add(2, new Message().int(1, size));
    list.add(7, dims);
  }
  return new Message().add(1, list);
}

class Tracer {
  readonly graph = new Message();
  /** Modules that are being called, from the outermost: their nodes' names begin so. */
  readonly scopes: string[] = [];
  private readonly producer = new Map<Tensor, string>();
  private readonly used = new Map<string, number>();

  constructor(private readonly names: ReadonlyMap<Tensor, string>) {}

  /** A name that no other node has. */
  private unique(name: string): string {
    const n = this.used.get(name) ?? 0;
    this.used.set(name, n + 1);
    return n === 0 ? name : `${name}_${n}`;
  }

  node(name: string, kind: string, inputs: readonly string[], results: readonly Tensor[], note = ''): void {
    const path = this.unique(name);
    const node = new Message().add(1, path).add(2, kind);
    for (const input of inputs) node.add(3, input);
    node.add(5, new Message().add(1, '_output_shapes').add(2, outputShapes(results)));
    if (note !== '') node.add(5, new Message().add(1, 'attr').add(2, new Message().add(2, note)));
    this.graph.add(1, node);
    for (const result of results) this.producer.set(result, path);
  }

  /** The node that made a tensor; parameters and constants get theirs at the first use. */
  source(x: Tensor): string {
    if (!this.producer.has(x)) {
      const name = this.names.get(x);
      const kind = name === undefined ? 'constant' : 'parameter';
      this.node([...this.scopes, name ?? 'constant'].join('/'), kind, [], [x]);
    }
    return this.producer.get(x) as string;
  }

  op(name: string, args: readonly unknown[], run: (...args: readonly unknown[]) => unknown): unknown {
    const out = run(...args);
    const inputs = tensorsOf(args).map((x) => this.source(x));
    const settings = args.filter((x) => typeof x === 'number' || typeof x === 'string' || isSizes(x));
    const short = name.slice(name.lastIndexOf('.') + 1);
    this.node(
      [...this.scopes, short].join('/'),
      name,
      inputs,
      tensorsOf(out),
      settings.map(String).join('; '),
    );
    return out;
  }
}

const isSizes = (x: unknown): boolean => Array.isArray(x) && x.every((v) => typeof v === 'number');
const tensorsOf = (tree: unknown): Tensor[] => flatten(tree).leaves.filter((x) => x instanceof Tensor);

/** The name of a module's own part in a node's name: `Linear[fc1]`. */
const scopeOf = (name: string, module: Module): string =>
  name === '' ? module._getName() : `${module._getName()}[${name.slice(name.lastIndexOf('.') + 1)}]`;

/** Runs the model on its inputs and writes down the ops: the bytes of a GraphDef. */
export function graphOf(model: Module, inputs: readonly unknown[]): Uint8Array {
  const names = new Map<Tensor, string>();
  for (const [name, x] of [...model.named_parameters(), ...model.named_buffers()])
    names.set(x, name.slice(name.lastIndexOf('.') + 1));
  const tracer = new Tracer(names);
  const hooks = [...model.named_modules()].flatMap(([name, module]) => [
    module.register_forward_pre_hook(() => void tracer.scopes.push(scopeOf(name, module))),
    module.register_forward_hook(() => void tracer.scopes.pop()),
  ]);
  try {
    tensorsOf(inputs).forEach((x, i) => void tracer.node(`input/${i}`, 'IO Node', [], [x]));
    const call = model as unknown as (...args: readonly unknown[]) => unknown;
    const out = intercept(
      (name, args, run) => tracer.op(name, args, run),
      () => no_grad(() => call(...inputs)),
    );
    tensorsOf(out).forEach((x, i) => void tracer.node(`output/${i}`, 'IO Node', [tracer.source(x)], [x]));
  } finally {
    for (const hook of hooks) hook.remove();
  }
  return tracer.graph.add(4, new Message().int(1, 22)).finish();
}
