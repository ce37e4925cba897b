"""Dial-up: the terminal calls by its own modem, and the bench answers the call and relays it to the host.

The call carries messages of ISO 8583, each with its TPDU in a frame with a check (:mod:`rig.wire.hdlc`), several
transactions one after another, as to a network access controller, which forwards them to the host's TCP port without
TLS. There is no PPP in it, and nothing is sent again: what is damaged is lost, as a packet would be.
"""

from __future__ import annotations


def door(bearer: str) -> str:
    """The control socket's name in the runtime folder."""
    return f"{bearer}-line.sock"


def process_name(bearer: str) -> str:
    """The name of the process that answers the calls of a bearer."""
    return f"{bearer}-line"
