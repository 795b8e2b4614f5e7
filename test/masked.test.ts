// torch.masked and torch.gradient against PyTorch (goldens: scripts/goldens/masked.py).
import { replay } from './golden_cases.js';

replay('masked');
