"""Expectations of test/optim.test.ts, from PyTorch: python scripts/goldens/optim.py > test/goldens/optim.json

Parameters after each of four steps on fixed gradients (LBFGS: on a quartic, in float64: in float32 rounding decides when its stopping tests hold), and rates and momenta over 12 epochs."""
import json
import warnings

import torch

warnings.simplefilter("ignore")

OPTIMIZERS = [
    ("RMSprop", {}), ("RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.5, "initial_accumulator_value": 0.2}), ("Adadelta", {"weight_decay": 0.1}),
    ("Adamax", {"maximize": True, "weight_decay": 0.1}), ("NAdam", {"weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"betas": [0.9, 0.9], "weight_decay": 0.1}), ("RAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("ASGD", {"t0": 1, "weight_decay": 0.1}), ("Rprop", {}), ("Rprop", {"etas": [0.4, 1.3], "maximize": True}),
    ("Adafactor", {"weight_decay": 0.1}), ("Muon", {}), ("Muon", {"adjust_lr_fn": "match_rms_adamw", "nesterov": False}),
    ("LBFGS", {"max_iter": 3}), ("LBFGS", {"line_search_fn": "strong_wolfe", "max_iter": 4}), ("LBFGS", {"history_size": 2, "lr": 0.3}),
]
SCHEDULES = [
    ("MultiStepLR", [[2, 5, 5]], {"gamma": 0.5}), ("ConstantLR", [0.5, 3], {}), ("LinearLR", [], {"end_factor": 0.7, "total_iters": 4}),
    ("ExponentialLR", [0.8], {}), ("PolynomialLR", [6], {"power": 2.0}), ("StepLR", [3], {}),
    ("CosineAnnealingLR", [4], {"eta_min": 0.01}), ("CosineAnnealingWarmRestarts", [2], {"T_mult": 2}),
    ("CyclicLR", [0.01, 0.1], {"step_size_up": 3, "mode": "triangular2"}),
    ("CyclicLR", [0.01, 0.1], {"step_size_up": 2, "step_size_down": 3, "mode": "exp_range", "gamma": 0.9}),
    ("OneCycleLR", [0.3], {"total_steps": 12}), ("OneCycleLR", [0.3], {"total_steps": 14, "three_phase": True, "anneal_strategy": "linear"}),
]


def values(i, shape, dtype=torch.float32):
    n = shape[0] * shape[1]
    return ((torch.arange(n, dtype=dtype) * 7 + i * 5) % 11 / 5 - 1).reshape(shape)


def trajectory(name, options):
    dtype = torch.float64 if name == "LBFGS" else torch.float32
    p = values(0, [3, 2], dtype).requires_grad_()
    opt = getattr(torch.optim, name)([p], **options)
    out = []
    for i in range(4):
        if name == "LBFGS":
            def closure():
                opt.zero_grad()
                loss = ((p - values(3, [3, 2], dtype)) * values(4, [3, 2], dtype)).square().sum() + p.pow(4).sum()
                loss.backward()
                return loss
            opt.step(closure)
        else:
            p.grad = values(i + 1, [3, 2])
            opt.step()
        out.append(p.detach().flatten().tolist())
    return {"name": name, "options": options, "params": out}


def history(name, args, options):
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    schedule = getattr(torch.optim.lr_scheduler, name)(opt, *args, **options)
    out = []
    for _ in range(12):
        out.append([opt.param_groups[0]["lr"], opt.param_groups[0]["momentum"]])
        opt.step()
        if _ < 11:
            schedule.step()
    return {"name": name, "args": args, "options": options, "rates": out}


print(json.dumps({"optimizers": [trajectory(*c) for c in OPTIMIZERS], "schedules": [history(*c) for c in SCHEDULES]}))
