"""Penalties on the estimate D."""
