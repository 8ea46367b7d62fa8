"""What is compared: configs, with the finished runs that there are of them.

Two configs can be compared if they have the same data and the same evaluation. Name, description and seed of
an experiment, and the number of threads, are no part of what a config is.
"""

from __future__ import annotations

__all__ = ["Candidate", "anchored", "differences", "identity", "read_candidates", "seeds_of"]

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config.loading import load_config, preset_names
from ..config.schema import Components, Config
from ..config.yaml12 import parse_scalar
from ..core.baseline import BaseBaseline
from ..core.errors import ConfigError
from ..core.registry import Registry
from ..core.signature import spec_in_words
from ..core.source import BaseSource
from ..model import DiffusionModel
from ..training.options import TrainingOptions
from .base import BaseExperiment
from .folder import find_run

_MISSING = object()


@dataclass
class Candidate:
    """A config to compare.

    Args:
        label: short, unlike any other's.
        source: the file, preset or folder that the user named.
        config: resolved; its seed is the source's.
        runs: folders of runs that the user named, by seed.
        most_seeds: with how many of the seeds it runs; None: with all.
    """

    label: str
    source: str
    config: Config
    runs: dict[int, Path] = field(default_factory=dict)
    most_seeds: int | None = None

    def with_seed(self, seed: int) -> Config:
        """The config with another seed."""
        experiment = self.config.experiment.model_copy(update={"seed": seed})
        return self.config.model_copy(update={"experiment": experiment})


def read_candidates(
    items: Sequence[str],
    overrides: Sequence[str] = (),
    vary: Sequence[str] = (),
    baselines: Sequence[Any] = (),
    baseline_seeds: int | None = None,
) -> list[Candidate]:
    """The configs that a user names, those that are the same joined.

    Args:
        items: config files, presets' names, run folders.
        overrides: such as "training.num_epochs=20", for all.
        vary: such as "components.architecture=[mlp, unet]": a config for each value, and for each
            combination where there are several.
        baselines: names or specs of baselines, on the data of the first config.
        baseline_seeds: with how many of the seeds each of them runs; None: one for a slow one, all for the
            others.

    Raises:
        ConfigError: if there are fewer than two, or they cannot be compared.
    """
    choices = [_choice(text) for text in vary]
    found: list[Candidate] = []
    for item in items:
        if Path(item).is_dir() and item not in preset_names():
            _join(found, _of_run(item, overrides, vary))
            continue
        for combination in itertools.product(*choices):
            changes = [f"{key}={json.dumps(value)}" for key, value in combination]
            words = [spec_in_words(value) for _, value in combination]
            name = Path(item).stem if Path(item).suffix in (".yaml", ".yml") else item
            label = " ".join(words if choices and len(items) == 1 else [name, *words])
            _join(found, Candidate(label, item, anchored(load_config(item, [*overrides, *changes]))))
    for spec in baselines:
        _join(found, _of_baseline(spec, found[0].config, baseline_seeds))
    if len(found) < 2:
        raise ConfigError(
            f"{' and '.join(items)}: one config cannot be compared: give two configs, presets or run folders "
            "that differ, --vary KEY=[A, B], or --baselines A,B"
        )
    _check_comparable(found)
    return _labelled(found)


def anchored(config: Config) -> Config:
    """The config with absolute paths, so that it means the same wherever it lies."""
    data = config.data
    if data.path is not None:
        data = data.model_copy(update={"path": str(Path(data.path).resolve())})
    plugins = [str(Path(path).resolve()) for path in config.plugins]
    return config.model_copy(update={"data": data, "plugins": plugins})


def canonical(config: Config) -> dict[str, Any]:
    """What a config is, with every component's defaults written out."""
    tree = config.model_dump(mode="json")
    experiment: BaseExperiment = Registry.resolve("experiment", config.experiment_spec())
    tree["experiment"] = Registry.spec(experiment)
    if experiment.trains:
        model = DiffusionModel.from_config(config)
        tree["components"] = json.loads(json.dumps(model.compose().specs()))
        del tree["training"]["threads"]
    else:
        del tree["components"], tree["training"]
    dataset = config.data.dataset
    if dataset is not None:
        tree["data"]["dataset"] = Registry.spec(BaseSource.of(dataset))
    tree["data"]["roles"]["target"], tree["data"]["columns"] = config.data.target, None
    return tree


def identity(config: Config, seed: int | None = None) -> str:
    """A short hash of what a config is, and of a seed."""
    text = json.dumps([canonical(config), seed], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def differences(candidates: Sequence[Candidate]) -> dict[str, dict[str, Any]]:
    """The keys in which configs differ, each with its value by label.

    A parameter that only some of the components have is shown if somebody wrote it. Configs without a block
    (a baseline has no components and no training) do not differ in it.
    """
    trees = {c.label: canonical(c.config) for c in candidates}
    whole = {label: _flat(tree) for label, tree in trees.items()}
    written = {key for c in candidates for key in _flat(c.config.model_dump(mode="json"))}
    table = {}
    for key in dict.fromkeys(key for flat in whole.values() for key in flat):
        block = key.partition(".")[0]
        values = {label: flat.get(key, _MISSING) for label, flat in whole.items() if block in trees[label]}
        everywhere = _MISSING not in values.values()
        differs = not everywhere or len({json.dumps(v) for v in values.values()}) > 1
        if differs and (everywhere or key in written):
            table[key] = {label: v for label, v in values.items() if v is not _MISSING}
    return table


def _choice(text: str) -> list[tuple[str, Any]]:
    key, _, value = text.partition("=")
    values = parse_scalar(value) if value.strip() else None
    if not isinstance(values, list) or len(values) < 2 or not key.strip():
        raise ConfigError(
            f"--vary {text!r}: expected KEY=[A, B], such as 'components.architecture=[transformer, unet]'"
        )
    return [(key.strip(), value) for value in values]


def _of_run(item: str, overrides: Sequence[str], vary: Sequence[str]) -> Candidate:
    folder = find_run(item)
    config = anchored(load_config(folder.path / "config.yaml"))
    changed = anchored(load_config(folder.path / "config.yaml", overrides)) if overrides else config
    if vary or identity(changed) != identity(config):
        raise ConfigError(
            f"{item} is a run, and --set and --vary would make it another: give {item}/config.yaml to train "
            "with them, or leave them out"
        )
    path = folder.path.resolve()
    in_comparison = re.fullmatch(r"(.+)-seed\d+", path.name)
    label = in_comparison[1] if in_comparison else config.experiment.name
    return Candidate(label, item, config, {config.experiment.seed: path})


def _of_baseline(spec: Any, config: Config, seeds: int | None) -> Candidate:
    """A baseline on the data of a config, judged as that is."""
    baseline: BaseBaseline = Registry.resolve("baseline", spec)
    experiment = config.experiment.model_copy(update={"type": "baseline", "params": {"baseline": spec}})
    training = TrainingOptions(threads=config.training.threads)
    changes = {"experiment": experiment, "components": Components(), "training": training}
    most = seeds if seeds is not None else 1 if baseline.slow else None
    label = spec_in_words(spec)
    return Candidate(label, f"baseline {label}", config.model_copy(update=changes), most_seeds=most)


def _join(found: list[Candidate], new: Candidate) -> None:
    """Add a candidate, or its run to the one that has the same config."""
    same = next((c for c in found if identity(c.config) == identity(new.config)), None)
    if same is None:
        found.append(new)
        return
    for seed, folder in new.runs.items():
        if seed in same.runs:
            raise ConfigError(
                f"{same.runs[seed]} and {folder} are runs of the same config with the same seed {seed}: give "
                "one of them"
            )
        same.runs[seed] = folder
    if not new.runs and not same.runs:
        raise ConfigError(f"{same.source} ({same.label}) and {new.source} ({new.label}) are the same config")


def _check_comparable(candidates: Sequence[Candidate]) -> None:
    """Refuse configs with other data or another evaluation.

    Raises:
        ConfigError: a line for each config and key.
    """
    first, *others = candidates
    reference = _flat({k: canonical(first.config)[k] for k in ("data", "evaluation")})
    problems = []
    for other in others:
        flat = _flat({k: canonical(other.config)[k] for k in ("data", "evaluation")})
        problems += [
            f"{key} is {json.dumps(reference.get(key))} in {first.source} and {json.dumps(flat.get(key))} in "
            f"{other.source}"
            for key in dict.fromkeys([*reference, *flat])
            if reference.get(key) != flat.get(key)
        ]
    if problems:
        raise ConfigError(
            "configs are compared on the same data, split and evaluation, and these differ:\n"
            + "\n".join(f"  {problem}" for problem in problems)
            + "\ngive them the same, for example with --set KEY=VALUE for all"
        )


def _labelled(candidates: list[Candidate]) -> list[Candidate]:
    """Labels made different from one another."""
    taken: set[str] = set()
    for candidate in candidates:
        name, number = candidate.label, 2
        while candidate.label in taken:
            candidate.label = f"{name} ({number})"
            number += 1
        taken.add(candidate.label)
    return candidates


def _flat(tree: Any, path: str = "") -> dict[str, Any]:
    """Leaves of a tree of dictionaries by their dotted paths; a list is a leaf."""
    if not isinstance(tree, dict):
        return {path: tree}
    return {
        k: v for key, value in tree.items() for k, v in _flat(value, f"{path}.{key}" if path else key).items()
    }


def seeds_of(candidates: Iterable[Candidate], count: int | None, first: int | None) -> list[int]:
    """The seeds with which every config is trained.

    Args:
        candidates: the configs.
        count: how many; None: those of the runs that the user named, or three.
        first: the lowest; None: the lowest of the runs, or the first config's.

    Raises:
        ConfigError: if a run that the user named has another seed.
    """
    candidates = list(candidates)
    of_runs = sorted({seed for c in candidates for seed in c.runs})
    if count is None and first is None and of_runs:
        return of_runs
    start = first if first is not None else min(of_runs, default=candidates[0].config.experiment.seed)
    seeds = list(range(start, start + (count or 3)))
    for candidate in candidates:
        for seed, folder in candidate.runs.items():
            if seed not in seeds:
                raise ConfigError(
                    f"{folder} has seed {seed}, and the seeds compared are {', '.join(map(str, seeds))}: set "
                    "--seeds and --first-seed so that it is among them, or leave the run out"
                )
    return seeds
