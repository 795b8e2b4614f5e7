// What the page and the worker that trains say to each other.

export type ModelName = 'mlp' | 'cnn';

export interface Settings {
  model: ModelName;
  lr: number;
  batch_size: number;
  epochs: number;
}

export type Request =
  | ({ type: 'train' } & Settings)
  | { type: 'stop' }
  /** 784 grey values in [0, 1], row by row. */
  | { type: 'predict'; pixels: Float32Array };

export type Reply =
  | { type: 'ready'; backend: string; train: number; test: number }
  | { type: 'progress'; steps: number[]; losses: number[]; epoch: number; imagesPerSecond: number }
  | { type: 'accuracy'; value: number; epoch: number }
  /** Test images (28 x 28 bytes each), what the network reads and what they are. */
  | { type: 'samples'; images: Uint8Array; predictions: number[]; labels: number[] }
  | { type: 'prediction'; probabilities: number[] }
  | { type: 'done'; stopped: boolean; seconds: number }
  | { type: 'error'; message: string };
