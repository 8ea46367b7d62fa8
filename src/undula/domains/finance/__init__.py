"""Returns and prices: risk figures, scenarios."""
