"""The façade that joins all parts of a diffusion model."""

from .facade import DiffusionModel
from .fitting import FitHooks

__all__ = ["DiffusionModel", "FitHooks"]
