"""What a config may name: a folder a kind, a file a component."""
