"""What the benchmark of the import is made of."""
