"""A component of a third party, in a file: listed, validated, trained, saved, loaded; named when it is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula import DiffusionModel, Registry
from undula.testing import check_component

from ..cli.command import TINY, Result, process, undula

PLUGIN = '''
"""A map of a third party's."""

import torch

from undula import BasePreprocessor, register


@register("preprocessing", "halved_for_test")
class Halved(BasePreprocessor):
    """Centre on the training mean, and divide by twice the spread.

    Args:
        factor: of the spread.
    """

    def __init__(self, factor: float = 2.0) -> None:
        self.factor = factor

    def fit(self, x, valid=None, condition=None):
        """Learn mean and spread by column."""
        self.mean_, self.sd_ = x.mean((0, 2), keepdim=True), x.std((0, 2), keepdim=True)
        return self

    def transform(self, x, condition=None):
        """(x - mean) / (factor sd)."""
        return (x - self.mean_.to(x)) / (self.factor * self.sd_.to(x))

    def inverse_transform(self, z, condition=None):
        """mean + factor sd z."""
        return self.mean_.to(z) + self.factor * self.sd_.to(z) * z

    def log_det(self, x, condition=None):
        """One number a member."""
        return -(self.factor * self.sd_).to(x).log().sum().expand(len(x)) * x.shape[2]
'''


@pytest.fixture
def call(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Result]]:
    """`undula …` in a folder with the plugin; the component is gone afterwards."""
    (tmp_path / "theirs.py").write_text(PLUGIN)
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "mine.yaml").write_text(
        "extends: tiny.yaml\nplugins: [theirs.py]\ntraining: {num_epochs: 1}\n"
        "components: {preprocessing: {type: halved_for_test, params: {factor: 3}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("undula.cli.options._state", {"debug": False})
    yield lambda *arguments: undula(capsys, monkeypatch, *arguments)
    Registry._classes.pop(("preprocessing", "halved_for_test"), None)


def test_a_third_partys_component(call: Callable[..., Result], tmp_path: Path) -> None:
    unknown = call("components", "preprocessing", "halved_for_test")
    assert unknown.code == 2 and "unknown preprocessing 'halved_for_test'" in unknown.err
    listed = call("components", "preprocessing", "--plugin", "theirs.py")
    assert "halved_for_test  Centre on the training mean" in listed.out
    inspected = call("components", "preprocessing", "halved_for_test", "--plugin", "theirs.py")
    assert "factor: float, default 2.0" in inspected.out and "of the spread." in inspected.out
    check_component(Registry.get("preprocessing", "halved_for_test"))

    (tmp_path / "wrong.yaml").write_text((tmp_path / "mine.yaml").read_text().replace("factor", "faktor"))
    wrong = call("validate", "wrong.yaml")
    assert wrong.code == 2 and "no parameter 'faktor'; did you mean 'factor'?" in wrong.err
    assert call("validate", "mine.yaml").code == 0

    assert call("run", "mine.yaml", "--quiet", "--out", "runs").code == 0
    (run,) = (tmp_path / "runs" / "tiny").iterdir()
    saved = json.loads((run / "model" / "model.json").read_text())["components"]["preprocessing"]
    assert saved == {"type": "halved_for_test", "params": {"factor": 3.0}}

    without = process(tmp_path, "sample", run, "-n", 2)
    assert without.code == 2
    assert "unknown preprocessing 'halved_for_test'" in without.err and "--plugin file.py" in without.err
    assert call("sample", run, "-n", 40, "-o", "s.csv", "--plugin", "theirs.py").code == 0
    loaded = DiffusionModel.load(run)
    table = pd.read_csv("s.csv")
    assert np.allclose(table["value"], loaded.sample(40).ravel(), rtol=1e-5), (
        "saved and loaded: the same samples"
    )
    assert float(loaded.parts_.preprocessing.sd_) == pytest.approx(1.0, abs=0.3), "the fitted spread too"
