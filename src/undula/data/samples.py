"""Files of samples, by extension: CSV and Parquet in long form, NPY and NPZ as arrays."""

from __future__ import annotations

__all__ = ["SAMPLE_FORMATS", "check_sample_path", "sample_table", "write_samples"]

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import ConfigError
from ..core.files import atomic_path

Array = NDArray[np.floating[Any]]

SAMPLE_FORMATS = (".csv", ".parquet", ".npz", ".npy")


def check_sample_path(path: Path) -> None:
    """Refuse a path whose extension names no format, before any work is done."""
    if path.suffix.lower() not in SAMPLE_FORMATS:
        raise ConfigError(f"output {str(path)!r}: use one of {', '.join(SAMPLE_FORMATS)}")
    if path.is_dir():
        raise ConfigError(f"output {str(path)!r} is a folder: give a file")


def write_samples(
    path: Path, samples: list[Array], columns: list[str], times: list[NDArray[Any]] | None = None
) -> None:
    """Write samples atomically.

    Args:
        path: of the file; its extension is the format.
        samples: windows (L_i, C), in the data's units.
        columns: names of the C features.
        times: time stamps of each window's steps, (L_i,), where they are known; .npy leaves them out.

    Raises:
        ConfigError: if arrays are asked for and lengths vary.
    """
    check_sample_path(path)
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        if len({len(s) for s in samples}) > 1:
            raise ConfigError(f"samples of different lengths do not fit into {suffix}: use .parquet or .csv")
        array = np.stack(samples)
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            if suffix == ".npy":
                np.save(file, array)
            else:
                known: dict[str, Any] = {} if times is None else {"time": np.stack(times)}
                np.savez_compressed(file, samples=array, columns=np.array(columns), **known)
        return
    table = sample_table(samples, columns)
    if times is not None:
        table["step"] = np.concatenate(times)
        table = table.rename(columns={"step": "time"})
    with atomic_path(path) as temporary:
        if suffix == ".csv":
            table.to_csv(temporary, index=False)
        else:
            table.to_parquet(temporary, index=False)


def sample_table(samples: list[Array], columns: list[str]) -> pd.DataFrame:
    """Samples in long form: `sample`, `step`, and one column a feature."""
    lengths = [len(s) for s in samples]
    table = pd.DataFrame(np.concatenate(samples), columns=columns)
    table.insert(0, "sample", np.repeat(np.arange(len(samples)), lengths))
    table.insert(1, "step", np.concatenate([np.arange(k) for k in lengths]))
    return table
