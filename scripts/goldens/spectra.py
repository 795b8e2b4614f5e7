"""Writes goldens of torch.signal.windows, the window functions, stft and istft. python scripts/goldens/spectra.py test/goldens"""
import sys
import warnings

import torch
from cases import case, leaf, write

warnings.simplefilter("ignore")
F64 = torch.float64


def windows():
    for name in ("bartlett", "blackman", "cosine", "exponential", "gaussian", "hamming", "hann", "kaiser", "nuttall", "general_hamming"):
        for M in (0, 1, 2, 5, 8):
            for sym in (True, False):
                yield case(f"signal.windows.{name}", M, sym=sym, dtype=F64 if name != "kaiser" else None)
        yield case(f"signal.windows.{name}", -1)
        yield case(f"signal.windows.{name}", 3, dtype=torch.float16)
    yield case("signal.windows.general_cosine", 6, a=[0.5, 0.3, 0.2], dtype=F64)
    yield case("signal.windows.general_cosine", 6, a=[])
    yield case("signal.windows.gaussian", 6, std=0.4)
    yield case("signal.windows.gaussian", 6, std=-0.5)
    yield case("signal.windows.exponential", 6, tau=0.4)
    yield case("signal.windows.exponential", 6, tau=0.4, sym=False, center=2.0)
    yield case("signal.windows.exponential", 6, center=2.0)
    yield case("signal.windows.exponential", 6, tau=-1.5)
    yield case("signal.windows.kaiser", 6, beta=3.0, sym=False)
    yield case("signal.windows.kaiser", 6, beta=-0.5)
    for name in ("bartlett", "blackman", "hamming", "hann", "kaiser"):
        for n in (0, 1, 2, 5):
            yield case(f"{name}_window", n)
            yield case(f"{name}_window", n, False, dtype=F64)
        yield case(f"{name}_window", 4, dtype=torch.bfloat16)
        yield case(f"{name}_window", -1)
        yield case(f"{name}_window", 3, dtype=torch.int64)
    yield case("hamming_window", 5, True, 0.3, 0.2)
    yield case("kaiser_window", 5, True, 3.0)


def frames():
    w = torch.hann_window(8, dtype=F64)
    for x in (leaf(20), leaf(2, 20)):
        yield case("stft", x, 8, return_complex=True)
        yield case("stft", x, 8, window=w, return_complex=True)
        yield case("stft", x, 8, 3, 6, window=leaf(6), normalized=True, return_complex=True)
        yield case("stft", x, 8, window=w, onesided=False, return_complex=True)
        yield case("stft", x, 8, center=False, window=w, return_complex=True)
        yield case("stft", x, 8, 2, 8, w, pad_mode="constant", return_complex=False)
    yield case("stft", torch.randn(20, dtype=torch.complex128), 8)
    z = torch.randn(2, 5, 11, dtype=torch.complex128)
    for spectra in (z[0].clone().requires_grad_(), z.clone().requires_grad_()):
        yield case("istft", spectra, 8, window=w)
        yield case("istft", spectra, 8, 2, 6, window=torch.hamming_window(6, dtype=F64), normalized=True)
        yield case("istft", spectra, 8, window=torch.hamming_window(8, dtype=F64), center=False)
        yield case("istft", spectra, 8, window=w, length=15)
        yield case("istft", spectra, 8, window=w, length=30)
    yield case("istft", torch.randn(8, 6, dtype=torch.complex128), 8, window=w, onesided=False)
    yield case("istft", torch.randn(8, 6, dtype=torch.complex128), 8, window=w, return_complex=True)


def errors():
    x, w = torch.randn(20), torch.hann_window(8)
    yield case("stft", x, 8)
    yield case("stft", x, 8, return_complex=True, align_to_window=True)
    yield case("stft", x, 0, return_complex=True)
    yield case("stft", x, 30, return_complex=True, center=False)
    yield case("stft", x, 8, hop_length=0, return_complex=True)
    yield case("stft", x, 8, win_length=9, return_complex=True)
    yield case("stft", x, 8, window=torch.ones(3), return_complex=True)
    yield case("stft", x.int(), 8, return_complex=True, center=False)
    yield case("stft", x.view(2, 2, 5), 8, return_complex=True)
    yield case("stft", torch.complex(x, x), 8, onesided=True)
    yield case("stft", x, 8, return_complex=True, pad_mode="bad")
    yield case("stft", x, 50, return_complex=True)
    S = torch.stft(x, 8, return_complex=True, window=w)
    yield case("istft", S.real.clone(), 8, window=w)
    yield case("istft", S[:, :0], 8, window=w)
    yield case("istft", S, 10, window=w)
    yield case("istft", S, 8, window=w, onesided=False)
    yield case("istft", S, 8, window=w, hop_length=0)
    yield case("istft", S, 8, hop_length=9)
    yield case("istft", S, 8, window=w, win_length=7)
    yield case("istft", S, 8, window=w, win_length=12)
    yield case("istft", S, 8, window=w, return_complex=True)
    yield case("istft", S, 8, window=w + 1j)
    yield case("istft", S, 8, window=w * 0)
    yield case("istft", S, 8, window=w, center=False)


write(sys.argv[1], "spectra", {"windows": windows, "frames": frames, "errors": errors})
