"""The impostor towards who believes it: nothing is noticed, and nothing goes on once it is gone."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from rig.bearers.services.forged import forged_context
from rig.bearers.services.impostor import Impostor

REQUEST, ANSWER = b"a request in two records", b"approved"


@pytest.fixture(scope="module")
def host() -> Iterator[tuple[str, int]]:
    """A host that answers once it has the whole request."""
    context = forged_context("acquirer.bench", "self-signed")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                    got = b""
                    while len(got) < len(REQUEST) and (more := connection.recv(4096)):
                        got += more
                    connection.sendall(ANSWER)
                    connection.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def impostor(host: tuple[str, int]) -> Iterator[Impostor]:
    made = Impostor("127.0.0.1", {"name": "acquirer.bench", "upstream": list(host)}, lambda *_, **__: None)
    yield made
    made.close()


def believing(impostor: Impostor) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", impostor.port), 3))


def test_a_request_in_two_records_is_handed_on_whole(impostor: Impostor) -> None:
    """The host's session tickets make it readable, and are nothing that could be read."""
    with believing(impostor) as victim:
        victim.sendall(REQUEST[:10])
        victim.settimeout(0.3)
        with pytest.raises(TimeoutError):
            victim.recv(1)
        victim.settimeout(3)
        victim.sendall(REQUEST[10:])
        assert victim.recv(100) == ANSWER
    assert impostor.state()["application_bytes"] == len(REQUEST)


def test_connections_end_with_it(impostor: Impostor) -> None:
    with believing(impostor) as victim:
        victim.sendall(REQUEST)
        assert victim.recv(100) == ANSWER
        impostor.close()
        try:
            left = victim.recv(1)
        except (ConnectionError, ssl.SSLError):
            left = b""
        assert left == b""
