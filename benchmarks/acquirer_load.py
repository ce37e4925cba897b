"""Tills for the acquirer's benchmark: as a process, ``python -m benchmarks.acquirer_load PORT CA TLS_NAME CONNECTIONS
SALES PAN``.

Each connection asks for a sale as soon as it has its answer. Messages are written once and only their STAN is changed,
so that the load costs little; every answer's code is looked at, and the last of each connection is read whole.
"""

from __future__ import annotations

import json
import selectors
import socket
import ssl
import sys
import time
from dataclasses import dataclass, field

from rig.wire.iso8583 import ASCII87, Message, Tpdu, frame

TID, MID = "52000001", "POSRIG000000001"
_STAN = "STAN##"
_APPROVED = b"00"


def sale(pan: str, batch: str, stan: str = "000000") -> Message:
    """A sale by magnetic stripe, as a terminal sends it."""
    fields = {
        2: pan, 3: "000000", 4: "000000000100", 7: "0131235959", 11: stan, 12: "235959", 13: "0131", 14: "3912",
        22: "021", 25: "00", 35: f"{pan}=39121010000000000000", 41: TID, 42: MID, 49: "978", 60: batch,
    }  # fmt: skip
    return Message("0200", fields)


@dataclass
class Till:
    """One connection: its message in two halves around the STAN, and what has come of an answer."""

    connection: ssl.SSLSocket
    head: bytes
    tail: bytes
    stan: int = 0
    sent: float = 0.0
    answer: bytes = b""
    took: list[float] = field(default_factory=list)

    def ask(self) -> None:
        """The next sale."""
        self.stan += 1
        self.sent = time.perf_counter()
        self.connection.send(self.head + b"%06d" % self.stan + self.tail)

    def receive(self) -> bool:
        """Take what came; whether the answer is whole. Raises SystemExit for one that does not approve."""
        try:
            self.answer += self.connection.recv(4096)
        except ssl.SSLWantReadError:
            return False
        if len(self.answer) < 2 or len(self.answer) < 2 + int.from_bytes(self.answer[:2], "big"):
            return False
        self.took.append(time.perf_counter() - self.sent)
        return True


def open_till(port: int, context: ssl.SSLContext, name: str, pan: str, number: int) -> Till:
    raw = socket.create_connection(("127.0.0.1", port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = context.wrap_socket(raw, server_hostname=name)
    connection.setblocking(False)
    whole = frame(Tpdu(1, 0), ASCII87.encode(sale(pan, f"{number:06d}")))
    head, tail = whole.split(b"0131235959" + b"000000", 1)
    return Till(connection, head + b"0131235959", tail)


def main() -> None:
    port, ca, name, connections, sales, pan = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    tills = [open_till(int(port), context, name, pan, number) for number in range(1, int(connections) + 1)]
    poll = selectors.DefaultSelector()
    for till in tills:
        poll.register(till.connection, selectors.EVENT_READ, till)
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    left = done = int(sales)
    began = time.perf_counter()
    for till in tills:
        till.ask()
        left -= 1
    while done:
        for key, _ in poll.select():
            till = key.data
            if not till.receive():
                continue
            done -= 1
            if _code(till.answer) != _APPROVED:
                sys.exit(f"not approved: {till.answer!r}")
            if left > 0:
                till.answer = b""
                till.ask()
                left -= 1
    seconds = time.perf_counter() - began
    for till in tills:
        assert ASCII87.decode(till.answer[7:]).text(39) == "00"
    took = sorted(each for till in tills for each in till.took)
    p50, p99 = (took[int(len(took) * share)] for share in (0.5, 0.99))
    cpu = time.process_time()
    print(json.dumps({"seconds": seconds, "p50_ms": p50 * 1000, "p99_ms": p99 * 1000, "cpu_s": cpu}), flush=True)


def _code(answer: bytes) -> bytes:
    """DE39, found from the end: behind it stand DE41, 42, 49 and 60, whose widths are known."""
    behind = len(TID) + len(MID) + 3 + 3 + 6
    return answer[-behind - 2 : -behind]


if __name__ == "__main__":
    main()
