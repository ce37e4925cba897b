"""What a terminal sees when its telephone or operator has lost the way onwards: real sockets, rules and names."""

from __future__ import annotations

import socket

import pytest

from rig.bearers.failures import make_failure
from rig.errors import CallerMistake
from tests.bearers.failures.conftest import GATE, PORT, Path2

QUESTION = bytes.fromhex("1234 0100 0001 0000 0000 0000 08 6163717569726572 05 62656e6368 00 0001 0001")
"""acquirer.bench, A, IN (RFC 1035, 4.1)."""


def response_code(path: Path2) -> int:
    """What the gateway answers to the question for the host."""

    def ask() -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(2)
            asking.sendto(QUESTION, (GATE, 53))
            return asking.recv(512)[3] & 0xF

    return path.in_terminal(ask)


@pytest.mark.parametrize(("answer", "seen"), [("unreachable", "connect: ENETUNREACH"), ("silent", "connect: timeout")])
def test_the_host_is_gone_the_names_fail_and_the_gateway_is_there(path: Path2, answer: str, seen: str) -> None:
    assert response_code(path) == 0
    failure = make_failure("uplink-down", {"answer": answer})
    with path.suffering(failure) as evidence:
        assert failure.hits().detail["names"] == 0  # what the host had still to say may have met it already
        assert path.talk() == seen
        with pytest.raises(OSError, match=r"unreachable|timed out"):
            path.connect(port=PORT + 1)
        assert response_code(path) == 2, "SERVFAIL"
        assert failure.hits().detail["names"] == 1
        assert failure.hits().detail["up"] >= 2
        assert any("counter name" in rule for rule in evidence["rules"])
    assert response_code(path) == 0


def test_a_connection_that_stands_falls_silent(path: Path2) -> None:
    with path.connect() as connection:
        connection.settimeout(0.3)
        connection.sendall(b"x")
        assert connection.recv(1) == b"x"
        with path.suffering(make_failure("uplink-down", {"answer": "silent"})):
            connection.sendall(b"y")
            with pytest.raises(TimeoutError):
                connection.recv(1)


def test_no_such_answer() -> None:
    with pytest.raises(CallerMistake, match="no answer 'later'"):
        make_failure("uplink-down", {"answer": "later"})
