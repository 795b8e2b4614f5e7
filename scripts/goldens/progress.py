"""Lines of tqdm: python scripts/goldens/progress.py test/goldens. Needs tqdm."""

import json
import sys

from tqdm import tqdm

CASES = [
    dict(n=0, total=100, elapsed=0),
    dict(n=45, total=100, elapsed=9, prefix="epoch 1", postfix="loss=0.5"),
    dict(n=3, total=7, elapsed=10),
    dict(n=7, total=7, elapsed=4000),
    dict(n=8, total=7, elapsed=2),
    dict(n=12, total=None, elapsed=5, unit="img", prefix="x"),
    dict(n=0, total=None, elapsed=0),
    dict(n=333, total=1000, elapsed=12.5, ncols=80),
    dict(n=333, total=1000, elapsed=12.5, ncols=60, ascii=True),
    dict(n=333, total=1000, elapsed=12.5, ncols=0),
    dict(n=5, total=10, elapsed=2, ncols=20),
    dict(n=9, total=10, elapsed=2, rate=100.0),
    dict(n=1, total=10**6, elapsed=0.5),
]
VALUES = [0.5, 0.123456, 1234.5678, 12.0, 3, 100000, 1e-7, 0.00012345, 123456.789, "text", 2.5e22, 0.1 + 0.2]


def line(case):
    return tqdm.format_meter(**{"ascii": False, **case})


golden = {
    "lines": [[case, line(case)] for case in CASES],
    "values": [[v, v if isinstance(v, str) else tqdm.format_num(v)] for v in VALUES],
}
with open(f"{sys.argv[1]}/progress.json", "w") as out:
    json.dump(golden, out, indent=1, ensure_ascii=False)
    out.write("\n")
