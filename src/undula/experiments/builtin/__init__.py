"""Experiments that a config may name under `experiment.type`."""
