"""`undula evaluate` on files that undula did not make."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula.evaluation.embedding import Embedding

from .command import Call

QUICK = ("--metrics", "ks,std,copying", "--baselines", "none")


def _no_embedding(real: np.ndarray, synthetic: np.ndarray) -> Embedding:
    """t-SNE takes seconds, and is looked at elsewhere."""
    return Embedding(np.zeros((2, 2)), np.zeros((2, 2)), np.array([False, True]))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """real.csv and synthetic.csv: other lengths, another order, a date and a column more in one."""
    rng = np.random.default_rng(0)

    def frame(rows: int) -> pd.DataFrame:
        a = rng.normal(size=rows)
        return pd.DataFrame(
            {"temperature": a.round(3), "wind": (5 + 0.4 * a + rng.normal(size=rows)).round(3)}
        )

    real = frame(300)
    real.insert(0, "date", pd.date_range("2020-01-01", periods=300).strftime("%Y-%m-%d"))
    real.to_csv(tmp_path / "real.csv", index=False)
    frame(200)[["wind", "temperature"]].assign(extra=1.5).to_csv(tmp_path / "synthetic.csv", index=False)
    frame(200).to_csv(tmp_path / "other.csv", index=False)
    real.assign(wind=real["wind"].where(real.index != 40)).to_csv(tmp_path / "hole.csv", index=False)
    real[:1].to_csv(tmp_path / "row.csv", index=False)
    real.rename(columns={"wind": "gust", "temperature": "t"}).to_csv(tmp_path / "names.csv", index=False)
    real.assign(wind=["calm", *real["wind"][1:]]).to_csv(tmp_path / "text.csv", index=False)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("")
    return tmp_path


def test_two_files_and_what_was_aligned(call: Call, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undula.report.evaluation.embed", _no_embedding)
    monkeypatch.setattr("undula.experiments.assessment.write_pictures", lambda folder, found: [])
    result = call("evaluate", "real.csv", "synthetic.csv", *QUICK)
    assert result.code == 0, result.err
    for note in (
        "columns: temperature, wind",
        "SYNTHETIC: extra left out, not in every set",
        "SYNTHETIC: its columns are in another order, they are matched by name",
        "windows of 24 steps (--length changes it)",
        "REAL: 300 rows, 277 windows",
        "SYNTHETIC: 200 rows, 177 windows",
        "REAL: time column: 'date'",
    ):
        assert note in result.err, note
    assert result.err.index("columns:") == 0
    assert "Kolmogorov-Smirnov" in result.out and "--train FILE" in result.out
    assert "figures are as in the real data" in result.out
    assert (files / "evaluation" / "report.html").exists()


def test_a_copy_is_called_one(call: Call, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undula.report.evaluation.embed", _no_embedding)
    monkeypatch.setattr("undula.experiments.assessment.write_pictures", lambda folder, found: [])
    result = call("evaluate", "real.csv", "real.csv", *QUICK, "--quiet")
    assert result.code == 0 and result.err == ""
    assert "A copy: 100% of the synthetic windows are real ones, number for number." in result.out


def test_json_is_one_object_and_nothing_else(
    call: Call, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("undula.experiments.assessment.Assessment.write", lambda found, folder: [])
    result = call(
        "evaluate", "real.csv", "other.csv", *QUICK, "--train", "synthetic.csv", "--json", "--out", "x"
    )
    found = json.loads(result.out)
    assert result.err == "" and found["folder"] == "x"
    assert found["data"]["protocol"] == "held-out" and found["verdict"]
    assert set(found["metrics"]) == {"ks", "std", "copying"}


def test_the_verdict_says_what_was_not_compared_and_what_was_replaced(
    call: Call, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("undula.report.evaluation.embed", _no_embedding)
    monkeypatch.setattr("undula.experiments.assessment.write_pictures", lambda folder, found: [])
    pd.read_csv(files / "other.csv").rename(columns={"wind": "gust"}).to_csv(files / "gust.csv", index=False)
    first = call("evaluate", "real.csv", "gust.csv", *QUICK, "--quiet")
    assert first.code == 0 and "Not compared: wind." in first.out and "was replaced" not in first.out
    chosen = call("evaluate", "real.csv", "gust.csv", *QUICK, "--quiet", "--columns", "temperature")
    assert (
        "Not compared" not in chosen.out and "An earlier evaluation in evaluation was replaced" in chosen.out
    )


def test_one_window_says_nothing(call: Call, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undula.report.evaluation.embed", _no_embedding)
    monkeypatch.setattr("undula.experiments.assessment.write_pictures", lambda folder, found: [])
    result = call("evaluate", "real.csv", "other.csv", *QUICK, "--quiet", "--length", "200")
    assert result.code == 0, result.err
    assert "hold 1 window: too few to say" in result.out and "No sign of copying" not in result.out


MISTAKES = {
    "missing file": ("real.csv absent.csv", "SYNTHETIC: file 'absent.csv' does not exist"),
    "missing real": (
        "reel.csv other.csv",
        r"REAL: file 'reel.csv' does not exist; did you mean 'real.csv'\?",
    ),
    "empty": ("real.csv empty.csv", "SYNTHETIC: file 'empty.csv' is empty"),
    "one row": ("real.csv row.csv", "SYNTHETIC: it has 1 row, and no window of 24 steps fits"),
    "hole": (
        "real.csv hole.csv",
        r"SYNTHETIC: 1 missing value, .*row 41 \(2020-02-10\): --missing interpolate",
    ),
    "hole in train": ("real.csv other.csv --train hole.csv", "TRAIN: 1 missing value"),
    "names": ("real.csv names.csv", "REAL and SYNTHETIC have no column in common .*: rename"),
    "text": ("real.csv text.csv", "SYNTHETIC: column 'wind', row 1: 'calm' is not a number"),
    "column": ("real.csv other.csv --columns wnd", r"REAL: no column 'wnd'; did you mean 'wind'\?"),
    "long": (
        "real.csv other.csv --length 250",
        "SYNTHETIC: it has 200 rows, and no window of 250 steps fits",
    ),
    "metric": ("real.csv other.csv --metrics ksx", r"unknown metric 'ksx'; did you mean 'ks'\?"),
    "baseline": ("real.csv other.csv --baselines gausian", r"did you mean 'gaussian'\?"),
    "transform": ("real.csv other.csv --transform logs", "transform = 'logs'"),
    "missing word": ("real.csv other.csv --missing fill", "'--missing': .*'fill' is not one of"),
    "file as folder": (
        "real.csv other.csv --out real.csv",
        "real.csv is a file: choose another folder with --out",
    ),
    "under a file": ("real.csv other.csv --out real.csv/x", "real.csv is a file: choose another"),
    "nowhere": ("real.csv other.csv --out /proc/x", "cannot write to /proc/x: .*: choose another folder"),
    "a run": ("real.csv other.csv --out run", "run is a run's folder, .*--out"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(call: Call, files: Path, name: str) -> None:
    arguments, message = MISTAKES[name]
    before = sorted(files.iterdir())
    result = call("evaluate", *arguments.split())
    assert result.code == 2, result.err
    assert re.search(message, result.err), result.err
    assert len(result.err.splitlines()) == 1 and result.out == ""
    assert sorted(files.iterdir()) == before


def test_an_interruption_is_one_line(files: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "undula", "evaluate", "real.csv", "other.csv", "--metrics", "all"],
        cwd=files, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline().startswith("columns:")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    err = process.stderr.read()
    assert process.wait(timeout=60) == 130
    assert err.splitlines()[-1] == "undula: interrupted" and "Traceback" not in err
    assert not (files / "evaluation").exists()


def test_an_interruption_that_a_library_swallowed_is_one_line() -> None:
    """Code in C that meets Ctrl-C may raise an error of its own: scikit-learn's buffers a ValueError."""
    code = """
import signal
import undula.cli as cli

def swallow(**options):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise ValueError("not a valid buffer")

signal.signal(signal.SIGINT, signal.default_int_handler)
cli.app = swallow
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 130 and done.stderr == "undula: interrupted\n"
