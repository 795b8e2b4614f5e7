"""Makes test/goldens/gpt2: a small random GPT-2 as transformers saves it, with its logits and what it generates.

Usage: python scripts/goldens/gpt2.py test/goldens/gpt2   (needs torch and transformers)
"""

import json
import pathlib
import sys

import torch
from transformers import GPT2Config, GPT2LMHeadModel

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(0)
config = GPT2Config(vocab_size=61, n_positions=16, n_embd=24, n_layer=2, n_head=3, bos_token_id=0, eos_token_id=60, initializer_range=0.3)
model = GPT2LMHeadModel(config).eval()
for p in model.parameters():
    if p.dim() == 1:
        torch.nn.init.normal_(p, 0.5, 0.3)
model.save_pretrained(folder)
(folder / "generation_config.json").unlink(missing_ok=True)
tokens = torch.randint(0, 60, [2, 11])
with torch.no_grad():
    logits = model(tokens).logits
    written = tokens[:1, :3]
    for _ in range(10):
        written = torch.cat([written, model(written).logits[:, -1:].argmax(-1)], 1)
expected = {"tokens": tokens.tolist(), "logits": [[[float(f"{v:.6g}") for v in row] for row in x] for x in logits.tolist()], "written": written[0].tolist()}
(folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")))
