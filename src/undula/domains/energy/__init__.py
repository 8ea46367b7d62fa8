"""Energy: ramps, peaks, zeros, load duration, daily and weekly profiles."""

from .profiles import Peaks, daily_peaks, daily_profile, weekly_profile
from .statistics import ENERGY, ENERGY_DISTANCES, load_duration_curve, ramps, zero_mass

__all__ = [
    "ENERGY",
    "ENERGY_DISTANCES",
    "Peaks",
    "daily_peaks",
    "daily_profile",
    "load_duration_curve",
    "ramps",
    "weekly_profile",
    "zero_mass",
]
