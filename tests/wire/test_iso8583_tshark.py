"""A foreign decoder reads our messages: Wireshark's ``iso8583`` dissector, over a TPDU-stripped capture."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import dpkt as untyped_dpkt
import pytest

from rig.wire.iso8583 import ASCII87, Message, Totals, de90

dpkt: Any = untyped_dpkt
PORT = 5000
CHIP = bytes.fromhex("9F2608" + "0123456789ABCDEF" + "9F36020007" + "9F3704" + "CAFEBABE" + "82021980")
BASE: dict[int, str | bytes] = {
    3: "000000", 4: "000000001234", 7: "0131235959", 11: "000042", 12: "235959", 13: "0131", 22: "071", 23: "001",
    25: "00", 41: "TERM0001", 42: "MERCHANT0000001", 49: "978", 60: "000001",
}  # fmt: skip
TEST_PAN = "4761" + "73900101" + "0119"  # a published test number; the bench redacts it
DIALOGUE = [
    Message("0800", {7: "0131235958", 11: "000041", 41: "TERM0001", 42: "MERCHANT0000001", 70: "001"}),
    Message("0810", {7: "0131235958", 11: "000041", 39: "00", 41: "TERM0001", 70: "001"}),
    Message("0200", {2: TEST_PAN, **BASE, 52: bytes(range(8)), 55: CHIP, 64: b"\xa5" * 8}),
    Message("0210", {**BASE, 37: "000000000001", 38: "A00001", 39: "00"}),
    Message("0400", {**BASE, 11: "000043", 39: "98", 55: CHIP, 90: de90("0200", "000042", "0131235959")}),
    Message("0410", {**BASE, 11: "000043", 39: "00"}),
    Message("0500", {11: "000044", 41: "TERM0001", 48: Totals(1, 1234, 0, 0).encode(), 60: "000001"}),
]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed (apt-get install tshark)")
def test_tshark_decodes_an_ascii_dialogue_without_an_error(tmp_path: Path) -> None:
    capture = tmp_path / "iso8583.pcap"
    _write_capture(capture, DIALOGUE)
    packets = _tshark(capture)
    assert len(packets) == len(DIALOGUE)
    for packet, message in zip(packets, DIALOGUE, strict=True):
        layer = packet["_source"]["layers"]["iso8583"]
        assert "_ws.expert" not in json.dumps(layer)
        assert "_ws.malformed" not in packet["_source"]["layers"]
        assert layer["iso8583.mti"] == message.mti
        for number, value in message.fields.items():
            assert _field(layer, number) == (value.hex() if isinstance(value, bytes) else value).lower().rstrip()


def _field(layer: dict[str, Any], number: int) -> str:
    value = layer[f"iso8583.bit{number}"]
    return str(value).replace(":", "").lower().rstrip()


def _tshark(capture: Path) -> list[dict[str, Any]]:
    command = [
        "tshark", "-r", str(capture), "-d", f"tcp.port=={PORT},iso8583", "-o", "iso8583.len_endian:Big endian",
        "-Y", "iso8583", "-T", "json",
    ]  # fmt: skip
    packets: list[dict[str, Any]] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return packets


def _write_capture(path: Path, messages: list[Message]) -> None:
    """A TCP conversation of a client and a host, each message with its length prefix and without its TPDU."""
    sent = {True: 1, False: 1}
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for at, message in enumerate(messages):
            request = message.mti[2] == "0"
            body = ASCII87.encode(message)
            payload = len(body).to_bytes(2, "big") + body
            writer.writepkt(_packet(request, sent[request], sent[not request], payload), ts=float(at))
            sent[request] += len(payload)


def _packet(request: bool, seq: int, ack: int, payload: bytes) -> bytes:
    client, host = (socket.inet_aton("10.64.1.2"), 40000), (socket.inet_aton("10.64.0.10"), PORT)
    (src, sport), (dst, dport) = (client, host) if request else (host, client)
    flags = dpkt.tcp.TH_ACK | dpkt.tcp.TH_PUSH
    tcp = dpkt.tcp.TCP(sport=sport, dport=dport, seq=seq, ack=ack, flags=flags, data=payload)
    ip = dpkt.ip.IP(src=src, dst=dst, p=dpkt.ip.IP_PROTO_TCP, data=tcp)
    ip.len = 20 + 20 + len(payload)
    ethernet = dpkt.ethernet.Ethernet(src=b"\x02\0\0\0\0\1", dst=b"\x02\0\0\0\0\2", type=0x0800, data=ip)
    return bytes(ethernet)
