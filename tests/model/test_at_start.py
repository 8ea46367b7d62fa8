"""Models that are told values at the start of a window: nulls, guidance, files, and a known answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula import DataOptions, DiffusionModel
from undula.core.errors import ConfigError, DataError, OutsideTrainingWarning
from undula.data.options import Roles

from .small import QUICK, model

MLP = {"type": "mlp", "params": {"model_dim": 64, "num_layers": 2, "condition_dropout": 0.2}}
LENGTH = 8


def table(windows: int = 600, seed: int = 0) -> pd.DataFrame:
    """A level that is drawn anew every 8 rows; numbers whose spread is a tenth of it in the 8 rows after."""
    rng = np.random.default_rng(seed)
    level = np.repeat(np.exp(rng.uniform(np.log(10), np.log(40), windows)), LENGTH)
    spread = np.concatenate([np.full(LENGTH, 20.0), level[:-LENGTH]]) / 10
    return pd.DataFrame({"v": spread * rng.normal(size=len(level)), "level": level})


def options(**changes: object) -> DataOptions:
    roles = Roles(target=["v"], at_start=["level"])
    settings = {"predict_len": LENGTH, "stride": LENGTH, "at_start_scale": "log", "roles": roles}
    return DataOptions.model_validate({**settings, **changes})


@pytest.fixture(scope="module")
def trained() -> DiffusionModel:
    """Windows begin at rows 8, 16, …: in each the spread is a tenth of the level before it."""
    return model(
        architecture=MLP,
        data=options(split={"train": 1.0, "val": 0.0, "test": 0.0}),
        training={"batch_size": 128, "max_steps": 500, "learning_rate": 3e-3, "sample_every": None},
        sampler={"type": "dpm", "params": {"num_steps": 40}},
    ).fit(table(3000))


def test_samples_have_the_spread_that_the_level_says(trained: DiffusionModel) -> None:
    """σ = level/10 is exact in the data; no window has exactly these levels."""
    spreads = [float(np.std(trained.sample(600, given={"level": v}))) for v in (12.0, 20.0, 30.0, 38.0)]
    assert spreads == pytest.approx([1.2, 2.0, 3.0, 3.8], rel=0.12)


def test_each_sample_has_its_own_level(trained: DiffusionModel) -> None:
    samples = np.asarray(trained.sample(400, given={"level": [12.0, 36.0]}))
    assert float(np.std(samples[0::2])) < 1.6 < 2.9 < float(np.std(samples[1::2]))
    one = np.asarray(trained.sample(400, given={"level": 36.0}))
    assert np.allclose(samples[1::2], one[1::2], rtol=1e-4, atol=1e-5), "the same noise at every level"


def test_the_null_is_the_mixture_of_all_levels(trained: DiffusionModel) -> None:
    """Its variance is the mean of the levels' variances."""
    free = np.asarray(trained.sample(1500, unconditional=True))
    expected = np.sqrt(np.mean((table(3000)["level"].to_numpy() / 10) ** 2))
    assert float(np.std(free)) == pytest.approx(expected, rel=0.12)


def test_guidance_acts(trained: DiffusionModel) -> None:
    given = {"level": 36.0}
    free = trained.sample(64, unconditional=True)
    as_trained = np.asarray(trained.sample(64, given=given))
    assert np.allclose(trained.sample(64, given=given, guidance_scale=0.0), free, atol=1e-5)
    assert np.allclose(trained.sample(64, given=given, guidance_scale=1.0), as_trained, atol=1e-5)
    further = np.asarray(trained.sample(64, given=given, guidance_scale=2.0))
    assert float(np.std(further)) > 1.05 * float(np.std(as_trained))


def test_files_keep_what_is_told(trained: DiffusionModel, tmp_path: Path) -> None:
    trained.save(tmp_path)
    loaded = DiffusionModel.load(tmp_path)
    given = {"level": [12.0, 30.0]}
    assert np.array_equal(loaded.sample(8, given=given), trained.sample(8, given=given))
    with pytest.warns(OutsideTrainingWarning, match="level = 400 at the start lies outside"):
        loaded.sample(2, given={"level": 400.0})


def test_a_model_that_is_told_nothing_by_name_says_so(trained: DiffusionModel) -> None:
    with pytest.raises(DataError, match=r"conditioned on at_start: pass `given`.*--given level=….*uncondit"):
        trained.sample(2)
    free = model().fit(table(60)[["v"]])
    with pytest.raises(ConfigError, match="the model is unconditional"):
        free.sample(2, given={"level": 3.0})


def test_a_history_beside_it(tmp_path: Path) -> None:
    """Both are told by one table."""
    both = model(data=options(history_len=5), training=QUICK).fit(table(100))
    assert both.collator_.layout.sequence == {"history": (1, 5)}
    assert both.collator_.layout.static == {"at_start": 1}
    rows = table(10, seed=3)
    samples = np.asarray(both.sample(3, given=rows))
    rows.loc[len(rows) - 1, "level"] = 25.0
    assert not np.allclose(both.sample(3, given=rows), samples)
    with pytest.raises(DataError, match="not as values by name"):
        both.sample(3, given={"level": 20.0})


def test_dropout_of_this_part_alone() -> None:
    spec = {
        "type": "mlp",
        "params": {"model_dim": 16, "num_layers": 1, "condition_dropout": {"at_start": 0.3}},
    }
    one = model(architecture=spec, data=options(), training=QUICK).fit(table(100))
    assert one.parts_.architecture.dropout_of_parts(one.collator_.layout) == {"at_start": 0.3}
    one.sample(2, given={"level": 20.0}, guidance_scale=2.0)


def test_static_columns_are_given_by_name_too() -> None:
    rows = pd.concat([table(40, seed=k).assign(id=f"s{k}", size=float(k)) for k in range(3)])
    roles = Roles(series="id", target=["v"], static=["size"], at_start=["level"])
    both = model(data=options(roles=roles), training=QUICK).fit(rows)
    small, large = (both.sample(4, given={"level": 20.0, "size": size}) for size in (0.0, 2.0))
    assert not np.allclose(small, large)
    with pytest.raises(DataError, match="has no value of 'size'"):
        both.sample(2, given={"level": 20.0})
