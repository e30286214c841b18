import socket

from embedded.ports import FIRST_PORT, LAST_PORT, is_free, pick_port


class TestIsFree:
    def test_is_false_while_somebody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            while_listening = is_free(port)

        assert not while_listening
        assert is_free(port)


class TestPickPort:
    def test_picks_a_free_one_in_the_range(self) -> None:
        port = pick_port()

        assert FIRST_PORT <= port < LAST_PORT
        assert is_free(port)
