"""From the user's table to batches: sources, checks, splits, windows, collation."""
