"""Paths from data to noise."""
