"""Search files: which keys of a config vary, over what, and what is sought.

parameters:
  components.architecture.params.model_dim: {choice: [64, 128]}
  training.learning_rate: {log_uniform: [1e-5, 1e-3]}
metric: val_loss
direction: minimize
"""

from __future__ import annotations

__all__ = ["Range", "SearchConfig", "load_search", "search_of"]

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Gt
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from ..core.errors import ConfigError, did_you_mean
from ..evaluation.names import METRICS
from .loading import problems_of
from .yaml12 import parse_yaml

RangeKind = Literal["choice", "uniform", "log_uniform", "int", "log_int"]
VAL_LOSS = "val_loss"


@dataclass(frozen=True)
class Range:
    """What a key varies over.

    Args:
        kind: choice of values; or uniform, log_uniform (numbers), int, log_int (whole numbers).
        values: the choices; or the lowest and the highest number, both included.
    """

    kind: RangeKind
    values: tuple[Any, ...]

    @classmethod
    def parse(cls, given: Any) -> Range:
        """A range from {kind: values}; ValueError says what is wrong."""
        if isinstance(given, Range):
            return given
        kinds = get_args(RangeKind)
        example = "such as {choice: [64, 128]} or {log_uniform: [1e-5, 1e-3]}"
        if not isinstance(given, Mapping) or len(given) != 1:
            raise ValueError(f"expected one of {', '.join(kinds)}, {example}")
        ((kind, values),) = given.items()
        if kind not in kinds:
            hint = did_you_mean(str(kind), kinds) or f" (known: {', '.join(kinds)})"
            raise ValueError(f"unknown range {kind!r}{hint}")
        if not isinstance(values, list | tuple) or not values:
            raise ValueError(f"{kind} takes a list, {example}")
        if kind == "choice":
            _refuse_twice(values)
        else:
            _check_ends(kind, values)
        return cls(kind, tuple(values))

    @property
    def finite(self) -> list[Any] | None:
        """All values; None if there are infinitely many."""
        if self.kind == "choice":
            return list(self.values)
        return list(range(self.values[0], self.values[1] + 1)) if "int" in self.kind else None

    def as_json(self) -> dict[str, Any]:
        """What `parse` takes."""
        return {self.kind: list(self.values)}


def _refuse_twice(values: Any) -> None:
    for first, second in itertools.combinations(values, 2):
        if first == second:
            raise ValueError(f"the choices {first!r} and {second!r} are equal")


def _check_ends(kind: str, values: Any) -> None:
    whole = "int" in kind
    numbers = (int,) if whole else (int, float)
    right = len(values) == 2 and all(isinstance(v, numbers) and not isinstance(v, bool) for v in values)
    if not right or not all(math.isfinite(v) for v in values):
        raise ValueError(f"{kind} takes [lowest, highest], two {'whole ' if whole else ''}numbers")
    low, high = values
    if not low < high:
        raise ValueError(f"{kind}: the lowest number comes first, and {low:g} is not below {high:g}")
    if kind.startswith("log") and low <= 0:
        raise ValueError(f"{kind} needs positive numbers, and {low:g} is not: use {kind[4:]}")


ParsedRange = Annotated[Range, BeforeValidator(Range.parse), PlainSerializer(Range.as_json)]


class SearchConfig(BaseModel):
    """What is sought, and where."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    parameters: dict[str, ParsedRange] = Field(
        description="Keys of the config, and {choice|uniform|log_uniform|int|log_int: [...]} for each."
    )
    metric: str = Field(
        VAL_LOSS, description="val_loss (the lowest of the training), or a figure of results.json."
    )
    direction: Literal["minimize", "maximize"] = Field("minimize", description="Which way is better.")
    sampler: Literal["tpe", "random", "grid"] = Field(
        "tpe", description="How the next trial is chosen; grid: every combination, in order."
    )
    pruner: Literal["none", "median", "halving"] = Field(
        "none",
        description="Which trials end early, by their validation loss at the same step: worse than the "
        "median of the finished ones, or outside the better third (successive halving).",
    )
    trials: Annotated[int, Gt(0)] | None = Field(
        None, description="How many; null: 20, or every combination of a grid."
    )
    seed: Annotated[int, Ge(0)] = Field(0, description="Of the choice of trials.")

    @field_validator("parameters")
    @classmethod
    def _some(cls, parameters: dict[str, Range]) -> dict[str, Range]:
        if not parameters:
            raise ValueError("name at least one key to vary")
        return parameters

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        known = (VAL_LOSS, *METRICS, "bits_per_dim")
        if metric not in known:
            raise ValueError(f"unknown metric{did_you_mean(metric, known)} (known: {', '.join(known)})")
        return metric

    @model_validator(mode="after")
    def _grid_is_finite(self) -> SearchConfig:
        for path, given in self.parameters.items():
            if self.sampler == "grid" and given.finite is None:
                raise ValueError(
                    f"sampler: grid needs choices, and {path} has infinitely many values: give "
                    f"{path}: {{choice: [...]}}, or use sampler: tpe"
                )
        return self

    @property
    def combinations(self) -> int:
        """The number of points of a grid."""
        return math.prod(len(given.finite or ()) for given in self.parameters.values())

    @property
    def num_trials(self) -> int:
        """How many trials there are to be."""
        if self.sampler == "grid":
            return min(self.trials or self.combinations, self.combinations)
        return self.trials or 20


def load_search(path: str | Path) -> SearchConfig:
    """Read a search file.

    Raises:
        ConfigError: with every key that is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"search file {str(path)!r} does not exist")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"search file {str(path)!r} cannot be read: {error}") from error
    return search_of(parse_yaml(text, str(path)), str(path))


def search_of(tree: Any, where: str) -> SearchConfig:
    """A search from plain values.

    Raises:
        ConfigError: with every key that is wrong, a line each.
    """
    if not isinstance(tree, dict):
        raise ConfigError(f"{where}: expected keys such as `parameters:` and `metric:`, got {tree!r}")
    try:
        return SearchConfig.model_validate(tree)
    except ValidationError as error:
        lines = problems_of(error, SearchConfig)
        raise ConfigError("\n".join(f"{where}: {line}" for line in lines)) from None
