// The types of the tensor methods, derived from the op records: nothing is listed by hand.
import type * as autograd from '../autograd/methods.js';
import type { DType } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import type { InPlaceMethods, Methods, Properties } from './define.js';
import type * as table from './families.js';
import type * as methods from './method_table.js';
import type * as properties from './properties.js';

export interface TensorMethods
  extends Methods<typeof table>,
    Properties<typeof table>,
    Properties<typeof properties>,
    InPlaceMethods<typeof table>,
    Methods<typeof methods>,
    Methods<typeof autograd> {
  type(): string;
  type(dtype: DType | string | null, non_blocking?: boolean): Tensor;
}
