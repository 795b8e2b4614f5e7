// npm's install step. In the published package: builds the addon where no prebuilt binary serves this platform; where
// that fails, the WebAssembly build that the package carries serves. In a checkout, where nothing is generated yet: leaves it to `npm run build`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const prebuilt = join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'typetorch.node');
const checkout = existsSync(join(root, 'src', 'index.ts'));

if (!checkout && !existsSync(prebuilt)) {
  // npm says where its own node-gyp is.
  const gyp = process.env.npm_config_node_gyp;
  const command = gyp ? [process.execPath, [gyp, 'rebuild']] : ['node-gyp', ['rebuild']];
  const { status } = spawnSync(...command, { cwd: root, stdio: 'inherit' });
  if (status !== 0)
    console.error(
      'typetorch: the native addon did not build; the WebAssembly build of the kernels serves instead, which is slower. The addon needs a C++20 compiler (g++ 12, clang 15 or newer), make and Python 3; then run `npm rebuild typetorch`.',
    );
}
