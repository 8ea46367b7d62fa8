"""What a user says about the data; the `data:` block of a config."""

from __future__ import annotations

__all__ = [
    "Align",
    "DataOptions",
    "Missing",
    "Roles",
    "Split",
    "StartScale",
    "Transform",
    "TransformName",
    "TransformSpec",
    "VolatilityParams",
]

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast, get_args

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..core.errors import did_you_mean

Missing = Literal["error", "drop", "interpolate", "mask"]
TransformName = Literal["none", "log", "log_return", "difference", "rolling_volatility"]
Align = Literal["hour", "day", "week", "month"]
StartScale = Literal["linear", "log"]
CalendarFeature = Literal["hour", "day_of_week", "day_of_month", "day_of_year", "month"]
Share = Annotated[float, Ge(0), Le(1)]


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class VolatilityParams(_Options):
    """Parameters of rolling_volatility."""

    window: Annotated[int, Ge(2)] = Field(21, description="Log returns in a window.")
    periods_per_year: Annotated[float, Gt(0)] | None = Field(
        None,
        description="Steps of a year, such as 252 for trading days: volatility per year; null: per step.",
    )


class TransformSpec(_Options):
    """A transform with parameters."""

    type: TransformName = Field(description="Name of the transform.")
    params: VolatilityParams = Field(
        default_factory=VolatilityParams, description="Of rolling_volatility; the others have none."
    )

    @model_validator(mode="after")
    def _no_idle_parameters(self) -> TransformSpec:
        if self.type != "rolling_volatility" and self.params != VolatilityParams():
            raise ValueError(
                f"{self.type} has no parameters (rolling_volatility has window, periods_per_year)"
            )
        return self


Transform = TransformName | TransformSpec


class Roles(_Options):
    """Which column is what."""

    time: str | None = Field(None, description="Time column; null: found by its name and content.")
    series: str | None = Field(None, description="Column that names the series of a panel.")
    target: list[str] | None = Field(
        None, description="Columns to generate; null: every numeric column without another role."
    )
    known_covariates: list[str] = Field([], description="Columns that are known for the future too.")
    past_covariates: list[str] = Field([], description="Columns that are known for the history only.")
    static: list[str] = Field([], description="Numeric columns that are constant within a series.")
    at_start: list[str] = Field(
        [],
        description="Columns whose value in the last row before a window is told; they may be generated too.",
    )
    calendar: list[CalendarFeature] = Field(
        [], description="Features of the time stamp, known for the future, as sine and cosine."
    )


class Split(_Options):
    """Shares of the time axis, in order; a gap of one window is left between neighbours."""

    by: Literal["time", "series"] | None = Field(
        None,
        description="Split the time axis or the set of series; null: the series where each is one window.",
    )
    train: Annotated[float, Gt(0), Le(1)] = Field(0.8, description="Share for training.")
    val: Share = Field(0.1, description="Share for the validation loss.")
    test: Share = Field(0.1, description="Share held out for the evaluation.")

    @model_validator(mode="after")
    def _sum(self) -> Split:
        total = self.train + self.val + self.test
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"train + val + test = {total:g}, they must add up to 1")
        return self


class DataOptions(_Options):
    """Where the data come from, what their columns mean, and how they are cut into windows."""

    dataset: str | dict[str, Any] | None = Field(
        None, description="Name of a registered source, such as sp500, or {type, params}."
    )
    path: str | None = Field(
        None,
        description="Your own file: .csv, .parquet, .npy or .npz; beside dataset, what that source reads.",
    )
    columns: list[str] | None = Field(None, description="Short for roles.target.")
    transform: Transform | dict[str, Transform] = Field(
        "none",
        description="Applied to the target columns first: log, log_return, difference, rolling_volatility or "
        "none; or one for each of some columns: {close: log_return, vix: none}.",
    )
    history_len: Annotated[int, Ge(0)] = Field(
        0, description="Steps of history that the model is told; 0: unconditional."
    )
    predict_len: Annotated[int, Gt(0)] | None = Field(
        50, description="Steps of a window; null: every series is one window of its own length."
    )
    stride: Annotated[int, Gt(0)] = Field(1, description="Steps from one training window to the next.")
    at_start_scale: StartScale = Field(
        "linear",
        description="What is standardised of values at the start: linear, or log (of positive, skewed ones).",
    )
    align: Align | None = Field(
        None,
        description="Windows begin (after their history) with the first row of an hour, day, week "
        "(Monday) or month; null: anywhere.",
    )
    missing: Missing = Field(
        "error",
        description="Missing values: error; drop (leave out windows that have any); interpolate "
        "(linear in time); mask (train with a masked loss).",
    )
    gaps: Literal["break", "ignore"] = Field(
        "break", description="Gaps in time: break (no window crosses one) or ignore."
    )
    roles: Roles = Field(default_factory=Roles, description="Which column is what.")
    split: Split = Field(default_factory=Split, description="Shares of training, validation, test.")

    @field_validator("transform", mode="before")
    @classmethod
    def _readable_transform(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or _is_spec(value):
            return _transform(value)
        if not value:
            raise ValueError("names no column: give none, or {column: transform, …}")
        return {str(name): _transform(given, f"of column {name!r} ") for name, given in value.items()}

    @model_validator(mode="after")
    def _consistent(self) -> DataOptions:
        roles = self.roles
        named = [*(self.target or []), *roles.known_covariates, *roles.past_covariates, *roles.static]
        for name in named:
            if named.count(name) > 1:
                raise ValueError(
                    f"column {name!r} is named twice among the columns to generate, known_covariates, "
                    "past_covariates and static: give it one role"
                )
        for name in roles.at_start:
            if roles.at_start.count(name) > 1 or name in roles.static:
                raise ValueError(
                    f"column {name!r} of roles.at_start is named twice, or in static too: name it once"
                )
        if self.at_start_scale != "linear" and not roles.at_start:
            raise ValueError("at_start_scale scales the columns of roles.at_start: name one there")
        if self.predict_len is None and self.history_len:
            raise ValueError("history_len needs windows of one length: set predict_len")
        if roles.at_start and self.predict_len is None and self.transform == "none":
            raise ValueError("a whole series has no row before it for roles.at_start: set predict_len")
        if self.align is not None and self.predict_len is None:
            raise ValueError("align needs windows of one length: set predict_len")
        if self.roles.past_covariates and not self.history_len:
            raise ValueError("past_covariates are part of the history: set history_len")
        return self

    @property
    def target(self) -> list[str] | None:
        """The columns to generate, if the user names them."""
        return self.roles.target if self.columns is None else self.columns


def _is_spec(value: Mapping[Any, Any]) -> bool:
    return "type" in value and set(value) <= {"type", "params"}


def _transform(value: Any, which: str = "") -> Transform:
    """A transform from its name or {type, params}; the message names the nearest known one."""
    names = get_args(TransformName)
    if isinstance(value, TransformSpec):
        return value
    name = value.get("type") if isinstance(value, Mapping) and _is_spec(value) else value
    if name not in names:
        near = did_you_mean(name, names) if isinstance(name, str) else ""
        raise ValueError(
            f"the transform {which}is none of {', '.join(names)}{near} (with parameters: "
            "{type: rolling_volatility, params: {window: 21}}; a column each: {close: log_return, vix: none})"
        )
    if not isinstance(value, Mapping):
        return cast("TransformName", value)
    try:
        return TransformSpec.model_validate(value)
    except ValidationError as error:
        reasons = [
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}".removeprefix(": ").replace("Value error, ", "")
            for e in error.errors()
        ]
        raise ValueError(f"the transform {which}is wrong: {'; '.join(reasons)}") from None
