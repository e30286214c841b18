"""Ports of the loopback interface."""

import random
import socket

# Below the range Linux takes outgoing connections from (32768 and up), so that a port stays
# ours while its server is stopped.
FIRST_PORT, LAST_PORT = 20_000, 32_000


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are still fading is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def pick_port() -> int:
    """A free port, chosen at random so that two checkouts starting at once seldom choose alike."""
    for port in random.sample(range(FIRST_PORT, LAST_PORT), 200):
        if is_free(port):
            return port
    raise OSError(f"No free port on 127.0.0.1 among 200 tried between {FIRST_PORT} and {LAST_PORT}")
