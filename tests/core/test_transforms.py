"""The orthonormal DCT against scipy's, and its gradient."""

import pytest
import scipy.fft
import torch

from undula.core.transforms import dct, idct


@pytest.mark.parametrize("length", [1, 2, 7, 64, 512, 513, 1000, 2047])
def test_dct_is_scipys_and_its_inverse_inverts(length: int) -> None:
    x = torch.randn(3, 2, length, dtype=torch.float64, generator=torch.Generator().manual_seed(length))
    expected = torch.from_numpy(scipy.fft.dct(x.numpy(), norm="ortho"))
    assert torch.allclose(dct(x), expected, atol=1e-11)
    assert torch.allclose(idct(dct(x)), x, atol=1e-11)


@pytest.mark.parametrize("length", [5, 600])
def test_dct_is_orthonormal_and_differentiable(length: int) -> None:
    a, b = torch.randn(2, length, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose((dct(a) * b).sum(), (a * idct(b)).sum())
    x = a.clone().requires_grad_()
    (dct(x) * b).sum().backward()
    assert x.grad is not None and torch.allclose(x.grad, idct(b), atol=1e-11)
