"""Covariances of the noise."""
