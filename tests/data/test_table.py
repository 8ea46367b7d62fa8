"""Tables: roles, order, types, missing values, gaps, and the sentences about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula.core.errors import DataError
from undula.data.options import DataOptions, Roles
from undula.data.prepare import prepare
from undula.data.reading import Windows, read_file
from undula.data.table import Panel, clean_table


def table(rows: int = 300, newest_first: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2020-01-01", periods=rows).astype(str),
            "a": np.arange(rows, dtype=float),
            "b": 100.0 + rng.normal(size=rows).cumsum(),
            "name": "x",
        }
    )
    return frame[::-1].reset_index(drop=True) if newest_first else frame


def clean(frame: pd.DataFrame, **options: object) -> Panel:
    return clean_table(frame, DataOptions(**options))


def test_roles_are_found() -> None:
    panel = clean(table())
    assert panel.columns == ["a", "b"]
    assert panel.notes[:2] == ["time column: 'date'", "column 'name' is text: not used"]
    (series,) = panel.series
    assert series.time is not None and str(series.time[0].date()) == "2020-01-01"


def test_newest_first_is_turned() -> None:
    panel = clean(table(newest_first=True))
    assert panel.series[0].values[:3, 0].tolist() == [0.0, 1.0, 2.0]
    assert "rows were newest first, sorted by 'date'" in panel.notes


def test_shuffled_rows_are_sorted() -> None:
    panel = clean(table().sample(frac=1.0, random_state=0))
    assert (np.diff(panel.series[0].values[:, 0]) == 1).all()
    assert "rows were not in order, sorted by 'date'" in panel.notes


def test_an_index_of_dates_is_a_time_column() -> None:
    frame = table().drop(columns=["date", "name"])
    frame.index = pd.date_range("2021-01-01", periods=len(frame), freq="h", name="when")
    panel = clean(frame)
    assert panel.notes == ["time column: 'when'"]


def test_a_numeric_time_column_sorts() -> None:
    frame = pd.DataFrame({"step": [3, 1, 2, 0, 4], "v": [3.0, 1.0, 2.0, 0.0, 4.0]})
    assert clean(frame).series[0].values[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_without_time_rows_stand_as_they_are() -> None:
    panel = clean(pd.DataFrame({"v": [3.0, 1.0, 2.0]}))
    assert panel.series[0].values[:, 0].tolist() == [3, 1, 2]
    assert "rows are taken as they stand" in panel.notes[0]


def test_repeated_rows_are_dropped_and_conflicting_ones_refused() -> None:
    frame = table(50)
    twice = pd.concat([frame, frame.iloc[[7, 9]]])
    panel = clean(twice)
    assert len(panel.series[0].values) == 50
    assert any("2 repeated rows dropped" in note for note in panel.notes)
    twice.iloc[-1, 1] = -5.0
    with pytest.raises(DataError, match=r"two different rows have the time 2020-01-10.*roles\.series"):
        clean(twice)


def test_gaps_break_series_or_are_ignored() -> None:
    frame = table(100).drop(index=[40, 41, 42, 70]).reset_index(drop=True)
    panel = clean(frame)
    assert [len(s.values) for s in panel.series] == [40, 27, 29]
    assert any("2 gaps in time, the longest from 2020-02-09 to 2020-02-13" in n for n in panel.notes)
    assert [len(s.values) for s in clean(frame, gaps="ignore").series] == [96]


def test_weekends_are_no_gaps() -> None:
    days = pd.bdate_range("2020-01-01", periods=200)
    panel = clean(pd.DataFrame({"date": days, "v": np.arange(200.0)}))
    assert len(panel.series) == 1
    assert not any("gap" in note for note in panel.notes)


def test_missing_values_by_policy() -> None:
    frame = table(100)
    frame.loc[[10, 11], "a"] = np.nan
    with pytest.raises(DataError, match=r"2 missing values, the first in column 'a', row 11 \(2020-01-11\)"):
        clean(frame)
    filled = clean(frame, missing="interpolate")
    assert filled.series[0].values[:, 0].tolist() == list(range(100))
    assert any("2 missing values interpolated" in n for n in filled.notes)
    for missing, does in (("drop", "left out"), ("mask", "masked in the loss")):
        kept = clean(frame, missing=missing)
        assert np.isnan(kept.series[0].values[10:12, 0]).all()
        assert any(does in n for n in kept.notes)


def test_interpolation_is_linear_in_time_not_in_rows() -> None:
    frame = pd.DataFrame({"time": [0.0, 1.0, 2.0, 3.5, 4.0], "v": [0.0, 1.0, np.nan, np.nan, 4.0]})
    assert clean(frame, missing="interpolate").series[0].values[:, 0].tolist() == [0, 1, 2, 3.5, 4]


def test_filled_values_are_ones_that_the_column_could_have() -> None:
    """Few values that repeat: one of them; else the decimals of the others; else the line itself."""
    rng = np.random.default_rng(0)
    repeated = rng.integers(0, 4, 200) * 0.25
    decimals = np.round(rng.normal(100, 10, 200), 1)
    free = rng.normal(size=200)
    frame = pd.DataFrame({"repeated": repeated, "decimals": decimals, "free": free})
    for start, count in ((50, 3), (120, 2)):
        frame.loc[start : start + count - 1] = np.nan
    filled = clean(frame, missing="interpolate").series[0].values
    holes = frame["free"].isna().to_numpy()
    line = np.interp(np.arange(200), np.flatnonzero(~holes), repeated[~holes])
    assert set(filled[holes, 0]) <= set(repeated)
    assert (np.abs(filled[holes, 0] - line[holes]) <= 0.125).all(), "the nearest one"
    line = np.interp(np.arange(200), np.flatnonzero(~holes), decimals[~holes])
    assert np.array_equal(filled[holes, 1], np.round(line[holes], 1))
    assert np.allclose(
        filled[holes, 2], np.interp(np.arange(200), np.flatnonzero(~holes), free[~holes])[holes]
    )
    assert np.array_equal(filled[~holes], frame.to_numpy()[~holes])


def test_the_ends_keep_their_nearest_value() -> None:
    frame = pd.DataFrame({"v": [np.nan, 1.0, 2.0, np.nan]})
    assert clean(frame, missing="interpolate").series[0].values[:, 0].tolist() == [1, 1, 2, 2]


def test_text_in_a_numeric_column_names_row_and_column() -> None:
    frame = table(50).astype({"b": object})
    frame.loc[16, "b"] = "n/a?"
    with pytest.raises(DataError, match=r"column 'b', row 17: 'n/a\?' is not a number"):
        clean(frame)
    frame.loc[16, "b"] = np.inf
    with pytest.raises(DataError, match="column 'b', row 17 is infinite"):
        clean(frame)


def test_an_unreadable_time_names_its_row() -> None:
    frame = table(50)
    frame.loc[20, "date"] = "yesterday"
    with pytest.raises(DataError, match="time column 'date', row 21: 'yesterday' is not a time"):
        clean(frame)


def test_unknown_columns_give_the_nearest() -> None:
    with pytest.raises(DataError, match=r"no column 'B'; did you mean 'b'\?|no column 'B' \(columns"):
        clean(table(), columns=["B"])
    with pytest.raises(DataError, match=r"no column 'dat'; did you mean 'date'\?"):
        clean(table(), roles=Roles(time="dat"))
    with pytest.raises(DataError, match="columns is empty"):
        clean(table(), columns=[])


def test_transforms() -> None:
    frame = pd.DataFrame({"v": [1.0, 2.0, 8.0]})
    returns = clean(frame, transform="log_return")
    assert returns.columns == ["v_log_return"]
    assert returns.series[0].values[:, 0] == pytest.approx(np.log([2.0, 4.0]))
    assert clean(frame, transform="difference").series[0].values[:, 0].tolist() == [1.0, 6.0]
    with pytest.raises(DataError, match="log_return needs positive values, column 'v' has -1"):
        clean(pd.DataFrame({"v": [1.0, -1.0, 2.0]}), transform="log_return")


def test_a_panel_keeps_its_series_apart() -> None:
    frame = pd.concat([table(60).assign(name=n) for n in ("north", "south")])
    panel = clean(frame, roles=Roles(series="name", target=["a"], known_covariates=["b"]))
    assert [s.name for s in panel.series] == ["north", "south"]
    assert panel.known == ["b"]
    assert panel.series[0].features.shape == (60, 1)


def test_static_columns_must_be_constant() -> None:
    frame = pd.concat([table(40).assign(name=n, size=k) for k, n in enumerate(("north", "south"))])
    panel = clean(frame, roles=Roles(series="name", target=["a"], static=["size"]))
    assert [s.features[0, 0] for s in panel.series] == [0.0, 1.0]
    with pytest.raises(DataError, match="static column 'b' varies within series 'north'"):
        clean(frame, roles=Roles(series="name", target=["a"], static=["b"]))


def test_calendar_features_are_known_covariates() -> None:
    panel = clean(
        table(), roles=Roles(target=["a"], known_covariates=["b"], calendar=["day_of_week", "month"])
    )
    assert panel.known == ["b", "day_of_week_sin", "day_of_week_cos", "month_sin", "month_cos"]
    features = panel.series[0].features
    angle = 2 * np.pi * 2 / 7  # 2020-01-01 is a Wednesday
    assert features[0, 1:3] == pytest.approx([np.sin(angle), np.cos(angle)])
    assert features[0, 0] == pytest.approx(100.0, abs=5)
    assert features[31, 3:] == pytest.approx([np.sin(2 * np.pi / 12), np.cos(2 * np.pi / 12)])


def test_calendar_needs_dates() -> None:
    frame = pd.DataFrame({"step": [0, 1, 2], "v": [0.0, 1.0, 2.0]})
    with pytest.raises(DataError, match="this one has numbers"):
        clean(frame, roles=Roles(calendar=["hour"]))
    with pytest.raises(DataError, match="needs a time column"):
        clean(pd.DataFrame({"v": [0.0, 1.0]}), roles=Roles(calendar=["hour"]))


def test_masking_covers_the_target_alone() -> None:
    frame = table(50)
    frame.loc[3, "b"] = np.nan
    with pytest.raises(DataError, match="covariate 'b' has missing values too"):
        clean(frame, missing="mask", roles=Roles(target=["a"], known_covariates=["b"]))


def test_missing_names_of_series_are_refused() -> None:
    frame = pd.concat([table(60).assign(name=n) for n in ("north", "south")], ignore_index=True)
    frame.loc[[70, 90], "name"] = None
    with pytest.raises(DataError, match=r"2 rows have no value in the series column 'name', .* row 71"):
        clean(frame, roles=Roles(series="name", target=["a"]))


def test_a_column_has_one_role() -> None:
    for role in ("known_covariates", "static"):
        with pytest.raises(ValueError, match="column 'a' is named twice"):
            DataOptions(columns=["a"], roles=Roles(**{role: ["a"]}))


def test_numbers_of_eight_digits_are_dates() -> None:
    days = pd.date_range("2020-01-01", periods=100)
    frame = pd.DataFrame({"date": days.strftime("%Y%m%d").astype(int), "v": np.arange(100.0)})
    panel = clean(frame)
    (series,) = panel.series  # no gap at the end of a month
    assert series.time is not None and list(series.time) == list(days)
    assert "numbers in 'date' are read as dates YYYYMMDD" in panel.notes
    frame["date"] = 20_000_000 + np.arange(100)
    (series,) = clean(frame).series
    assert series.time is not None and series.time[0] == 20_000_000
    frame["date"] = [*days[:99].strftime("%Y%m%d").astype(int), 20200230]
    with pytest.raises(DataError, match=r"row 100: .*20200230.* is not a time"):
        clean(frame)


@pytest.mark.parametrize("pattern", ["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m-%d-%Y", "%d/%m/%Y %H:%M"])
def test_any_value_shows_whether_the_day_comes_first(pattern: str) -> None:
    days = pd.date_range("2020-01-02", periods=70)
    (series,) = clean(pd.DataFrame({"date": days.strftime(pattern), "v": np.arange(70.0)})).series
    assert series.time is not None and list(series.time) == list(days)


def test_an_unknown_order_of_day_and_month_is_refused() -> None:
    frame = pd.DataFrame({"date": [f"{d:02}/02/2020" for d in range(1, 13)], "v": np.arange(12.0)})
    with pytest.raises(DataError, match=r"no value shows whether the day .* '01/02/2020': .* YYYY-MM-DD"):
        clean(frame)


def test_a_covariate_named_day_is_no_time() -> None:
    frame = table(100).assign(day=np.arange(100) % 7)[["day", "date", "a", "b"]]
    panel = clean(frame, roles=Roles(target=["a"], known_covariates=["day"]))
    assert panel.notes[0] == "time column: 'date'"


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_are_found(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "x.csv"
    table(20).to_csv(file, sep=separator, index=False)
    found = read_file(file)
    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == ["date", "a", "b", "name"]


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    frame = table(40)
    frame.to_csv(tmp_path / "x.csv", index=False)
    frame.to_parquet(tmp_path / "x.parquet")
    a, b = clean(read_file(tmp_path / "x.csv")), clean(read_file(tmp_path / "x.parquet"))
    assert np.allclose(a.series[0].values, b.series[0].values)


def test_windows_are_mapped_not_read(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(30, 8, 2)).astype(np.float32)
    np.save(tmp_path / "x.npy", values)
    found = read_file(tmp_path / "x.npy")
    assert isinstance(found, Windows)
    assert isinstance(found.values, np.memmap)
    prepared = prepare(DataOptions(path=str(tmp_path / "x.npy")))
    assert isinstance(prepared.parts.train.values.base, np.memmap)
    assert np.array_equal(prepared.parts.train.futures(), values[:24])
    assert prepared.parts.test is not None
    assert np.array_equal(prepared.parts.test.futures(), values[27:])


def test_npz_names_its_columns(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", samples=np.random.default_rng(0).normal(size=(30, 8, 2)), columns=["p", "q"])
    assert prepare(DataOptions(path=str(tmp_path / "x.npz"))).panel.columns == ["p", "q"]
    np.savez(tmp_path / "y.npz", a=np.zeros(3), b=np.zeros(3))
    with pytest.raises(DataError, match="expected one named 'samples'"):
        read_file(tmp_path / "y.npz")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.csv", None, "does not exist"),
        ("x.xlsx", b"1", r"is not one of \.csv"),
        ("x.csv", b"", "is empty"),
        ("x.csv", b"date,v\n", "a header but no rows"),
        ("x.parquet", b"nonsense", r"cannot be read as \.parquet"),
        ("x.csv", b"\x93\xff\x00\x01", r"cannot be read as \.csv: it is not UTF-8 text"),
        ("x.csv", "date,größe\n2024-01-01,1\n".encode("latin-1"), "save it as CSV with the encoding UTF-8"),
        ("x.npy", b"nonsense", r"cannot be read as \.npy: it is not a npy file of numbers"),
        ("x.npz", b"nonsense", r"cannot be read as \.npz: it is not a npz file of numbers"),
    ],
)
def test_wrong_files_are_one_sentence(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_file(tmp_path / name)


def test_a_pickled_array_is_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read"):
        read_file(tmp_path / "x.npy")
