// The WebAssembly back end beside other JavaScript libraries' WebAssembly, one thread each, in one run:
//     node bench/peers.mjs [rounds] [--cpu]
// --cpu takes the processor's time instead of the clock's, for a machine that does other things meanwhile.
// The peers are installed outside the repository, in a folder of the system's temporary directory. Each round runs
// every library in a process of its own, one after the other; a workload's time is the least of all rounds.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { argv, env, execPath, exit } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PEERS = ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0', '@jax-js/jax@0.1.25'];
const folder = join(tmpdir(), 'typetorch-peers');
const dist = new URL('../dist/index.js', import.meta.url).href;
const [BATCH, IN, HIDDEN, OUT] = [64, 784, 256, 10];

/** What each library is asked for: the names are those of the table. */
const libraries = {
  async typetorch() {
    const torch = await import(dist);
    torch.set_num_threads(1);
    const { nn, optim } = torch;
    const [a, b, x] = [torch.rand(1024, 1024), torch.rand(1024, 1024), torch.rand(1_000_000)];
    const net = new nn.Sequential(new nn.Linear(IN, HIDDEN), new nn.ReLU(), new nn.Linear(HIDDEN, OUT));
    const loss = new nn.CrossEntropyLoss();
    const sgd = new optim.SGD(net.parameters(), { lr: 0.01 });
    const [images, labels] = [torch.rand(BATCH, IN), torch.randint(0, OUT, [BATCH])];
    return {
      'sgemm 1024': () => a.matmul(b),
      'exp of 1M': () => x.exp(),
      'MLP step, batch 64'() {
        const l = loss(net(images), labels);
        sgd.zero_grad();
        l.backward();
        sgd.step();
      },
    };
  },

  async 'tfjs-wasm'() {
    const peer = (name) => import(pathToFileURL(join(folder, 'node_modules', '@tensorflow', name)).href);
    const tf = await peer('tfjs/dist/tf.node.js');
    const { setThreadsCount } = await peer('tfjs-backend-wasm/dist/tf-backend-wasm.node.js');
    setThreadsCount(1);
    await tf.setBackend('wasm');
    await tf.ready();
    const [a, b, x] = [
      tf.randomUniform([1024, 1024]),
      tf.randomUniform([1024, 1024]),
      tf.randomUniform([1_000_000]),
    ];
    const variable = (...shape) => tf.variable(tf.randomNormal(shape, 0, 0.05));
    const [w1, b1, w2, b2] = [variable(IN, HIDDEN), variable(HIDDEN), variable(HIDDEN, OUT), variable(OUT)];
    const images = tf.randomUniform([BATCH, IN]);
    const labels = tf.oneHot(tf.randomUniform([BATCH], 0, OUT, 'int32'), OUT);
    const sgd = tf.train.sgd(0.01);
    // What its layers compute, without the overhead of the layers.
    const cost = () => {
      const logits = tf.relu(images.matMul(w1).add(b1)).matMul(w2).add(b2);
      return tf.losses.softmaxCrossEntropy(labels, logits);
    };
    return {
      'sgemm 1024': () => a.matMul(b).dispose(),
      'exp of 1M': () => x.exp().dispose(),
      'MLP step, batch 64': () => tf.tidy(() => sgd.minimize(cost)),
    };
  },

  async 'jax-js'() {
    const jax = await import(
      pathToFileURL(join(folder, 'node_modules', '@jax-js', 'jax', 'dist', 'index.js')).href
    );
    const { jit, numpy: np, nn, valueAndGrad } = jax;
    await jax.init('wasm');
    jax.defaultDevice('wasm');
    const random = (...shape) => {
      const data = Float32Array.from({ length: shape.reduce((n, s) => n * s, 1) }, () => Math.random() - 0.5);
      return np.array(data).reshape(shape);
    };
    const done = async (y) => {
      await jax.blockUntilReady(y);
      for (const part of Array.isArray(y) ? y : [y]) part.dispose();
    };
    const [a, b, x] = [random(1024, 1024), random(1024, 1024), random(1_000_000)];
    const product = jit((p, q) => np.matmul(p, q));
    const exp = jit((v) => np.exp(v));
    let params = [random(IN, HIDDEN), random(HIDDEN), random(HIDDEN, OUT), random(OUT)];
    const images = random(BATCH, IN);
    const labels = nn.oneHot(
      np.array(
        Int32Array.from({ length: BATCH }, (_, i) => i % OUT),
        { dtype: np.int32 },
      ),
      OUT,
    );
    const cost = ([w1, b1, w2, b2], input, target) => {
      const logits = np.matmul(nn.relu(np.matmul(input, w1).add(b1)), w2).add(b2);
      return nn
        .logSoftmax(logits)
        .mul(target)
        .sum()
        .mul(-1 / BATCH);
    };
    const step = jit((p, input, target) => {
      const [value, gradients] = valueAndGrad(cost)(
        p.map((v) => v.ref),
        input,
        target,
      );
      return [value, ...p.map((v, i) => v.sub(gradients[i].mul(0.01)))];
    });
    return {
      'sgemm 1024': () => done(product(a.ref, b.ref)),
      'exp of 1M': () => done(exp(x.ref)),
      async 'MLP step, batch 64'() {
        const [value, ...next] = step(params, images.ref, labels.ref);
        params = next;
        await jax.blockUntilReady([value, ...params]);
        value.dispose();
      },
    };
  },
};

/** Milliseconds so far. */
function now(cpu) {
  if (!cpu) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

/** Least milliseconds of each workload, over stretches of some tens of milliseconds, within about a second of calls. */
async function measure(library, cpu) {
  const times = {};
  for (const [name, call] of Object.entries(await libraries[library]())) {
    for (let i = 0; i < 20; i++) await call();
    times[name] = Number.POSITIVE_INFINITY;
    const end = now(cpu) + 1500;
    while (now(cpu) < end) {
      const start = now(cpu);
      let calls = 0;
      for (; now(cpu) < start + 30; calls++) await call();
      times[name] = Math.min(times[name], (now(cpu) - start) / calls);
      // Memory comes back between tasks.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  return times;
}

function install() {
  if (existsSync(join(folder, 'node_modules', '@jax-js', 'jax'))) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}\n');
  console.error(`Installing the peers in ${folder}...`);
  if (
    spawnSync('npm', ['install', '--no-audit', '--no-fund', ...PEERS], { cwd: folder, stdio: 'inherit' })
      .status !== 0
  )
    exit(1);
}

function compare(rounds, cpu) {
  const least = {};
  for (let round = 0; round < rounds; round++)
    for (const library of Object.keys(libraries)) {
      const child = spawnSync(
        execPath,
        [fileURLToPath(import.meta.url), '--measure', library, ...(cpu ? ['--cpu'] : [])],
        {
          encoding: 'utf8',
          env: { ...env, TYPETORCH_CPU: 'wasm', TYPETORCH_NUM_THREADS: '1' },
        },
      );
      if (child.status !== 0) throw new Error(`${library}: ${child.stderr}`);
      const times = JSON.parse(child.stdout.trim().split('\n').at(-1));
      for (const [name, ms] of Object.entries(times)) {
        least[name] ??= {};
        least[name][library] = Math.min(least[name][library] ?? Number.POSITIVE_INFINITY, ms);
      }
    }
  const names = Object.keys(libraries);
  console.log(
    `Node ${process.version}, one thread, least of ${rounds} rounds, ms${cpu ? ' of processor time' : ''} (times as slow as typetorch)`,
  );
  for (const [workload, times] of Object.entries(least)) {
    const cells = names.map(
      (n) => `${n} ${times[n].toFixed(3)} (${(times[n] / times.typetorch).toFixed(2)})`,
    );
    console.log(`${workload.padEnd(20)} ${cells.join('   ')}`);
  }
  const flops = (ms) => (2 * 1024 ** 3) / ms / 1e6;
  console.log(
    `sgemm: ${names.map((n) => `${n} ${flops(least['sgemm 1024'][n]).toFixed(1)}`).join(', ')} GFLOP/s`,
  );
}

if (argv[2] === '--measure') {
  console.log(JSON.stringify(await measure(argv[3], argv.includes('--cpu'))));
  exit(0);
} else {
  install();
  compare(Number(argv[2]) || 3, argv.includes('--cpu'));
}
