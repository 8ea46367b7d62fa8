"""A generic engine for training: knows modules and losses, not what they model."""
