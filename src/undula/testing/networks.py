"""Laws of architectures and objectives."""

from __future__ import annotations

__all__ = ["ARCHITECTURE_LAWS", "OBJECTIVE_LAWS", "FixedNetwork"]

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..core.architecture import BaseArchitecture
from ..core.condition import Condition, Layout
from ..core.randomness import Stream, forked_generator
from ..core.registry import Registry
from ..diffusion.denoiser import NetDenoiser
from ..diffusion.objective import BaseObjective
from ..diffusion.parametrization import Parametrization
from ..diffusion.path import GaussianPath
from ..diffusion.weighting import weight_on_data

_CHANNELS, _LENGTH, _HISTORY = 3, 21, 10


def _layout(length: int | None = _LENGTH, conditional: bool = True) -> Layout:
    if not conditional:
        return Layout(channels=_CHANNELS, length=length)
    return Layout(
        channels=_CHANNELS,
        length=length,
        sequence={"history": (_CHANNELS, _HISTORY)},
        aligned={"covariates": 2},
        static={"label": 4},
    )


def _randn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _condition(batch: int, length: int = _LENGTH) -> Condition:
    return Condition(
        sequence={"history": _randn(1, batch, _CHANNELS, _HISTORY)},
        aligned={"covariates": _randn(2, batch, 2, length)},
        static={"label": _randn(3, batch, 4)},
    )


def _built(architecture: BaseArchitecture, layout: Layout, perturbed: bool = True) -> BaseArchitecture:
    """A built copy in evaluation mode, its weights moved away from the zeros of initialisation."""
    network = copy.deepcopy(architecture)
    with forked_generator(0, "law"):
        network.build(layout)
        if perturbed:
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval()


def starts_at_zero(architecture: BaseArchitecture) -> None:
    """Before training F = 0, so that an untrained model is its preconditioning alone."""
    network = _built(architecture, _layout(), perturbed=False)
    out = network(_randn(0, 4, _CHANNELS, _LENGTH), torch.rand(4), _condition(4))
    assert out.shape == (4, _CHANNELS, _LENGTH), f"shape {tuple(out.shape)}"
    assert bool((out == 0).all()), "an untrained network is not zero"


def gradients_reach_every_parameter(architecture: BaseArchitecture) -> None:
    """Every parameter, nulls included, has a gradient when parts are dropped for some members."""
    network = _built(architecture, _layout()).train()
    condition = _condition(4)
    half = torch.tensor([True, False, True, False])
    for name in condition.parts:
        condition = condition.drop(name, half)
    with forked_generator(0, "dropout"):
        network(_randn(0, 4, _CHANNELS, _LENGTH), torch.rand(4), condition).square().sum().backward()
    dead = [n for n, p in network.named_parameters() if p.grad is None or not bool((p.grad != 0).any())]
    assert not dead, f"no gradient reaches {', '.join(dead)}"


def takes_any_length(architecture: BaseArchitecture) -> None:
    """One set of weights takes every length, even 1; or a varying length is refused."""
    if not architecture.any_length:
        try:
            _built(architecture, _layout(length=None))
        except ValueError as error:
            raise AssertionError(f"a varying length is refused by {error!r}") from error
        except Exception as error:
            assert "length" in str(error), f"the refusal does not speak of length: {error}"
            return
        raise AssertionError("any_length is False, but a varying length is accepted")
    network = _built(architecture, _layout(length=None, conditional=False))
    for length in (1, 2, 7, 16, 33):
        out = network(_randn(length, 2, _CHANNELS, length), torch.rand(2))
        assert out.shape == (2, _CHANNELS, length), f"length {length} gives {tuple(out.shape)}"
        assert bool(torch.isfinite(out).all()), f"length {length} gives numbers that are not finite"


def members_do_not_mix(architecture: BaseArchitecture) -> None:
    """A member's output does not depend on its batch."""
    network, condition = _built(architecture, _layout()), _condition(6)
    x, tau = _randn(0, 6, _CHANNELS, _LENGTH), torch.linspace(0.05, 0.95, 6)
    whole = network(x, tau, condition)
    part = network(x[2:4], tau[2:4], condition[2:4])
    assert torch.allclose(whole[2:4], part, atol=1e-5), "a member's output depends on its batch"


def _padded(condition: Condition, exists: Tensor, seed: int) -> Condition:
    """The condition of members that are padded to the mask's length, with anything in the padding."""
    filled = {
        name: torch.where(exists, F.pad(part, (0, exists.shape[-1] - part.shape[-1])), _randn(seed, 1, 1, 1))
        for name, part in condition.aligned.items()
    }
    return replace(condition, aligned=filled, exists=exists)


def padding_changes_nothing(architecture: BaseArchitecture) -> None:
    """Elements that do not exist have no influence on those that do, told something or not."""
    if not architecture.any_length:
        return
    x, tau = _randn(0, 2, _CHANNELS, 32), torch.tensor([0.3, 0.7])
    exists = (torch.arange(32) < torch.tensor([20, 9])[:, None])[:, None]
    other = torch.where(exists, x, 100.0 * x + 7.0)
    for told in (Condition(), _condition(2, 20)):
        network = _built(architecture, _layout(length=None, conditional=bool(told.parts)))
        first = network(x, tau, _padded(told, exists, 5))
        second = network(other, tau, _padded(told, exists, 6))
        error = float(((first - second) * exists).detach().abs().max())
        assert error < 1e-4, f"padding changes the rest by {error:.1e}"


def alone_as_in_a_batch(architecture: BaseArchitecture) -> None:
    """A short member's output does not depend on how far its batch is padded, told something or not."""
    if not architecture.any_length:
        return
    x, tau = _randn(0, 2, _CHANNELS, 13), torch.tensor([0.3, 0.7])
    for told in (Condition(), _condition(2, 13)):
        network = _built(architecture, _layout(length=None, conditional=bool(told.parts)))
        alone = network(x, tau, told)
        for length in (14, 24, 37):
            exists = (torch.arange(length) < 13).expand(2, 1, length)
            padded = network(F.pad(x, (0, length - 13)), tau, _padded(told, exists, length))
            error = float((padded[..., :13] - alone).detach().abs().max())
            assert error < 1e-4, f"padding to {length} steps changes the output by {error:.1e}"


def later_steps_do_not_act_if_causal(architecture: BaseArchitecture) -> None:
    """In a causal network the gradient of F at a step is 0 at every later step of series and parts."""
    if not architecture.causal:
        return
    network, condition = _built(architecture, _layout()), _condition(2)
    x = _randn(0, 2, _CHANNELS, _LENGTH).requires_grad_()
    covariates = condition.aligned["covariates"].requires_grad_()
    out = network(x, torch.tensor([0.3, 0.7]), replace(condition, aligned={"covariates": covariates}))
    step = _LENGTH // 2
    for gradient in torch.autograd.grad(out[..., step].sum(), (x, covariates)):
        assert bool((gradient[..., step] != 0).any()), "F at a step does not depend on that step"
        assert bool((gradient[..., step + 1 :] == 0).all()), "F at a step depends on a later one"


def order_of_a_sequence_acts(architecture: BaseArchitecture) -> None:
    """The same values of a sequence part in another order give another output."""
    if getattr(architecture, "conditioning", "") == "none":
        return
    network, condition = _built(architecture, _layout()), _condition(4)
    x, tau = _randn(0, 4, _CHANNELS, _LENGTH), torch.full((4,), 0.4)
    turned = {name: part.flip(-1) for name, part in condition.sequence.items()}
    change = network(x, tau, condition) - network(x, tau, replace(condition, sequence=turned))
    assert float(change.detach().abs().max()) > 1e-5, "the order of a sequence part has no effect"


def tau_and_conditions_act(architecture: BaseArchitecture) -> None:
    """The noise level and each condition part change the output; a dropped part does not."""
    network, condition = _built(architecture, _layout()), _condition(4)
    x, tau = _randn(0, 4, _CHANNELS, _LENGTH), torch.full((4,), 0.4)
    out = network(x, tau, condition)
    assert not torch.allclose(out, network(x, tau + 0.2, condition)), "the noise level has no effect"
    if getattr(architecture, "conditioning", "") == "none":
        condition = replace(condition, sequence={"history": condition.sequence["history"]})
    for name in ("sequence", "aligned", "static"):
        part = getattr(condition, name)
        changed: Any = {name: {k: v + 1.0 + v**2 for k, v in part.items()}}
        other = replace(condition, **changed)
        acts = not torch.allclose(out, network(x, tau, other), atol=1e-6)
        idle = name == "sequence" and getattr(architecture, "conditioning", "") == "none"
        assert acts != idle, f"the {name} part {'acts' if idle else 'has no effect'}"
        (key,) = part
        everywhere = torch.ones(4, dtype=torch.bool)
        null = network(x, tau, condition.drop(key, everywhere))
        same = network(x, tau, other.drop(key, everywhere))
        assert torch.equal(null, same), f"a dropped {name} part still acts"


def checkpointing_keeps_gradients(architecture: BaseArchitecture) -> None:
    """Gradient checkpointing gives the same gradients."""
    found = []
    for again in (False, True):
        network = _built(architecture, _layout()).train()
        network.gradient_checkpointing = again
        with forked_generator(0, "dropout"):
            out = network(_randn(0, 3, _CHANNELS, _LENGTH), torch.full((3,), 0.5), _condition(3))
            out.square().sum().backward()
        found.append([p.grad for p in network.parameters() if p.grad is not None])
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-6), "checkpointing changes a gradient"


ARCHITECTURE_LAWS: list[Callable[[Any], None]] = [
    starts_at_zero,
    gradients_reach_every_parameter,
    takes_any_length,
    members_do_not_mix,
    padding_changes_nothing,
    alone_as_in_a_batch,
    later_steps_do_not_act_if_causal,
    order_of_a_sequence_acts,
    tau_and_conditions_act,
    checkpointing_keeps_gradients,
]


# -- objectives ------------------------------------------------------------------------------------


class FixedNetwork(BaseArchitecture):
    """A fixed network that is easy to think about: F = x sin(3 τ) + τ."""

    condition_dropout = 0.0

    def build(self, layout: Layout) -> None:
        """Nothing to make."""

    def forward(self, x: Tensor, tau: Tensor, condition: Condition | None = None) -> Tensor:
        """F(x, τ)."""
        return x * torch.sin(3.0 * tau)[:, None, None] + tau[:, None, None]


def _setting(objective: BaseObjective) -> tuple[NetDenoiser, Tensor, Tensor, Tensor]:
    path = GaussianPath(
        sde=Registry.get("sde", objective.default_sde), noise=Registry.get("noise", "standard")
    )
    denoiser = NetDenoiser(FixedNetwork(), path, Parametrization(prediction=objective.prediction, s=0.8))
    position = torch.arange(16)
    t = objective.times(path, Stream(0, "time"), 0, position, 16)
    x_0, eps = _randn(0, 2, 16, _CHANNELS, _LENGTH).double()
    return denoiser, x_0, eps, t


def _cost(r: Tensor, name: str, delta: float) -> Tensor:
    """ρ(r), by the integral of its slope: 2 r clipped, 2 r/√(1 + (r/δ)²), or the sign."""
    share = (torch.arange(400, dtype=r.dtype) + 0.5) / 400
    u = r[..., None] * share
    slope = {
        "mse": 2.0 * u,
        "huber": 2.0 * u.clamp(-delta, delta),
        "pseudo_huber": 2.0 * u / (1.0 + (u / delta) ** 2).sqrt(),
        "l1": u.sign(),
    }[name]
    return slope.mean(-1) * r


def loss_is_weighted_error_of_the_mean(objective: BaseObjective) -> None:
    """The error is w ρ(F − F*); for mse w ‖D − x_0‖² with w on x_0, `uniform` being 1 on F's own."""
    denoiser, x_0, eps, t = _setting(objective)
    level = denoiser.path.level(t)
    d = denoiser(denoiser.path.perturb(x_0, eps, level), level)
    c_out = torch.as_tensor(denoiser.parametrization(level).c_out)
    if objective.loss_weight == "uniform":
        weight = c_out**-2
    else:
        weight = weight_on_data(
            objective.loss_weight,
            level,
            density=objective.time_density(denoiser.path),
            s=denoiser.parametrization.s,
            gamma=objective.min_snr_gamma or 5.0,
            bias=2.0 if objective.sigmoid_bias is None else objective.sigmoid_bias,
        )
    cost = _cost((d - x_0) / c_out, objective.loss, objective.huber_delta or 1.0)
    expected = (weight * c_out**2 * cost).mean((1, 2))
    parts = objective.loss_parts(denoiser, x_0, eps, t)
    found = parts["error"]
    assert found.shape == (16,), f"losses have shape {tuple(found.shape)}"
    exact = objective.loss == "mse"
    assert torch.allclose(found, expected, rtol=1e-6 if exact else 1e-3), "the loss is not the weighted error"
    whole = objective.losses(denoiser, x_0, eps, t)
    assert torch.allclose(sum(parts.values(), torch.zeros(())), whole), "the parts are not the whole"


def regularisers_see_the_estimate(objective: BaseObjective) -> None:
    """Each regulariser adds what it says of D, x_0 and the noise level."""
    denoiser, x_0, eps, _ = _setting(objective)
    t = torch.linspace(0.01, 0.9, 16, dtype=torch.float64)  # of which some are above any threshold
    level = denoiser.path.level(t)
    d = denoiser(denoiser.path.perturb(x_0, eps, level), level)
    _, *parts = objective.loss_parts(denoiser, x_0, eps, t).values()
    assert len(parts) == len(objective.regularisers), "a regulariser is missing"
    for found, regulariser in zip(parts, objective.regularisers, strict=True):
        expected = regulariser.losses(d, x_0, level)
        assert torch.allclose(found, expected, rtol=1e-6), f"{type(regulariser).__name__} sees another D"


def missing_elements_do_not_count(objective: BaseObjective) -> None:
    """The loss is the mean over valid elements; a member without any costs nothing."""
    denoiser, x_0, eps, t = _setting(objective)
    valid = torch.rand(16, _CHANNELS, _LENGTH, generator=torch.Generator().manual_seed(0)) < 0.6
    valid[0] = False
    found = objective.losses(denoiser, x_0, eps, t, Condition(valid=valid))
    other = torch.where(valid, x_0, 50.0)
    assert torch.allclose(found, objective.losses(denoiser, other, eps, t, Condition(valid=valid))), (
        "they count"
    )
    assert float(found[0]) == 0.0, "a member without valid elements costs something"


def density_integrates_to_one(objective: BaseObjective) -> None:
    """p(t) is the derivative of the quantile function's inverse, and integrates to 1."""
    denoiser, *_ = _setting(objective)
    density = objective.time_density(denoiser.path)
    q = torch.linspace(0.02, 0.98, 97, dtype=torch.float64)
    step = 1e-6
    slope = (density.quantile(q + step) - density.quantile(q - step)).abs() / (2 * step)
    error = float((density.pdf(density.quantile(q)) * slope - 1.0).abs().max())
    assert error < 1e-4, f"p(t) dt/dq differs from 1 by {error:.1e}"
    t = density.quantile(q)
    inside = (t >= denoiser.path.sde.t_min) & (t <= 1.0)
    assert bool(inside.all()), "times lie outside [t_min, 1]"


def times_depend_on_seed_step_and_place(objective: BaseObjective) -> None:
    """A member's time does not depend on how the batch is divided."""
    denoiser, *_ = _setting(objective)
    place = torch.arange(12)
    whole = objective.times(denoiser.path, Stream(3, "time"), 5, place, 12)
    part = objective.times(denoiser.path, Stream(3, "time"), 5, place[1::2], 12)
    other = objective.times(denoiser.path, Stream(3, "time"), 6, place, 12)
    assert torch.equal(whole[1::2], part), "a time depends on the division of the batch"
    assert not torch.equal(whole, other), "two steps draw the same times"


OBJECTIVE_LAWS: list[Callable[[Any], None]] = [
    loss_is_weighted_error_of_the_mean,
    regularisers_see_the_estimate,
    missing_elements_do_not_count,
    density_integrates_to_one,
    times_depend_on_seed_step_and_place,
]
