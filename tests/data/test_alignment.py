"""Sets of any form brought to the same columns and windows; every mistake names the set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from undula.core.errors import DataError
from undula.data.alignment import AlignedSet, align
from undula.data.options import DataOptions

RNG = np.random.default_rng


def table(rows: int = 60, seed: int = 0, start: str | None = "2020-01-01") -> pd.DataFrame:
    x = RNG(seed).normal(size=(rows, 2))
    frame = pd.DataFrame({"a": x[:, 0], "b": 10 + x[:, 1]})
    if start is not None:
        frame.insert(0, "date", pd.date_range(start, periods=rows).strftime("%Y-%m-%d"))
    return frame


def aligned(
    real: Any, synthetic: Any, length: int | None = None, **options: Any
) -> tuple[dict[str, AlignedSet], list[str]]:
    return align({"REAL": real, "SYNTHETIC": synthetic}, DataOptions(**options), length)


def long_form(windows: np.ndarray, columns: list[str]) -> pd.DataFrame:
    n, length, _ = windows.shape
    frame = pd.DataFrame(windows.reshape(n * length, -1), columns=columns)
    frame.insert(0, "step", np.tile(np.arange(length), n))
    frame.insert(0, "sample", np.repeat(np.arange(n), length))
    return frame


# -- columns ---------------------------------------------------------------------------------------


def test_columns_go_by_name_and_what_is_left_out_is_said() -> None:
    synthetic = table(50, 1, None)[["b", "a"]].assign(c=1.0)
    sets, notes = aligned(table(), synthetic)
    for cut in sets.values():
        assert cut.columns == ["a", "b"]
        assert cut.windows[..., 1].mean() == pytest.approx(10, abs=0.5)
    assert "columns: a, b" in notes
    assert "SYNTHETIC: c left out, not in every set" in notes
    assert "SYNTHETIC: its columns are in another order, they are matched by name" in notes
    assert sets["REAL"].windows.shape == (37, 24, 2) and sets["SYNTHETIC"].windows.shape == (27, 24, 2)


def test_an_array_has_the_columns_in_order() -> None:
    for nameless in (RNG(1).normal(size=(40, 2)), pd.DataFrame(RNG(1).normal(size=(40, 2)))):
        sets, notes = aligned(table(), nameless)
        assert sets["SYNTHETIC"].columns == ["a", "b"]
        assert "SYNTHETIC: its columns have no names, they are taken in order: a, b" in notes
        sets, _ = aligned(nameless, table())
        assert sets["REAL"].columns == ["a", "b"]


def test_arrays_alone_have_numbered_columns() -> None:
    sets, notes = aligned(RNG(0).normal(size=(40, 2)), RNG(1).normal(size=(9, 24, 2)))
    assert sets["REAL"].columns == ["feature_0", "feature_1"]
    assert not any("order" in note for note in notes)


def test_chosen_columns() -> None:
    sets, notes = aligned(table(), table(seed=1), columns=["b"])
    assert [cut.columns for cut in sets.values()] == [["b"], ["b"]]
    assert sets["REAL"].windows.mean() == pytest.approx(10, abs=0.5)
    assert "REAL: a left out, not chosen" in notes
    sets, _ = aligned(table(), RNG(0).normal(size=(40, 1)), columns=["b"])
    assert sets["SYNTHETIC"].columns == ["b"]


def test_three_sets_share_what_all_have() -> None:
    sets, _ = align(
        {"REAL": table(), "SYNTHETIC": table(seed=1), "TRAIN": table(seed=2)[["date", "b"]]}, DataOptions()
    )
    assert [cut.columns for cut in sets.values()] == [["b"]] * 3


# -- windows ----------------------------------------------------------------------------------------


def test_windows_of_a_series_are_its_rows() -> None:
    frame = table(60)
    sets, notes = aligned(frame[::-1], table(30, 1), length=10, stride=5)
    values = frame[["a", "b"]].to_numpy()
    expected = np.stack([values[i : i + 10] for i in range(0, 51, 5)])
    assert np.array_equal(sets["REAL"].windows, expected)
    assert np.array_equal(sets["REAL"].starts, np.arange(0, 51, 5))
    assert np.array_equal(np.concatenate(sets["REAL"].stretches), values)
    assert any(note.startswith("REAL: rows were newest first") for note in notes)


def test_windows_give_their_length_and_may_be_cut() -> None:
    windows = RNG(0).normal(size=(7, 32, 2))
    sets, notes = aligned(table(), windows)
    assert sets["REAL"].windows.shape[1] == 32 and "windows of 32 steps, as SYNTHETIC has them" in notes
    sets, notes = aligned(table(), windows, length=10)
    assert np.array_equal(sets["SYNTHETIC"].windows[:3], windows[0, :30].reshape(3, 10, 2))
    assert "SYNTHETIC: cut into 21 of 10 steps, the last 2 steps left out" in notes


def test_the_long_form_is_windows_whatever_its_order() -> None:
    windows = RNG(0).normal(size=(6, 12, 2))
    frame = long_form(windows, ["a", "b"])
    for rows in (frame, frame.sample(frac=1.0, random_state=0)):
        cut = aligned(table(), rows)[0]["SYNTHETIC"]
        assert sorted(w.tobytes() for w in cut.windows) == sorted(w.tobytes() for w in windows)


def test_samples_of_different_lengths_are_several_series() -> None:
    frame = long_form(RNG(0).normal(size=(4, 30, 2)), ["a", "b"])[:-6]
    sets, notes = aligned(table(), frame)
    assert len(sets["SYNTHETIC"].windows) == 3 * 7 + 1
    assert "SYNTHETIC: 4 series by 'sample'" in notes


def test_missing_values_as_asked() -> None:
    frame = table()
    frame.loc[40, "b"] = np.nan
    dropped = aligned(frame, table(seed=1), length=10, missing="drop")[0]["REAL"]
    assert len(dropped.windows) == 51 - 10 and np.isfinite(dropped.windows).all()
    assert [len(s) for s in dropped.stretches] == [40, 19]
    filled = aligned(frame, table(seed=1), length=10, missing="interpolate")[0]["REAL"]
    assert filled.windows[40, 0, 1] == pytest.approx(frame["b"][[39, 41]].mean())
    windows = RNG(0).normal(size=(5, 10, 2))
    windows[3, 2, 1] = np.nan
    sets, notes = aligned(table(), windows, missing="drop")
    assert len(sets["SYNTHETIC"].windows) == 4
    assert "SYNTHETIC: 1 windows with missing values left out" in notes


def test_transforms_name_their_columns_and_no_window_crosses_a_gap() -> None:
    frame = table(60)[["date", "b"]]
    frame.loc[30:, "date"] = pd.date_range("2021-01-01", periods=30).strftime("%Y-%m-%d")
    cut = aligned(frame, frame, length=8, transform="log_return")[0]["REAL"]
    assert cut.columns == ["b_log_return"]
    assert len(cut.windows) == 2 * (29 - 8 + 1)
    assert cut.windows[0, 0, 0] == pytest.approx(np.log(frame["b"][1] / frame["b"][0]))


# -- mistakes ---------------------------------------------------------------------------------------


def with_hole() -> pd.DataFrame:
    frame = table()
    frame.loc[7, "b"] = np.nan
    return frame


def with_word() -> pd.DataFrame:
    frame = table().astype({"b": object})
    frame.loc[7, "b"] = "calm"
    return frame


HOLED, INFINITE = RNG(0).normal(size=(3, 10, 2)), RNG(0).normal(size=(3, 10, 2))
HOLED[1, 2, 1] = np.nan
INFINITE[1, 2, 1] = np.inf

WRONG: dict[str, tuple[Any, dict[str, Any], str]] = {
    "one row": (table(1), {}, "SYNTHETIC: it has 1 row, and no window of 24 steps fits: .*--length"),
    "hole": (
        with_hole(),
        {},
        r"SYNTHETIC: 1 missing value, .*'b', row 8 \(2020-01-08\): --missing inter.*drop",
    ),
    "a word": (
        with_word(),
        {},
        "SYNTHETIC: column 'b', row 8: 'calm' is not a number: .*--missing.*--columns",
    ),
    "no column": (
        table().rename(columns={"a": "x", "b": "y"}),
        {},
        r"REAL and SYNTHETIC have no column in common \(REAL has a, b; SYNTHETIC has x, y\): rename",
    ),
    "a typo": (table(), {"columns": ["a", "bb"]}, "REAL: no column 'bb'"),
    "text alone": (pd.DataFrame({"a": ["x"] * 50}), {}, "SYNTHETIC: no numeric column .*--columns"),
    "counts": (RNG(0).normal(size=(40, 3)), {}, r"SYNTHETIC has 3 columns without names, and 2 .*\(a, b\)"),
    "no header": (
        pd.DataFrame(RNG(0).normal(size=(40, 2)), columns=["0.31", "-1.2"]),
        {},
        "SYNTHETIC: its first row holds numbers, not names",
    ),
    "axes": (np.zeros((2, 3, 4, 5)), {}, "SYNTHETIC: the array has shape"),
    "a number": (3.0, {}, "SYNTHETIC: data of type float"),
    "no file": ("none.csv", {}, "SYNTHETIC: file 'none.csv' does not exist"),
    "holed windows": (
        HOLED,
        {},
        "SYNTHETIC: 1 missing value, .*window 2, step 3, column 'b': .*--missing drop",
    ),
    "infinite": (INFINITE, {"missing": "drop"}, "SYNTHETIC: window 2, step 3, column 'b' is infinite"),
    "all holed": (np.full((3, 10, 2), np.nan), {"missing": "drop"}, "SYNTHETIC: every window has missing"),
    "transform": (
        HOLED,
        {"transform": "difference"},
        "SYNTHETIC: transform difference .*already cut: transform them first",
    ),
    "negative": (
        table(),
        {"transform": "log_return"},
        "REAL: transform: log_return needs positive .*--columns",
    ),
    "twice": (
        pd.concat([table(), table(seed=1)]),
        {},
        "SYNTHETIC: two different rows have the time 2020-01-01: .*'sample'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_names_the_set_and_the_remedy(name: str) -> None:
    data, options, message = WRONG[name]
    with pytest.raises(DataError, match=message) as error:
        aligned(table(), data, **options)
    assert "roles." not in str(error.value) and "data." not in str(error.value)


def test_lengths_that_cannot_be() -> None:
    short, long = RNG(0).normal(size=(5, 8, 2)), RNG(0).normal(size=(5, 12, 2))
    with pytest.raises(DataError, match="REAL has 8, SYNTHETIC has 12: --length 8"):
        aligned(short, long)
    with pytest.raises(DataError, match="SYNTHETIC has windows of 8 steps, shorter than --length 10"):
        aligned(table(), short, length=10)
    with pytest.raises(DataError, match="SYNTHETIC has windows of 1 step: give it as one long series"):
        aligned(table(), RNG(0).normal(size=(50, 1, 2)))


def test_files_of_every_kind(tmp_path: Path) -> None:
    windows = RNG(0).normal(size=(30, 24, 2))
    np.save(tmp_path / "w.npy", windows)
    np.savez(tmp_path / "w.npz", samples=windows[..., ::-1], columns=["b", "a"])
    long_form(windows, ["a", "b"]).to_parquet(tmp_path / "w.parquet")
    table().to_csv(tmp_path / "real.csv", index=False)
    for name in ("w.npy", "w.npz", "w.parquet"):
        sets, _ = aligned(tmp_path / "real.csv", str(tmp_path / name))
        assert np.array_equal(sets["SYNTHETIC"].windows, windows), name
        assert sets["SYNTHETIC"].columns == ["a", "b"]
