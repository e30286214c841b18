"""Rate files of half a million rows, for measuring."""
