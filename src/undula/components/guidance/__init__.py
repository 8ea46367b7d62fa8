"""Denoiser → Denoiser."""
