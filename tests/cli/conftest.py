"""A folder to call commands in, and a finished run."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import TINY, Call, undula


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """`undula …` in an empty folder that holds tiny.yaml."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("undula.cli.options._state", {"debug": False})
    return lambda *arguments: undula(capsys, monkeypatch, *arguments)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    from undula import ExperimentRunner

    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.yaml").write_text(TINY)
    result = ExperimentRunner.from_config(folder / "tiny.yaml", out=folder / "runs", quiet=True).run()
    assert result is not None
    return result.folder
