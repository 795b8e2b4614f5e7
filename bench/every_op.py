"""The calls of every_op.txt in PyTorch: reads lines of JSON {"call", "iterations"}, answers seconds (or an error)."""

import json
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
torch.manual_seed(0)
F = torch.nn.functional
names = {"torch": torch, "F": F}
for line in open(sys.argv[2]):
    name, text = line.split("=", 1)
    names[name.strip()] = eval(text, names)
calls = {}
print("ready", torch.__version__, flush=True)
for line in sys.stdin:
    ask = json.loads(line)
    try:
        with torch.no_grad():
            run = calls.setdefault(ask["call"], eval(f"lambda: {ask['call']}", names))
            start = time.perf_counter()
            for _ in range(ask["iterations"]):
                run()
            print(time.perf_counter() - start, flush=True)
    except Exception as error:
        print(json.dumps(str(error).split("\n")[0]), flush=True)
