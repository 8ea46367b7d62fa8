"""Errors for the user's mistakes: what was given, what is expected, how to mend it.

Every `UndulaError` carries the exit code that the command line returns. Anything else that is
raised is a defect of undula itself and keeps its traceback.
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "ConstantColumnsError",
    "DataError",
    "IncompatibleError",
    "Interrupted",
    "MissingValuesError",
    "OutsideTrainingWarning",
    "RunError",
    "TooShortError",
    "TrainingError",
    "UndulaError",
    "UnknownNameError",
    "did_you_mean",
    "place_and_text",
]

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path


class UndulaError(Exception):
    """A mistake that the user can mend; the message says how."""

    exit_code = 2


class ConfigError(UndulaError):
    """A config, a parameter or an option is wrong."""


class UnknownNameError(ConfigError, LookupError):
    """A name is not registered; the message gives the nearest known one."""


class IncompatibleError(ConfigError):
    """Two components cannot work together; the message gives a combination that can."""


class DataError(UndulaError):
    """The data cannot be used as they are."""


class OutsideTrainingWarning(UserWarning):
    """What a model is told lies outside what it has seen in training."""


class RepeatedTimesError(DataError):
    """Two different rows have the same time."""


class MissingValuesError(DataError):
    """Values are missing, and nothing was said about what to do."""


class TooShortError(DataError):
    """No window fits into a part of the data."""


class ConstantColumnsError(DataError):
    """Columns have one value in the training part.

    Args:
        message: for the user.
        columns: their names.
        others: names of the columns that vary.
    """

    def __init__(self, message: str, columns: list[str], others: list[str]) -> None:
        super().__init__(message)
        self.columns, self.others = columns, others


class RunError(UndulaError):
    """A run folder, checkpoint or model file is missing, damaged or of another version."""


class TrainingError(UndulaError):
    """Training cannot go on (non-finite loss); the last good checkpoint is kept."""

    exit_code = 1


class Interrupted(UndulaError):  # noqa: N818
    """A signal stopped the work; the state is saved and the message says how to resume."""

    exit_code = 130


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the nearest known name, or an empty string."""
    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def place_and_text(error: Exception, file: Path) -> str:
    """Where in a file an error came up, and what it is: `file.py, line 3: KeyError: 'x'`."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    text = str(error)
    if isinstance(error, SyntaxError) and error.filename == str(file):
        lines, text = [error.lineno], error.msg
    place = f", line {lines[-1]}" if lines else ""
    return f"{file}{place}: {type(error).__name__}" + (f": {text}" if text else "")
