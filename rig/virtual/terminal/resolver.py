"""The terminal's stub resolver: one question to the bearer's own name server, asked a few times at most.

RFC 1035, RFC 5452: an answer counts that comes from the server, to the socket that asked, with the number and the
question that were sent.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import time

from rig.virtual.terminal.bearers import Attempt, Log
from rig.virtual.terminal.interface import forget_unresolved
from rig.wire.dns import PORT, Answer, Question, Rcode, decode_answer, encode_question
from rig.wire.errors import WireError

_TRIES_S = (0.5, 0.5, 0.5)


class Unresolved(OSError):
    """The name could not be turned into an address on this bearer."""


class Resolver:
    """Remembers answers for each bearer apart: another network may have another truth."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._known: dict[tuple[str, str], tuple[str, float]] = {}

    def address_of(self, host: str, attempt: Attempt) -> str:
        """The address of a host, which may be an address already.

        Raises:
            Unresolved: no server is known, or it did not answer, or not with an address.
        """
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(host))
        address, until = self._known.get((attempt.bearer, host), ("", 0.0))
        if time.monotonic() < until:
            return address
        answer = self._ask(host, attempt)
        if answer.rcode != Rcode.NOERROR or not answer.addresses:
            said = Rcode(answer.rcode).name if answer.rcode in list(Rcode) else str(answer.rcode)
            raise Unresolved(f"{host}: the name server says {said}, with {len(answer.addresses)} addresses")
        self._known[attempt.bearer, host] = answer.addresses[0], time.monotonic() + answer.ttl_s
        self._log("terminal_name_resolved", bearer=attempt.bearer, name=host, address=answer.addresses[0])
        return answer.addresses[0]

    def _ask(self, host: str, attempt: Attempt) -> Answer:
        if attempt.name_server is None:
            raise Unresolved(f"{host}: no name server is known on {attempt.bearer}")
        if attempt.interface is not None:
            forget_unresolved(attempt.interface, attempt.name_server)
        question = Question(secrets.randbits(16), host)
        with attempt.datagrams() as connection:
            connection.connect((attempt.name_server, PORT))
            for patience in _TRIES_S:  # the same question: a late answer to the first is as good
                connection.send(encode_question(question))
                if answer := _await(connection, question, time.monotonic() + min(patience, attempt.remaining())):
                    return answer
        raise Unresolved(f"{host}: the name server {attempt.name_server} does not answer")


def _await(connection: socket.socket, question: Question, deadline: float) -> Answer | None:
    while (remaining := deadline - time.monotonic()) > 0:
        connection.settimeout(remaining)
        with contextlib.suppress(WireError, TimeoutError):
            answer = decode_answer(connection.recv(4096))
            if answer.question == question:
                return answer
    return None
