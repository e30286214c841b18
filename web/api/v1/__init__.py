"""Version 1: what works today goes on working; what would break it comes as version 2."""
