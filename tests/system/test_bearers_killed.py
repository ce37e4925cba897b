"""A run that is killed with every bearer off: each attenuator, relay, port, line and base is at rest again."""

from __future__ import annotations

import time
from typing import Any

import yaml

from tests.system.rigs import PROJECT, Rig
from tests.system.test_endings import wait_until_clean

KILLED = """
import os, signal
from rig.verdict import Verdict
import pytest

@pytest.mark.requires(Verdict.COMPLETED)
def test_killed(bench):
    bench.use_only()
    bench.fail("bluetooth", "pairing-lost")
    bench.fail("bluetooth", "base-off")
    bench.stage.cut_power()
    os.kill(os.getpid(), signal.SIGKILL)
"""

OFF = ["lte-main", "umts-main", "gprs-main", "private-main", "bt-air"]


def every_bearer(rig: Rig) -> None:
    """The bench with all eight, in place of the small one."""
    raw: dict[str, Any] = yaml.safe_load((PROJECT / "fixtures/benches/virtual-bearers.yaml").read_text())
    raw |= {name: str(PROJECT / f"fixtures/{name}") for name in ("cards", "impairments", "timelines")}
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))


def test_everything_is_at_rest_after_a_kill(rig: Rig) -> None:
    every_bearer(rig)
    suite = rig.folder / "test_it.py"
    suite.write_text(KILLED)
    done = rig.call("run", "--bench", str(rig.bench), "--reports", str(rig.reports), "--json", "--suite", str(suite))
    wait_until_clean(rig, time.monotonic())
    assert done.returncode == 2, done.stdout + done.stderr

    history = rig.history()
    assert {event.data["path"]: event.data["read_back"] for event in history.of("attenuation")}.keys() >= set(OFF)
    assert [event.data["up"] for event in history.of("port")] == [False]
    restored = {e.data["device"]: e.data for e in history.of("restored") if e.process == "guard"}
    assert all(each["clean"] for each in restored.values()), restored
    assert restored["attenuator rf"]["read_back"] == {"1": 0, "2": 0, "3": 0, "4": 0}
    assert restored["attenuator short"]["read_back"] == {"1": 0}
    assert restored["power"]["read_back"] == {"on": True}
    for relay in ("base", "unpair", "line"):
        assert restored[f"relay {relay}"]["read_back"] == {"closed": True}
    port = restored["port of ethernet"]["read_back"]
    assert port["enabled"], port
    assert restored["base of bluetooth"]["read_back"]["closed"]
    for name in ("wifi", "ethernet", "lte", "umts", "gprs", "private", "bluetooth", "dialup"):
        assert restored[f"link {name}"]["read_back"]["carrier"], name
