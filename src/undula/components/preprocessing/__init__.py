"""Maps between the user's units and what is diffused."""
