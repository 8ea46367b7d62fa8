"""What the benchmarks share: alternating timing, tables, result files."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def alternate(calls: Mapping[str, Callable[[], Any]], rounds: int, warmup: int = 1) -> dict[str, list[float]]:
    """Seconds of each call, in turn A B C A B C …, so that a drift of the machine meets them all."""
    for call in calls.values():
        for _ in range(warmup):
            call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: Mapping[str, list[float]], name: str, to: str) -> float:
    """Median over the rounds of one call's time over another's."""
    return statistics.median(a / b for a, b in zip(seconds[name], seconds[to], strict=True))


def table(rows: list[Mapping[str, Any]]) -> None:
    """Print rows of equal keys."""
    names = list(rows[0])
    cells = [[_text(row[name]) for name in names] for row in rows]
    widths = [max(len(n), *(len(c[i]) for c in cells)) for i, n in enumerate(names)]
    print("  ".join(n.ljust(w) for n, w in zip(names, widths, strict=True)))
    for row in cells:
        print("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)))


def verdict(what: str, value: float, bound: float, better: str = "lower") -> dict[str, Any]:
    """A figure beside its mark; met at or below the bound, or at or above it if higher is better."""
    met = value >= bound if better == "higher" else value <= bound
    side = "at least" if better == "higher" else "at most"
    print(f"{what}: {value:.3g} (mark: {side} {bound:g}) {'met' if met else 'MISSED'}")
    return {"what": what, "value": value, "bound": bound, "better": better, "met": met}


def write(name: str, result: Mapping[str, Any]) -> None:
    """Write a result beside the machine and the commit it came from."""
    import torch

    from undula.experiments.environment import environment

    found = environment()
    RESULTS.mkdir(exist_ok=True)
    machine = {k: found[k] for k in ("undula", "python", "packages", "machine", "git")}
    machine["machine"]["threads"] = torch.get_num_threads()
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, **result}, indent=2) + "\n")
    print(f"written: {path}")


def run_alone(code: str, repeats: int = 5) -> list[float]:
    """CPU seconds (user and system) of a fresh interpreter that runs `code`, sorted."""
    import resource

    found = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return sorted(found)


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def shared(file: str) -> Path:
    """A file of the shared data, at UNDULA_DATA or in `shared/data` beside the clone."""
    root = Path(os.environ.get("UNDULA_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (root / file).exists():
        sys.exit(f"{root / file} is missing: put the shared data beside the clone, or set UNDULA_DATA")
    return root / file


def real_windows(name: str, length: int, stride: int = 1) -> tuple[Any, Any]:
    """All windows (N, L, C) of a shared data set, and its rows (T, C); sines are generated.

    The files are looked for at UNDULA_DATA, or in `shared/data` beside the clone.
    """
    import numpy as np
    import pandas as pd

    files = {
        "google_stock": "google_stock/google_stock",
        "etth1": "ett/etth1",
        "energy": "appliances_energy/appliances_energy",
    }
    if name == "sines":
        windows = sines(10_000, length)
        return windows, windows.reshape(-1, windows.shape[2])
    path = shared(f"{files[name]}.parquet")
    rows = pd.read_parquet(path).select_dtypes("number").to_numpy(float)
    view = np.lib.stride_tricks.sliding_window_view(rows, length, axis=0).swapaxes(1, 2)
    return np.ascontiguousarray(view[::stride]), rows


def sines(n: int, length: int, columns: int = 5, seed: int = 0) -> Any:
    """The literature's sines: (sin(f t + p) + 1)/2 with f and p uniform on [0, 0.1], (n, L, C)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    f, p = rng.uniform(0, 0.1, (2, n, 1, columns))
    return 0.5 * (np.sin(f * np.arange(length)[:, None] + p) + 1.0)
