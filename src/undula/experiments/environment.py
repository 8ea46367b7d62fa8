"""Where and with what a run was made."""

from __future__ import annotations

__all__ = ["environment"]

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from .. import __version__

_PACKAGES = ("torch", "lightning-fabric", "numpy", "pandas", "pyarrow", "scipy", "pydantic", "safetensors")


def environment() -> dict[str, Any]:
    """Versions, machine, git state of the working folder, command line."""
    packages: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = None
    cuda = torch.cuda.is_available()
    return {
        "undula": __version__,
        "python": platform.python_version(),
        "packages": packages,
        "machine": {
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cpus": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if cuda else None,
        },
        "git": {"commit": _git("rev-parse", "HEAD"), "changes": bool(_git("status", "--porcelain"))},
        "command": sys.argv,
    }


def _git(*arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, *arguments]
    try:
        result = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
