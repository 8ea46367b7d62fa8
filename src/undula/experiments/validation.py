"""Whether a config can run, and what it will cost: every problem at once, nothing written.

The config is read and each key checked; each component made, then each pair; the data read, the
network built for them, and three steps of training and a few of sampling are timed.
"""

from __future__ import annotations

__all__ = ["Report", "validate_config"]

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ..config.loading import problems_of, read_tree
from ..config.schema import Config
from ..core.errors import UndulaError
from ..core.registry import Registry
from ..data.prepare import PreparedData, prepare
from ..diffusion.objective import refuse_idle_warp
from ..diffusion.path import GaussianPath
from ..model import DiffusionModel
from .costs import Costs, measure
from .evaluating import field_figures

T = TypeVar("T")


@dataclass(frozen=True)
class Report:
    """What a validation found.

    Args:
        problems: each a sentence with its remedy; none: the config can run.
        notes: what was found in the data.
        costs: shapes, parameters, memory and time; None where problems stand before them.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    costs: Costs | None = None

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        costs = None if self.costs is None else self.costs.as_json()
        return {"valid": self.ok, "problems": self.problems, "notes": self.notes, "costs": costs}


def validate_config(
    config: Config | Mapping[str, Any] | str | Path, overrides: Iterable[str] = (), measured: bool = True
) -> Report:
    """Check a config with its components and its data, and estimate what it costs.

    Args:
        config: a config, a mapping, a YAML file or a preset.
        overrides: such as "training.learning_rate=3e-4"; for files and presets.
        measured: whether to time a few steps on this machine.

    Returns:
        Every problem that was found, and the costs if there is none.
    """
    found = _Problems()
    tree = found.of(lambda: _tree(config, overrides))
    if tree is None:
        return Report(found.problems)
    loaded, spoilt = _schema(tree, found)
    for path in loaded.plugins:
        found.of(lambda path=path: Registry.load_plugin(path))  # type: ignore[misc]
    unplugged = loaded.model_copy(update={"plugins": []})
    found.of(unplugged.baselines)
    experiment = found.of(lambda: Registry.resolve("experiment", unplugged.experiment_spec()))
    if experiment is not None and not experiment.trains:
        data_is_right = not any(path[:1] == ("data",) for path in spoilt)
        prepared = found.of(lambda: prepare(loaded.data)) if data_is_right else None
        return Report(found.problems, [] if prepared is None else prepared.notes)
    parts = _components(loaded, spoilt, found)
    whole = len(parts) == sum(spec is not None for spec in loaded.components.model_dump().values())
    model = DiffusionModel.from_config(unplugged)
    if whole:
        _pairs(parts, found)
        composed = found.of(model.compose)
        if composed is not None and loaded.evaluation.bits_per_dim:
            found.of(composed.check_likelihood)
    prepared = None
    if not any(path[:1] == ("data",) for path in spoilt):
        prepared = found.of(lambda: prepare(loaded.data))
    if prepared is not None:
        found.of(lambda: field_figures(prepared, loaded))
    notes = [] if prepared is None else prepared.notes
    if found.problems or prepared is None:
        return Report(found.problems, notes)
    costs = found.of(lambda: _costs(model, loaded, prepared, measured))
    return Report(found.problems, notes, costs)


class _Problems:
    """Collects messages, each once."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def of(self, check: Callable[[], T]) -> T | None:
        """The check's result; None, and its message kept, if it fails."""
        try:
            return check()
        except UndulaError as error:
            self.add(str(error))
        return None

    def add(self, message: str) -> None:
        """Keep every line of a message that is not known yet."""
        self.problems += [line for line in message.splitlines() if line not in self.problems]


def _tree(config: Config | Mapping[str, Any] | str | Path, overrides: Iterable[str]) -> dict[str, Any]:
    if isinstance(config, Config):
        return config.model_dump(exclude_unset=True)
    if isinstance(config, Mapping):
        return copy.deepcopy(dict(config))
    return read_tree(config, overrides)


def _schema(tree: dict[str, Any], found: _Problems) -> tuple[Config, list[tuple[str, ...]]]:
    """The config without its wrong keys, and where those were; their problems are kept."""
    spoilt: list[tuple[str, ...]] = []
    while True:
        try:
            return Config.model_validate(tree), spoilt
        except ValidationError as error:
            found.add("\n".join(problems_of(error, Config)))
            places = [_place(tree, problem["loc"]) for problem in error.errors()]
            for place in places:
                _take_out(tree, place)
            spoilt += places


def _place(tree: dict[str, Any], location: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys of a location that are in the tree."""
    path: list[str] = []
    block: Any = tree
    for part in location:
        if not isinstance(block, dict) or part not in block:
            break
        path.append(str(part))
        block = block[part]
    return tuple(path)


def _take_out(tree: dict[str, Any], place: tuple[str, ...]) -> None:
    block: Any = tree
    for part in place[:-1]:
        block = block.get(part, {})
    if place:
        block.pop(place[-1], None)
    else:
        tree.clear()


def _components(config: Config, spoilt: list[tuple[str, ...]], found: _Problems) -> dict[str, Any]:
    """Each kind's component that can be made (all of a list, or none), by kind."""
    wrong = {path[1] for path in spoilt if path[:1] == ("components",) and len(path) > 1}
    made: dict[str, Any] = {}
    for kind, spec in config.components.model_dump().items():
        if spec is None or kind in wrong or ("components",) in spoilt:
            continue
        specs = spec if isinstance(spec, list) else [spec]
        found_here = [found.of(lambda kind=kind, one=one: Registry.resolve(kind, one)) for one in specs]  # type: ignore[misc]
        if all(component is not None for component in found_here):
            made[kind] = found_here if isinstance(spec, list) else found_here[0]
    return made


def _pairs(parts: dict[str, Any], found: _Problems) -> None:
    """Every pair that does not go together; the façade would tell the first alone."""
    objective, sampler = parts["objective"], parts["sampler"]
    sde = parts.get("sde") or Registry.get("sde", objective.default_sde)
    path = found.of(lambda: GaussianPath(sde=sde, noise=parts["noise"]))
    if path is not None:
        found.of(lambda: objective.check(path))
        found.of(lambda: sampler.check(path))
        found.of(lambda: refuse_idle_warp(objective, sampler.grid == "uniform", path))


def _costs(model: DiffusionModel, config: Config, prepared: PreparedData, measured: bool) -> Costs:
    return measure(model, model.assemble(prepared), prepared, config, measured)
