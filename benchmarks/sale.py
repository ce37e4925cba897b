"""What the rig adds to a clean sale: a sale through the rig against the same sale by a bare socket script.

Both run in turn on one virtual bench, in blocks, so that drift of the machine meets both. The bare script finds its
card in the field already; the rig's time includes putting the card there, taking it away, and writing the history.
"""

from __future__ import annotations

import json
import socket
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.bench import open_bench

if TYPE_CHECKING:
    from rig.bench import Bench
from rig.cards.profile import load_card
from rig.verdict import Verdict

PROJECT = Path(__file__).resolve().parent.parent
BLOCKS, SALES = 6, 15
CARD = "visa-credit"

REGISTRATION = bytes.fromhex("0600060000008E0978")  # as the rig does: receipts and 04 FF come to the cash register
AUTHORISATION = bytes.fromhex("06010A04000000000100490978")
POSITIVE = bytes.fromhex("800000")


def bare_sale(line: socket.socket) -> None:
    """One payment of 1.00, everything acknowledged, in as few lines as a script has."""
    line.sendall(AUTHORISATION)
    received = b""
    while True:
        received += line.recv(4096)
        while len(received) >= 3:
            size = 5 + int.from_bytes(received[3:5], "little") if received[2] == 0xFF else 3 + received[2]
            if len(received) < size:
                break
            message, received = received[:size], received[size:]
            if message[0] in (0x80, 0x84):
                continue
            line.sendall(POSITIVE)
            if message[:2] == b"\x06\x0f":
                return
            if message[:2] == b"\x06\x1e":
                raise RuntimeError(f"not approved: {message.hex()}")


def bare_block(bench: Bench, address: tuple[str, int]) -> list[float]:
    """A block of bare sales, each with a card in the field; milliseconds each."""
    took = []
    card = load_card(CARD, PROJECT / "fixtures/cards")
    presenter = bench.presenters["contactless"]
    with socket.create_connection(address) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(REGISTRATION)
        answered = b""
        while b"\x06\x0f" not in answered:
            answered += line.recv(4096)
        line.sendall(POSITIVE)
        for _ in range(SALES):
            presenter.arm(card)
            began = time.perf_counter()
            bare_sale(line)
            took.append((time.perf_counter() - began) * 1000)
            presenter.remove()
    return took


def rig_block(bench: Bench) -> list[float]:
    """A block of sales through the rig; milliseconds each."""
    took = []
    bench.terminal.wait_until_up(5)
    for _ in range(SALES):
        began = time.perf_counter()
        sale = bench.sale(100, CARD)
        took.append((time.perf_counter() - began) * 1000)
        assert sale.approved, sale
    return took


def measure() -> list[dict[str, Any]]:
    """One line: p50 and p99 of both, and what the rig adds."""
    with tempfile.TemporaryDirectory(prefix="rig-bench-") as folder:
        bench = open_bench(PROJECT / "fixtures/benches/virtual.yaml", Path(folder), "measuring a sale")
        try:
            tcp = bench.file.terminal.tcp
            assert tcp is not None
            bench.begin_case("measure", "what the rig adds", [Verdict.COMPLETED], "wifi")
            bench.use_only("wifi")
            rig: list[float] = []
            bare: list[float] = []
            rig_block(bench)
            for _ in range(BLOCKS):
                rig += rig_block(bench)
                bench.terminal.close()
                bare += bare_block(bench, (tcp.host, tcp.port))
        finally:
            bench.close()
    p50_rig, p50_bare = statistics.median(rig), statistics.median(bare)
    return [
        {
            "benchmark": "clean sale",
            "sales": len(rig),
            "rig_p50_ms": round(p50_rig, 2),
            "bare_p50_ms": round(p50_bare, 2),
            "rig_p99_ms": round(statistics.quantiles(rig, n=100)[98], 2),
            "bare_p99_ms": round(statistics.quantiles(bare, n=100)[98], 2),
            "added_p50_ms": round(p50_rig - p50_bare, 2),
            "limit_ms": 20,
        }
    ]


if __name__ == "__main__":
    for line in measure():
        print(json.dumps(line))
