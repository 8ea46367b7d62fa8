"""`undula.evaluate`: what is a copy, what is alike, what is not, under both protocols."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

import undula
from undula.core.errors import ConfigError, DataError
from undula.experiments.assessment import Assessment, share_of_literal_copies
from undula.report.words import group_verdicts

FEW = ["ks", "std", "copying"]


def series(rows: int, seed: int, phi: float = 0.8) -> pd.DataFrame:
    white = np.random.default_rng(seed).normal(size=(rows, 2))
    a = lfilter([np.sqrt(1 - phi**2)], [1, -phi], white[:, 0])
    return pd.DataFrame({"a": a, "b": 10 + 0.5 * a + white[:, 1]})


def windows(n: int, seed: int, length: int = 12) -> np.ndarray:
    """Independent windows of the same law."""
    rows = series(n * 60, seed).to_numpy()
    return rows.reshape(n, 60, 2)[:, 20 : 20 + length]


def assessed(real: Any, synthetic: Any, train: Any = None, **options: Any) -> Assessment:
    return undula.evaluate(
        real, synthetic, train, **{"metrics": FEW, "baselines": (), "bootstrap": 30, **options}
    )


def test_identical_files_are_a_copy() -> None:
    found = assessed(series(500, 0), series(500, 0))
    assert found.literal == 1.0 and found.copied
    assert found.headline.startswith("A copy: 100% of the synthetic windows are real ones")
    assert any("real ones, number for number" in note for note in found.notes)


def test_a_copy_of_what_is_held_out_is_one_too() -> None:
    found = assessed(series(400, 0), series(400, 0), series(500, 1))
    assert found.headline.startswith("A copy") and found.protocol == "held-out"


def test_a_few_literal_copies_are_said() -> None:
    real, fresh = series(600, 0), windows(300, 5).copy()
    fresh[:30] = np.lib.stride_tricks.sliding_window_view(real.to_numpy(), 12, axis=0)[:30].transpose(0, 2, 1)
    found = assessed(real, fresh)
    assert found.literal == pytest.approx(0.1)
    assert found.headline.startswith("Partly a copy: 10%")
    answer = group_verdicts(found.judgement, found.literal)[-1]
    assert answer[1:] == ("yes: 10% are real windows, number for number", False)


def test_a_jittered_copy_is_caught() -> None:
    real = series(600, 0)
    jittered = real + 0.02 * np.random.default_rng(1).normal(size=real.shape)
    found = assessed(real, jittered)
    assert found.literal == 0.0
    assert found.headline.startswith("Copies: ") and found.flags.mean() > 0.9


def test_windows_that_stand_still_are_no_literal_copies() -> None:
    train = np.zeros((10, 5, 1))
    assert share_of_literal_copies(np.zeros((4, 5, 1)), train) == 0.0
    moving = np.arange(5.0)[None, :, None]
    assert share_of_literal_copies(np.concatenate([moving, moving + 1]), moving) == 0.5


def test_fresh_windows_of_the_same_law_are_alike_and_others_are_not() -> None:
    good = assessed(series(1500, 0), windows(300, 7))
    assert "No sign of copying" in good.headline and not good.copied
    bad = assessed(series(1500, 0), 2.0 * windows(300, 7))
    assert good.judgement.figures["ks"].value < 0.4 * bad.judgement.figures["ks"].value
    assert bad.headline.startswith("0 of 2 figures")


def test_the_two_protocols_have_their_floors() -> None:
    same = assessed(series(600, 0), windows(200, 7))
    apart = assessed(series(600, 0), windows(200, 7), series(600, 1))
    assert same.protocol == "train = test" and same.train is None
    assert np.isnan(same.judgement.figures["ks"].floors["shift"])
    assert apart.protocol == "held-out" and apart.judgement.figures["ks"].floors["shift"] > 0
    assert len(apart.train) == 600 - 12 + 1


def test_baselines_learn_from_what_the_generator_learned_from() -> None:
    train = series(600, 1) + 100.0
    found = assessed(series(600, 0), windows(100, 7), train, baselines=["iid_bootstrap"])
    assert found.baselines["iid_bootstrap"].shape == (100, 12, 2)
    assert found.baselines["iid_bootstrap"].mean() == pytest.approx(train.to_numpy().mean(), abs=0.2)


def test_overlap_of_synthetic_windows_is_said() -> None:
    assert any(
        "as many rows as 20 separate windows" in n for n in assessed(series(600, 0), series(494, 3)).notes
    )
    assert not any("separate windows" in n for n in assessed(series(600, 0), windows(100, 3)).notes)


def test_constant_columns() -> None:
    still = series(300, 1).assign(b=3.0)
    found = assessed(series(300, 0), still, metrics=["values", "dynamics"])
    assert "SYNTHETIC: column 'b' has one value throughout" in found.notes
    assert not found.headline.startswith("13 of 13")
    with pytest.raises(DataError, match=r"REAL: column 'b' has one value, 3, throughout: .*--columns a"):
        assessed(still, series(300, 0))
    with pytest.raises(DataError, match="TRAIN: column 'b' has one value"):
        assessed(series(300, 0), series(300, 1), still)


def test_one_column_one_window_and_few() -> None:
    found = assessed(series(60, 0)[["a"]], series(30, 1)[["a"]], metrics=None)
    assert "cross_correlation" not in found.judgement.figures
    few = assessed(series(25, 0), series(24, 1), metrics=["values", "windows", "dynamics", "copying"])
    assert len(few.synthetic) == 1 and json.dumps(few.as_json())


def test_neighbours_of_one_series_are_not_many_copies() -> None:
    """Windows of one series are flagged together: their share says less than so many independent ones."""
    verdicts = [
        assessed(series(600, seed), series(300, 50 + seed), metrics=["copying"]).judgement.figures["copying"]
        for seed in range(12)
    ]
    assert max(f.value for f in verdicts) > 0.02
    assert all(f.verdict == "ok" for f in verdicts)


def test_what_was_aligned_is_told_first_and_progress_rises() -> None:
    told: list[Any] = []
    assessed(
        series(300, 0),
        windows(50, 1),
        on_aligned=told.append,
        on_progress=lambda name, share: told.append((name, share)),
    )
    assert told[0][0] == "columns: a, b"
    shares = [share for _, share in told[1:]]
    assert [name for name, _ in told[1:]] == FEW_IN_ORDER
    assert shares == sorted(shares) and shares[-1] < 1


FEW_IN_ORDER = ["ks", "std", "copying"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ["kss"]}, "unknown metric 'kss'"),
        ({"baselines": ["garchh"]}, "unknown baseline 'garchh'; did you mean 'garch'"),
        ({"transform": "logs"}, "transform = 'logs': the transform is none of"),
        ({"length": 1}, "length 1: a window needs 2 steps"),
        ({"stride": 0}, "stride = 0"),
        ({"columns": []}, "columns is empty"),
        ({"repeats": 0}, "repeats 0"),
        ({"missing": "mask"}, "missing = 'mask'"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        assessed(series(300, 0), series(300, 1), **options)


def test_what_is_written(tmp_path: Path) -> None:
    found = assessed(series(200, 0), series(200, 0), series(200, 3), metrics=["ks", "copying", "std"])
    paths = found.write(tmp_path / "new" / "folder")
    assert [p.name for p in paths] == [
        "results.json", "report.html", "windows.png", "marginals.png", "dynamics.png", "embedding.png"
    ]  # fmt: skip
    results = json.loads(paths[0].read_text())
    assert results["verdict"] == found.headline and results["data"]["protocol"] == "held-out"
    assert results["data"]["literal_copies"] == 1.0
    assert results["metrics"]["ks"]["value"] == pytest.approx(0.0)
    page = paths[1].read_text()
    assert found.headline in page and "SYNTHETIC: 200 rows" in page
    assert "the generator has not seen the real windows" in " ".join(page.split()).replace("\n", " ")
    assert all(p.stat().st_size > 10_000 for p in paths[2:])


def test_the_same_seed_gives_the_same_figures() -> None:
    first, again = (assessed(series(300, 0), windows(60, 1), metrics=["ks", "boosting"]) for _ in range(2))
    assert first.as_json() == again.as_json()
