"""What a server is configured with: its memory, its ports, and an environment without secrets."""

import socket

import psutil
import pytest

from exporter.store.configuration import SMALLEST_HEAP, Access, ample_heap, free_port, in_english


def test_the_heap_is_an_eighth_of_the_memory() -> None:
    """At least what Neo4j needs, and no more than helps."""
    assert SMALLEST_HEAP <= ample_heap() <= max(SMALLEST_HEAP, psutil.virtual_memory().total // 8)


def test_a_port_that_is_taken_is_replaced() -> None:
    """And one that is free is kept; a server without HTTP gets no port for it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert free_port(taken) not in (0, taken)
        access = Access(taken, None, "secret").with_free_ports()
        assert (access.bolt_port not in (0, taken), access.http_port, access.password) == (True, None, "secret")
    assert free_port(taken) == taken
    assert Access(taken, taken).with_any_ports() == Access(0, 0)


@pytest.mark.parametrize(
    ("variables", "encoding"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr_FR.UTF-8"),
        ({"LC_ALL": "tr_TR.utf8", "LC_CTYPE": "C", "LANGUAGE": "tr"}, "tr_TR.utf8"),
        ({"LC_MESSAGES": "de_DE.UTF-8", "LANG": "de_DE@euro"}, "C.UTF-8"),
        ({}, "C.UTF-8"),
    ],
)
def test_a_server_speaks_english(variables: dict[str, str], encoding: str) -> None:
    """And reads paths as UTF-8, whatever the user's language."""
    expected = {"HOME": "/h", "LANG": "C", "LC_MESSAGES": "C", "LC_CTYPE": encoding}
    assert in_english({"HOME": "/h", **variables}) == expected
