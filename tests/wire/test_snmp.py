"""SNMPv2c: messages as others write them, every message that we write read back, and rubbish refused."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dpkt as untyped_dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.snmp import Kind, Missing, Packet, Value, dotted, oid

dpkt: Any = untyped_dpkt
ADMIN = oid("1.3.6.1.2.1.2.2.1.7.1")

# `snmpget -v2c -c public HOST 1.3.6.1.2.1.1.1.0` as Net-SNMP sends it, taken apart by hand after X.690.
GET = bytes.fromhex(
    "3029 0201 01 0406 7075626c6963 a01c 0204 1a2b3c4d 0201 00 0201 00 300e 300c 0608 2b06010201010100 0500"
)

numbers = st.integers(0, 1 << 40)
oids = st.builds(
    lambda first, rest: (*first, *rest),
    st.one_of(st.tuples(st.integers(0, 1), st.integers(0, 39)), st.tuples(st.just(2), numbers)),
    st.lists(numbers, max_size=12),
)
values: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.integers(-(1 << 63), (1 << 63) - 1), st.binary(max_size=300), oids, st.sampled_from(Missing)
)
packets = st.builds(
    Packet,
    st.sampled_from(Kind), st.binary(max_size=40), st.integers(-(1 << 31), (1 << 31) - 1),
    st.lists(st.tuples(oids, values), max_size=5).map(tuple), st.integers(0, 18), st.integers(0, 5),
)  # fmt: skip


def test_a_question_of_others_is_read_and_written_the_same() -> None:
    packet = Packet.decode(GET)
    assert packet == Packet(Kind.GET, b"public", 0x1A2B3C4D, ((oid("1.3.6.1.2.1.1.1.0"), None),))
    assert packet.encode() == GET


def test_lengths_above_127_have_octets_of_their_own() -> None:
    data = Packet(Kind.RESPONSE, b"c", 1, ((ADMIN, b"x" * 300),)).encode()
    assert b"\x04\x82\x01\x2c" + b"x" * 300 in data


def test_counters_gauges_and_addresses_are_read_as_what_they_are() -> None:
    plain = Packet(Kind.RESPONSE, b"c", 1, ((ADMIN, 200), (ADMIN, b"\x0a\x40\x00\x0a"))).encode()
    other = plain.replace(b"\x02\x02\x00\xc8", b"\x42\x02\x00\xc8").replace(b"\x04\x04\x0a\x40", b"\x40\x04\x0a\x40")
    assert other != plain
    assert Packet.decode(other).bindings == ((ADMIN, 200), (ADMIN, b"\x0a\x40\x00\x0a"))


@given(packets)
def test_what_is_written_is_read(packet: Packet) -> None:
    assert Packet.decode(packet.encode()) == packet


@given(
    st.one_of(
        st.binary(max_size=80),
        st.builds(lambda at, octet: GET[:at] + octet + GET[at + 1 :], st.integers(0, 42), st.binary(max_size=2)),
    )
)
def test_rubbish_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with contextlib.suppress(WireError):
        Packet.decode(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (GET[:-1], "octets"),
        (GET.replace(b"\x02\x01\x01\x04", b"\x02\x01\x00\x04"), "version"),
        (GET.replace(b"\xa0\x1c", b"\xa4\x1c"), "PDU 0xa4"),
        (GET.replace(b"\x01\x01\x01\x00\x05\x00", b"\x01\x01\x01\x80\x05\x00"), "middle of a number"),
        (GET.replace(b"\x05\x00", b"\x0a\x00"), "type 0x0a"),
        (b"", "none in place of 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(data: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        Packet.decode(data)


@pytest.mark.parametrize("text", ["1", "3.1", "1.40"])
def test_no_object_identifier(text: str) -> None:
    with pytest.raises(WireError, match="no object identifier"):
        Packet(Kind.GET, b"", 1, ((oid(text), None),)).encode()


# Foreign eyes.

WRITTEN = [
    Packet(Kind.GET, b"private", 1, ((ADMIN, None),)),
    Packet(Kind.RESPONSE, b"private", 1, ((ADMIN, 1), (oid("1.3.6.1.2.1.1.1.0"), b"switch"))),
    Packet(Kind.SET, b"private", 2147483647, ((ADMIN, 2),)),
    Packet(Kind.RESPONSE, b"private", -5, ((ADMIN, 2),), error=17, index=1),
    Packet(Kind.GET_NEXT, b"", 3, ((oid("1.3.6.1.4.1.99999.128.300000"), None),)),
    Packet(Kind.RESPONSE, b"private", 4, ((ADMIN, Missing.NO_SUCH_INSTANCE), (ADMIN, b"y" * 200))),
]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed (apt-get install tshark)")
def test_tshark_reads_what_we_write(tmp_path: Path) -> None:
    capture = tmp_path / "snmp.pcap"
    with capture.open("wb") as file:
        writer = dpkt.pcap.Writer(file, linktype=dpkt.pcap.DLT_RAW)
        for number, packet in enumerate(WRITTEN):
            datagram = dpkt.udp.UDP(sport=40_000, dport=161, data=packet.encode())
            datagram.ulen = 8 + len(datagram.data)
            address = dpkt.ip.IP(src=b"\x0a\x00\x00\x01", dst=b"\x0a\x00\x00\x02", p=17, data=datagram)
            writer.writepkt(bytes(address), ts=float(number))
    done = subprocess.run(
        ["tshark", "-r", capture, "-T", "json", "-J", "snmp", "-n"], capture_output=True, text=True, check=True
    )
    layers = [each["_source"]["layers"]["snmp"] for each in json.loads(done.stdout)]
    assert len(layers) == len(WRITTEN)
    for layer, packet in zip(layers, WRITTEN, strict=True):
        assert "ws.malformed" not in json.dumps(layer)
        flat = dict(_leaves(layer))
        assert flat["snmp.version"] == "1"
        assert flat["snmp.community"] == packet.community.decode()
        assert int(flat["snmp.request_id"]) == packet.number
        assert int(flat["snmp.error_status"]) == packet.error
        names = [value for name, value in _leaves(layer) if name == "snmp.name"]
        assert names == [dotted(each) for each, _ in packet.bindings]


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from _leaves(each)
            else:
                yield name, each


@pytest.mark.skipif(shutil.which("snmpget") is None, reason="Net-SNMP is not installed (apt-get install snmp)")
def test_net_snmp_and_we_understand_each_other() -> None:
    """Its question is read, and our answer too."""
    agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    agent.bind(("127.0.0.1", 0))
    asked: list[Packet] = []

    def answer() -> None:
        for value in (2, 1):
            data, peer = agent.recvfrom(4096)
            asked.append(Packet.decode(data))
            assert asked[-1].encode() == data
            agent.sendto(Packet(Kind.RESPONSE, b"rig", asked[-1].number, ((ADMIN, value),)).encode(), peer)

    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    place = f"127.0.0.1:{agent.getsockname()[1]}"
    got = subprocess.run(
        ["snmpget", "-v2c", "-c", "rig", "-On", place, dotted(ADMIN)], capture_output=True, text=True, check=True
    )
    put = subprocess.run(
        ["snmpset", "-v2c", "-c", "rig", "-On", place, dotted(ADMIN), "i", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    answering.join(5)
    agent.close()
    assert got.stdout.strip() == f".{dotted(ADMIN)} = INTEGER: 2"
    assert put.stdout.strip() == f".{dotted(ADMIN)} = INTEGER: 1"
    assert [each.kind for each in asked] == [Kind.GET, Kind.SET]
    assert asked[1].bindings == ((ADMIN, 1),)
