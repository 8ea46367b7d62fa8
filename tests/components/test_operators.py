"""Operators against numbers worked out by hand; their laws are in tests/laws."""

from __future__ import annotations

import math

import pytest
import torch

from undula.core.errors import ConfigError, DataError
from undula.core.registry import Registry


def test_low_pass_keeps_what_lies_below_its_cutoff() -> None:
    """Component k has the frequency k/(2L) cycles a step: at 100 steps a second 1 Hz is component 8 of 400."""
    operator = Registry.get("operator", "low_pass", cutoff=1.0, rate=100.0)
    assert operator.count(400) == 8
    steps = torch.arange(400, dtype=torch.float64)
    for k in (0, 7, 8, 100):
        wave = torch.cos(math.pi * k * (steps + 0.5) / 400)[None, None]
        assert torch.allclose(operator(wave), wave if k < 8 else torch.zeros_like(wave), atol=1e-12), k


def test_blur_by_hand() -> None:
    x = torch.tensor([[[1.0, 2.0, 4.0, 8.0]]], dtype=torch.float64)
    kernel = [1.0, 10.0, 100.0]  # left neighbour, itself, right neighbour
    expected = {"zero": [210.0, 421.0, 842.0, 84.0], "reflect": [211.0, 421.0, 842.0, 884.0],
                "periodic": [218.0, 421.0, 842.0, 184.0]}  # fmt: skip
    for boundary, values in expected.items():
        found = Registry.get("operator", "blur", kernel=kernel, boundary=boundary)(x)
        assert found[0, 0].tolist() == pytest.approx(values), boundary
    narrow = Registry.get("operator", "blur", sigma=1.0)(torch.ones(1, 1, 30, dtype=torch.float64))
    assert torch.allclose(narrow, torch.ones_like(narrow)), "weights add up to 1"
    spike = torch.zeros(1, 1, 41, dtype=torch.float64)
    spike[..., 20] = 1.0
    wide = Registry.get("operator", "blur", sigma=3.0)(spike)[0, 0]
    at = torch.arange(41) - 20
    assert float((wide * at**2).sum()) ** 0.5 == pytest.approx(3.0, rel=0.01)
    varying = Registry.get("operator", "blur", sigma=[0.2] * 20 + [2.0] * 21)(spike)[0, 0]
    assert varying[19] < 1e-4 < varying[21], "each row has its own width"
    level = torch.ones(1, 1, 41, dtype=torch.float64)
    assert torch.allclose(Registry.get("operator", "blur", sigma=[0.2] * 20 + [2.0] * 21)(level), level)


def test_decimation_and_mixing_by_hand() -> None:
    x = torch.arange(12.0, dtype=torch.float64).reshape(1, 2, 6)
    pick = Registry.get("operator", "decimation", factor=4, offset=1)
    assert pick(x).tolist() == [[[1.0, 5.0], [7.0, 11.0]]]
    mean = Registry.get("operator", "decimation", factor=3, method="mean")
    assert mean(x).tolist() == [[[1.0, 4.0], [7.0, 10.0]]]
    assert mean.pseudo_inverse(mean(x), 2, 6)[0, 0].tolist() == pytest.approx([1.0, 1.0, 1.0, 4.0, 4.0, 4.0])
    mix = Registry.get("operator", "channel_mix", matrix=[[1.0, -2.0]])
    assert mix(x)[0, 0].tolist() == [-12.0, -13.0, -14.0, -15.0, -16.0, -17.0]
    chain = Registry.resolve("operator", [mix, mean])
    assert chain(x).tolist() == [[[-13.0, -16.0]]] and chain.shape(2, 6) == (1, 2)


@pytest.mark.parametrize(
    ("name", "params", "shape", "message"),
    [
        ("low_pass", {"components": 24}, (1, 24), "all of the 24 components of a window would be measured"),
        ("decimation", {"factor": 5, "method": "mean"}, (1, 24), "24 steps are no multiple of 5"),
        ("channel_mix", {"matrix": [[1.0]]}, (2, 24), "the matrix has 1 columns, the series 2 channels"),
        ("blur", {"sigma": [1.0, 2.0]}, (1, 24), "sigma has 2 widths, the series 24 steps"),
        ("selection", {"steps": [(20, 30)]}, (1, 24), r"steps \[20, 30\] do not lie in a series of 24 steps"),
        ("selection", {"channels": [3]}, (2, 24), "there is no channel 3 of 2"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    name: str, params: dict[str, object], shape: tuple[int, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        Registry.get("operator", name, **params).shape(*shape)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("low_pass", {}, "give either cutoff, a frequency, or components"),
        ("low_pass", {"cutoff": 60.0, "rate": 100.0}, "is not below half the rate, 50"),
        ("low_pass", {"components": 3, "rate": 2.0}, "has no effect with components"),
        ("blur", {"kernel": [1.0, 1.0]}, "the kernel has 2 weights: give an odd number"),
        ("blur", {}, "give either sigma"),
        (
            "decimation",
            {"factor": 2, "offset": 1, "method": "mean"},
            "offset has no effect with method: mean",
        ),
        ("channel_mix", {"matrix": [[1.0], [1.0, 2.0]]}, "rows of equal length"),
        ("selection", {}, "give steps, such as"),
    ],
)
def test_idle_or_missing_parameters_are_refused(name: str, params: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Registry.get("operator", name, **params)
