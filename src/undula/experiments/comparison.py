"""A comparison: its folder, its runs, what is left to do.

    experiments/comparisons/<name>/<UTC stamp>-<4 hex>/
      manifest.json     which config and seed lies in which run folder
      runs/<label>-seed<k>/     run folders, except those that the user named
      report.html, comparison.json, and comparison.csv, differences.csv, runs.csv

The manifest is written once, before anything is trained. A run is done when its results.json says so;
whatever stopped a comparison, going on with it trains what is not done, each run from its last checkpoint.
"""

from __future__ import annotations

__all__ = ["Comparison"]

import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..config.loading import load_config
from ..config.yaml12 import dump_yaml
from ..core.errors import Interrupted, RunError, TrainingError
from ..core.files import write_table
from ..evaluation.comparing import Compared, compare_results
from ..report.comparison import ComparisonContent, RunFacts, write_comparison_page
from ..report.comparison_words import table_of_differences, table_of_figures
from .budget import Budget
from .candidates import Candidate, anchored, differences, identity, seeds_of
from .folder import RunFolder
from .jobs_display import JobsDisplay, make_display
from .parallel import JobOutcome, of_run, run_jobs
from .runner import ExperimentRunner

COMPARISONS = Path("experiments") / "comparisons"
_FORMAT_VERSION = 1
_SECONDS_FOR_ANOTHER = 90.0


@dataclass(frozen=True)
class Entry:
    """A run of a comparison.

    Args:
        label: of its config.
        seed: of the run.
        folder: of the run.
        identity: hash of config and seed.
    """

    label: str
    seed: int
    folder: RunFolder
    identity: str

    @property
    def name(self) -> str:
        """For the user."""
        return f"{self.label}, seed {self.seed}"

    def results(self) -> dict[str, Any] | None:
        """The contents of results.json, if the run is finished."""
        try:
            found = json.loads((self.folder.path / "results.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if found.get("status") == "finished" else None


class Comparison:
    """The files of one comparison.

    Args:
        folder: that has a manifest.json, or a name for the newest comparison of that name.

    Raises:
        RunError: if it has none, or a run was changed since.
    """

    def __init__(self, folder: str | Path) -> None:
        named = [p.parent for p in (COMPARISONS / str(folder)).glob("*/manifest.json")]
        known = not Path(folder).exists() and named
        self.folder = RunFolder(max(named, key=lambda p: p.name) if known else Path(folder))
        file = self.folder.path / "manifest.json"
        if not file.is_file():
            raise RunError(
                f"{folder} is not the folder of a comparison (it has no manifest.json): give the one that "
                "`undula compare` printed; if that was stopped before it trained anything, start it anew"
            )
        self.manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if self.manifest.get("format_version") != _FORMAT_VERSION:
            raise RunError(
                f"comparison {folder} has format_version {self.manifest.get('format_version')}, this undula "
                f"reads {_FORMAT_VERSION}: start it anew"
            )
        self.entries = [
            Entry(run["label"], run["seed"], RunFolder(self.folder.path / run["folder"]), run["identity"])
            for run in self.manifest["runs"]
        ]

    @classmethod
    def create(
        cls,
        candidates: Sequence[Candidate],
        seeds: int | None = None,
        first_seed: int | None = None,
        name: str | None = None,
        out: Path | None = None,
    ) -> Comparison:
        """Check the configs, make a new folder, and write down what is to be run.

        Args:
            candidates: what is compared.
            seeds: how many seeds; None: those of the runs that are given, or three.
            first_seed: the lowest; None: of the runs, or of the first config.
            name: of the folder; None: the experiment's, if all have the same.
            out: parent of the folder; None: experiments/comparisons.

        Raises:
            UndulaError: if a config or its data cannot be used; nothing is written then.
        """
        chosen = seeds_of(candidates, seeds, first_seed)
        for candidate in candidates:
            if set(chosen[: candidate.most_seeds]) - set(candidate.runs):
                ExperimentRunner(candidate.config, quiet=True).prepare()
        names = {candidate.config.experiment.name for candidate in candidates}
        folder = RunFolder.create(
            name or (names.pop() if len(names) == 1 else "comparison"), out or COMPARISONS
        )
        runs = []
        for candidate in candidates:
            for seed in chosen[: candidate.most_seeds]:
                place = candidate.runs.get(seed)
                config = candidate.with_seed(seed)
                if place is None:
                    slug = re.sub(r"[^A-Za-z0-9.]+", "-", candidate.label).strip("-.")
                    place = _unused(folder.path, Path("runs") / f"{slug}-seed{seed}")
                    run = RunFolder(folder.path / place)
                    run.write_text("config.yaml", dump_yaml(config.model_dump(mode="json")))
                runs.append(
                    {
                        "label": candidate.label,
                        "seed": seed,
                        "folder": str(place),
                        "identity": identity(config, seed),
                    }
                )
        manifest = {
            "format_version": _FORMAT_VERSION,
            "undula_version": __version__,
            "command": sys.argv,
            "configs": {c.label: c.source for c in candidates},
            "seeds": chosen,
            "differences": differences(candidates),
            "runs": runs,
        }
        folder.write_json("manifest.json", manifest)
        return cls(folder.path)

    def left(self) -> list[Entry]:
        """The runs that are not finished."""
        return [entry for entry in self.entries if entry.results() is None]

    def train(
        self,
        workers: int | None = None,
        threads: int | None = None,
        memory: int | None = None,
        quiet: bool = False,
    ) -> list[JobOutcome]:
        """Train what is not finished.

        Args:
            workers: most runs at once; None: as many as there are threads.
            threads: for all together; None: the cores.
            memory: bytes for all together; None: most of what is free.
            quiet: whether to say nothing on the way.

        Returns:
            How the runs ended that were not finished before.

        Raises:
            RunError: if a run's config is no longer what the manifest says.
            Interrupted: after SIGINT or SIGTERM; the message says how to go on.
        """
        left = self.left()
        for entry in self.entries:
            config = anchored(load_config(entry.folder.path / "config.yaml"))
            if identity(config, config.experiment.seed) != entry.identity:
                raise RunError(
                    f"{entry.folder.path}/config.yaml is not what was compared here ({entry.name}): undo the "
                    "change, or start a new comparison"
                )
        if not left:
            return []
        if workers is None and _on_gpu(left[0]):
            workers = 1  # a run uses every GPU
        display = make_display("compare", len(left), quiet)
        with self.folder.locked():
            for entry in left:
                _wait_for(entry, display)
            try:
                return run_jobs(
                    [of_run(entry.name, entry.folder.path) for entry in left],
                    Budget.of(len(left), workers, threads, memory),
                    display,
                )
            except Interrupted:
                raise Interrupted(f"interrupted; go on with: {self.resume_command}") from None

    def compare(self) -> Compared:
        """Put the results of the finished runs side by side, and write page, CSV and JSON.

        Raises:
            RunError: if no run is finished.
            DataError: if runs were judged by different data.
        """
        results = {(e.label, e.seed): found for e in self.entries if (found := e.results()) is not None}
        if not results:
            raise RunError(f"no run of {self.folder.path} is finished: go on with {self.resume_command}")
        compared = compare_results(results, list(self.manifest["configs"]))
        if not compared.figures:
            raise RunError(
                "nothing is held out (data.split), so there is nothing to compare by: leave a test part"
            )
        runs = [_facts(entry, results.get((entry.label, entry.seed))) for entry in self.entries]
        first = next(iter(results.values()))
        content = ComparisonContent(
            title=f"{first['name']}: {' · '.join(compared.labels)}",
            compared=compared,
            differences=self.manifest["differences"],
            sources=self.manifest["configs"],
            runs=runs,
            notes=first["data"]["notes"],
            protocol=next(iter(first["metrics"].values()))["protocol"],
        )
        path = self.folder.path
        write_comparison_page(path / "report.html", content)
        write_table(path / "comparison.csv", table_of_figures(compared))
        write_table(path / "differences.csv", table_of_differences(compared))
        write_table(path / "runs.csv", [vars(run) for run in runs])
        self.folder.write_json("comparison.json", self.as_json(compared, runs))
        return compared

    def as_json(self, compared: Compared, runs: Sequence[RunFacts]) -> dict[str, Any]:
        """Everything that was found, as plain values."""
        return {
            "folder": str(self.folder.path),
            "configs": self.manifest["configs"],
            "differences": self.manifest["differences"],
            "runs": [vars(run) for run in runs],
            **compared.as_json(),
        }

    @property
    def resume_command(self) -> str:
        """What goes on with it."""
        return f"undula compare --resume {self.folder.path}"

    def raise_troubles(self, outcomes: Sequence[JobOutcome]) -> None:
        """Say which runs failed.

        Raises:
            TrainingError: if any did.
        """
        failed = [outcome for outcome in outcomes if outcome.code != 0]
        if failed:
            lines = [f"  {o.job.name}: {o.trouble} (see {o.job.log})" for o in failed]
            raise TrainingError(
                f"{len(failed)} of {len(self.entries)} runs failed:\n"
                + "\n".join(lines)
                + f"\ntry them again with: {self.resume_command}"
            )


def _facts(entry: Entry, results: dict[str, Any] | None) -> RunFacts:
    if results is None:
        return RunFacts(entry.label, entry.seed, str(entry.folder.path), "not finished")
    timing = results["timing"]
    return RunFacts(
        label=entry.label,
        seed=entry.seed,
        folder=str(entry.folder.path),
        status=results["status"],
        parameters=timing["parameters"],
        steps=timing["steps"],
        train_s=timing["train_s"],
        calls=timing.get("calls_per_sample"),
        sample_s_per_1000=timing["sample_s_per_1000"],
    )


def _unused(folder: Path, place: Path) -> Path:
    """A name in a folder that is not taken yet (labels may differ in signs only)."""
    number, found = 2, place
    while (folder / found).exists():
        found, number = place.with_name(f"{place.name}-{number}"), number + 1
    return found


def _on_gpu(entry: Entry) -> bool:
    import torch

    device = load_config(entry.folder.path / "config.yaml").training.device
    return device != "cpu" and torch.cuda.is_available()


def _wait_for(entry: Entry, display: JobsDisplay) -> None:
    """Let a process that was left over from a kill save its state and end."""
    end, told = time.monotonic() + _SECONDS_FOR_ANOTHER, False
    while entry.folder.in_use() and time.monotonic() < end:
        if not told:
            display.message(f"{entry.name}: waiting for another process to leave {entry.folder.path}")
            told = True
        time.sleep(0.2)
