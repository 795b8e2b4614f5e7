// Runs a GPT-2 checkpoint of Hugging Face: `node dist-examples/gpt2.js FOLDER TOKEN...` continues a row of tokens with
// the likeliest ones. FOLDER holds config.json and model.safetensors, such as a clone of huggingface.co/openai-community/gpt2;
// without one, the small random model of the tests.
import { argv } from 'node:process';
import * as torch from 'typetorch';
import { load_pretrained } from './gpt_model.js';

const [folder = 'test/goldens/gpt2', ...given] = argv.slice(2);
const tokens = given.length > 0 ? given.map(BigInt) : [44n, 39n, 33n];
const model = load_pretrained(folder);
const count = [...model.parameters()].reduce((sum, p) => sum + p.numel(), 0);
console.log(`${folder}: ${model.config.n_layer} layers, ${count.toLocaleString('en')} parameters`);

using _ = torch.no_grad();
let row = torch.tensor([tokens]);
const { values, indices } = torch.softmax(model(row).at(0, -1), -1).topk(3);
(indices.tolist() as number[]).forEach((token, i) => {
  console.log(`next is ${token} with probability ${values[i].item().toFixed(4)}`);
});
for (let i = 0; i < 10; i++) {
  const next = model(row.at(':', `${-model.config.n_ctx}:`))
    .at(':', -1)
    .argmax(-1, true);
  row = torch.cat([row, next], 1);
}
console.log(String(row.at(0)));
