"""Writes goldens of torch.fft. python scripts/goldens/fft.py test/goldens"""
import sys

import torch
from cases import case, leaf, write

C128 = torch.complex128


def lines():
    for n in (1, 2, 3, 5, 6, 7, 8, 11, 12, 16, 20, 31, 37, 49):
        yield case("fft.fft", torch.randn(2, n, dtype=C128))
        yield case("fft.ifft", torch.randn(n, dtype=C128))
        yield case("fft.rfft", torch.randn(2, n, dtype=torch.float64))
        yield case("fft.irfft", torch.randn(n // 2 + 1, dtype=C128), n)
    for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
        real = name in ("rfft", "ihfft")
        for norm in (None, "backward", "forward", "ortho"):
            for n in (None, 3, 7):
                x = leaf(2, 5, dtype=torch.float64 if real else C128)
                yield case(f"fft.{name}", x, n, norm=norm)
        yield case(f"fft.{name}", leaf(4, 3, dtype=torch.float64), dim=0)
        yield case(f"fft.{name}", torch.randn(4, dtype=torch.float32 if real else torch.complex64))
        yield case(f"fft.{name}", torch.arange(4))
        yield case(f"fft.{name}", torch.tensor([True, False, True]))


def grids():
    for name in ("fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn"):
        dtype = torch.float64 if name in ("rfftn", "ihfftn") else C128
        for norm in (None, "forward", "ortho"):
            yield case(f"fft.{name}", leaf(2, 3, 4, dtype=dtype), norm=norm)
            yield case(f"fft.{name}", leaf(2, 3, 4, dtype=dtype), s=(4, 3), norm=norm)
            yield case(f"fft.{name}", leaf(2, 3, 4, dtype=dtype), s=(3, -1), dim=(2, 0), norm=norm)
        yield case(f"fft.{name[:-1]}2", leaf(2, 3, 4, dtype=dtype))
        yield case(f"fft.{name[:-1]}2", leaf(2, 3, 4, dtype=dtype), (2, 5), (0, 1), "ortho")
        yield case(f"fft.{name}", torch.randn(3, 2))


def frequencies():
    for n in (0, 1, 2, 5, 6):
        yield case("fft.fftfreq", n)
        yield case("fft.fftfreq", n, 0.3, dtype=torch.float64)
        yield case("fft.rfftfreq", n)
        yield case("fft.rfftfreq", n, d=2.5)
    for name in ("fftshift", "ifftshift"):
        yield case(f"fft.{name}", leaf(3, 4))
        yield case(f"fft.{name}", leaf(3, 4), dim=1)
        yield case(f"fft.{name}", leaf(3, 4), (0,))


def errors():
    x, z = torch.randn(2, 3), torch.randn(2, 3, dtype=C128)
    yield case("fft.fft", x, 0)
    yield case("fft.fft", x, -1)
    yield case("fft.fft", x, norm="bad")
    yield case("fft.fft", x, dim=3)
    yield case("fft.fft", torch.tensor(1.0))
    yield case("fft.fft", x.half())
    yield case("fft.fft", x.bfloat16())
    yield case("fft.fft", x, out=torch.empty(0))
    yield case("fft.rfft", x, out=torch.empty(0))
    yield case("fft.irfft", x, out=torch.empty(0, dtype=C128))
    yield case("fft.irfft", torch.randn(2, 1))
    yield case("fft.rfft", z)
    yield case("fft.rfftn", z)
    yield case("fft.ihfft", z)
    yield case("fft.ihfftn", z)
    yield case("fft.fftn", x, dim=(0, 0))
    yield case("fft.fftn", x, s=(2,), dim=(0, 1))
    yield case("fft.fftn", x, s=(2, 3, 4))
    yield case("fft.fftn", x, s=(2, -2))
    yield case("fft.fft2", torch.randn(3))
    for name in ("rfftn", "irfftn", "hfftn", "ihfftn"):
        yield case(f"fft.{name}", x, s=())
        yield case(f"fft.{name}", x, out=torch.empty(0, dtype=torch.float32 if "i" != name[1] and name[0] != "h" else C128))
    yield case("fft.fftfreq", -2)
    yield case("fft.rfftfreq", -5)
    yield case("fft.fftfreq", 4, dtype=torch.int64)
    yield case("fft.fftshift", x, dim=(4,))


write(sys.argv[1], "fft", {"lines": lines, "grids": grids, "frequencies": frequencies, "errors": errors})
