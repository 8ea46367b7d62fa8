"""Structured noise: covariances as stated, scales as told, and every idle or wrong option refused."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from undula import DiffusionModel
from undula.core.condition import Condition
from undula.core.errors import ConfigError, DataError, IncompatibleError
from undula.core.noise import BaseNoise
from undula.core.registry import Registry
from undula.core.sde import NoiseLevel
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.bound import variational_bound
from undula.diffusion.denoiser import BaseDenoiser
from undula.diffusion.path import GaussianPath

VP = Registry.get("sde", "vpsde")


def structured(**params: object) -> BaseNoise:
    return Registry.get("noise", "structured", **params)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matrix(noise: BaseNoise, channels: int, length: int) -> torch.Tensor:
    d = channels * length
    return noise.apply(torch.eye(d, dtype=torch.float64).reshape(d, channels, length)).reshape(d, d)


@pytest.mark.parametrize(
    ("params", "groups"),
    [
        ({"pattern": "seasonal", "period": 3}, [0, 1, 2, 0, 1, 2, 0, 1]),
        ({"pattern": "block", "block": 3}, [0, 0, 0, 1, 1, 1, 2, 2]),
    ],
)
def test_patterns_share_variance_within_groups(params: dict[str, object], groups: list[int]) -> None:
    """Σ_ij = share within a group, 0 between groups, 1 on the diagonal; the last group may be cut."""
    found = matrix(structured(features="identity", share=0.6, **params), 1, 8)
    group = torch.tensor(groups)
    expected = 0.6 * (group[:, None] == group).double() + 0.4 * torch.eye(8, dtype=torch.float64)
    assert torch.allclose(found, expected, atol=1e-12)


def test_features_are_fitted_and_given() -> None:
    """F is the second moment of the training series (or the matrix), trace C, on its floor."""
    mix = torch.tensor([[1.0, 0.0], [0.8, 0.3]]).double()
    z = mix @ normal(400, 2, 5)
    moment = torch.einsum("ncl,ndl->cd", z, z)
    expected = 0.9 * moment / moment.diagonal().mean() + 0.1 * torch.eye(2)
    fitted = structured(floor=0.1).fit(z, VP)
    assert torch.allclose(matrix(fitted, 2, 1), expected, atol=1e-10)
    given = structured(features=(5 * moment).tolist(), floor=0.1).fit(z, VP)
    assert torch.allclose(matrix(given, 2, 1), expected, atol=1e-10)
    both = structured(floor=0.1, pattern="block", block=2).fit(z, VP)
    block = torch.tensor([[1.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    assert torch.allclose(matrix(both, 2, 2), torch.kron(expected, block), atol=1e-10)


@pytest.mark.parametrize("scale_is", ["ivar", "variance", "sigma"])
def test_scale_is_as_told(scale_is: str) -> None:
    """v = (1 − floor) var/mean + floor; nothing told (0, NaN, dropped): 1."""
    variance = torch.tensor([[[1.0, 4.0, 0.25, 2.0]], [[3.0, 0.0, math.nan, 1.0]]]).double()
    told = {"ivar": 1 / variance, "variance": variance, "sigma": variance.sqrt()}[scale_is]
    told = torch.where(variance == 0, 0.0, told)
    condition = Condition(aligned={"noise_of_it": told})
    noise = structured(features="identity", scale_from="noise_of_it", scale_is=scale_is, floor=0.2)
    noise.fit(normal(2, 1, 4), VP, condition)
    mean = (1 + 4 + 0.25 + 2 + 3 + 1) / 6
    expected = torch.where((variance > 0), 0.8 * variance / mean + 0.2, 1.0)
    assert torch.allclose(noise.apply(torch.ones(2, 1, 4).double(), condition), expected, rtol=1e-12)
    dropped = condition.drop("noise_of_it", torch.tensor([False, True]))
    found = noise.apply(torch.ones(2, 1, 4).double(), dropped)
    assert torch.allclose(found[0], expected[0])
    assert torch.allclose(found[1], torch.ones(1, 4).double())


def test_scales_that_differ_by_feature_keep_the_mean_diagonal() -> None:
    """A loud feature with a large F_cc must not raise the mean: var is averaged with weights F_cc."""
    variance = normal(6, 2, 4).exp() * torch.tensor([9.0, 1.0]).double()[:, None]
    condition = Condition(aligned={"variance": variance})
    noise = structured(features=[[3.0, 0.5], [0.5, 0.2]], scale_from="variance")
    noise.fit(normal(6, 2, 4), Registry.get("sde", "rectified"), condition)
    diagonals = [
        noise.apply(torch.eye(8, dtype=torch.float64).reshape(8, 2, 4), condition[torch.full((8,), k)])
        .reshape(8, 8)
        .diagonal()
        for k in range(6)
    ]
    assert float(torch.stack(diagonals).mean()) == pytest.approx(1.0, rel=1e-9)


class Shrinking(BaseDenoiser):
    """D = R g(λ) R⁻¹ x_t, a function of the whitened series alone."""

    def __init__(self, path: GaussianPath) -> None:
        self.path = path

    def __call__(
        self, x_t: torch.Tensor, t: float | torch.Tensor | NoiseLevel, condition: Condition | None = None
    ) -> torch.Tensor:
        level, noise = self.path.level(t), self.path.noise
        y = torch.tanh(noise.whiten(x_t, condition))
        return noise.colour(y * level.alpha / (level.alpha**2 + level.sigma**2), condition)


def test_bound_with_a_scale_is_the_white_one_on_whitened_data() -> None:
    """Member by member, log det V included."""
    condition = Condition(aligned={"ivar": normal(5, 1, 6).exp()})
    z = normal(5, 2, 6, seed=1)
    noise = structured(pattern="seasonal", period=2, scale_from="ivar").fit(z, VP, condition)
    coloured = Shrinking(GaussianPath(sde=VP, noise=noise))
    white = Shrinking(GaussianPath(sde=VP, noise=Registry.get("noise", "standard")))
    log_det = noise.log_det(2, 6, condition)
    expected = variational_bound(white, noise.whiten(z, condition)) + 0.5 * log_det
    assert log_det.shape == (5,)
    assert torch.allclose(variational_bound(coloured, z, condition), expected, rtol=1e-9)


def test_exact_denoisers_refuse_noise_that_changes() -> None:
    noise = structured(features="identity", scale_from="ivar")
    with pytest.raises(IncompatibleError, match="changes with the condition"):
        GaussianDenoiser(GaussianPath(sde=VP, noise=noise), torch.zeros(1, 3), torch.eye(3))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"features": "identity"}, "is white: use noise: standard"),
        ({"period": 3}, "period has no effect"),
        ({"pattern": "seasonal", "block": 3, "period": 3}, "block has no effect"),
        ({"share": 0.3}, "share has no effect"),
        ({"scale_is": "ivar"}, "scale_is has no effect"),
        ({"features": "identity", "pattern": "block", "block": 3, "floor": 0.1}, "floor has no effect"),
        ({"pattern": "seasonal"}, "needs period"),
        ({"pattern": "block", "block": 1}, "needs block"),
        ({"scale_from": "weight"}, "scale_is: ivar, variance or sigma"),
        ({"features": [[1.0, 2.0]]}, "not a square matrix"),
        ({"features": [[1.0, 2.0], [2.0, 1.0]]}, "no covariance"),
        ({"features": [[1.0, 0.5], [0.2, 1.0]]}, "no covariance"),
        ({"features": [[0.0]]}, "no covariance"),
    ],
)
def test_wrong_options_are_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        structured(**params)


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        (None, IncompatibleError, "nothing is told"),
        (Condition(aligned={"ivar": torch.ones(4, 1, 7)}), IncompatibleError, "1 channels of 7 steps"),
        (Condition(aligned={"ivar": torch.ones(4, 3, 6)}), IncompatibleError, "3 channels of 6 steps"),
        (Condition(aligned={"ivar": -torch.ones(4, 1, 6)}), DataError, "negative values"),
        (Condition(aligned={"ivar": torch.zeros(4, 1, 6)}), DataError, "no positive number"),
    ],
)
def test_wrong_parts_are_refused(told: Condition | None, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        structured(features="identity", scale_from="ivar").fit(normal(4, 2, 6), VP, told)


def test_wrong_number_of_features_is_refused() -> None:
    with pytest.raises(IncompatibleError, match="2 rows, and 3 features"):
        structured(features=[[1.0, 0.0], [0.0, 1.0]]).fit(normal(4, 3, 6), VP)
    with pytest.raises(ConfigError, match="has not seen data"):
        structured().colour(normal(4, 3, 6))


def heteroscedastic(rows: int = 400) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    sigma = np.exp(generator.normal(size=rows))
    return pd.DataFrame({"flux": generator.normal(size=rows) * sigma, "sigma": sigma})


TINY = {"type": "mlp", "params": {"model_dim": 16, "num_layers": 1, "embedding_dim": 8}}
ROLES = {"target": ["flux"], "known_covariates": ["sigma"]}


def test_a_column_scales_the_noise_in_a_whole_model(tmp_path: object) -> None:
    """The column's own units reach the noise in training and sampling, and through the model's file."""
    table = heteroscedastic()
    model = DiffusionModel(
        architecture=TINY,
        noise={"type": "structured", "params": {"features": "identity", "scale_from": "sigma"}},
        data={"predict_len": 8, "roles": ROLES},
        training={"max_steps": 2, "batch_size": 16},
    ).fit(table)
    noise = model.parts_.noise
    train = table["sigma"][: int(0.8 * len(table))]
    assert float(noise.mean_variance_) == pytest.approx(float((train**2).mean()), rel=0.1)
    given = table.iloc[:8]
    samples = model.sample(3, seed=1, given=given)
    louder = model.sample(3, seed=1, given=given.assign(sigma=given["sigma"] * 3))
    assert not np.allclose(samples, louder)
    assert np.isfinite(model.sample(2, unconditional=True)).all()
    model.save(str(tmp_path))
    assert np.array_equal(DiffusionModel.load(str(tmp_path)).sample(3, seed=1, given=given), samples)


@pytest.mark.parametrize(("noise", "accepted"), [("correlated", False), ("standard", True)])
def test_missing_values_need_noise_without_coupling(noise: str, accepted: bool) -> None:
    table = heteroscedastic()
    table.loc[::7, "flux"] = np.nan
    model = DiffusionModel(
        architecture=TINY,
        noise=noise,
        data={"predict_len": 8, "missing": "mask", "roles": {"target": ["flux"]}},
        training={"max_steps": 1, "batch_size": 16},
    )
    if accepted:
        model.fit(table[["flux"]])
        return
    with pytest.raises(IncompatibleError, match=r"noise 'correlated' needs whole windows.*noise: standard"):
        model.fit(table[["flux"]])
