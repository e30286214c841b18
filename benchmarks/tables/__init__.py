"""What the benchmark of the lists is made of."""
