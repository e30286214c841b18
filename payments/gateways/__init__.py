"""Companies that collect money for providers; one folder each, all speaking `protocol.Gateway`."""
