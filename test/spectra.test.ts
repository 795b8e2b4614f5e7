// Windows and short-time spectra against PyTorch (goldens: scripts/goldens/spectra.py).
import { replay } from './golden_cases.js';

replay('spectra');
