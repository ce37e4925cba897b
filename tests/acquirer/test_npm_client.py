"""A client that we did not write: npm's ``iso_8583`` packs requests for a real host, and reads its answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.report.node import find_node
from tests.acquirer.till import MID, TID, HostProcess

HERE, PLACE = Path(__file__).parent / "npm", Path(__file__).resolve().parents[2] / ".cache/npm"
Start = Callable[..., HostProcess]


def _ask(host: HostProcess, *requests: dict[int, str]) -> list[dict[str, Any]]:
    node = find_node()
    if node is None or not (PLACE / "node_modules/iso_8583").is_dir():
        pytest.skip("npm's iso_8583 is not installed (python -m tools.npm)")
    lines = "\n".join(json.dumps(request) for request in requests)
    command = [str(node.binary), str(HERE / "client.js"), str(PLACE), str(host.port)]
    ran = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_foreign_client_is_served(start_host: Start) -> None:
    """Echo, a sale, the same again, another content under its number, its void, and its reversal."""
    host = start_host(tls=False, dialect="ascii-1987-common")
    card = host.cards["credit"]
    base = {7: "0131235959", 12: "235959", 13: "0131", 41: TID, 42: MID}
    sale = {0: "0200", 2: card.pan, 3: "000000", 4: "000000000100", 11: "000042", 14: card.expiry, 22: "012", 25: "00"}
    sale |= {35: card.track2, 49: "978", 60: "000001", **base}
    other = {**sale, 4: "000000000101"}
    original = "0200" + "000042" + "0131235959" + "0" * 22
    void = {0: "0200", 3: "020000", 4: "000000000100", 11: "000043", 49: "978", 60: "000001", 90: original, **base}
    undone = {**sale, 0: "0400", 39: "98", 90: original}
    answers = _ask(host, {0: "0800", 11: "000041", 70: "301", **base}, sale, sale, other, void, undone)
    assert [(answer["0"], answer["39"]) for answer in answers] == [
        ("0810", "00"), ("0210", "00"), ("0210", "00"), ("0210", "94"), ("0210", "00"), ("0410", "00"),
    ]  # fmt: skip
    assert answers[1] == answers[2]
    assert len(answers[1]["38"]) == 6
    assert [(row["operation"], row["state"]) for row in host.control.ledger()] == [
        ("sale", "voided"),
        ("void", "approved"),
    ]
