"""Presets of (density, weight, prediction)."""
