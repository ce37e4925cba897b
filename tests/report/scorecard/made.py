"""Runs written as stories (:mod:`tests.verdict.build`), with a capture whose packets are made one by one."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from rig.history.pcapng import Packet, PcapngWriter
from rig.report.scorecard import Scorecard, Tariffs, Traffic, scorecard_of
from tests.verdict.build import Case, Run

HOST, PORT = "10.64.0.10", 5000
ADDRESSES = {"wifi": "10.64.1.2", "lte": "10.64.2.2", "private": "10.64.6.2"}
KINDS = {"wifi": "wifi", "lte": "cellular", "private": "private", "dialup": "dial-up"}
FIN, SYN, RST, PUSH, ACK = 1, 2, 4, 8, 16
TARIFFS = Tariffs.model_validate(
    {
        "currency": "EUR",
        "note": "invented",
        "bearers": {
            "cellular": {"monthly": "2.50", "included_mb": 10, "per_mb": "0.40", "block_bytes": 1024},
            "dial-up": {"monthly": "9.90", "per_call": "0.06", "per_minute": "0.02", "minute_step_s": 60},
        },
    }
).model_copy(update={"source": "made.yaml"})


class Story(Run):
    """A comparison in the making."""

    def __init__(self, *bearers: str) -> None:
        super().__init__()
        self.packets: list[Packet] = []
        self.bearers = bearers or ("wifi", "lte")
        links = {
            name: {"kind": KINDS[name], "interface": name, "terminal_address": ADDRESSES.get(name),
                   "path": f"{name}-main" if name == "lte" else None, "modem": name if name == "lte" else None}
            for name in self.bearers
        }  # fmt: skip
        self.events[0].data.update(
            bench="made", rig="1", network_backend="user-space link", bearers=list(self.bearers), links=links,
            simulated=["terminal", "radio"],
        )  # fmt: skip
        self.note("radio", rsrp=-70)
        self.note("capture_clock", output="wire.pcapng", interfaces=list(self.bearers), wall_minus_monotonic_ns=0)

    @property
    def now_ns(self) -> int:
        """The time of the last event."""
        return self.now_ms * 1_000_000

    @contextmanager
    def on(self, bearer: str, condition: str, name: str = "") -> Iterator[Case]:
        """A case of one bearer under one condition."""
        with self.case(name or f"{condition} {bearer} {len(self.events)}") as case:
            self.events[-1].data["bearer"] = bearer
            self.note("condition", condition=condition)
            yield case

    def sells(self, case: Case, bearer: str, count: int, seconds: float = 0.2) -> None:
        """Sales that complete after about so many seconds, not all after the same time."""
        for number in range(count):
            sale = case.sale()
            self.waits(seconds * (1 + number % 5 / 50))
            key = case.request(sale, peer=ADDRESSES.get(bearer, HOST))
            case.answer(key)
            case.ends(sale, "approved", 1234)

    def fails(self, case: Case, count: int = 1) -> None:
        """Sales that never reach the host."""
        for _ in range(count):
            case.ends(case.sale(), "declined")

    def write(self, folder: Path) -> Path:
        """The run's folder as a run leaves it."""
        journals = folder / "journals"
        journals.mkdir(parents=True)
        for process in ("rig", "acquirer"):
            lines = [event.to_line() + "\n" for event in self.history() if event.process == process]
            (journals / f"{process}-1.jsonl").write_text("".join(lines))
        with (folder / "wire.pcapng").open("wb", buffering=0) as file:
            PcapngWriter(file, self.bearers).write(sorted(self.packets, key=lambda packet: packet.wall_ns))
        return folder

    def card(self, folder: Path, tariffs: Tariffs = TARIFFS, **traffic: Any) -> Scorecard:
        """Its scorecard."""
        return scorecard_of(self.write(folder), tariffs, Traffic(**traffic))


def ipv4(protocol: int, source: str, target: str, body: bytes) -> bytes:
    """An Ethernet frame around an IPv4 packet; its checksum is nobody's concern."""
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0)
    ends = IPv4Address(source).packed + IPv4Address(target).packed
    return bytes(12) + b"\x08\x00" + header + ends + body


@dataclass
class Talk:
    """A TCP connection over a bearer; each packet comes a millisecond after the one before."""

    story: Story
    bearer: str
    port: int = 40_000
    host: str = HOST
    host_port: int = PORT
    t: int = 0
    sequence: list[int] = field(default_factory=lambda: [1_000, 4_294_967_000])  # wraps around soon

    def __post_init__(self) -> None:
        self.t = self.t or self.story.now_ns

    def sends(self, down: bool, flags: int = ACK, payload: bytes = b"", back: int = 0) -> int:
        """One packet, so many bytes behind what comes next; returns its size."""
        ends = [(ADDRESSES[self.bearer], self.port), (self.host, self.host_port)]
        (source, sport), (target, tport) = ends[::-1] if down else ends
        at = (self.sequence[down] - back) % (1 << 32)
        header = struct.pack(">HHIIBBHHH", sport, tport, at, self.sequence[not down] % (1 << 32), 0x50, flags, 0, 0, 0)
        if not back:
            self.sequence[down] += len(payload) + bool(flags & (SYN | FIN))
        self.t += 1_000_000
        frame = ipv4(6, source, target, header + payload)
        self.story.packets.append(Packet(self.story.bearers.index(self.bearer), self.t, frame, down))
        return len(frame) - 14

    def opens(self, down: bool = False) -> int:
        """Three packets; ``down``: the bench opens it."""
        return self.sends(down, SYN) + self.sends(not down, SYN | ACK) + self.sends(down)

    def closes(self) -> int:
        """Four packets."""
        return self.sends(False, FIN | ACK) + self.sends(True) + self.sends(True, FIN | ACK) + self.sends(False)

    def says(self, chunks: Iterable[tuple[bool, bytes]]) -> int:
        """Data in turns, each acknowledged at once; returns all sizes."""
        return sum(self.sends(down, ACK | PUSH, data) + self.sends(not down) for down, data in chunks)

    def datagram(self, protocol: int, down: bool, body: bytes) -> int:
        """A packet that is not of the connection."""
        ends = [ADDRESSES[self.bearer], self.host]
        source, target = ends[::-1] if down else ends
        self.t += 1_000_000
        frame = ipv4(protocol, source, target, body)
        self.story.packets.append(Packet(self.story.bearers.index(self.bearer), self.t, frame, down))
        return len(frame) - 14


def udp(source: int, target: int, payload: bytes) -> bytes:
    """A UDP datagram."""
    return struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload
