"""What a search varies, as optuna's distributions, and as configs."""

from __future__ import annotations

__all__ = ["Space"]

import itertools
import json
import math
import random
from collections.abc import Iterator, Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from ...config.loading import with_values
from ...config.schema import Config
from ...config.search import VAL_LOSS, Range, SearchConfig
from ...core.errors import ConfigError, UndulaError
from ...data.prepare import prepare
from ...model import DiffusionModel

_CORNERS, _SHOWN = 64, 8
_RESCALING = (
    "data.",
    "components.preprocessing",
    "components.noise",
    "components.sde",
    "components.objective",
)


class Space:
    """The configs of a search.

    Args:
        base: what every trial begins with.
        search: what varies.
    """

    def __init__(self, base: Config, search: SearchConfig) -> None:
        self.base, self.search = base, search
        self.distributions = {path: _distribution(given) for path, given in search.parameters.items()}

    def values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A trial's parameters as values of the config's keys; choices may be whole specs."""
        found = {}
        for path, given in self.search.parameters.items():
            value = params[path]
            if given.kind == "choice":
                value = given.values[_labels(given).index(value)]
            found[path] = value
        return found

    def config(self, params: Mapping[str, Any]) -> Config:
        """A trial's parameters as a config."""
        values = self.values(params)
        return with_values(self.base, values, _in_words(values))

    def grid(self) -> Iterator[dict[str, Any]]:
        """All combinations, as trial parameters."""
        parameters = self.search.parameters
        lists = [_labels(given) if given.kind == "choice" else given.finite or [] for given in
                 parameters.values()]  # fmt: skip
        for combination in itertools.product(*lists):
            yield dict(zip(parameters, combination, strict=True))

    def check(self) -> list[str]:
        """Refuse a space in which a corner is no valid config, before anything is trained.

        Returns:
            What the user should know, a sentence each.

        Raises:
            ConfigError: with every parameter that is wrong.
        """
        found = prepare(self.base.data)
        wanted = self.search.metric == VAL_LOSS or self.search.pruner != "none"
        if wanted and found.parts.val is None:
            raise ConfigError(
                "the search needs validation losses, and data.split leaves no validation part: set "
                "data.split.val, or choose another metric and pruner: none"
            )
        if self.search.metric == "bits_per_dim" and not self.base.evaluation.bits_per_dim:
            raise ConfigError("metric: bits_per_dim needs evaluation.bits_per_dim: true in the base config")
        problems: dict[str, str] = {}
        seen: set[str] = {self.base.data.model_dump_json()}
        for values in self._corners():
            for blamed, text in self._problems(values, seen):
                names = tuple(blamed) if len(blamed) == 1 else blamed.items()
                problems.setdefault(f"{names} {text}", f"parameters: {_in_words(blamed)}: {text}")
        if problems:
            lines = list(problems.values())
            more = [f"… and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
            raise ConfigError("\n".join([*lines[:_SHOWN], *more]))
        return self._advice(len(found.parts.train))

    def _advice(self, windows: int) -> list[str]:
        notes, training = [], self.base.training
        epoch = math.ceil(windows / training.batch_size)
        limits = [training.max_steps, training.num_epochs and training.num_epochs * epoch]
        steps = min((limit for limit in limits if limit is not None), default=None)
        if self.search.pruner != "none" and steps is not None and steps <= 2 * training.validate_every:
            notes.append(
                f"pruner: {self.search.pruner} ends no trial early: a training has {steps} steps and a "
                f"validation loss every {training.validate_every}: set a lower training.validate_every"
            )
        rescaling = [p for p in self.search.parameters if p.startswith(_RESCALING)]
        if self.search.metric != VAL_LOSS or not rescaling:
            return notes
        return [
            *notes,
            f"val_loss has another scale where {', '.join(rescaling)} changes, so trials may not be "
            "comparable: a figure of the samples, such as metric: wasserstein, is",
        ]

    def _corners(self) -> Iterator[dict[str, Any]]:
        """All combinations of choices, whole numbers and ends; of very many, some."""
        ends = {
            path: given.finite if given.finite and len(given.finite) <= _CORNERS else list(given.values)
            for path, given in self.search.parameters.items()
        }
        if math.prod(map(len, ends.values())) <= _CORNERS:
            for values in itertools.product(*ends.values()):
                yield dict(zip(ends, values, strict=True))
            return
        draw = random.Random(self.search.seed)  # noqa: S311
        for path, choices in ends.items():  # every value occurs at least once
            for value in choices:
                yield {**{other: draw.choice(ends[other]) for other in ends}, path: value}
        for _ in range(_CORNERS):
            yield {path: draw.choice(choices) for path, choices in ends.items()}

    def _problems(self, values: dict[str, Any], seen: set[str]) -> list[tuple[dict[str, Any], str]]:
        """What is wrong with a corner, and with which values: those alone that alone do the same harm."""
        found: list[tuple[dict[str, Any], str]] = []
        left = dict(values)
        while texts := _texts_of(self.base, left, seen):
            alone = [
                ({path: value}, text)
                for path, value in left.items()
                for text in _texts_of(self.base, {path: value}, set())
                if text in texts
            ]
            found += alone or [(left, text) for text in texts]
            if not alone:
                break
            left = {path: v for path, v in left.items() if not any(path in blamed for blamed, _ in alone)}
        return found


def _texts_of(base: Config, values: dict[str, Any], seen: set[str]) -> list[str]:
    try:
        config = with_values(base, values, "")
        DiffusionModel.from_config(config).compose()
        data = config.data.model_dump_json()
        if data not in seen:
            seen.add(data)
            prepare(config.data)
    except UndulaError as error:
        return [line.removeprefix(": ") for line in str(error).splitlines()]
    return []


def _distribution(given: Range) -> BaseDistribution:
    if given.kind == "choice":
        return CategoricalDistribution(_labels(given))
    low, high = given.values
    log = given.kind.startswith("log")
    if "int" in given.kind:
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


def _labels(given: Range) -> list[Any]:
    """Choices that optuna can store: numbers and words as they are, specs as JSON."""
    if all(value is None or isinstance(value, bool | int | float | str) for value in given.values):
        return list(given.values)
    return [value if isinstance(value, str) else json.dumps(value) for value in given.values]


def _in_words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} = {value!r}" for path, value in values.items())
