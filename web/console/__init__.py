"""The web console of a provider's staff."""
