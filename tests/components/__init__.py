"""Mathematics of single components."""
