"""The mathematics of diffusion: paths, parametrizations, denoisers, objectives, samplers."""
