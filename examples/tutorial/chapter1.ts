// Chapter 1: install and check.
import * as torch from 'typetorch';

console.log(typeof torch.__version__);
console.log(torch.cuda.is_available());
