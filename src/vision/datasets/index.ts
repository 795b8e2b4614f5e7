// torchvision.datasets

export { parseIdx } from './idx.js';
export { FashionMNIST, MNIST, type MNISTFiles, type MNISTOptions } from './mnist.js';
