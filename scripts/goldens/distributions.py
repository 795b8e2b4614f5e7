"""Writes goldens of torch.distributions. python scripts/goldens/distributions.py test/goldens

Distributions: the class and its parameters (each a leaf), samples after manual_seed(0), the gradients of the sum of squares of
reparameterized samples, log_prob and cdf at given values with gradients, moments, entropy, the text. Divergences of pairs, and
transforms with their inverses and Jacobians, and messages.
"""
import json
import sys
import warnings

import torch
import torch.distributions as D
from cases import dump

warnings.simplefilter("ignore")
F64 = torch.float64


def t(*values, dtype=F64):
    return torch.tensor(values, dtype=dtype)


def made(spec):
    """A distribution from [class, {parameter: value}], values being tensors, numbers or again such lists."""
    name, params = spec
    args = {}
    leaves = []
    for key, value in params.items():
        if isinstance(value, list):
            args[key], more = made(value)
            leaves += more
        elif isinstance(value, torch.Tensor) and value.is_floating_point():
            leaf = value.clone().requires_grad_()
            leaves.append(leaf)
            args[key] = leaf
        else:
            args[key] = value
    if name in ("Independent", "MixtureSameFamily"):
        return getattr(D, name)(*args.values()), leaves
    return getattr(D, name)(**args), leaves


def encode(spec):
    name, params = spec
    return [name, {k: encode(v) if isinstance(v, list) else {"$tensor": dump(v)} if isinstance(v, torch.Tensor) else v for k, v in params.items()}]


def attempt(f):
    try:
        return f()
    except (NotImplementedError, RuntimeError, AttributeError):
        return None


def gradients(out, leaves):
    if not isinstance(out, torch.Tensor) or not out.requires_grad:
        return None
    grads = attempt(lambda: torch.autograd.grad(out.square().sum(), leaves, allow_unused=True, retain_graph=True))
    return None if grads is None else [None if g is None else dump(g) for g in grads]


def distribution(spec, values):
    d, leaves = made(spec)
    case = {"spec": encode(spec), "text": str(d), "support": str(d.support), "batch": list(d.batch_shape), "event": list(d.event_shape)}
    torch.manual_seed(0)
    case["sample"] = dump(d.sample((3,)))
    if d.has_rsample:
        torch.manual_seed(0)
        x = d.rsample((2,))
        case["rsample"] = dump(x)
        case["rsample_grad"] = gradients(x, leaves)
    case["numbers"] = {}
    for name in ("mean", "mode", "variance", "stddev"):
        found = attempt(lambda: getattr(d, name))
        if found is not None:
            case["numbers"][name] = {"out": dump(found)}
    for name in ("entropy", "perplexity"):
        found = attempt(lambda: getattr(d, name)())
        if found is not None:
            case["numbers"][name] = {"out": dump(found), "grad": gradients(found, leaves)}
    for name in ("log_prob", "cdf"):
        found = attempt(lambda: getattr(d, name)(values))
        if found is not None:
            case["numbers"][name] = {"at": dump(values), "out": dump(found), "grad": gradients(found, leaves)}
    p = torch.tensor(0.3, dtype=values.dtype if values.is_floating_point() else F64)
    found = attempt(lambda: d.icdf(p))
    if found is not None:
        case["numbers"]["icdf"] = {"at": dump(p), "out": dump(found), "grad": gradients(found, leaves)}
    if d.has_enumerate_support and spec[0] != "Independent":
        case["all"] = dump(d.enumerate_support())
    fits = values.shape == d.batch_shape + d.event_shape
    wide = attempt(lambda: d.expand((2, *d.batch_shape))) if fits else None
    case["wide"] = None if wide is None else [list(wide.batch_shape), dump(wide.log_prob(values))]
    return case


def distributions():
    loc, scale, pos, other = t(0.5, -1.0), t(1.5, 0.3), t(0.7, 2.5), t(3.0, 0.4)
    real, unit = t(0.2, 1.3), t(0.3, 0.9)
    for name in ("Normal", "Laplace", "Cauchy", "Gumbel"):
        yield distribution([name, {"loc": loc, "scale": scale}], real)
    yield distribution(["Normal", {"loc": 0.5, "scale": 2.0}], torch.tensor(0.7))
    yield distribution(["LogNormal", {"loc": loc, "scale": scale}], unit)
    yield distribution(["HalfNormal", {"scale": scale}], unit)
    yield distribution(["HalfCauchy", {"scale": scale}], unit)
    yield distribution(["Uniform", {"low": t(-1.0, 0.0), "high": t(0.5, 2.0)}], unit)
    yield distribution(["StudentT", {"df": t(5.0, 1.5), "loc": loc, "scale": scale}], real)
    yield distribution(["Exponential", {"rate": pos}], unit)
    yield distribution(["Gamma", {"concentration": pos, "rate": other}], unit)
    yield distribution(["Gamma", {"concentration": t(0.1, 20.0, 300.0), "rate": t(1.0, 1.0, 1.0)}], t(0.1, 19.0, 310.0))
    yield distribution(["InverseGamma", {"concentration": t(0.7, 3.5), "rate": other}], unit)
    yield distribution(["Chi2", {"df": t(3.0, 0.5)}], unit)
    yield distribution(["Beta", {"concentration1": pos, "concentration0": other}], unit)
    yield distribution(["Dirichlet", {"concentration": t(0.5, 2.0, 8.0)}], t(0.2, 0.3, 0.5))
    yield distribution(["FisherSnedecor", {"df1": t(3.0, 5.0), "df2": t(6.0, 3.0)}], unit)
    yield distribution(["Weibull", {"scale": scale, "concentration": t(1.5, 3.0)}], unit)
    yield distribution(["Pareto", {"scale": t(0.1, 0.5), "alpha": t(1.5, 3.0)}], unit)
    yield distribution(["Kumaraswamy", {"concentration1": t(1.5, 2.0), "concentration0": t(3.0, 1.2)}], unit)
    for key, value in (("probs", unit), ("logits", loc)):
        yield distribution(["Bernoulli", {key: value}], t(1.0, 0.0))
        yield distribution(["Geometric", {key: value}], t(3.0, 1.0))
        yield distribution(["Binomial", {"total_count": 4, key: value}], t(3.0, 1.0))
        yield distribution(["NegativeBinomial", {"total_count": 4, key: value}], t(3.0, 1.0))
        yield distribution(["RelaxedBernoulli", {"temperature": t(0.7)[0], key: value}], unit)
    for key in ("probs", "logits"):
        weights = t(0.2, 1.0, 3.0)
        yield distribution(["Categorical", {key: weights}], torch.tensor([0, 2, 1]))
        yield distribution(["OneHotCategorical", {key: weights}], t(0.0, 0.0, 1.0))
        yield distribution(["Multinomial", {"total_count": 4, key: weights}], t(1.0, 0.0, 3.0))
        yield distribution(["RelaxedOneHotCategorical", {"temperature": t(0.7)[0], key: weights}], t(0.2, 0.3, 0.5))
    yield distribution(["OneHotCategoricalStraightThrough", {"probs": t(0.2, 1.0, 3.0)}], t(0.0, 1.0, 0.0))
    yield distribution(["Poisson", {"rate": t(0.5, 4.0)}], t(1.0, 3.0))
    yield distribution(["LogisticNormal", {"loc": loc, "scale": scale}], t(0.2, 0.3, 0.5))
    matrix = torch.tensor([[2.0, 0.3], [0.3, 0.5]], dtype=F64)
    yield distribution(["MultivariateNormal", {"loc": loc, "covariance_matrix": matrix}], real)
    yield distribution(["MultivariateNormal", {"loc": torch.stack([loc, real]), "precision_matrix": matrix}], real)
    yield distribution(["MultivariateNormal", {"loc": loc, "scale_tril": torch.linalg.cholesky(matrix)}], real)
    for key, value in (("probs", t(0.3, 0.4995)), ("logits", t(2.0, 0.0004))):
        yield distribution(["ContinuousBernoulli", {key: value}], t(0.3, 0.9))
    yield distribution(["VonMises", {"loc": loc, "concentration": t(0.5, 9.0)}], real)
    # PyTorch's works in single precision only.
    tails = {"loc": t(0.1, 0.2, 0.3).float(), "scale": t(1.5, 0.5, 2.0).float(), "concentration": t(0.3, 0.0, -0.4).float()}
    yield distribution(["GeneralizedPareto", tails], t(0.5, 1.5, 2.5).float())
    factor = torch.tensor([[0.5, 0.1], [-0.3, 2.0], [1.0, 0.4]], dtype=F64)
    low = {"loc": t(0.5, -1.0, 2.0), "cov_factor": factor, "cov_diag": t(0.4, 1.0, 0.2)}
    yield distribution(["LowRankMultivariateNormal", low], t(0.2, 1.3, 1.0))
    tril = torch.tensor([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]], dtype=F64)
    yield distribution(["LKJCholesky", {"dim": 3, "concentration": t(1.0, 2.5)}], tril)
    normal = ["Normal", {"loc": loc, "scale": scale}]
    yield distribution(["Independent", {"base_distribution": normal, "reinterpreted_batch_ndims": 1}], real)
    mixture = ["Categorical", {"probs": t(0.3, 0.7)}]
    yield distribution(["MixtureSameFamily", {"mixture_distribution": mixture, "component_distribution": normal}], torch.tensor(0.4, dtype=F64))


def divergence(p, q):
    a, x = made(p)
    b, y = made(q)
    out = D.kl_divergence(a, b)
    return {"p": encode(p), "q": encode(q), "out": dump(out), "grad": gradients(out, x + y)}


def divergences():
    loc, scale, pos, other = t(0.5, -1.0), t(1.5, 0.3), t(0.7, 2.5), t(3.0, 0.4)
    unit, matrix = t(0.3, 0.9), torch.tensor([[2.0, 0.3], [0.3, 0.5]], dtype=F64)
    factor = torch.tensor([[0.5], [-0.3]], dtype=F64)
    made_of = {
        "LowRankMultivariateNormal": ["LowRankMultivariateNormal", {"loc": loc, "cov_factor": factor, "cov_diag": t(0.4, 1.0)}],
        "ContinuousBernoulli": ["ContinuousBernoulli", {"probs": t(0.2, 0.9)}],
        "Normal": ["Normal", {"loc": loc, "scale": scale}],
        "Laplace": ["Laplace", {"loc": loc, "scale": scale}],
        "Gumbel": ["Gumbel", {"loc": loc, "scale": scale}],
        "Uniform": ["Uniform", {"low": t(0.1, 0.2), "high": t(1.0, 3.0)}],
        "Exponential": ["Exponential", {"rate": pos}],
        "Gamma": ["Gamma", {"concentration": pos, "rate": other}],
        "Beta": ["Beta", {"concentration1": pos, "concentration0": other}],
        "Pareto": ["Pareto", {"scale": t(0.2, 0.5), "alpha": t(2.5, 3.0)}],
        "Bernoulli": ["Bernoulli", {"probs": unit}],
        "Poisson": ["Poisson", {"rate": pos}],
        "Geometric": ["Geometric", {"probs": unit}],
        "Binomial": ["Binomial", {"total_count": 3, "probs": unit}],
        "HalfNormal": ["HalfNormal", {"scale": scale}],
        "Cauchy": ["Cauchy", {"loc": loc, "scale": scale}],
        "Dirichlet": ["Dirichlet", {"concentration": t(0.5, 2.0, 8.0)}],
        "Categorical": ["Categorical", {"probs": t(0.2, 0.5, 0.3)}],
        "OneHotCategorical": ["OneHotCategorical", {"logits": t(0.2, 0.5, 0.3)}],
        "LogNormal": ["LogNormal", {"loc": loc, "scale": scale}],
        "MultivariateNormal": ["MultivariateNormal", {"loc": loc, "covariance_matrix": matrix}],
    }
    second = {
        "LowRankMultivariateNormal": ["LowRankMultivariateNormal", {"loc": t(0.1, 0.2), "cov_factor": factor * 2 + 1, "cov_diag": t(1.4, 0.7)}],
        "ContinuousBernoulli": ["ContinuousBernoulli", {"logits": t(0.2, 0.9)}],
        "Normal": ["Normal", {"loc": t(1.0, 0.0), "scale": t(0.7, 1.1)}],
        "Laplace": ["Laplace", {"loc": t(1.0, 0.0), "scale": t(0.7, 1.1)}],
        "Gumbel": ["Gumbel", {"loc": t(1.0, 0.0), "scale": t(0.7, 1.1)}],
        "Uniform": ["Uniform", {"low": t(0.0, 0.5), "high": t(2.0, 4.0)}],
        "Exponential": ["Exponential", {"rate": t(0.4, 1.2)}],
        "Gamma": ["Gamma", {"concentration": t(1.4, 0.3), "rate": t(1.0, 2.0)}],
        "Beta": ["Beta", {"concentration1": t(1.4, 0.3), "concentration0": t(1.0, 2.0)}],
        "Pareto": ["Pareto", {"scale": t(0.1, 0.7), "alpha": t(1.5, 2.0)}],
        "Bernoulli": ["Bernoulli", {"probs": t(0.5, 0.0)}],
        "Poisson": ["Poisson", {"rate": t(1.4, 0.3)}],
        "Geometric": ["Geometric", {"probs": t(0.5, 0.2)}],
        "Binomial": ["Binomial", {"total_count": 3, "probs": t(0.5, 0.2)}],
        "HalfNormal": ["HalfNormal", {"scale": t(0.7, 1.1)}],
        "Cauchy": ["Cauchy", {"loc": t(1.0, 0.0), "scale": t(0.7, 1.1)}],
        "Dirichlet": ["Dirichlet", {"concentration": t(1.5, 1.0, 2.0)}],
        "Categorical": ["Categorical", {"probs": t(0.4, 0.1, 0.5)}],
        "OneHotCategorical": ["OneHotCategorical", {"logits": t(0.4, 0.1, 0.5)}],
        "LogNormal": ["LogNormal", {"loc": t(1.0, 0.0), "scale": t(0.7, 1.1)}],
        "MultivariateNormal": ["MultivariateNormal", {"loc": t(0.0, 0.3), "scale_tril": torch.tensor([[1.0, 0.0], [0.4, 2.0]], dtype=F64)}],
    }
    pairs = [(name, name) for name in made_of]
    pairs += [(name, "Normal") for name in ("Beta", "Exponential", "Gamma", "Gumbel", "Laplace", "Uniform")]
    pairs += [("MultivariateNormal", "LowRankMultivariateNormal"), ("LowRankMultivariateNormal", "MultivariateNormal")]
    pairs += [("Bernoulli", "Poisson"), ("Beta", "Exponential"), ("Exponential", "Gamma"), ("Gamma", "Exponential"), ("Uniform", "Exponential"), ("Normal", "Laplace"), ("Normal", "Gamma"), ("Poisson", "Bernoulli")]
    for p, q in pairs:
        yield divergence(made_of[p], second[q])


def transform(name, args, x):
    T = getattr(D, name)(*args)
    x = x.clone().requires_grad_()
    y = T(x)
    back = T.inv(y.detach())
    jacobian = attempt(lambda: T.log_abs_det_jacobian(x, y))
    case = {"name": name, "args": [{"$tensor": dump(a)} if isinstance(a, torch.Tensor) else a for a in args], "x": dump(x), "y": dump(y), "grad": gradients(y, [x])[0], "back": dump(back)}
    case["jacobian"] = None if jacobian is None else dump(jacobian)
    case["text"] = str(T)
    case["shapes"] = [list(T.forward_shape(x.shape)), list(T.inverse_shape(y.shape))]
    case["regions"] = [str(T.domain), str(T.codomain)]
    return case


def transformations():
    x = t(0.3, -1.2, 2.0)
    for name in ("ExpTransform", "SigmoidTransform", "TanhTransform", "SoftplusTransform", "AbsTransform", "SoftmaxTransform", "StickBreakingTransform"):
        yield transform(name, [], x)
    yield transform("PowerTransform", [t(2.0, 3.0, 0.5)], x.abs())
    yield transform("AffineTransform", [t(0.5, 1.0, 2.0), t(2.0, -3.0, 0.5)], x)
    yield transform("AffineTransform", [0.5, -2.5], x)
    yield transform("AffineTransform", [0.5, -2.5, 1], x)
    yield transform("ReshapeTransform", [[4], [2, 2]], t(1.0, 2.0, 3.0, 4.0))
    square = torch.tensor([[0.3, 2.0], [-1.0, 0.7]], dtype=F64)
    yield transform("PositiveDefiniteTransform", [], square)
    yield transform("CorrCholeskyTransform", [], x)
    yield transform("LowerCholeskyTransform", [], torch.tensor([[0.3, 2.0], [-1.0, 0.7]], dtype=F64))


def message(f):
    try:
        f()
    except Exception as e:
        return [type(e).__name__, str(e)]
    raise AssertionError("no error")


def messages():
    one = torch.tensor(1.0)
    yield message(lambda: D.Normal(torch.tensor([0.0, 1.0]), torch.tensor([1.0, -1.0])))
    yield message(lambda: D.Normal(0.5, 1.5).log_prob(torch.tensor(float("nan"))))
    yield message(lambda: D.Normal(torch.zeros(2), torch.ones(2)).log_prob(torch.zeros(3)))
    yield message(lambda: D.Bernoulli())
    yield message(lambda: D.Bernoulli(torch.tensor([0.5])).log_prob(torch.tensor([0.5])))
    yield message(lambda: D.Categorical(one))
    yield message(lambda: D.Categorical(torch.ones(3)).log_prob(torch.tensor(3)))
    yield message(lambda: D.Dirichlet(one))
    yield message(lambda: D.Dirichlet(torch.ones(3)).log_prob(torch.ones(2)))
    yield message(lambda: D.Independent(D.Normal(0.5, 1.5), 1))
    yield message(lambda: D.MultivariateNormal(torch.zeros(2)))
    yield message(lambda: D.MultivariateNormal(one, one))
    yield message(lambda: D.Uniform(torch.tensor([2.5]), torch.tensor([1.5])))
    yield message(lambda: D.kl_divergence(D.Normal(0.5, 1.5), D.Bernoulli(0.5)))
    yield message(lambda: D.ReshapeTransform([2], [3]))


torch.manual_seed(0)
families = {"distributions": distributions, "divergences": divergences, "transforms": transformations, "messages": messages}
with open(f"{sys.argv[1]}/distributions.json", "w") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}:[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in v()) + "\n]" for k, v in families.items()) + "\n}\n")
