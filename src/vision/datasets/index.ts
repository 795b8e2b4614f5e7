// torchvision.datasets

export { FashionMNIST, MNIST, type MNISTOptions } from '#mnist';
export { parseIdx } from './idx.js';
