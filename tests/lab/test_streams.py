"""Streams over the loopback, and what their packets say."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from lab.part import LabTrouble
from lab.streams import Flow, exchange, udp_socket


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    source, sink = udp_socket("127.0.0.1"), udp_socket("127.0.0.1")
    exchange([Flow(source, sink, 20, 1000)], 1.0)  # the kernel begins to stamp some packets after it was asked
    yield source, sink
    source.close()
    sink.close()


def test_all_come_in_order_with_true_times(ends: tuple[socket.socket, socket.socket]) -> None:
    flow = Flow(*ends, 200, 2000)
    back = Flow(ends[1], ends[0], 100, 1000)
    exchange([flow, back], 1.0)
    assert (flow.missing, back.missing, flow.damaged_bits) == (0, 0, [])
    assert flow.numbers == list(range(200))
    assert all(0 < delay < 50 for delay in flow.delays)
    assert flow.pace == pytest.approx(2000, rel=0.3)


def test_what_does_not_come_is_missing_and_ends_the_wait(ends: tuple[socket.socket, socket.socket]) -> None:
    source, sink = ends
    nobody = udp_socket("127.0.0.1")
    flow = Flow(source, sink, 10, 1000)
    flow._target = nobody.getsockname()
    exchange([flow], 0.05)
    assert flow.missing == 10
    nobody.close()


def test_a_turned_bit_is_seen(ends: tuple[socket.socket, socket.socket]) -> None:
    source, sink = ends
    flow = Flow(source, sink, 1, 1000)
    flow.send()
    packet = bytearray(sink.recv(2048))
    flow.sent.append(0)
    for place in (50, 0):  # in the filling, and in the number
        hurt = bytearray(packet)
        hurt[place] ^= 4
        source.sendto(hurt, sink.getsockname())
    source.sendto(packet[:72], sink.getsockname())  # as one bit of UDP's length can make it
    flow.receive()
    assert flow.damaged_bits == [1, 0, 1]
    assert flow.missing == 1


def test_a_receiver_that_was_too_slow_is_not_the_links_loss(ends: tuple[socket.socket, socket.socket]) -> None:
    source, sink = ends
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    flow = Flow(source, sink, 400, 1_000_000)
    with pytest.raises(LabTrouble, match="too slow"):
        exchange([flow], 0.1)
