"""Laws of preprocessors."""

from __future__ import annotations

__all__ = ["PREPROCESSING_LAWS"]

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..core.preprocessing import BasePreprocessor
from ..core.randomness import Draws
from .maps import MAP_LAWS
from .maps import series as _series


def _fitted(preprocessor: BasePreprocessor) -> BasePreprocessor:
    return copy.deepcopy(preprocessor).fit(_series())


def inverts(preprocessor: BasePreprocessor) -> None:
    """inverse_transform(transform(x)) = x, on training series and on others, to rounding.

    One that says that it is not exact returns series of the same shape, and has no log-determinant.
    """
    fitted = _fitted(preprocessor)
    if not fitted.exact:
        again = fitted.inverse_transform(fitted.transform(_series()))
        assert again.shape == _series().shape, f"{tuple(_series().shape)} becomes {tuple(again.shape)}"
        assert bool(torch.isfinite(again).all()), "what it returns is not finite"
        assert not fitted.has_log_det, "it is not exact, and says that it has a log-determinant"
        return
    for x in (_series(), _series(seed=1), 3.0 * _series(seed=2)):
        again = fitted.inverse_transform(fitted.transform(x))
        error = float(((again - x).abs() / x.std((0, 2), keepdim=True)).max())
        assert error < 1e-9, f"off by {error:.2e} standard deviations"


def acts_on_each_member_alone(preprocessor: BasePreprocessor) -> None:
    """A member's image does not depend on its batch."""
    fitted, x = _fitted(preprocessor), _series(seed=3)
    assert torch.allclose(fitted.transform(x)[5:6], fitted.transform(x[5:6]), rtol=1e-12), (
        "it depends on the batch"
    )


def learns_from_training_alone(preprocessor: BasePreprocessor) -> None:
    """Transform and inverse_transform change nothing that was learned."""
    fitted = _fitted(preprocessor)
    before = {name: value.clone() for name, value in fitted.state.items()}
    fitted.inverse_transform(fitted.transform(_series(seed=4)))
    for name, value in fitted.state.items():
        assert torch.equal(value, before[name]), f"{name} was changed"


def state_restores_it(preprocessor: BasePreprocessor) -> None:
    """A fresh one with the same state gives the same numbers."""
    fitted, x = _fitted(preprocessor), _series(seed=5)
    fresh = copy.deepcopy(preprocessor)
    fresh.load_state(fitted.state)
    assert torch.equal(fresh.transform(x), fitted.transform(x)), (
        "the state does not hold all that was learned"
    )


def gradients_pass_both_ways(preprocessor: BasePreprocessor) -> None:
    """Both directions are differentiable, which guidance needs.

    Off the values that it was fitted on, where a piecewise linear map has kinks.
    """
    fitted, x = _fitted(preprocessor), (1.001 * _series(8, seed=6)).requires_grad_()
    z = fitted.transform(x)
    (there,) = torch.autograd.grad(z.sum(), x, retain_graph=True)
    (back,) = torch.autograd.grad(fitted.inverse_transform(z).sum(), x)
    assert bool(torch.isfinite(there).all()) and bool((there != 0).any()), "transform has no gradient"
    assert bool(torch.isfinite(back).all()), "the way back has no gradient"
    if fitted.exact:
        assert torch.allclose(back, torch.ones_like(back), atol=1e-6), "the round trip's gradient is not 1"


def log_det_is_the_jacobians(preprocessor: BasePreprocessor) -> None:
    """log_det is log |det ∂z/∂x|, where has_log_det says that it is defined."""
    fitted, x = _fitted(preprocessor), _series(3, seed=7) + 1e-3
    if not fitted.has_log_det:
        try:
            fitted.log_det(x)
        except NotImplementedError:
            return
        raise AssertionError("log_det is there, and has_log_det denies it")
    found = fitted.log_det(x)
    for member, value in zip(x, found, strict=True):

        def flat(y: Tensor, shape: torch.Size = member.shape) -> Tensor:
            return fitted.transform(y.reshape(1, *shape)).flatten()

        jacobian: Tensor = torch.autograd.functional.jacobian(flat, member.flatten())
        expected = torch.linalg.slogdet(jacobian).logabsdet
        assert torch.allclose(value.double(), expected, rtol=1e-6), (
            f"log_det {value:.6g}, Jacobian {expected:.6g}"
        )


# -- maps that draw --------------------------------------------------------------------------------


def draws_are_functions_of_their_numbers(preprocessor: BasePreprocessor) -> None:
    """A member's draw depends on the seed, the step and its number alone; without draws it is the image."""
    fitted, x = _fitted(preprocessor), _series(12, seed=11)
    index = torch.arange(12) + 5
    z = fitted.transform(x)
    ways = ((fitted.draw, x, z), (fitted.draw_inverse, z, fitted.inverse_transform(z)))
    differs = False
    for way, given, plain in ways:
        drawn = way(given, None, Draws(3, "law", 2, index))
        assert drawn.shape == plain.shape, f"{way.__name__} gives {tuple(drawn.shape)}"
        one = way(given[7:8], None, Draws(3, "law", 2, index[7:8]))
        assert torch.allclose(one, drawn[7:8], rtol=1e-9), f"{way.__name__} depends on the batch"
        other = way(given, None, Draws(3, "law", 3, index))
        if not fitted.random:
            assert torch.equal(drawn, plain), f"{way.__name__} draws, and random denies it"
        differs = differs or not torch.equal(other, drawn)
    assert differs == fitted.random, "random says that it draws, and another step draws the same"


# -- values that the data can take -----------------------------------------------------------------


def returns_possible_values(preprocessor: BasePreprocessor) -> None:
    """One that snaps returns, whatever z is, values that a second round trip leaves exactly as they are."""
    if not preprocessor.snaps:
        return
    fitted, x = _fitted(preprocessor), _series(seed=8)
    z = fitted.transform(x)
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(9), dtype=z.dtype)
    possible = fitted.inverse_transform(z + 0.3 * noise)
    again = fitted.inverse_transform(fitted.transform(possible))
    assert torch.equal(again, possible), "what it returns is not what it returns of that"


def snaps_nothing_without_a_reason(preprocessor: BasePreprocessor) -> None:
    """On data that can take any value, x → z → x is the identity to rounding, and so is z → x → z."""
    if not preprocessor.snaps:
        return
    generator = torch.Generator().manual_seed(10)
    x = torch.randn(64, 2, 12, generator=generator, dtype=torch.float64).exp() * torch.pi
    fitted = copy.deepcopy(preprocessor).fit(x)
    z = fitted.transform(x)
    again = fitted.inverse_transform(z)
    assert torch.allclose(again, x, rtol=1e-12), "it rounds data that are on no grid"
    if z.numel() == x.numel():
        moved = z + 0.1 * torch.randn(z.shape, generator=generator, dtype=z.dtype)
        back = fitted.transform(fitted.inverse_transform(moved))
        assert torch.allclose(back, moved, atol=1e-9), "z changes on the way to x and back"


PREPROCESSING_LAWS: list[Callable[[Any], None]] = [
    inverts,
    acts_on_each_member_alone,
    learns_from_training_alone,
    state_restores_it,
    gradients_pass_both_ways,
    log_det_is_the_jacobians,
    draws_are_functions_of_their_numbers,
    *MAP_LAWS,
    returns_possible_values,
    snaps_nothing_without_a_reason,
]
