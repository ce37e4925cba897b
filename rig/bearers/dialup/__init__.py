"""Dial-up: the terminal calls by its own modem, and the bench answers the call and relays it to the host.

The call carries the frames of ISO 8583 as they are (:mod:`rig.wire.tpdu`), several transactions one after another, as
to a network access controller, which forwards them to the host's TCP port without TLS. There is no PPP in it.
"""

from __future__ import annotations


def door(bearer: str) -> str:
    """The control socket's name in the runtime folder."""
    return f"{bearer}-line.sock"


def process_name(bearer: str) -> str:
    """The name of the process that answers the calls of a bearer."""
    return f"{bearer}-line"
