"""Point forecasts that diffusion starts from."""
