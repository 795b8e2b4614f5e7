// The code pane: an editor that knows typetorch's types, and a console. Programs run in a worker of their own.
import 'monaco-editor/features/register.all';
import 'monaco-editor/languages/definitions/typescript/register';
import * as monaco from 'monaco-editor/editor/editor.api';
import * as typescript from 'monaco-editor/languages/features/typescript/register';
import { programs } from './programs.js';
import type { Output } from './runner.js';

declare global {
  interface Window {
    MonacoEnvironment?: monaco.Environment;
  }
}

window.MonacoEnvironment = {
  getWorker: (_id, label) =>
    new Worker(label === 'typescript' ? '/assets/ts.worker.js' : '/assets/editor.worker.js', {
      type: 'module',
    }),
};

const PROGRAM = monaco.Uri.parse('file:///program.ts');

/** Gives the editor typetorch's declarations, as `import 'typetorch'` sees them. */
async function addTypes(): Promise<void> {
  const { typescriptDefaults } = typescript;
  typescriptDefaults.setCompilerOptions({
    target: typescript.ScriptTarget.ESNext,
    module: typescript.ModuleKind.ESNext,
    moduleResolution: typescript.ModuleResolutionKind.NodeJs,
    strict: true,
    baseUrl: 'file:///',
    paths: { typetorch: ['typetorch/index.d.ts'], 'typetorch/vision': ['typetorch/vision/index.d.ts'] },
  });
  const files = (await (await fetch('/types.json')).json()) as Record<string, string>;
  typescriptDefaults.setExtraLibs(
    Object.entries(files).map(([name, content]) => ({ content, filePath: `file:///typetorch/${name}` })),
  );
}

async function compiled(): Promise<string> {
  const worker = await (await typescript.getTypeScriptWorker())(PROGRAM);
  const { outputFiles } = await worker.getEmitOutput(PROGRAM.toString());
  return outputFiles[0].text;
}

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

class Console {
  private worker: Worker | null = null;
  private readonly host = element('console');
  private readonly runButton = element<HTMLButtonElement>('run');
  private readonly stopButton = element<HTMLButtonElement>('stop');

  constructor() {
    this.runButton.addEventListener('click', () => void this.run());
    this.stopButton.addEventListener('click', () => this.end('stopped'));
  }
  private print(text: string, kind = ''): void {
    const line = document.createElement('div');
    line.className = kind;
    line.textContent = text;
    this.host.append(line);
    this.host.scrollTop = this.host.scrollHeight;
  }
  async run(): Promise<void> {
    this.end();
    this.host.replaceChildren();
    this.runButton.disabled = true;
    const code = await compiled();
    this.stopButton.disabled = false;
    this.worker = new Worker('/assets/runner.js', { type: 'module' });
    this.worker.addEventListener('message', ({ data }: MessageEvent<Output>) => {
      if (data.type === 'ready') this.worker?.postMessage(code);
      else if (data.type === 'done') this.end(`done in ${data.seconds.toFixed(2)} s`);
      else this.print(data.text, data.type === 'error' ? 'error' : '');
    });
    this.worker.addEventListener('error', (event) => {
      this.print(event.message, 'error');
      this.end();
    });
  }
  private end(note?: string): void {
    this.worker?.terminate();
    this.worker = null;
    this.runButton.disabled = false;
    this.stopButton.disabled = true;
    if (note) this.print(note, 'note');
  }
}

export async function startEditor(): Promise<void> {
  await addTypes();
  const names = Object.keys(programs);
  const model = monaco.editor.createModel(programs[names[0]], 'typescript', PROGRAM);
  const editor = monaco.editor.create(element('editor'), {
    model,
    theme: 'vs-dark',
    automaticLayout: true,
    minimap: { enabled: false },
    fontSize: 13.5,
    scrollBeyondLastLine: false,
    tabSize: 2,
    padding: { top: 10 },
    fixedOverflowWidgets: true,
  });
  const console = new Console();
  editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter, () => void console.run());
  const choice = element<HTMLSelectElement>('programs');
  choice.replaceChildren(...names.map((name) => new Option(name)));
  choice.addEventListener('change', () => model.setValue(programs[choice.value]));
}
