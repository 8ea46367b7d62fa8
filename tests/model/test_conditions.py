"""The façade: histories, covariates and static columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula import DataOptions, DiffusionModel
from undula.core.errors import DataError
from undula.data.options import Roles

from .small import QUICK, frame, model

CONDITIONAL = DataOptions(
    history_len=6,
    predict_len=8,
    roles=Roles(target=["price"], known_covariates=["volume"], calendar=["day_of_week"]),
)


@pytest.fixture(scope="module")
def conditional() -> DiffusionModel:
    return model(data=CONDITIONAL, training={**QUICK, "max_steps": 40}).fit(frame())


def test_a_conditional_model_needs_to_be_told(conditional: DiffusionModel) -> None:
    with pytest.raises(
        DataError, match=r"conditioned on history, covariates: pass `given`.*unconditional=True"
    ):
        conditional.sample(3)
    assert conditional.sample(3, unconditional=True).shape == (3, 8, 1)


def test_a_conditional_model_uses_what_it_is_told(conditional: DiffusionModel) -> None:
    table = frame(60)
    table.loc[52:, "price"] = np.nan  # the future: its covariate is known, its target is not
    samples = conditional.sample(4, seed=1, given=table)
    assert samples.shape == (4, 8, 1)
    higher = table.assign(price=table["price"] + 40)
    assert not np.allclose(conditional.sample(4, seed=1, given=higher), samples)
    busier = table.assign(volume=table["volume"] * 2)
    assert not np.allclose(conditional.sample(4, seed=1, given=busier), samples)
    assert not np.allclose(conditional.sample(4, seed=1, unconditional=True), samples)


def test_what_is_told_is_checked(conditional: DiffusionModel, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"10 rows after cleaning, the model needs 14: 6 of history and 8 of known"
    ):
        conditional.sample(1, given=frame(10))
    with pytest.raises(DataError, match="no column 'volume'"):
        conditional.sample(1, given=frame(30).drop(columns="volume"))
    holes = frame(30)
    holes.loc[18, "price"] = np.nan
    with pytest.raises(DataError, match="missing values in its history"):
        conditional.sample(1, given=holes)
    with pytest.raises(DataError, match="needs covariates: pass `given` as a table"):
        conditional.sample(1, given=np.zeros((1, 6, 1)))
    frame(30).to_csv(tmp_path / "given.csv", index=False)
    assert conditional.sample(1, given=tmp_path / "given.csv").shape == (1, 8, 1)


def test_histories_as_an_array() -> None:
    trained = model(data=DataOptions(history_len=6, predict_len=8)).fit(frame())
    histories = frame()[["price", "volume"]].to_numpy()[:24].reshape(4, 6, 2)
    samples = trained.sample(8, given=histories)
    assert samples.shape == (8, 8, 2)
    one = trained.sample(5, given=histories[:1])
    assert np.allclose(samples[[0, 4]], one[[0, 4]], rtol=1e-5), (
        "sample i is told window i modulo their number"
    )
    with pytest.raises(DataError, match=r"expected \(N, 6, 2\)"):
        trained.sample(1, given=np.zeros((1, 4, 2)))


def test_a_panel_with_static_columns() -> None:
    table = pd.concat([frame(400, seed=k).assign(id=f"s{k}", size=float(k)) for k in range(3)])
    options = DataOptions(
        history_len=4,
        predict_len=8,
        roles=Roles(series="id", target=["price"], static=["size"], past_covariates=["volume"]),
    )
    trained = model(data=options).fit(table)
    assert trained.collator_.layout.static == {"static": 1}
    assert trained.collator_.layout.sequence == {"history": (2, 4)}
    samples = trained.sample(6, given=table)
    assert samples.shape == (6, 8, 1)
    assert not np.allclose(samples, trained.sample(6, given=table.assign(size=5.0)))


def test_conditions_are_learned() -> None:
    """A covariate that decides the level is followed; its null gives both levels."""
    rng = np.random.default_rng(0)
    switch = np.repeat(rng.integers(0, 2, 150), 8).astype(float)
    table = pd.DataFrame({"v": 10 * switch + 0.3 * rng.normal(size=1200), "k": switch})
    options = DataOptions(predict_len=8, stride=8, roles=Roles(target=["v"], known_covariates=["k"]))
    training = {"batch_size": 64, "max_steps": 400, "learning_rate": 3e-3, "sample_every": None}
    spec = {"type": "mlp", "params": {"model_dim": 64, "num_layers": 2, "condition_dropout": 0.2}}
    trained = model(
        architecture=spec,
        data=options,
        training=training,
        sampler={"type": "dpm", "params": {"num_steps": 12}},
    )
    trained.fit(table)
    low, high = (
        trained.sample(50, given=pd.DataFrame({"v": np.zeros(8), "k": np.full(8, k)})) for k in (0.0, 1.0)
    )
    assert abs(float(np.mean(low))) < 1.5
    assert abs(float(np.mean(high)) - 10) < 1.5
    both = np.asarray(trained.sample(300, unconditional=True)).mean((1, 2))
    assert (both < 3).mean() > 0.2 and (both > 7).mean() > 0.2


# -- training options ------------------------------------------------------------------------------


def test_samples_of_different_lengths_have_those_of_what_is_given() -> None:
    """Sample i is as long as the window whose covariates it was given, whatever the batch size."""
    rng = np.random.default_rng(0)
    rows = []
    for name, length in enumerate(rng.integers(6, 20, 60)):
        rows += [(name, t, rng.normal(), np.sin(t)) for t in range(length)]
    table = pd.DataFrame(rows, columns=["id", "t", "v", "known"])
    model = DiffusionModel(
        architecture={"type": "transformer", "params": {"model_dim": 16, "num_heads": 2, "num_layers": 1}},
        objective="flow_matching",
        sampler={"type": "ddim", "params": {"num_steps": 3}},
        data={
            "predict_len": None,
            "roles": {"series": "id", "time": "t", "target": ["v"], "known_covariates": ["known"]},
        },
        training={"max_steps": 2, "sample_every": None},
    ).fit(table)
    given = table[table["id"].isin([3, 4, 5])]
    lengths = given.groupby("id").size().to_list()
    samples = model.sample(6, seed=1, given=given)
    assert [len(s) for s in samples] == lengths * 2
    alone = model.sample(6, seed=1, given=given, batch_size=1)
    assert max(np.abs(a - b).max() for a, b in zip(samples, alone, strict=True)) < 1e-5
