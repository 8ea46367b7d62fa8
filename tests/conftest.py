"""Shared settings: shapes are checked at run time, threads are few, data may be absent."""

from __future__ import annotations

import os
import signal
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from jaxtyping import config, install_import_hook

install_import_hook(["undula.diffusion", "undula.components", "undula.nn"], "beartype.beartype")

import pytest
import torch
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background of a shell: the
    signal.signal(signal.SIGINT, signal.default_int_handler)  # processes of tests would ignore it too

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

LONG_LOOPS = {"cli", "docs", "experiments", "golden", "matrix", "model"}
"""Folders of tests that call the same functions many thousand times: there the checks of shapes, a third of
the time, are left to the laws and the components' own tests."""

SHARED_DATA = Path(os.environ.get("UNDULA_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test draws the same numbers in every run and in every order."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def shapes(request: pytest.FixtureRequest) -> None:
    """Shapes are checked at run time, but for the long loops."""
    config.update("jaxtyping_disable", request.path.parent.name in LONG_LOOPS)


@pytest.fixture
def shared_data() -> Path:
    """The folder of shared data sets; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the shared data sets are not at {SHARED_DATA} (set UNDULA_DATA)")
    return SHARED_DATA


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the combinations of components that ran and that were refused."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)]
    found = [value for r in reports for name, value in r.user_properties if name == "matrix"]
    if found:
        ran, refused = found.count("ran"), found.count("refused")
        terminalreporter.write_line(f"combinations of components: {ran:,} ran, {refused:,} were refused")
