"""The standard experiment: fit on the training part, draw samples, judge them by the held-out part."""

from __future__ import annotations

__all__ = ["StandardExperiment"]

from ...core.registry import register
from ..base import BaseExperiment


@register("experiment", "standard")
class StandardExperiment(BaseExperiment):
    """Train by the objective's loss, judge samples by held-out windows."""
