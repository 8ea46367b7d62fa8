"""What a probabilistic forecast has to beat, behind the same `fit` and `forecast`."""
