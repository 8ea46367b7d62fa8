"""Variational autoencoders of windows: networks, likelihoods, the objective, their training."""
