"""Building blocks of networks; know nothing of diffusion."""
