// torchvision.datasets
export { parseIdx } from './idx.js';
export { FashionMNIST, MNIST, type MNISTOptions } from '#mnist';
