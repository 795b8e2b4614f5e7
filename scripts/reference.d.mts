/** Everything public, from the docstrings and types of src/. */
export function collect(): {
  module: string;
  name: string;
  kind: 'class' | 'function' | 'value';
  documentation: string;
  throws: string[];
  signatures: string[];
  examples: string[];
  file: string;
}[];
