// torchvision.datasets

export * from '#vision-datasets';
export { FakeData } from './fake.js';
export { parseIdx } from './idx.js';
export { FashionMNIST, MNIST, type MNISTFiles, type MNISTOptions } from './mnist.js';
export { type TransformOptions, VisionDataset } from './vision.js';
