"""Any tool's synthetic series against the real ones: no model is needed."""

from __future__ import annotations

__all__ = ["BASELINES", "Assessment", "evaluate", "share_of_literal_copies"]

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ..core.errors import ConfigError, DataError
from ..core.files import write_json
from ..core.registry import Registry
from ..data.alignment import AlignedSet, align
from ..data.options import DataOptions
from ..data.prepare import Data
from ..domains.figures import domain_figures
from ..evaluation.blocks import RealWindows
from ..evaluation.judge import Judgement, Protocol, judge
from ..evaluation.memorisation import copying_check
from ..evaluation.names import Domain, check_metrics
from ..report.evaluation import Evaluated, write_evaluation_page, write_pictures
from ..report.profiles import Profile

Array = NDArray[np.floating[Any]]

_MISSING = ("error", "drop", "interpolate")

BASELINES = ("gaussian", "iid_bootstrap", "block_bootstrap")


class Assessment(Evaluated):
    """What was found; see `Evaluated` for its fields."""

    def as_json(self) -> dict[str, Any]:
        """The contents of results.json."""
        return {
            "name": "evaluation",
            "status": "finished",
            "seed": self.seed,
            "metrics": self.judgement.as_json(),
            "verdict": self.headline,
            "data": {
                "columns": self.columns,
                "notes": [*self.notes, *self.judgement.notes],
                "windows": {"real": len(self.real), "synthetic": len(self.synthetic)},
                "length": self.real.shape[1],
                "protocol": self.protocol,
                "literal_copies": self.literal,
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
    on_aligned: Callable[[list[str]], None] | None = None,
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
        on_aligned: called with what was aligned, a sentence each, before anything is computed.

    Raises:
        DataError: if the sets cannot be compared; the message names the set and the remedy.
        ConfigError: if a metric or baseline is unknown.
    """
    options = _checked(metrics, domain, columns, stride, transform, missing, length, repeats)
    fitters = {name: Registry.get("baseline", name) for name in baselines}
    sets = {"REAL": real, "SYNTHETIC": synthetic} | ({} if train is None else {"TRAIN": train})
    cut, notes = align(sets, options, length)
    for name in cut.keys() - {"SYNTHETIC"}:
        _refuse_constant(name, cut[name])
    against, made_from = cut["REAL"], cut["REAL" if train is None else "TRAIN"]
    generated = cut["SYNTHETIC"].windows
    literal = share_of_literal_copies(generated, against.windows, made_from.windows)
    notes += _warnings(cut["SYNTHETIC"], literal)
    if on_aligned is not None:
        on_aligned(notes)
    protocol: Protocol = "train = test" if train is None else "held-out"
    made = {
        name: fitter.fit(made_from.stretches, generated.shape[1]).sample(len(generated), seed)
        for name, fitter in fitters.items()
    }
    seen = _places(made_from)
    judgement = judge(
        generated, _places(against), seen, made, metrics, bootstrap, seed, "held-out data",
        protocol=protocol, repeats=repeats, columns=made_from.columns,
        own=domain_figures(domain, made_from.columns, made_from.windows),
        separate=_separate(cut["SYNTHETIC"]), on_progress=on_progress,
    )  # fmt: skip
    judgement, profiles = _by_the_clock(domain, cut, made_from.columns, protocol, judgement)
    return Assessment(
        judgement, protocol, made_from.columns, notes, against.windows,
        None if train is None else made_from.windows, generated, made,
        copying_check(generated, seen).flags, literal, seed, profiles,
        cut["REAL"].left_out, _separate(cut["SYNTHETIC"]),
    )  # fmt: skip


def share_of_literal_copies(generated: Array, *real: Array) -> float:
    """Share of windows (N, L, C) that occur among real ones; those that stand still do not count."""
    known = {window.tobytes() for windows in real for window in np.ascontiguousarray(windows)}
    moves = np.ptp(generated, axis=1).any(1)
    return float(np.mean([m and w.tobytes() in known for m, w in zip(moves, generated, strict=True)]))


def _checked(
    metrics: Sequence[str] | None,
    domain: Domain | None,
    columns: Sequence[str] | None,
    stride: int,
    transform: Any,
    missing: str,
    length: int | None,
    repeats: int,
) -> DataOptions:
    """The options, if they are possible."""
    problem = check_metrics(metrics, domain)
    if problem is None and columns is not None and not columns:
        problem = "columns is empty: name at least one column, or leave it out"
    if problem is None and length is not None and length < 2:
        problem = f"length {length}: a window needs 2 steps at least"
    if problem is None and missing not in _MISSING:
        problem = f"missing = {missing!r}: expected one of {', '.join(_MISSING)}"
    if problem is None and repeats < 1:
        problem = f"repeats {repeats}: a judge is trained once at least"
    if problem is not None:
        raise ConfigError(problem)
    wanted = None if columns is None else list(columns)
    given = {"columns": wanted, "stride": stride, "transform": transform, "missing": missing}
    try:
        return DataOptions.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        problem = first["msg"].removeprefix("Value error, ").partition(" (with parameters")[0]
        raise ConfigError(f"{where} = {first['input']!r}: {problem}") from None


def _refuse_constant(name: str, cut: AlignedSet) -> None:
    still = [c for c, span in zip(cut.columns, np.ptp(cut.windows, axis=(0, 1)), strict=True) if span == 0]
    if still:
        others = [c for c in cut.columns if c not in still]
        remedy = f"choose others: --columns {','.join(others)}" if others else "there is nothing to compare"
        value = cut.windows[0, 0, cut.columns.index(still[0])]
        raise DataError(f"{name}: column {still[0]!r} has one value, {value:g}, throughout: {remedy}")


def _separate(cut: AlignedSet) -> int:
    """As many windows as would hold its rows without overlap."""
    return max(1, sum(map(len, cut.stretches)) // cut.windows.shape[1])


def _warnings(synthetic: AlignedSet, literal: float) -> list[str]:
    """What a reader of the figures should know."""
    found = []
    if literal:
        found.append(f"SYNTHETIC: {literal:.1%} of its windows are real ones, number for number")
    separate = _separate(synthetic)
    if len(synthetic.windows) > 2 * separate:
        found.append(
            f"SYNTHETIC: its windows overlap and hold as many rows as {separate:,} separate windows: chance "
            "alone moves its figures by more than the floors say"
        )
    still = [
        c for c, span in zip(synthetic.columns, np.ptp(synthetic.windows, (0, 1)), strict=True) if not span
    ]
    found += [f"SYNTHETIC: column {c!r} has one value throughout" for c in still]
    return found


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
