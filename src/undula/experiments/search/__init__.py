"""Searches: trials of configs in worker processes, resumable, the best one as an ordinary config.

space.py     what varies: ranges to optuna's distributions, every corner checked before the start
study.py     which trial is next, in optuna's journal; trials of processes that died go on
trial.py     a trial is a run, ended early where it is hopeless
worker.py    a process that takes one trial after the other
search.py    the folder: making, resuming, starting workers
summary.py   table, best.yaml and page of what was found
"""

from .search import Search, SearchResult

__all__ = ["Search", "SearchResult"]
