// torchvision.models: each function makes a model with torchvision's parameter names and initial values.

export * from './convnext.js';
export * from './densenet.js';
export * from './efficientnet.js';
export * from './mobilenet.js';
export * from './resnet.js';
export * from './vgg.js';
export * from './vision_transformer.js';
