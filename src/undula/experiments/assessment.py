"""Any tool's synthetic series against the real ones: no model is needed."""

from __future__ import annotations

__all__ = ["Assessment", "evaluate"]

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ConfigError, DataError, MissingValuesError
from ..core.files import write_json
from ..core.registry import Registry
from ..data.alignment import AlignedSet, align
from ..data.options import DataOptions
from ..data.prepare import Data
from ..domains.figures import domain_figures
from ..evaluation.blocks import RealWindows
from ..evaluation.judge import Judgement, Protocol, judge
from ..evaluation.names import Domain, check_metrics
from ..report.evaluation import Evaluated, write_evaluation_page, write_pictures
from ..report.profiles import Profile

Array = NDArray[np.floating[Any]]

BASELINES = ("gaussian", "iid_bootstrap", "block_bootstrap")
_MOST_SAMPLES = 20_000


class Assessment(Evaluated):
    """What was found; see `Evaluated` for its fields."""

    def as_json(self) -> dict[str, Any]:
        """The contents of results.json."""
        metrics = self.judgement.as_json()
        if "copying" in metrics:
            metrics["copying"]["literal"] = self.literal
        return {
            "name": "evaluation",
            "status": "finished",
            "seed": self.seed,
            "metrics": metrics,
            "data": {
                "columns": self.columns,
                "notes": [*self.notes, *self.judgement.notes],
                "windows": {"real": len(self.real), "synthetic": len(self.synthetic)},
                "length": self.real.shape[1],
                "protocol": self.protocol,
                "flagged": np.flatnonzero(self.flags).tolist(),
            },
        }

    def write(self, folder: str | Path) -> list[Path]:
        """Write results.json, report.html and the pictures; the files' paths."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "results.json", self.as_json())
        pictures = write_pictures(folder / "plots", self)
        write_evaluation_page(folder / "report.html", self)
        return [folder / "results.json", folder / "report.html", *pictures]


def evaluate(
    real: Data,
    synthetic: Data,
    train: Data | None = None,
    *,
    length: int | None = None,
    stride: int = 1,
    columns: Sequence[str] | None = None,
    transform: Any = "none",
    missing: Literal["error", "drop", "interpolate"] = "error",
    metrics: Sequence[str] | None = None,
    baselines: Sequence[str] = BASELINES,
    domain: Domain | None = None,
    repeats: int = 5,
    bootstrap: int = 200,
    seed: int = 0,
    on_progress: Callable[[str, float], None] | None = None,
) -> Assessment:
    """Judge synthetic series or windows, whoever made them.

    Args:
        real: a table, an array (T, C) or (N, L, C), or a file's path. With `train`, it is what the
            generator has not seen; without, what it was trained on.
        synthetic: likewise; columns are aligned by name.
        train: what the generator was trained on.
        length: L of the windows; None: that of sets which are windows already, or 24.
        stride: from one window of a series to the next.
        columns: which to compare; None: all that the sets share.
        transform: applied to series first; see `DataOptions`.
        missing: missing values are an error, windows with any are dropped, or they are interpolated.
        metrics: names or groups; "all": the literature's judges too; None: those without networks.
        baselines: names of baselines to put beside, fitted on the training windows.
        domain: adds the field's own figures.
        repeats: trainings of each judge with a network.
        bootstrap: draws of the block bootstrap.
        seed: of everything random.
        on_progress: called with a metric's name and the share of all that is done.

    Raises:
        DataError: if the sets cannot be compared; the message names the set and the remedy.
        ConfigError: if a metric or baseline is unknown.
    """
    problem = check_metrics(metrics, domain)
    if problem:
        raise ConfigError(problem)
    fitters = {name: Registry.get("baseline", name) for name in baselines}
    sets = {"REAL": real, "SYNTHETIC": synthetic} | ({} if train is None else {"TRAIN": train})
    options = DataOptions(
        columns=None if columns is None else list(columns),
        stride=stride,
        transform=transform,
        missing=missing,
    )
    try:
        cut, names, notes = align(sets, options, length)
    except MissingValuesError as error:
        raise DataError(_option(str(error))) from None
    protocol: Protocol = "train = test" if train is None else "held-out"
    fitted_on = cut["REAL"] if train is None else cut["TRAIN"]
    generated = _some(cut["SYNTHETIC"].windows)
    made = {
        name: fitter.fit(fitted_on.stretches, generated.shape[1]).sample(len(generated), seed)
        for name, fitter in fitters.items()
    }
    own = domain_figures(domain, names, fitted_on.windows)
    seen, judged_against = _places(fitted_on), _places(cut["REAL"])
    judgement = judge(
        generated, judged_against, seen, made, metrics, bootstrap, seed, "held-out data",
        protocol=protocol, repeats=repeats, columns=names, own=own, on_progress=on_progress,
    )  # fmt: skip
    judgement, profiles = _by_the_clock(domain, cut, names, protocol, judgement)
    from ..evaluation.memorisation import copying_check

    check = copying_check(generated, seen)
    literal = _share_of_literal_copies(generated, seen.windows)
    if literal:
        notes.append(f"{literal:.0%} of the synthetic windows occur literally among the training windows")
    return Assessment(
        judgement, protocol, names, notes, cut["REAL"].windows,
        None if train is None else fitted_on.windows, generated, made, check.flags, literal, seed, profiles,
    )  # fmt: skip


def _by_the_clock(
    domain: Domain | None,
    cut: dict[str, AlignedSet],
    columns: list[str],
    protocol: Protocol,
    judgement: Judgement,
) -> tuple[Judgement, list[Profile]]:
    """With daily and weekly profiles, where the field has them and the sets have time stamps."""
    if domain != "energy":
        return judgement, []
    from ..domains.energy.clock import Stamped, clock_figures, clock_profiles, profile_by_step, why_not

    sets = {name: Stamped(_places(one), one.times) for name, one in cut.items()}
    labels = {
        "REAL": "real" if len(sets) == 2 else "held-out",
        "TRAIN": "training part",
        "SYNTHETIC": "synthetic",
    }
    reason = why_not(sets)
    if reason is not None:
        note = f"energy: no daily and weekly profiles: {reason}; courses are by the step of a window"
        windows = {labels[name]: one.real.windows for name, one in sets.items()}
        return judgement.with_more({}, [note]), [profile_by_step(columns, windows)]
    figures = clock_figures(sets["REAL"], sets["SYNTHETIC"], sets.get("TRAIN"), columns, protocol)
    profiles = clock_profiles(columns, {labels[name]: one for name, one in sets.items()})
    return judgement.with_more(figures, []), profiles


def _places(cut: AlignedSet) -> RealWindows:
    return RealWindows(cut.windows, cut.starts)


def _some(windows: Array) -> Array:
    """At most 20,000 windows, evenly spaced."""
    if len(windows) <= _MOST_SAMPLES:
        return windows
    return windows[np.linspace(0, len(windows) - 1, _MOST_SAMPLES).astype(np.int64)]


def _share_of_literal_copies(generated: Array, train: Array) -> float:
    known = {window.tobytes() for window in np.ascontiguousarray(train)}
    return float(np.mean([window.tobytes() in known for window in np.ascontiguousarray(generated)]))


def _option(message: str) -> str:
    return message.replace("data.missing", "--missing")
