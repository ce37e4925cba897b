"""Messages into a capture file, and out of it again through Wireshark's ``iso8583`` dissector."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import dpkt as untyped_dpkt

dpkt: Any = untyped_dpkt
PORT = 5000


_PACKED = ("-o", "iso8583.charset:Digits represented in nibbles", "-o", "iso8583.binencode:Bin data not encoded")
_TEXT = ("-o", "iso8583.binencode:Bin data not encoded")


def read_iso8583(capture: Path, form: Literal["hexadecimal", "text", "packed"] = "hexadecimal") -> list[dict[str, Any]]:
    """The dissector's layer of each message; ``form`` is how digits and binary elements lie on the wire."""
    options = {"hexadecimal": (), "text": _TEXT, "packed": _PACKED}[form]
    command = [
        "tshark", "-r", str(capture), "-d", f"tcp.port=={PORT},iso8583", "-o", "iso8583.len_endian:Big endian",
        *options, "-Y", "iso8583", "-T", "json",
    ]  # fmt: skip
    packets = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert not [packet for packet in packets if "_ws.malformed" in packet["_source"]["layers"]]
    return [packet["_source"]["layers"]["iso8583"] for packet in packets]


def write_iso8583_capture(path: Path, bodies: Sequence[bytes]) -> None:
    """A TCP conversation of a client and a host, each message with its length prefix and without its TPDU."""
    sent = {True: 1, False: 1}
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for at, body in enumerate(bodies):
            request = body[2:3] == b"0" or body[1:2] in (b"\x00", b"\x20")
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
