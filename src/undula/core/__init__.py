"""The ground that everything stands on; imports nothing else of undula."""
