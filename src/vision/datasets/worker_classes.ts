// The datasets that worker threads rebuild by name, with the transforms that travel there.
import '../transforms/index.js';

export { CIFAR10, CIFAR100 } from './cifar.node.js';
export { ImageFolder } from './folder.node.js';
