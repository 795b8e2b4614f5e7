// In browsers there are no files to append to.
import { RuntimeError } from '../../errors.js';
import type { LogFile } from './log_file.node.js';

export function openLog(folder: string, _name: string, _fresh = false): LogFile {
  throw new RuntimeError(`${folder}: files are written in Node; this runtime has none`);
}

export const whoami = (): { host: string; process: number } => ({ host: 'browser', process: 0 });

export const atExit =
  (_fn: () => void): (() => void) =>
  () =>
    undefined;
