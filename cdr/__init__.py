"""Usage: xDR files, mediation, the rating engine, legs, usage charges, suspense."""
