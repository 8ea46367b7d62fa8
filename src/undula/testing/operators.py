"""Laws of linear operators."""

from __future__ import annotations

__all__ = ["OPERATOR_LAWS"]

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..core.operator import BaseOperator

_CHANNELS, _LENGTH = 3, 24


def _randn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _case(operator: BaseOperator, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A batch of series, and another of the measurements' shape."""
    return _randn(seed, 5, _CHANNELS, _LENGTH), _randn(seed + 1, 5, *operator.shape(_CHANNELS, _LENGTH))


def is_linear_and_has_its_shape(operator: BaseOperator) -> None:
    """A(a x + b y) = a A x + b A y, of the shape that it says."""
    (x, _), (z, _) = _case(operator), _case(operator, 2)
    y = operator(x)
    assert y.shape[1:] == operator.shape(_CHANNELS, _LENGTH), f"it gives {tuple(y.shape[1:])}"
    assert torch.allclose(operator(2.0 * x - 3.0 * z), 2.0 * y - 3.0 * operator(z), atol=1e-12), "not linear"


def adjoint_passes_the_dot_test(operator: BaseOperator) -> None:
    """⟨A x, y⟩ = ⟨x, Aᵀ y⟩, and A Aᵀ is what `gram` says."""
    x, y = _case(operator)
    back = operator.adjoint(y, _CHANNELS, _LENGTH)
    left, right = (operator(x) * y).sum((1, 2)), (x * back).sum((1, 2))
    assert torch.allclose(left, right, rtol=1e-12, atol=1e-11), f"{left[0]:.12g} is not {right[0]:.12g}"
    gram = operator.gram(y, _CHANNELS, _LENGTH)
    assert torch.allclose(gram, operator(back), atol=1e-12), "gram is not A Aᵀ"


def pseudo_inverse_is_penroses(operator: BaseOperator) -> None:
    """A A⁺ A = A, A⁺ A A⁺ = A⁺, and A A⁺ and A⁺ A are symmetric."""
    x, y = _case(operator)
    shape = _CHANNELS, _LENGTH

    def inverse(y: Tensor) -> Tensor:
        return operator.pseudo_inverse(y, *shape)

    assert torch.allclose(operator(inverse(operator(x))), operator(x), atol=1e-9), "A A⁺ A is not A"
    size = inverse(y).abs().max().clamp(min=1.0)
    assert torch.allclose(inverse(operator(inverse(y))) / size, inverse(y) / size, atol=1e-9), (
        "A⁺ A A⁺ is not A⁺"
    )
    (u, v), (w, z) = _case(operator, 4), _case(operator, 6)
    left, right = (inverse(operator(u)) * w).sum((1, 2)), (u * inverse(operator(w))).sum((1, 2))
    assert torch.allclose(left, right, atol=1e-8), "A⁺ A is not symmetric"
    left, right = (operator(inverse(v)) * z).sum((1, 2)), (v * operator(inverse(z))).sum((1, 2))
    assert torch.allclose(left, right, atol=1e-8), "A A⁺ is not symmetric"


def projector_is_true(operator: BaseOperator) -> None:
    """A projector is symmetric and idempotent, to 1e-12."""
    x, y = _case(operator)
    if not operator.projector:
        return
    once = operator(x)
    assert torch.allclose(operator(once), once, rtol=0, atol=1e-12), "A² is not A"
    assert torch.allclose(operator.adjoint(y, _CHANNELS, _LENGTH), operator(y), rtol=0, atol=1e-12), (
        "Aᵀ is not A"
    )


def pointwise_is_true(operator: BaseOperator) -> None:
    """A number of x moves its own number of y and no other."""
    if not operator.pointwise:
        return
    x, _ = _case(operator)
    moved = x.clone()
    moved[..., 1, 7] += 1.0
    changed = operator(moved) != operator(x)
    changed[..., 1, 7] = False
    assert not bool(changed.any()), "it is not pointwise"


def gradients_are_the_adjoint(operator: BaseOperator) -> None:
    """The vector-Jacobian product of A is Aᵀ, in single precision too."""
    x, y = _case(operator)
    x.requires_grad_()
    (found,) = torch.autograd.grad(operator(x), x, y)
    assert torch.allclose(found, operator.adjoint(y, _CHANNELS, _LENGTH), atol=1e-10), "another gradient"
    single = operator(x.detach().float())
    assert single.dtype == torch.float32, "single precision is not kept"
    assert torch.allclose(single.double(), operator(x.detach()), atol=1e-4), "single precision is wrong"


OPERATOR_LAWS: list[Callable[[Any], None]] = [
    is_linear_and_has_its_shape,
    adjoint_passes_the_dot_test,
    pseudo_inverse_is_penroses,
    projector_is_true,
    pointwise_is_true,
    gradients_are_the_adjoint,
]
