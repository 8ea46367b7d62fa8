"""How many processes may run at once, and with how many threads each.

A process gets cores / workers threads, so that together they use every core once. Memory is not guessed:
one process runs until it has shown its peak, and another starts only while

    Σ_running max(peak, highest peak seen) + highest peak seen  ≤  the budget.
"""

from __future__ import annotations

__all__ = ["Budget", "available_memory", "cores", "thread_budget"]

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import ConfigError

_SHARE_OF_FREE = 0.8
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


@dataclass(frozen=True)
class Budget:
    """What processes may use together.

    Args:
        workers: most processes at once.
        threads: of each.
        memory: bytes for all of them.
    """

    workers: int
    threads: int
    memory: int

    @classmethod
    def of(
        cls, jobs: int, workers: int | None = None, threads: int | None = None, memory: int | None = None
    ) -> Budget:
        """The budget for some jobs.

        Args:
            jobs: how many there are.
            workers: most processes at once; None: as many as jobs and threads.
            threads: for all together; None: the cores.
            memory: bytes for all together; None: most of what is free.

        Raises:
            ConfigError: if a number is not positive.
        """
        for name, value in (("workers", workers), ("threads", threads), ("memory", memory)):
            if value is not None and value < 1:
                raise ConfigError(f"{name} = {value}: give a positive number")
        total = threads or cores()
        count = max(1, min(workers or total, jobs))
        free = memory or int(_SHARE_OF_FREE * available_memory())
        most = os.environ.get("OMP_NUM_THREADS", "")  # of one process, as elsewhere
        each = thread_budget(count, total)
        return cls(count, min(each, int(most)) if most.isdecimal() and int(most) else each, free)

    def admits(self, peaks: Sequence[int | None], highest: int | None) -> bool:
        """Whether one more process may start.

        Args:
            peaks: bytes that each running process has used at most; None: not yet known.
            highest: of all processes that have shown theirs; None: none has.
        """
        if not peaks:
            return True
        if len(peaks) >= self.workers or highest is None:
            return False
        return sum(max(peak or 0, highest) for peak in peaks) + highest <= self.memory


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_budget(workers: int, threads: int | None = None) -> int:
    """Threads of each of some processes that share the cores.

    Args:
        workers: the processes.
        threads: for all together; None: the cores.
    """
    return max(1, (threads or cores()) // workers)


def available_memory() -> int:
    """Free bytes of the machine, or of the container if it has fewer."""
    found = [_free_of_machine()]
    for limit, used in _CGROUPS:
        numbers = [_number_in(limit), _number_in(used)]
        if None not in numbers:
            found.append(max(0, numbers[0] - numbers[1]))  # type: ignore[operator]
    return min(found)


def _free_of_machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    # no such file on this system: half of what is built in
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _number_in(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):  # absent, or "max"
        return None
