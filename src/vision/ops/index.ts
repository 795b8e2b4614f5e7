// torchvision.ops

export {
  type BoxFormat,
  batched_nms,
  box_area,
  box_convert,
  box_iou,
  clip_boxes_to_image,
  complete_box_iou,
  distance_box_iou,
  generalized_box_iou,
  masks_to_boxes,
  nms,
  remove_small_boxes,
} from './boxes.js';
export { generalized_box_iou_loss, type Reduction, sigmoid_focal_loss } from './losses.js';
export {
  Conv2dNormActivation,
  Permute,
  SqueezeExcitation,
  StochasticDepth,
  stochastic_depth,
} from './misc.js';
export { RoIAlign, type RoIAlignOptions, roi_align } from './roi_align.js';
