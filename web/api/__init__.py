"""The REST API: the surface of programs. They show a token, and no session counts."""
