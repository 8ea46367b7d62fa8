"""Configs: their schema, YAML, presets and overrides; the only place that reads YAML."""
