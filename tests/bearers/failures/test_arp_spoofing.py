"""The neighbour's questions, where others speak too."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from rig.bearers.failures import arp_spoofing
from rig.bearers.failures.arp_spoofing import NEIGHBOUR, arp_frame
from rig.errors import DeviceMute


def test_a_network_full_of_others_does_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arp_spoofing, "_ANSWER_S", 0.1)
    ours, network = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    poison = object.__new__(arp_spoofing._Poison)
    vars(poison).update(
        _socket=ours, _gateway="10.0.0.1", _victim="10.0.0.2", _interface="wifi", _victim_mac=b"\xff" * 6
    )
    other = arp_frame(NEIGHBOUR, 2, bytes(6), "10.0.0.3", NEIGHBOUR, "10.0.0.1")

    def speak() -> None:
        with contextlib.suppress(OSError):
            for _ in range(100):
                network.send(other)
                time.sleep(0.02)

    threading.Thread(target=speak, daemon=True).start()
    began = time.monotonic()
    with ours, network, pytest.raises(DeviceMute, match="does not answer ARP"):
        poison._insist(NEIGHBOUR)
    assert time.monotonic() - began < 1.5
