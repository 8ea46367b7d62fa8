"""Which process this is when several train together."""

from __future__ import annotations

__all__ = ["is_main_process"]

import os


def is_main_process() -> bool:
    """Whether this process writes files and speaks; the others only compute.

    It holds before the processes have met: launchers tell their children by RANK or LOCAL_RANK.
    """
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0
