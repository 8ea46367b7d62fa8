"""What single fields measure: statistics, distances and readers of finance and of energy."""
