"""The exact dialogue with the SNMP agent of a switch."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from rig.errors import CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.switch import PortState, SwitchPort, open_switch_port
from rig.wire.snmp import Kind, Missing, Packet, Value, oid

DESCRIPTION = oid("1.3.6.1.2.1.1.1.0")
ADMIN, OPER, POE = (oid(f"1.3.6.1.2.1.{each}") for each in ("2.2.1.7.7", "2.2.1.8.7", "105.1.1.1.3.1.7"))
STATE = (ADMIN, OPER, POE)

Turn = tuple[Kind, tuple[Any, ...], tuple[Value, ...] | int | None]
"""What must be asked (objects, or pairs with values); the values of the answer, an error status, or silence."""

OPENING: list[Turn] = [(Kind.GET, (DESCRIPTION,), (b"GS1900-8HP\nmore",)), (Kind.GET, STATE, (1, 1, 1))]


@dataclass
class AgentPeer:
    """A scripted agent."""

    turns: list[Turn]
    community: bytes = b"secret"
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self._play, daemon=True)
        self.thread.start()

    def _play(self) -> None:
        while self.turns:
            kind, wanted, answer = self.turns.pop(0)
            data, peer = self.socket.recvfrom(4096)
            asked = Packet.decode(data)
            pairs = tuple(each if kind is Kind.SET else (each, None) for each in wanted)
            if (asked.kind, asked.community, asked.bindings) != (kind, self.community, pairs):
                self.wrong.append(f"{asked} in place of {kind} {pairs}")
                return
            if answer is None:
                continue
            names = [each for each, _ in pairs]
            error, values = (answer, [None] * len(names)) if isinstance(answer, int) else (0, list(answer))
            bindings = tuple(zip(names, values, strict=True))
            late = Packet(Kind.RESPONSE, asked.community, asked.number - 1, bindings)
            self.socket.sendto(late.encode(), peer)  # an answer to somebody else's question is passed over
            reply = Packet(Kind.RESPONSE, asked.community, asked.number, bindings, error, int(bool(error)))
            self.socket.sendto(reply.encode(), peer)


@pytest.fixture
def port() -> Iterator[Callable[..., SwitchPort]]:
    peers: list[AgentPeer] = []
    ports: list[SwitchPort] = []

    def start(*turns: Turn, opening: list[Turn] = OPENING, **settings: Any) -> SwitchPort:
        peers.append(AgentPeer([*opening, *turns]))
        settings = {"community": "secret", "timeout_s": 0.1, **settings}
        ports.append(open_switch_port("snmp", peers[-1].address, 7, settings, name="switch port"))
        return ports[-1]

    yield start
    for each in ports:
        each.close()
    for peer in peers:
        peer.thread.join(2)
        assert (peer.wrong, peer.turns) == ([], [])
        peer.socket.close()


Start = Callable[..., SwitchPort]


def test_a_port_is_taken_down_and_up_and_read_back(port: Start) -> None:
    opened = port(
        (Kind.SET, ((ADMIN, 2),), (2,)), (Kind.GET, (ADMIN,), (2,)),
        (Kind.GET, STATE, (2, 1, 1)), (Kind.GET, STATE, (2, 2, 1)),
        (Kind.SET, ((ADMIN, 1),), (1,)), (Kind.GET, (ADMIN,), (1,)), (Kind.GET, STATE, (1, 2, 1)),
    )  # fmt: skip
    assert isinstance(opened, SwitchPort)
    assert opened.identity == "GS1900-8HP, port 7"
    assert opened.down() == PortState(enabled=False, link=False, powered=True)
    assert opened.up() == PortState(enabled=True, link=False, powered=True)


def test_power_is_taken_and_given(port: Start) -> None:
    opened = port(
        (Kind.SET, ((POE, 2),), (2,)), (Kind.GET, (POE,), (2,)), (Kind.GET, STATE, (1, 2, 2)),
        (Kind.SET, ((POE, 1),), (1,)), (Kind.GET, (POE,), (1,)), (Kind.GET, STATE, (1, 2, 1)),
    )  # fmt: skip
    assert opened.power_off().powered is False
    assert opened.power_on().powered is True


def test_numbers_that_are_not_the_ports_are_settings(port: Start) -> None:
    index, poe = oid("1.3.6.1.2.1.2.2.1.7.10107"), oid("1.3.6.1.2.1.105.1.1.1.3.2.3")
    opening: list[Turn] = [
        OPENING[0], (Kind.GET, (index, oid("1.3.6.1.2.1.2.2.1.8.10107"), poe), (1, 1, Missing.NO_SUCH_INSTANCE))
    ]  # fmt: skip
    port((Kind.GET, (index, oid("1.3.6.1.2.1.2.2.1.8.10107"), poe), (1, 1, Missing.NO_SUCH_INSTANCE)),
         opening=opening, indices={7: 10107}, poe={7: "2.3"}).read()  # fmt: skip


def test_a_lost_datagram_is_asked_for_again(port: Start) -> None:
    assert port((Kind.GET, STATE, None), (Kind.GET, STATE, (1, 2, Missing.NO_SUCH_OBJECT))).read() == PortState(
        enabled=True, link=False, powered=None
    )


def test_a_port_that_does_not_follow_is_told(port: Start) -> None:
    opened = port((Kind.SET, ((ADMIN, 2),), (2,)), (Kind.GET, (ADMIN,), (1,)))
    with pytest.raises(DeviceNonsense, match=r"took ifAdminStatus\.7 = 2 and reads back 1"):
        opened.down()


def test_a_community_that_may_not_write_is_told(port: Start) -> None:
    opened = port((Kind.SET, ((ADMIN, 2),), 6))
    with pytest.raises(DeviceNonsense, match=r"refuses ifAdminStatus\.7 = 2: noAccess"):
        opened.down()


def test_no_such_port(port: Start) -> None:
    with pytest.raises(DeviceNonsense, match=r"has no ifAdminStatus\.7 \(which ifIndex"):
        port(opening=[OPENING[0], (Kind.GET, STATE, (Missing.NO_SUCH_INSTANCE,) * 3)])


def test_a_wrong_community_is_silence(port: Start) -> None:
    silence: list[Turn] = [(Kind.GET, (DESCRIPTION,), None)] * 3
    with pytest.raises(DeviceMute, match=r"switch port: no answer to sysDescr\.0 .*its community"):
        port(opening=silence)


def test_no_agent_at_the_address() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(DeviceGone, match="is not reached"):
        open_switch_port("snmp", address, 1, {"timeout_s": 0.1}, name="switch port")


@pytest.mark.parametrize(
    ("address", "settings", "why"),
    [
        ("127.0.0.1:x", {}, "no address"),
        ("127.0.0.1", {"comunity": "x"}, "comunity: Extra inputs"),
        ("127.0.0.1", {"poe": {1: "one"}}, "poe: invalid literal"),
    ],
)
def test_what_cannot_be_is_the_callers_mistake(address: str, settings: dict[str, Any], why: str) -> None:
    with pytest.raises(CallerMistake, match=why):
        open_switch_port("snmp", address, 1, settings, name="switch port")


def test_nobody_is_told_the_community(port: Start) -> None:
    told: list[dict[str, Any]] = []
    peer = AgentPeer([*OPENING])
    opened = open_switch_port(
        "snmp", peer.address, 7, {"community": "secret"}, name="p", observe=lambda _, data: told.append(data)
    )
    opened.close()
    assert [each["line"] for each in told] == [
        "get sysDescr.0", repr(b"GS1900-8HP\nmore"), "get ifAdminStatus.7, ifOperStatus.7, pethPsePortAdminEnable.1.7",
        "1, 1, 1",
    ]  # fmt: skip
