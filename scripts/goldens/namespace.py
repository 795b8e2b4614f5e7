"""Writes goldens of functions that torch has beside torch.nn.functional, of segment_reduce, and of integer factors.

python scripts/goldens/namespace.py test/goldens
"""
import sys
import warnings

import torch
from cases import case, leaf, write

warnings.simplefilter("ignore")
F64 = torch.float64


def losses():
    a, b, c = leaf(3, 4), leaf(3, 4), torch.randn(3, 4, dtype=F64)
    sign = torch.tensor([1.0, -1.0, 1.0], dtype=F64)
    for reduction in (0, 1, 2):
        yield case("binary_cross_entropy_with_logits", a, torch.rand(3, 4, dtype=F64), None, None, reduction)
        yield case("hinge_embedding_loss", a, torch.randn(3, 4, dtype=F64).sign(), 0.5, reduction)
        yield case("cosine_embedding_loss", a, b, sign, 0.1, reduction)
        yield case("margin_ranking_loss", a, b, torch.randn(3, 4, dtype=F64).sign(), 0.1, reduction)
        yield case("triplet_margin_loss", a, b, c, 1.0, 2.0, 1e-6, False, reduction)
        yield case("kl_div", a, torch.rand(3, 4, dtype=F64), reduction)
        yield case("kl_div", a, torch.randn(3, 4, dtype=F64), reduction, log_target=True)
        yield case("poisson_nll_loss", a, torch.rand(3, 4, dtype=F64), True, False, 1e-8, reduction)
        log_probs = torch.randn(5, 2, 4, dtype=F64).log_softmax(2).requires_grad_()
        yield case("ctc_loss", log_probs, torch.tensor([[1, 2], [3, 1]]), [5, 4], [2, 1], 0, reduction, second=False)


def layers():
    x = leaf(2, 3, 4, 5)
    yield case("channel_shuffle", leaf(1, 4, 2, 2), 2)
    yield case("pixel_shuffle", leaf(1, 4, 2, 2), 2)
    yield case("pixel_unshuffle", leaf(1, 1, 4, 4), 2)
    yield case("prelu", x, leaf(3))
    yield case("pdist", leaf(4, 3), second=False)
    yield case("cosine_similarity", leaf(2, 3), leaf(2, 3))
    yield case("pairwise_distance", leaf(2, 3), leaf(2, 3))
    yield case("bilinear", leaf(2, 3), leaf(2, 4), leaf(5, 3, 4), leaf(5))
    yield case("embedding", leaf(5, 3), torch.tensor([[1, 2], [4, 1]]), 1)
    yield case("affine_grid_generator", leaf(2, 2, 3), [2, 1, 3, 4], False)
    for mode in (0, 1, 2):
        for padding in (0, 1, 2):
            yield case("grid_sampler", torch.randn(1, 2, 3, 3, dtype=F64), torch.rand(1, 2, 2, 2, dtype=F64) * 2.4 - 1.2, mode, padding, True)
    yield case("grid_sampler_3d", torch.randn(1, 1, 2, 3, 3), torch.rand(1, 2, 2, 2, 3), 0, 0, False)
    yield case("convolution", leaf(1, 2, 6), leaf(4, 1, 3), leaf(4), [2], [1], [1], False, [0], 2)
    yield case("convolution", leaf(1, 2, 3, 3), leaf(2, 3, 2, 2), None, [2, 1], [1, 0], [1, 1], True, [1, 0], 1)
    yield case("conv_tbc", leaf(5, 2, 3), leaf(2, 3, 4), leaf(4), 1)
    yield case("norm_except_dim", torch.randn(3, 2, 2), 2, 0)
    yield case("norm_except_dim", torch.randn(3, 2, 2), 1, 1)
    yield case("frobenius_norm", torch.randn(3, 2), [0, 1])
    yield case("frobenius_norm", torch.randn(3, 2), 1, True)
    for name in ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"):
        yield case(name, x.detach(), 0.5, False)
        yield case(name, x.detach(), 0.0, True)


def segments():
    for reduce in ("sum", "mean", "max", "min", "prod"):
        for initial in (None, 3.5):
            yield case("segment_reduce", torch.tensor([1.0, 3, 3, 2, 5], dtype=F64), reduce, lengths=torch.tensor([3, 0, 2]), initial=initial)
            yield case("segment_reduce", torch.randn(5), reduce, offsets=torch.tensor([0, 1, 5]), initial=initial)
            yield case("segment_reduce", torch.randn(2, 5, 2), reduce, lengths=torch.tensor([[1, 4], [3, 2]]), axis=1, initial=initial)
    d = torch.randn(5)
    yield case("segment_reduce", d, "sum")
    yield case("segment_reduce", d, "bad", lengths=torch.tensor([2, 3]))
    yield case("segment_reduce", d, "sum", lengths=torch.tensor([2, 2]))
    yield case("segment_reduce", d, "sum", lengths=torch.tensor([6, -1]))
    yield case("segment_reduce", d, "sum", lengths=torch.tensor([2.0, 3.0]))
    yield case("segment_reduce", d.int(), "sum", lengths=torch.tensor([2, 3]))


def factors():
    i, t = torch.arange(4).reshape(2, 2), torch.tensor([True, False])
    for k in ({"beta": 0.6, "alpha": 0.2}, {"beta": 1.6, "alpha": 2.7}, {"beta": 2, "alpha": 3}):
        yield case("addmm", i, i, i, **k)
        yield case("addmv", i[0].clone(), i, i[0].clone(), **k)
        yield case("addbmm", i, i[None].clone(), i[None].clone(), **k)
        yield case("baddbmm", i, i[None].clone(), i[None].clone(), **k)
        yield case("addr", i, i[0].clone(), i[0].clone(), **k)
    yield case("addr", torch.tensor(True), t, t, beta=3, alpha=2)
    yield case("addr", torch.tensor(True), t, t, beta=0, alpha=2)
    yield case("amax", torch.rand(3), 0, out=torch.empty(0, dtype=torch.int32))
    yield case("nn.functional.multi_margin_loss", torch.rand(5, 4), torch.zeros(4, dtype=torch.long))


def unnamed(cases):
    """Without the names of nodes: several of these are compositions here."""
    return lambda: ({k: v for k, v in c.items() if k != "node"} for c in cases())


families = {"losses": unnamed(losses), "layers": unnamed(layers), "segments": segments, "factors": factors}
write(sys.argv[1], "namespace", families)
