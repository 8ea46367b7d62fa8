"""Energy: ramps, peaks, zeros, load duration, daily and weekly profiles."""

from .profiles import Peaks, daily_peaks, daily_profile, weekly_profile
from .statistics import (
    ENERGY,
    ENERGY_DISTANCES,
    ENERGY_WORDS,
    energy_figures,
    load_duration_curve,
    ramps,
    zero_mass,
)

__all__ = [
    "ENERGY",
    "ENERGY_DISTANCES",
    "ENERGY_WORDS",
    "Peaks",
    "daily_peaks",
    "daily_profile",
    "energy_figures",
    "load_duration_curve",
    "ramps",
    "weekly_profile",
    "zero_mass",
]
