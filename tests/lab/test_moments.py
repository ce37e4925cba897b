"""Exact moments, in small: the trials of the lab, fifty of each way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab.moments import Series
from rig.bearers.netspace import can_isolate
from rig.bearers.nft import nft_available

PROJECT = Path(__file__).resolve().parents[2]


def test_no_answer_leaks() -> None:
    if not can_isolate():
        pytest.skip("no private network here")
    if can_isolate().way == "root" and not (probe := nft_available()):
        pytest.skip(f"nftables cannot be used here: {probe.reason}")
    command = [sys.executable, "-m", "lab.moments", "--trials", "50", "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    series = [Series(**raw) for raw in json.loads(done.stdout)]
    assert [(s.leaks, s.hits, s.handshakes, s.answered) for s in series] == [(0, 50, 50, 50)] * 4


@pytest.mark.parametrize("wrong", [{"leaks": 1}, {"hits": 9}, {"answered": 9}, {"handshakes": 9}, {"controls": 19}])
def test_what_is_no_proof(wrong: dict[str, int]) -> None:
    fine = {"trials": 10, "leaks": 0, "hits": 10, "handshakes": 10, "answered": 10, "controls": 20, "seconds": 1}
    assert Series("x", **fine).good
    assert not Series("x", **fine | wrong).good
