"""Laws of preprocessors as maps: what they say of shapes, conditions, derivatives and histories."""

from __future__ import annotations

__all__ = ["MAP_LAWS", "series"]

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..core.condition import Condition, Layout
from ..core.errors import DataError
from ..core.preprocessing import BasePreprocessor

_LENGTH, _HISTORY = 12, 9
_LAYOUT = Layout(
    channels=2,
    length=_LENGTH,
    sequence={"history": (2, _HISTORY)},
    aligned={"covariates": 3},
    static={"label": 4},
)


def series(
    n: int = 64, channels: int = 2, length: int = _LENGTH, seed: int = 0, repeats: bool = True
) -> Tensor:
    """Correlated, skewed, positive series of different scales, some values repeated if wanted."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randn(n, channels, length, generator=generator, dtype=torch.float64).cumsum(-1)
    scale = torch.tensor([[0.01], [300.0]], dtype=torch.float64)[:channels]
    values = torch.exp(0.3 * steps) + 0.5
    return (values.round(decimals=1) if repeats else values) * scale


def _told(n: int = 64, seed: int = 0, repeats: bool = True) -> tuple[Tensor, Condition]:
    """Windows and what is told of them: the steps before them, and parts of every kind."""
    whole = series(n, length=_HISTORY + _LENGTH, seed=seed, repeats=repeats)
    past, x = whole.split((_HISTORY, _LENGTH), dim=-1)
    generator = torch.Generator().manual_seed(seed)
    condition = Condition(
        sequence={"history": (past / past.mean((0, 2), keepdim=True)).float()},
        aligned={"covariates": torch.randn(n, 3, _LENGTH, generator=generator)},
        static={"label": torch.randn(n, 4, generator=generator)},
        past=past,
    )
    return x, condition


def _fitted(preprocessor: BasePreprocessor, told: bool, repeats: bool = True) -> BasePreprocessor:
    if not told:
        return copy.deepcopy(preprocessor).fit(series(repeats=repeats))
    x, condition = _told(repeats=repeats)
    return copy.deepcopy(preprocessor).fit(x, None, condition)


def _between_steps(x: Tensor) -> Tensor:
    """The same series a little beside the values that repeat."""
    return x * (1.0 + 0.0123 * torch.linspace(0.5, 1.0, x.shape[-1], dtype=x.dtype))


def _error(a: Tensor, b: Tensor) -> float:
    """Largest difference in standard deviations of each channel of b."""
    return float(((a - b).abs() / b.std((0, 2), keepdim=True)).max())


def _inverts(fitted: BasePreprocessor, again: Tensor, x: Tensor) -> None:
    """The series again, to rounding, or, of a map that is not exact, finite numbers."""
    error = _error(again, x)
    assert error < (1e-9 if fitted.exact else float("inf")), f"off by {error:.2e} standard deviations"


def shape_is_what_it_says(preprocessor: BasePreprocessor) -> None:
    """`shape` gives the channels and steps of every image."""
    for told in (False, True):
        fitted, (x, condition) = _fitted(preprocessor, told), _told(8)
        z = fitted.transform(x, condition if told else None)
        expected = fitted.shape(2, _LENGTH)
        assert z.shape[1:] == expected, f"shape says {expected}, transform gives {tuple(z.shape[1:])}"
        again = fitted.inverse_transform(z, condition if told else None)
        assert again.shape == x.shape, f"inverse_transform gives {tuple(again.shape)} of {tuple(x.shape)}"


def layout_names_what_condition_gives(preprocessor: BasePreprocessor) -> None:
    """`layout` names exactly the parts that `condition` gives, with their channels and steps."""
    plain = Layout(channels=2, length=_LENGTH)
    for told, before in ((False, plain), (True, _LAYOUT)):
        fitted, (x, condition) = _fitted(preprocessor, told), _told(8)
        after = fitted.layout(before)
        channels, length = fitted.shape(2, _LENGTH)
        assert (after.channels, after.length) == (channels, length), "layout and shape disagree"
        given = fitted.condition(condition if told else None, x) or Condition()
        found = {name: tuple(part.shape[1:]) for name, part in given.parts.items()}
        expected = {name: tuple(size) for name, size in after.sequence.items()}
        expected |= {name: (size, length) for name, size in after.aligned.items()}
        expected |= {name: (size,) for name, size in after.static.items()}
        assert found == expected, f"condition gives {found}, layout says {expected}"
        for name, part in given.parts.items():
            assert len(part) == len(x), f"{name} is given for {len(part)} of {len(x)} members"
            assert bool(torch.isfinite(part).all()), f"{name} is not finite"


def a_history_is_where_it_starts(preprocessor: BasePreprocessor) -> None:
    """With what comes before the window it inverts too, member by member, also after loading."""
    fitted = _fitted(preprocessor, told=True)
    fresh = copy.deepcopy(preprocessor)
    fresh.load_state(fitted.state)
    for seed in (0, 1):
        x, condition = _told(16, seed)
        z = fitted.transform(x, condition)
        again = fitted.inverse_transform(z, condition)
        _inverts(fitted, again, x)
        one = fresh.inverse_transform(z[3:4], condition[3:4])
        assert torch.allclose(one, again[3:4], rtol=1e-9), (
            "a member depends on its batch, or on what is not kept"
        )


def starts_somewhere_without_one(preprocessor: BasePreprocessor) -> None:
    """Fitted with a history and asked without one (unconditional samples), it still inverts."""
    fitted, (x, _) = _fitted(preprocessor, told=True), _told(8)
    z = fitted.transform(x)
    assert bool(torch.isfinite(z).all()), "images are not finite"
    _inverts(fitted, fitted.inverse_transform(z), x)


def gradients_are_those_of_finite_differences(preprocessor: BasePreprocessor) -> None:
    """Derivatives along a direction, both ways, with and without a history.

    Of a continuous marginal: where values repeat, a map may have a gradient that guidance can
    follow in place of its derivative, which is zero there.
    """
    for told in (False, True):
        fitted, (x, condition) = _fitted(preprocessor, told, repeats=False), _told(6, 2, repeats=False)
        given = condition if told else None
        z = fitted.transform(x, given)
        ways: list[tuple[Callable[..., Tensor], Tensor]] = [(fitted.transform, x)]
        if not fitted.snaps:
            ways.append((fitted.inverse_transform, z))
        for way, at in ways:
            spread = at.std((0, 2), keepdim=True)
            direction = spread * torch.cos(torch.arange(at.numel(), dtype=at.dtype)).reshape(at.shape)
            weights = torch.sin(1.0 + torch.arange(way(at, given).numel(), dtype=at.dtype))

            def value(h: float, way=way, at=at, direction=direction, weights=weights) -> Tensor:  # type: ignore[no-untyped-def]
                return way(at + h * direction, given).flatten() @ weights  # noqa: B023

            point = at.clone().requires_grad_()
            (slope,) = torch.autograd.grad(way(point, given).flatten() @ weights, point)
            found = float((slope * direction).sum())
            expected = float((value(1e-6) - value(-1e-6)) / 2e-6)
            scale = float((slope * direction).abs().sum())
            assert abs(found - expected) < 1e-4 * scale, (
                f"{way.__name__}: the gradient gives {found:.6g}, finite differences {expected:.6g}"
            )


def log_det_is_the_jacobians_with_a_history(preprocessor: BasePreprocessor) -> None:
    """log_det is log |det ∂z/∂x| for series that go on from a history."""
    fitted, (x, condition) = _fitted(preprocessor, told=True), _told(2, seed=3)
    x = _between_steps(x)
    if not fitted.has_log_det:
        return
    found = fitted.log_det(x, condition)
    for i, member in enumerate(x):

        def flat(y: Tensor, i: int = i, shape: torch.Size = member.shape) -> Tensor:
            return fitted.transform(y.reshape(1, *shape), condition[i : i + 1]).flatten()

        jacobian: Tensor = torch.autograd.functional.jacobian(flat, member.flatten())
        expected = torch.linalg.slogdet(jacobian).logabsdet
        assert torch.allclose(found[i].double(), expected, rtol=1e-6), (
            f"log_det {found[i]:.6g}, Jacobian {expected:.6g}"
        )


def keeps_dtype_and_device(preprocessor: BasePreprocessor) -> None:
    """Single precision stays single precision, a device the device, and the numbers the numbers."""
    for told in (False, True):
        fitted, (x, condition) = _fitted(preprocessor, told), _told(8)
        z = fitted.transform(x, condition if told else None)
        for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            given = condition.to(device) if told else None
            single = fitted.transform(x.float().to(device), given)
            back = fitted.inverse_transform(single, given)
            for result in (single, back):
                assert result.dtype == torch.float32, f"float32 becomes {result.dtype}"
                assert result.device.type == device, f"{device} becomes {result.device}"
            assert _error(single.double().cpu(), z) < 1e-3, "single precision gives other numbers"
            expected = x if fitted.exact else fitted.inverse_transform(z, condition if told else None)
            assert _error(back.double().cpu(), expected) < 1e-3, "single precision does not invert"
            told_there = fitted.condition(given, x.float().to(device))
            for name, part in (told_there or Condition()).parts.items():
                assert part.device.type == device, f"{name} is on {part.device}"


def any_length_is_true(preprocessor: BasePreprocessor) -> None:
    """What takes any length inverts series of other lengths than it was fitted to."""
    fitted = _fitted(preprocessor, told=False)
    if not fitted.any_length:
        return
    for length in (5, 31):
        x = series(8, length=length, seed=4)
        error = _error(fitted.inverse_transform(fitted.transform(x)), x)
        assert error < 1e-9, f"{length} steps: off by {error:.2e} standard deviations"


def pointwise_is_true(preprocessor: BasePreprocessor) -> None:
    """A pointwise map's image changes only where the series does."""
    fitted, x = _fitted(preprocessor, told=False), series(4, seed=5)
    if not fitted.pointwise:
        return
    other = x.clone()
    other[..., 5] = 1.5 * other[..., 5]
    moved = (fitted.transform(other) != fitted.transform(x)).any(0).any(0)
    assert moved.tolist() == [i == 5 for i in range(_LENGTH)], "an image depends on other elements"


def covariates_stay_beside_what_they_belong_to(preprocessor: BasePreprocessor) -> None:
    """A map that is linear in time and moves time steps moves aligned parts along with them.

    A covariate that is the series itself determines the image: what is told of it is a linear
    function of the image, position by position.
    """
    fitted, (x, condition) = _fitted(preprocessor, told=True), _told(64, seed=6)
    if "coordinates" not in fitted.layout(_LAYOUT).aligned or fitted.shape(2, _LENGTH) != (2, _LENGTH):
        return
    as_covariates = replace(condition, aligned={"covariates": x.float()})
    given = fitted.condition(as_covariates, x)
    assert given is not None
    z, told = fitted.transform(x, condition), given.aligned["covariates"].double()
    a, b = (values - values.mean(0) for values in (z, told))
    correlation = (a * b).sum(0) / (a.square().sum(0) * b.square().sum(0)).sqrt().clamp(min=1e-30)
    assert float(correlation.min()) > 0.999, "an aligned part is not moved with the series"


def values_below_zero_are_taken_or_refused(preprocessor: BasePreprocessor) -> None:
    """Values of both signs are inverted like others, or refused in fit and in transform."""
    x = series(seed=7) - series(seed=8)
    try:
        fitted = copy.deepcopy(preprocessor).fit(x)
    except DataError:
        try:
            _fitted(preprocessor, told=False).transform(x)
        except DataError:
            return
        raise AssertionError("fit refuses values below zero, transform does not") from None
    _inverts(fitted, fitted.inverse_transform(fitted.transform(x)), x)


MAP_LAWS: list[Callable[[Any], None]] = [
    shape_is_what_it_says,
    layout_names_what_condition_gives,
    a_history_is_where_it_starts,
    starts_somewhere_without_one,
    gradients_are_those_of_finite_differences,
    log_det_is_the_jacobians_with_a_history,
    keeps_dtype_and_device,
    any_length_is_true,
    pointwise_is_true,
    covariates_stay_beside_what_they_belong_to,
    values_below_zero_are_taken_or_refused,
]
