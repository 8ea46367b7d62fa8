"""A commented config for a user's own file."""

from __future__ import annotations

__all__ = ["starter_config"]

import re
from pathlib import Path
from typing import Any

import pandas as pd

from ..core.errors import ConstantColumnsError, MissingValuesError, RepeatedTimesError, TooShortError
from ..data.columns import time_role, with_time_column
from ..data.options import DataOptions
from ..data.prepare import PreparedData, prepare
from ..data.reading import Windows, read_file

_LENGTHS = (50, 32, 24, 16, 10, 8, 5)

_TEMPLATE = """\
# Made by `undula init`. Every key: `undula schema`; every component: `undula components`.
experiment:
  name: {name}
  description: "{description}"
  seed: 0                      # of everything random
components:                    # each line can be exchanged: `undula components architecture`
  preprocessing: {{type: raw, params: {{method: standardise}}}}   # or quantile, minmax, robust
  architecture:
    type: transformer
    params: {{model_dim: 64, num_heads: 4, num_layers: 3, patch_size: {patch}}}
  noise: {{type: standard}}
  sde: {{type: rectified}}
  objective: {{type: flow_matching}}
  sampler: {{type: dpm, params: {{num_steps: 40}}}}
data:
  path: {path}
{roles}  predict_len: {predict_len}              # steps of a window
  history_len: 0               # steps of history that the model is told; 0: unconditional
  missing: {missing}           # error, drop, interpolate or mask{found_missing}
  transform: none              # log_return or difference are applied before everything else
  split: {{train: 0.8, val: 0.1, test: 0.1}}    # by time, with a gap of one window
training:
  batch_size: 128
  learning_rate: 2e-3
  num_epochs: {num_epochs}
  max_time: null               # such as 10m: stop then, whatever num_epochs says
  sample_every: {sample_every}             # epochs between pictures of samples
evaluation:
  num_samples: 2000
"""

_TARGET_STEPS = 2000


def starter_config(file: Path) -> tuple[str, list[str]]:
    """A config that runs on a file, and what was found in the file.

    Raises:
        DataError: if no window length fits, or the file cannot be used.
    """
    prepared, constant = _prepared(file)
    options, panel = prepared.options, prepared.panel
    length = prepared.parts.train.length
    steps = max(1, -(-len(prepared.parts.train) // 128))
    epochs = max(1, round(_TARGET_STEPS / steps))
    roles, time = [], None
    columns = ", ".join(_quoted(c) for c in panel.columns)
    if panel.series and not panel.independent:
        time = next((n.split("'")[1] for n in panel.notes if n.startswith("time column")), None)
        series = "" if options.roles.series is None else f", series: {_quoted(options.roles.series)}"
        roles.append(f"  roles: {{time: {'null' if time is None else _quoted(time)}{series}}}\n")
    if roles or constant:
        roles.append(f"  columns: [{columns}]           # those to generate\n")
    text_columns = _unused(file, [*panel.columns, *constant, time, options.roles.series])
    unused = [("text", text_columns), ("constant in the training part", constant)]
    left_out = [f"not used, {why}: {', '.join(names)}" for why, names in unused if names]
    roles += [f"  # {line}\n" for line in left_out]
    text = _TEMPLATE.format(
        name=re.sub(r"[^\w.-]+", "_", file.stem) or "experiment",
        description=f"Windows of {file.name}".replace('"', "'"),
        path=_quoted(str(file.resolve())),
        roles="".join(roles),
        predict_len=options.predict_len or length,
        patch=max(p for p in (1, 2, 4, 5, 8) if (length or 1) % p == 0),
        missing=options.missing,
        found_missing="" if options.missing == "error" else " (the file has missing values)",
        num_epochs=epochs,
        sample_every=max(1, epochs // 4),
    )
    notes = [note for note in prepared.notes if not note.endswith("is text: not used")]
    return text, [*notes, *left_out]


def _unused(file: Path, used: list[str | None]) -> list[str]:
    """Columns of a table that are neither generated nor its time."""
    table = read_file(file)
    return (
        [] if isinstance(table, Windows) else [name for name in map(str, table.columns) if name not in used]
    )


def _prepared(file: Path) -> tuple[PreparedData, list[str]]:
    """The data with the longest usual window that leaves windows in every part.

    Missing values are interpolated, series told apart by the column that does, and constant columns
    left out, if there are any; the names of the latter are returned.
    """
    settings: dict[str, Any] = {"path": str(file)}
    constant: list[str] = []
    lengths = list(_LENGTHS)
    while True:
        try:
            return prepare(DataOptions(**settings, predict_len=lengths[0])), constant
        except TooShortError:
            if len(lengths) == 1:
                raise
            lengths.pop(0)
        except RepeatedTimesError:
            series = _series_column(file)
            if series is None or "roles" in settings:
                raise
            settings["roles"] = {"series": series}
        except MissingValuesError:
            settings["missing"] = "interpolate"
        except ConstantColumnsError as error:
            if not error.others:
                raise
            settings["columns"], constant = error.others, constant + error.columns


def _series_column(file: Path) -> str | None:
    """The column that tells several series apart: with the time it names every row once.

    The one with the fewest values, of text or whole numbers.
    """
    table = read_file(file)
    if isinstance(table, Windows):
        return None
    table = with_time_column(table)
    time = time_role(table, DataOptions(path=str(file)), [])
    found = [
        name
        for name in table.columns
        if name != time
        and not pd.api.types.is_float_dtype(table[name])
        and table[name].notna().all()
        and not table.duplicated([time, name]).any()
    ]
    return min(found, key=lambda name: table[name].nunique(), default=None)


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z_./][\w./-]*", text) else "'" + text.replace("'", "''") + "'"
