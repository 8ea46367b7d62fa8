"""What a diffusion model has to beat, behind the same `fit` and `sample`."""
