"""Tables and schedules of torch.profiler, texts of torch.utils.benchmark: python scripts/goldens/profiler.py test/goldens"""

import json
import sys
import warnings

from torch.autograd.profiler_util import EventList, FunctionEvent
from torch.profiler import schedule
from torch.utils.benchmark import Compare
from torch.utils.benchmark.utils.common import Measurement, TaskSpec, select_unit

warnings.simplefilter("ignore")

# name, start, end, shapes; in the order of the starts.
SPANS = [
    ["train", 0.0, 9000.5, []],
    ["aten::linear", 10.0, 2000.25, [[5, 10], [10, 10], [10]]],
    ["aten::addmm", 20.0, 1900.0, [[10], [5, 10], [10, 10]]],
    ["aten::linear", 2500.0, 2800.0, [[5, 10], [10, 10], []]],
    ["aten::add", 3000.0, 3000.125, [[5], []]],
    ["autograd::engine::evaluate_function: SomeVeryLongNameOfANodeBackward0", 4000.0, 4100.0, []],
    ["ProfilerStep*", 10000.0, 1210000.0, []],
    ["aten::add", 10001.0, 10002.0, [[5], []]],
]


def events():
    found = []
    for i, (name, start, end, shapes) in enumerate(SPANS):
        found.append(FunctionEvent(i + 1, name, 0, start, end, input_shapes=shapes, stack=[]))
    tree = EventList(found)
    tree._build_tree()
    return tree


TABLES = [
    [{}, {}],
    [{}, dict(sort_by="cpu_time_total", row_limit=3)],
    [{}, dict(sort_by="self_cpu_time_total", header="times", time_unit="ms")],
    [dict(group_by_input_shapes=True), dict(sort_by="count", max_name_column_width=20, max_shapes_column_width=18)],
    [dict(group_by_input_shapes=True), {}],
]
MEASUREMENTS = [
    ([1e-5, 2e-5, 3e-5, 4e-5, 5e-5], 10, {}),
    ([0.5], 3, {"label": "L", "sub_label": "s", "num_threads": 2}),
    ([1e-3, 1.1e-3, 1.05e-3, 1.2e-3, 1.3e-3, 1.0e-3], 1, {"setup": "a = 1\nb = 2", "description": "n=4"}),
    ([1e-8] * 4, 5, {"stmt": "a\nb", "sub_label": "q"}),
    ([1e-3, 1.0001e-3, 1.0002e-3, 1.0001e-3], 1, {}),
    ([3.0, 4.0], 1, {"setup": "z = 3"}),
]
SCHEDULES = [
    dict(wait=1, warmup=1, active=2),
    dict(wait=0, warmup=1, active=1, repeat=2),
    dict(wait=2, warmup=0, active=3, repeat=1, skip_first=4),
    dict(wait=3, warmup=1, active=1, skip_first=2, skip_first_wait=1),
]
UNITS = [5e-10, 1e-9, 5e-8, 9.99e-7, 1e-6, 2e-4, 1e-3, 0.02, 1.0, 50.0, 5000.0]


def compare(envs, style):
    results = []
    for threads in [1, 2]:
        for env in envs:
            for sub in ["ones", "a longer name"]:
                for n, description in enumerate(["n=1", "n=1000"]):
                    if (sub, description, threads) == ("ones", "n=1000", 2):
                        continue
                    base = (1.3e-5 if sub == "ones" else 4.1e-5) * (1 + 30 * n) / threads
                    spread = 0.4 if (n, threads) == (1, 1) else 0.01
                    times = [base * (1 + spread * k / 4) for k in range(5)]
                    task = TaskSpec(
                        stmt="f(x)", setup="", label="L", sub_label=sub, description=description, env=env, num_threads=threads
                    )
                    results.append(Measurement(1, times, task))
    table = Compare(results)
    for name in style:
        if name == "rowwise":
            table.colorize(rowwise=True)
        else:
            getattr(table, name)()
    return [envs, style, str(table)]


COMPARES = [
    ([None], []),
    ([None], ["highlight_warnings"]),
    ([None], ["trim_significant_figures", "highlight_warnings"]),
    (["branch", "main"], ["colorize"]),
    (["branch", "main"], ["rowwise", "trim_significant_figures"]),
]


def measurement(raw, n, task):
    m = Measurement(n, raw, TaskSpec(**{"stmt": "x.add(y)", "setup": "", **task}))
    text = repr(m).split("\n", 1)[1]
    numbers = [m.median, m.mean, m.iqr, m.significant_figures]
    return {"raw": raw, "n": n, "task": task, "text": text, "numbers": numbers, "warns": m.has_warnings}


golden = {
    "spans": SPANS,
    "tables": [[by, how, events().key_averages(**by).table(**how)] for by, how in TABLES],
    "list": events().table(top_level_events_only=True),
    "measurements": [measurement(*case) for case in MEASUREMENTS],
    "schedules": [[how, [schedule(**how)(i).value for i in range(14)]] for how in SCHEDULES],
    "compares": [compare(*case) for case in COMPARES],
    "units": [[t, select_unit(t)[0]] for t in UNITS],
}
with open(f"{sys.argv[1]}/profiler.json", "w") as out:
    json.dump(golden, out, indent=1)
    out.write("\n")
