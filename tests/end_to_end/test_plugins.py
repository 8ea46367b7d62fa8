"""A component of a third party, in a file: listed, validated, trained, saved, loaded; named when it is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from ..cli.command import TINY, process

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

    def log_det(self, x):
        """One number a member."""
        return -(self.factor * self.sd_).to(x).log().sum().expand(len(x)) * x.shape[2]
'''


def test_a_third_partys_component(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(PLUGIN)
    (tmp_path / "mine.yaml").write_text(
        "extends: tiny.yaml\nplugins: [theirs.py]\ntraining: {num_epochs: 1}\n"
        "components: {preprocessing: {type: halved_for_test, params: {factor: 3}}}\n"
    )
    (tmp_path / "tiny.yaml").write_text(TINY)

    listed = process(tmp_path, "components", "preprocessing", "--plugin", "theirs.py")
    assert "halved_for_test  Centre on the training mean" in listed.out
    inspected = process(tmp_path, "components", "preprocessing", "halved_for_test", "--plugin", "theirs.py")
    assert "factor: float, default 2.0" in inspected.out and "of the spread." in inspected.out
    (tmp_path / "wrong.yaml").write_text((tmp_path / "mine.yaml").read_text().replace("factor", "faktor"))
    wrong = process(tmp_path, "validate", "wrong.yaml")
    assert wrong.code == 2 and "no parameter 'faktor'; did you mean 'factor'?" in wrong.err
    assert process(tmp_path, "validate", "mine.yaml").code == 0

    assert process(tmp_path, "run", "mine.yaml", "--quiet", "--out", "runs").code == 0
    (run,) = (tmp_path / "runs" / "tiny").iterdir()
    saved = json.loads((run / "model" / "model.json").read_text())["components"]["preprocessing"]
    assert saved == {"type": "halved_for_test", "params": {"factor": 3.0}}

    without = process(tmp_path, "sample", run, "-n", 2)
    assert without.code == 2
    assert "unknown preprocessing 'halved_for_test'" in without.err and "--plugin file.py" in without.err
    assert process(tmp_path, "sample", run, "-n", 40, "-o", "s.csv", "--plugin", "theirs.py").code == 0
    spread = pd.read_csv(tmp_path / "s.csv")["value"].std()
    assert 0.3 < spread < 3, "samples are in the data's units"
