"""Questions about money in: what is there, what it settled, what waits, what is left."""
