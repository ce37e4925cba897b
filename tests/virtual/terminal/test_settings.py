"""A wrong setting is named; a right file is read whole."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from rig.errors import CallerMistake
from rig.virtual.terminal.settings import BearerSetting, LineSetting, read_settings

GOOD: dict[str, Any] = {
    "name": "terminal", "runtime": "/run/bench", "journals": "/run/journals", "redaction": "/run/redaction.json",
    "disk": "/run/disk", "ecr": {"tcp": ["10.64.9.2", 20007]},
    "host": {"address": "10.64.0.10", "port": 5000, "server_name": "acquirer", "ca": "/ca.pem", "connect_timeout_s": 2},
    "bearers": [{"name": "wifi", "interface": "wlan0"}, {"name": "any", "interface": None}],
    "terminal_id": "10000042", "merchant_id": "TEST MERCHANT 1", "currency": "978",
}  # fmt: skip


def test_a_minimal_file_is_enough() -> None:
    settings = read_settings(GOOD)
    assert settings.reader == Path("/run/bench/reader.tty")
    assert settings.bearers == (BearerSetting("wifi", "wlan0"), BearerSetting("any", None))
    assert (settings.host.connect_timeout_s, settings.host.response_timeout_s) == (2.0, 5.0)
    assert settings.ecr.tcp == ("10.64.9.2", 20007)
    assert settings.defects == frozenset()
    assert not settings.resumes_sessions
    assert (settings.slot, settings.stripe, settings.floor_limit) == (None, None, 0)


def test_ways_of_every_kind() -> None:
    private = {"name": "private", "interface": "wwan3", "plain": True, "address": "10.64.0.10", "port": 5001}
    line = {"name": "dialup", "line": {"port": "line.tty", "number": "0800", "redials": 2}}
    assert read_settings(GOOD | {"bearers": [private, line]}).bearers == (
        BearerSetting("private", "wwan3", plain=True, address="10.64.0.10", port=5001),
        BearerSetting("dialup", None, line=LineSetting(Path("/run/bench/line.tty"), "0800", redials=2)),
    )


def test_slot_and_stripe_are_made_in_the_runtime_folder() -> None:
    settings = read_settings(GOOD | {"slot": "slot.sock", "stripe": "stripe.tty", "floor_limit": 5000})
    assert (settings.slot, settings.stripe) == (Path("/run/bench/slot.sock"), Path("/run/bench/stripe.tty"))
    assert settings.floor_limit == 5000


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("terminal_id", "1234", "terminal_id: is '1234'"),
        ("terminal_id", None, "terminal_id: is missing"),
        ("merchant_id", "short", "merchant_id"),
        ("currency", "EUR", "it has 3 digits"),
        ("card_timeout_s", 0, "a time is above zero"),
        ("card_timeout_s", True, "card_timeout_s: is True"),
        ("host.port", "5000", "host.port: is '5000'"),
        ("ecr.tcp", ["0.0.0.0", 20007], "never all addresses"),
        ("ecr.tcp", ["10.64.9.2"], "ecr.tcp"),
        ("ecr", None, "ecr.: is not an object"),
        ("bearers", [], "bearers: is empty"),
        ("bearers", ["wlan0"], "is not an object"),
        ("print_via_ecr", "yes", "print_via_ecr"),
        ("defects", ["explodes"], "'explodes' is unknown"),
        ("slot", "/etc/slot.sock", "a name in the runtime folder"),
        ("stripe", "../stripe.tty", "a name in the runtime folder"),
        ("slot", "", "a name in the runtime folder"),
        ("floor_limit", -1, "floor_limit: is -1"),
        ("bearers", [{"name": "line", "line": {"port": "line.tty", "number": "+49"}}], "number: is '+49'"),
        ("bearers", [{"name": "line", "line": {"port": "/dev/ttyS0", "number": "1"}}], "a name in the runtime folder"),
        ("bearers", [{"name": "line", "line": {"port": "a", "number": "1", "answer_s": 300}}], "1 to 255 s"),
    ],
)
def test_a_wrong_setting_is_named(path: str, value: object, complaint: str) -> None:
    wrong = copy.deepcopy(GOOD)
    *parents, key = path.split(".")
    place = wrong
    for parent in parents:
        place = place[parent]
    place[key] = value
    with pytest.raises(CallerMistake) as caught:
        read_settings(wrong)
    assert complaint in str(caught.value)
