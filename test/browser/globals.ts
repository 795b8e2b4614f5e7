export { Buffer as NodeBuffer, process as NodeProcess } from './node.js';
