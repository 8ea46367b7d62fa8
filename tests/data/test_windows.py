"""Windows, splits, batches, collation."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from undula.components.preprocessing.raw import RawPreprocessor
from undula.core.errors import DataError
from undula.data.batching import epoch_batches
from undula.data.collation import Collator
from undula.data.given import given_windows
from undula.data.options import DataOptions, Roles, Split
from undula.data.prepare import prepare
from undula.data.windows import WindowDataset
from undula.experiments.evaluating import conditions, real_windows


def frame(rows: int, start: str = "2020-01-01") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time": pd.date_range(start, periods=rows),
            "v": np.arange(rows, dtype=float),
            "w": np.sin(np.arange(rows)),
        }
    )


def rows_of(part: WindowDataset) -> set[int]:
    """The rows that any window of a part covers."""
    sizes = part.history_len + part.lengths
    return {r for start, size in zip(part.starts, sizes, strict=True) for r in range(start, start + size)}


@given(
    rows=st.integers(400, 700),
    history=st.integers(0, 8),
    predict=st.integers(1, 9),
    stride=st.integers(1, 4),
)
@settings(max_examples=40, deadline=None)
def test_parts_share_no_row_and_leave_a_gap(rows: int, history: int, predict: int, stride: int) -> None:
    options = DataOptions(history_len=history, predict_len=predict, stride=stride)
    parts = prepare(options, frame(rows)).parts
    assert parts.val is not None and parts.test is not None
    covered = [rows_of(p) for p in (parts.train, parts.val, parts.test)]
    for earlier, later in itertools.pairwise(covered):
        first_generated = min(later) + history
        assert max(earlier) + history + predict < first_generated
    for part in (parts.train, parts.val, parts.test):
        assert (part.lengths == predict).all()
        window = part[0]
        assert window["history"].shape == (history, 2)
        assert window["future"].shape == (predict, 2)
        joined = np.concatenate([window["history"], window["future"]])[:, 0]
        assert joined.tolist() == list(range(part.starts[0], part.starts[0] + history + predict))


def test_splits_are_told_with_their_periods() -> None:
    notes = prepare(DataOptions(predict_len=5), frame(200)).parts.notes
    assert notes[0] == "train: 156 windows, 2020-01-01 to 2020-06-08"
    assert [n.split(":")[0] for n in notes] == ["train", "val", "test"]


def test_a_panel_is_split_at_one_time_for_all() -> None:
    """A series that ends early has no part in the test, and none leaks over the boundary."""
    north, south = frame(300).assign(id="north"), frame(150, "2020-03-01").assign(id="south")
    options = DataOptions(predict_len=5, roles=Roles(series="id", target=["v"]))
    parts = prepare(options, pd.concat([north, south])).parts
    assert parts.test is not None and parts.train.stamps is not None
    last_train = max(parts.train.stamps[s + 4] for s in parts.train.starts)
    first_test = min(parts.test.stamps[s] for s in parts.test.starts)
    assert last_train < first_test
    bounds = {300}
    for part in (parts.train, parts.test):
        assert not any(s < b < s + 5 for s in part.starts for b in bounds), "a window crosses two series"


def test_whole_series_are_split_by_series() -> None:
    sines = {"type": "sines", "params": {"num_series": 500}}
    parts = prepare(DataOptions(dataset=sines, predict_len=24)).parts
    assert (len(parts.train), len(parts.val or []), len(parts.test or [])) == (400, 50, 50)
    assert not rows_of(parts.train) & rows_of(parts.test)


def test_a_part_of_share_zero_is_left_out() -> None:
    parts = prepare(DataOptions(predict_len=5, split=Split(train=1.0, val=0.0, test=0.0)), frame(100)).parts
    assert parts.val is None and parts.test is None


def test_shares_must_add_up() -> None:
    with pytest.raises(ValueError, match="they must add up to 1"):
        Split(train=0.5, val=0.1, test=0.1)


def test_a_short_series_says_what_it_needs() -> None:
    with pytest.raises(DataError, match=r"the train part has no window: its longest stretch has 32 rows"):
        prepare(DataOptions(predict_len=50), frame(40))
    with pytest.raises(DataError, match=r"the val part has no window.*after the gap of one window"):
        prepare(DataOptions(predict_len=20), frame(100))


def test_a_constant_column_is_named() -> None:
    table = frame(100).assign(k=7.0)
    with pytest.raises(DataError, match=r"column 'k' is constant in the training part \(7\)"):
        prepare(DataOptions(predict_len=5), table)


def test_dropped_windows_have_no_missing_value() -> None:
    table = frame(200)
    table.loc[[50, 90], "v"] = np.nan
    parts = prepare(DataOptions(predict_len=6, history_len=4, missing="drop"), table).parts
    assert not np.isnan(parts.train.batch(np.arange(len(parts.train))).future).any()
    assert not np.isnan(parts.train.batch(np.arange(len(parts.train))).history).any()
    assert not rows_of(parts.train) & {50, 90}


def test_cut_windows_with_missing_values() -> None:
    values = np.random.default_rng(0).normal(size=(40, 6, 2))
    values[3, 2, 0] = np.nan
    with pytest.raises(DataError, match="window 3 has missing or infinite values"):
        prepare(DataOptions(), values)
    assert len(prepare(DataOptions(missing="drop"), values).parts.train) == 31
    assert len(prepare(DataOptions(missing="mask"), values).parts.train) == 32


def test_windows_have_no_history() -> None:
    with pytest.raises(DataError, match="history_len needs series"):
        prepare(DataOptions(history_len=3), np.random.default_rng(0).normal(size=(40, 6, 2)))


def test_a_batch_is_padded_to_its_longest() -> None:
    arrays = [np.arange(n, dtype=float)[:, None] for n in (3, 7, 5, 9, 4, 6, 8, 5, 7, 6)]
    part = prepare(DataOptions(), arrays).parts.train
    assert part.length is None
    batch = part.batch(np.array([0, 1, 2]))
    lengths = part.lengths[:3]
    assert batch.exists is not None
    assert batch.future.shape == (3, lengths.max(), 1)
    assert batch.exists.sum(1).tolist() == lengths.tolist()
    assert np.array_equal(np.isnan(batch.future[..., 0]), ~batch.exists)
    for row, length in zip(batch.future, lengths, strict=True):
        assert row[:length, 0].tolist() == list(range(length))


@given(n=st.integers(1, 300), size=st.integers(1, 40), epoch=st.integers(0, 3), ragged=st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_epoch_has_every_window_once(n: int, size: int, epoch: int, ragged: bool) -> None:
    lengths = np.random.default_rng(0).integers(5, 50, n) if ragged else np.full(n, 7)
    batches = epoch_batches(lengths, size, seed=1, epoch=epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert max(map(len, batches)) <= size
    again = epoch_batches(lengths, size, seed=1, epoch=epoch)
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))


def test_buckets_bring_similar_lengths_together() -> None:
    lengths = np.random.default_rng(0).integers(5, 500, 4000)
    batches = epoch_batches(lengths, 32, seed=0, epoch=0)
    padded = sum(len(b) * lengths[b].max() for b in batches)
    plain = sum(len(b) * lengths[b].max() for b in np.array_split(np.arange(4000), 125))
    assert padded < 1.1 * lengths.sum() < 0.7 * plain
    assert not np.array_equal(batches[0], epoch_batches(lengths, 32, seed=0, epoch=1)[0])


def test_stretches_are_the_rows_of_the_windows() -> None:
    table = frame(400).drop(index=range(60, 64)).reset_index(drop=True)
    part = prepare(DataOptions(predict_len=10), table).parts.train
    stretches = part.stretches()
    assert [len(s) for s in stretches] == [60, len(rows_of(part)) - 60]
    assert stretches[0][:, 0].tolist() == list(range(60))


def test_collation_transposes_once_and_standardises_conditions() -> None:
    table = frame(300).assign(k=np.arange(300.0) % 7, p=np.arange(300.0) ** 0.5)
    options = DataOptions(
        history_len=4,
        predict_len=6,
        roles=Roles(target=["v", "w"], known_covariates=["k"], past_covariates=["p"], calendar=["month"]),
    )
    prepared = prepare(options, table)
    train = prepared.parts.train
    collator = Collator.fit(prepared.panel, train)
    assert collator.layout.sequence == {"history": (2 + 3 + 1, 4)}
    assert collator.layout.aligned == {"covariates": 3}
    batch = train.batch(np.array([5, 9]))
    x, valid = collator.targets(batch)
    assert valid is None
    assert np.array_equal(x.transpose(1, 2).numpy(), batch.future)
    condition = collator.condition(batch)
    assert condition is not None
    history = condition.sequence["history"]
    assert history.shape == (2, 6, 4)
    every = collator.condition(train.batch(np.arange(len(train))))
    assert every is not None
    spread = every.aligned["covariates"].std((0, 2))
    assert torch.allclose(spread, torch.ones(3), atol=0.1)
    # known covariates of the history are those of the rows before the window
    k = (table["k"].to_numpy() - collator.location[2]) / collator.scale[2]
    start = int(train.starts[5])
    assert history[0, 2].tolist() == pytest.approx(k[start : start + 4], abs=1e-5)
    assert condition.aligned["covariates"][0, 0].tolist() == pytest.approx(
        k[start + 4 : start + 10], abs=1e-5
    )
    # past covariates are never read from the window itself
    changed = batch.features.copy()
    changed[:, 4:, collator.known.__len__()] = 1e9
    other = collator.condition(
        batch.__class__(batch.history, batch.future * 0 + 5, changed, None, batch.index)
    )
    assert other is not None
    for name, part in condition.parts.items():
        assert torch.equal(part, other.parts[name]), f"{name} leaks from the window"


def test_masked_values_are_filled_marked_and_told() -> None:
    table = frame(300)
    table.loc[20:120:3, "v"] = np.nan
    prepared = prepare(DataOptions(history_len=3, predict_len=6, missing="mask"), table)
    train = prepared.parts.train
    collator = Collator.fit(prepared.panel, train)
    assert collator.masked
    assert collator.layout.aligned == {"observed": 2}
    assert collator.layout.sequence == {"history": (4, 3)}
    batch = train.batch(np.arange(15, 60))
    x, valid = collator.targets(batch)
    assert valid is not None and valid.shape == x.shape
    assert torch.isfinite(x).all()
    missing = np.isnan(batch.future).transpose(0, 2, 1)
    assert np.array_equal(~valid.numpy(), missing)
    filled = x.numpy()[missing]
    assert np.allclose(filled, collator.location[0])
    condition = collator.condition(batch, valid)
    assert condition is not None
    assert torch.equal(condition.aligned["observed"].bool(), valid)
    assert condition.exists is None
    assert torch.isfinite(condition.sequence["history"]).all()
    shown = condition.sequence["history"][:, 2:].bool().numpy()
    assert np.array_equal(~shown, np.isnan(batch.history).transpose(0, 2, 1))


def test_a_column_that_moves_once_is_not_constant() -> None:
    """A valve that opened for one step is something to learn; all constant columns are named at once."""
    table = frame(9000).assign(k=7.0, m=1.0)
    assert prepare(
        DataOptions(predict_len=16), table.assign(k=np.where(np.arange(9000) == 4321, 8.0, 7.0), m=table["v"])
    )
    with pytest.raises(DataError, match="columns 'k', 'm' are constant"):
        prepare(DataOptions(predict_len=16), table)


def test_whole_numbers_become_floats_a_batch_at_a_time(tmp_path: Path) -> None:
    """Scaling in integers would round the mean and the scale."""
    values = np.random.default_rng(0).integers(0, 3, (40, 6, 2)).astype(np.int16)
    np.save(tmp_path / "x.npy", values)
    prepared = prepare(DataOptions(path=str(tmp_path / "x.npy")))
    train = prepared.parts.train
    assert isinstance(train.values.base, np.memmap)
    x, _ = Collator.fit(prepared.panel, train).targets(train.batch(np.arange(5)))
    assert x.dtype == torch.float64
    assert np.array_equal(x.transpose(1, 2).numpy(), values[:5])
    z = RawPreprocessor().fit(x).transform(x)
    assert z.mean((0, 2)).tolist() == pytest.approx([0.0, 0.0], abs=1e-9)
    assert train[0]["future"].dtype == np.float64


def test_windows_with_missing_covariates_are_dropped() -> None:
    table = frame(200).assign(k=np.arange(200.0) % 7)
    table.loc[60, "k"] = np.nan
    roles = Roles(target=["v"], known_covariates=["k"])
    parts = prepare(DataOptions(predict_len=6, history_len=4, missing="drop", roles=roles), table).parts
    assert len(parts.train) > 100 and 60 not in rows_of(parts.train)


def test_options_that_cut_windows_cannot_have_are_refused() -> None:
    windows = np.random.default_rng(0).uniform(1, 2, (40, 6, 2))
    with pytest.raises(DataError, match=r"transform: log_return needs series.*or leave transform out"):
        prepare(DataOptions(transform="log_return"), windows)
    with pytest.raises(DataError, match=r"roles\.static needs series"):
        prepare(DataOptions(roles=Roles(static=["a"])), windows)


def test_columns_name_or_choose_those_of_an_array(tmp_path: Path) -> None:
    windows = np.random.default_rng(0).normal(size=(200, 6, 2))
    np.save(tmp_path / "x.npy", windows)
    for data in (windows, windows.reshape(-1, 2), list(windows), tmp_path / "x.npy"):
        assert prepare(DataOptions(columns=["p", "q"]), data).panel.columns == ["p", "q"]
        prepared = prepare(DataOptions(columns=["feature_1"]), data)
        assert prepared.panel.columns == ["feature_1"]
        assert prepared.parts.train.values[:6, 0].tolist() == windows[0, :, 1].tolist()
        with pytest.raises(DataError, match=r"1 names \(p\), the array has 2 columns"):
            prepare(DataOptions(columns=["p"]), data)
    np.savez(tmp_path / "x.npz", samples=windows, columns=["p", "q"])
    path = str(tmp_path / "x.npz")
    assert prepare(DataOptions(path=path, columns=["q"])).parts.train.futures()[0, 0, 0] == windows[0, 0, 1]
    with pytest.raises(DataError, match="no column 'x'"):
        prepare(DataOptions(path=path, columns=["x", "q"]))


def test_a_list_is_cut_inside_its_series_where_a_length_is_given() -> None:
    arrays = [100.0 * i + np.arange(n, dtype=float)[:, None] for i, n in enumerate([12, 9, 15, 11] * 5)]
    whole = prepare(DataOptions(), arrays).parts.train
    assert whole.length is None
    by_series = Split(by="series")
    for history in (0, 3):
        prepared = prepare(DataOptions(predict_len=5, history_len=history, split=by_series), arrays)
        for part in (prepared.parts.train, prepared.parts.val, prepared.parts.test):
            assert part is not None and part.length == 5
            batch = part.batch(np.arange(len(part)))
            joined = np.concatenate([batch.history, batch.future], axis=1)[..., 0]
            assert (np.diff(joined) == 1).all(), "a window runs past its series"
    with pytest.raises(DataError, match=r"the val part has no window.*by: series splits the set of series"):
        prepare(DataOptions(predict_len=5), arrays)
    with pytest.raises(DataError, match="history_len needs windows of one length: set predict_len"):
        prepare(DataOptions(history_len=3), arrays)
    with pytest.raises(DataError, match=r"array 1 of the list has shape \(4, 2, 1\)"):
        prepare(DataOptions(), [np.zeros((4, 2)), np.zeros((4, 2, 1))])


def test_a_list_after_a_table_is_cut_as_the_table_was() -> None:
    settled = prepare(DataOptions(history_len=2, predict_len=5), frame(200)).options
    assert prepare(DataOptions(), frame(1500)).options.model_fields_set >= {"predict_len"}
    whole = settled.model_copy(update={"split": Split(train=1.0, val=0.0, test=0.0)})
    rows = frame(60)[["v", "w"]].to_numpy()
    assert len(prepare(whole, [rows, rows + 1]).parts.train) == 2 * (60 - 7 + 1)


def test_the_gap_between_parts_counts_rows_across_breaks() -> None:
    """The boundary between training and validation falls into a break, or a few rows before it."""
    for first in (240, 238, 235):
        table = frame(300)
        table.loc[first:, "time"] += pd.Timedelta(days=50)
        parts = prepare(DataOptions(predict_len=8), table).parts
        assert parts.val is not None
        assert min(rows_of(parts.val)) - max(rows_of(parts.train)) > 8


# -- what is given to a conditional model ----------------------------------------------------------


def test_an_array_as_history_is_transformed() -> None:
    table = frame(300).assign(v=np.exp(np.arange(300) / 50.0))[["time", "v"]]
    table["v"] *= np.random.default_rng(0).uniform(1, 2, 300)
    options = DataOptions(history_len=3, predict_len=4, transform="log_return")
    prepared = prepare(options, table)
    collator = Collator.fit(prepared.panel, prepared.parts.train)
    rows = table["v"].to_numpy()[:, None]
    by_array = given_windows(rows[:20], collator, prepared.options)
    by_table = given_windows(table[:20], collator, prepared.options)
    assert np.allclose(by_array.history, by_table.history)
    with pytest.raises(DataError, match=r"expected \(N, 4, 1\).*one row more than the history"):
        given_windows(rows[:3], collator, prepared.options)
    with pytest.raises(DataError, match="missing values in its history"):
        given_windows(np.where(np.arange(20) == 18, np.nan, rows[:20, 0])[:, None], collator, options)


def panel_of(lengths: list[int]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.concat(
        [
            pd.DataFrame({"id": i, "step": np.arange(n), "v": rng.normal(size=n), "k": np.arange(n) % 3})
            for i, n in enumerate(lengths)
        ]
    ).assign(size=lambda t: t["id"] % 4)


def test_known_covariates_say_how_long_windows_are() -> None:
    roles = Roles(series="id", time="step", target=["v"], known_covariates=["k"])
    prepared = prepare(DataOptions(predict_len=None, roles=roles), panel_of([9, 12, 7, 11] * 5))
    collator = Collator.fit(prepared.panel, prepared.parts.train)
    batch = given_windows(panel_of([5, 8, 6]), collator, prepared.options)
    assert batch.lengths.tolist() == [5, 8, 6]
    condition = collator.condition(batch)
    assert condition is not None and condition.exists is not None
    assert condition.exists.sum((1, 2)).tolist() == [5, 8, 6]
    taken = batch.take(np.array([2, 0]), 6)
    assert taken.lengths.tolist() == [6, 5]
    assert taken.future.shape == (2, 6, 1) and taken.features.shape == (2, 6, 1)


def test_static_columns_do_not_say_how_long_windows_are() -> None:
    roles = Roles(series="id", time="step", target=["v"], static=["size"])
    prepared = prepare(DataOptions(predict_len=None, roles=roles), panel_of([9, 12, 7, 11] * 5))
    collator = Collator.fit(prepared.panel, prepared.parts.train)
    batch = given_windows(panel_of([5, 8, 6]), collator, prepared.options)
    assert batch.lengths.tolist() == [0, 0, 0]
    condition = collator.condition(batch.take(np.array([1, 2]), 10))
    assert condition is not None
    assert condition.static["static"].shape == (2, 1)


# -- real windows and conditions of an evaluation --------------------------------------------------


def test_one_window_a_series_is_independent_within_a_part() -> None:
    roles = Roles(series="id", time="step", target=["v"])
    table = panel_of([12] * 40)
    for predict, independent in ((12, True), (9, False)):
        prepared = prepare(DataOptions(predict_len=predict, roles=roles), table)
        for part in (prepared.parts.train, prepared.parts.test):
            assert part is not None
            assert real_windows(part, prepared).independent == independent


def test_conditions_are_from_all_over_a_part() -> None:
    prepared = prepare(DataOptions(history_len=4, predict_len=6), frame(400))
    train = prepared.parts.train
    model = SimpleNamespace(collator_=Collator.fit(prepared.panel, train))
    few = conditions(model, train, 5)  # type: ignore[arg-type]
    assert few is not None
    assert few.index.tolist() == np.linspace(0, len(train) - 1, 5).astype(int).tolist()
    every = conditions(model, train)  # type: ignore[arg-type]
    assert every is not None and len(every.index) == len(train)


def test_a_source_takes_parameters() -> None:
    spec = {"type": "ar1", "params": {"phi": 0.0, "num_steps": 600}}
    prepared = prepare(DataOptions(dataset=spec, predict_len=16))
    values = prepared.panel.series[0].values[:, 0]
    assert len(values) == 600
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.15
