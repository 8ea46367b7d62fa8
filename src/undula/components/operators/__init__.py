"""What is measured of a series."""
