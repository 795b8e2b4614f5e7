// The order of equal elements after sort (goldens: scripts/goldens/sort.py).
import { replay } from './golden_cases.js';

replay('sort');
