// The datasets that read files.

export { CIFAR10, CIFAR100, type CIFAROptions } from './cifar.node.js';
export {
  DatasetFolder,
  default_loader,
  type FolderOptions,
  find_classes,
  has_file_allowed_extension,
  IMG_EXTENSIONS,
  ImageFolder,
  type ImageFolderOptions,
  is_image_file,
  type Loader,
  make_dataset,
} from './folder.node.js';
