"""Laws of guidance and of regularisers."""

from __future__ import annotations

__all__ = ["GUIDANCE_LAWS", "REGULARISER_LAWS"]

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..core.condition import Condition
from ..core.errors import DataError
from ..core.registry import Registry
from ..core.sde import NoiseLevel
from ..diffusion.denoiser import BaseDenoiser
from ..diffusion.guidance import BaseGuidance, guided
from ..diffusion.measurement import Measurement
from ..diffusion.path import GaussianPath
from ..diffusion.prior import GaussianPrior
from ..diffusion.regulariser import BaseRegulariser

_TIMES = (0.1, 0.5, 0.9)


def _path() -> GaussianPath:
    return GaussianPath(sde=Registry.get("sde", "vpsde"), noise=Registry.get("noise", "standard"))


def _randn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# -- guidance --------------------------------------------------------------------------------------


class _Told(BaseDenoiser):
    """D = a x + (1 − a) label, with 0.3 for the label's null and a of the noise level."""

    def __init__(self) -> None:
        self.path = _path()

    def __call__(
        self, x_t: Tensor, t: float | Tensor | NoiseLevel, condition: Condition | None = None
    ) -> Tensor:
        level = self.path.level(t)
        assert float(torch.as_tensor(level.sigma).min()) > 0, "the denoiser is called at sigma = 0"
        a = 1.0 - torch.as_tensor(level.tau, dtype=torch.float64)
        if condition is None:
            return a * x_t
        label = condition.static["label"]
        null = condition.dropped.get("label", torch.zeros(len(label), dtype=torch.bool))
        label = torch.where(null[:, None], 0.3, label)
        return a * x_t + (1.0 - a) * label[..., None] * torch.linspace(0.0, 1.0, x_t.shape[-1])


def _case(size: int = 6) -> tuple[Tensor, Condition]:
    return _randn(0, size, 2, 9), Condition(static={"label": _randn(1, size, 2)})


def _measured(x: Tensor) -> Measurement:
    """Some of the numbers, and what they are; the same for every member."""
    y = _randn(2, 1, *x.shape[1:]).expand_as(x)
    variance = torch.zeros_like(x)
    variance[:, :, 1::3] = torch.inf
    return Measurement(
        y=y,
        variance=variance,
        operator=Registry.get("operator", "identity"),
        prior=GaussianPrior.fit(_randn(3, 50, *x.shape[1:])),
    )


def _steered(guidance: BaseGuidance, x: Tensor) -> BaseDenoiser:
    return guided(_Told(), [guidance], _measured(x))


def neutral_changes_nothing(guidance: BaseGuidance) -> None:
    """At its neutral strength the guided denoiser is the denoiser."""
    x, condition = _case()
    plain = _Told()
    steered = _steered(guidance.neutral(), x)
    for t in _TIMES:
        assert torch.allclose(steered(x, t, condition), plain(x, t, condition), atol=1e-12), f"it acts at {t}"


def acts(guidance: BaseGuidance) -> None:
    """At another strength it is not, at some noise level."""
    if guidance.neutral().params == guidance.params:
        return
    x, condition = _case()
    steered, plain = _steered(guidance, x), _Told()
    change = max(float((steered(x, t, condition) - plain(x, t, condition)).abs().max()) for t in _TIMES)
    assert change > 1e-6, "the guidance has no effect"


def members_are_guided_alone(guidance: BaseGuidance) -> None:
    """A member's estimate depends neither on its batch nor on whether levels are numbers or tensors."""
    x, condition = _case()
    t = torch.tensor([0.1, 0.3, 0.5, 0.5, 0.7, 0.9], dtype=torch.float64)
    steered = _steered(guidance, x)
    whole = steered(x, t, condition)
    for i in range(len(x)):
        alone = _steered(guidance, x[i : i + 1])(x[i : i + 1], float(t[i]), condition[slice(i, i + 1)])
        assert torch.allclose(whole[i : i + 1], alone, atol=1e-10), "a member depends on its batch"
        again = _steered(guidance, x[i : i + 1])(x[i : i + 1], t[i : i + 1], condition[slice(i, i + 1)])
        assert torch.allclose(again, alone, atol=1e-10), "levels as tensors give another estimate"


def keeps_what_is_dropped(guidance: BaseGuidance) -> None:
    """A part that was dropped for a member stays dropped: its value has no influence."""
    x, condition = _case()
    where = torch.tensor([True, False] * 3)
    other = replace(condition, static={"label": condition.static["label"] + 5.0}).drop("label", where)
    steered = _steered(guidance, x)
    first, second = steered(x, 0.5, condition.drop("label", where)), steered(x, 0.5, other)
    assert torch.allclose(first[where], second[where]), "a dropped part still acts"


def strength_is_a_factor(guidance: BaseGuidance) -> None:
    """Half the strength makes half the correction."""
    if not guidance.observes or not hasattr(guidance, "strength"):
        return
    x, condition = _case()
    half = Registry.get("guidance", Registry.name(guidance), **{**guidance.params, "strength": 0.5})
    plain = _Told()(x, 0.5, condition)
    whole = _steered(
        Registry.get("guidance", Registry.name(guidance), **{**guidance.params, "strength": 1.0}), x
    )
    found, expected = _steered(half, x)(x, 0.5, condition) - plain, whole(x, 0.5, condition) - plain
    assert torch.allclose(found, 0.5 * expected, atol=1e-10), "strength is no factor"


GUIDANCE_LAWS: list[Callable[[Any], None]] = [
    neutral_changes_nothing,
    acts,
    members_are_guided_alone,
    keeps_what_is_dropped,
    strength_is_a_factor,
]


# -- regularisers ----------------------------------------------------------------------------------


def _estimates() -> tuple[Tensor, Tensor, NoiseLevel]:
    """D, x_0 and levels of SNR from far below to far above 1."""
    level = _path().sde.level(torch.linspace(0.02, 0.98, 8))
    return _randn(0, 8, 3, 21), _randn(1, 8, 3, 21), level


def costs_nothing_at_the_truth(regulariser: BaseRegulariser) -> None:
    """D = x_0 costs 0, any other D something, a number for each member."""
    d, x_0, _ = _estimates()
    assert float(regulariser.penalty(x_0, x_0, None).abs().max()) < 1e-10, "the truth costs something"
    found = regulariser.penalty(d, x_0, None)
    assert found.shape == (8,), f"penalties have shape {tuple(found.shape)}"
    assert bool((found > 0).all()), "a wrong D costs nothing"


def acts_above_its_snr(regulariser: BaseRegulariser) -> None:
    """The loss is weight times penalty where the SNR is above the threshold, 0 elsewhere."""
    d, x_0, level = _estimates()
    found = regulariser.losses(d, x_0, level, None)
    above = torch.as_tensor(level.snr).flatten() > regulariser.min_snr
    expected = torch.where(above, regulariser.weight * regulariser.penalty(d, x_0, None), 0.0)
    assert torch.allclose(found, expected), "the threshold or the weight does not act"


def gradient_flows_to_the_estimate(regulariser: BaseRegulariser) -> None:
    """The derivative in D is that of finite differences."""
    d, x_0, _ = _estimates()
    d = d.requires_grad_()
    assert torch.autograd.gradcheck(lambda d: regulariser.penalty(d, x_0[:2], None), (d[:2],)), "wrong"


def missing_elements_have_no_say(regulariser: BaseRegulariser) -> None:
    """Elements that do not count have no influence, or are refused as data that do not fit."""
    d, x_0, _ = _estimates()
    valid = torch.rand(8, 3, 21, generator=torch.Generator().manual_seed(2)) < 0.7
    valid[0] = False
    try:
        found = regulariser.penalty(d, x_0, valid)
    except DataError:
        return
    other = regulariser.penalty(torch.where(valid, d, 50.0), torch.where(valid, x_0, -7.0), valid)
    assert torch.allclose(found, other), "elements that do not count act"
    assert float(found[0]) < 1e-10, "a member without any costs something"


REGULARISER_LAWS: list[Callable[[Any], None]] = [
    costs_nothing_at_the_truth,
    acts_above_its_snr,
    gradient_flows_to_the_estimate,
    missing_elements_have_no_say,
]
