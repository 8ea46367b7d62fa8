"""How good samples are: arrays in, numbers out; knows no model."""
