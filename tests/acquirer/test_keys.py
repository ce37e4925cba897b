"""Keys of terminals: kept, imported, shown by check value alone; and DUKPT over the wire."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rig.acquirer.terminal_keys import FILE, TerminalKeys, TerminalKeyStore
from rig.cli import app
from rig.errors import CallerMistake
from rig.wire.iso8583.registry import find_dialect
from rig.wire.keys import dukpt, dukpt_aes, pin_block
from rig.wire.keys.components import check_value
from rig.wire.keys.key_block import KeyBlock
from tests.acquirer.speaker import Speaker
from tests.acquirer.till import TID, HostProcess, key

Start = Callable[..., HostProcess]
BDK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def _keys(state: Path, *arguments: str) -> str:
    ran = CliRunner().invoke(app, ["acquirer", "keys", *arguments, "--state", str(state)], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def test_a_key_by_components_by_block_and_shown_by_check_value_alone(tmp_path: Path) -> None:
    one, two = secrets.token_bytes(16), secrets.token_bytes(16)
    whole = bytes(a ^ b for a, b in zip(one, two, strict=True))
    parts = [f"{part.hex()}:{check_value(part).hex()}" for part in (one, two)]
    value = check_value(whole).hex().upper()
    assert value in _keys(tmp_path, "import-components", TID, "master", *parts, "--check", value)
    protection = secrets.token_bytes(32)
    block = _keys(tmp_path, "export-block", TID, "master", "--under", protection.hex()).strip()
    assert KeyBlock.unwrap(protection, block).key == whole
    assert value in _keys(tmp_path, "import-block", "52000002", "bdk", block, "--under", protection.hex())
    shown = _keys(tmp_path, "show", "--json")
    assert json.loads(shown) == {TID: {"master": value}, "52000002": {"bdk": value}}
    assert whole.hex() not in shown.lower()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert value in _keys(tmp_path, "show")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["import-components", TID, "master", "00" * 16, "--check", "00"], "no check value"),
        (["import-components", TID, "master", "zz:00", "--check", "00"], "no hexadecimal"),
        (["import-components", TID, "master", *[f"{'00' * 16}:000000"] * 2, "--check", "00"], "component 1"),
        (["import-components", TID, "pin", *[f"{'00' * 8}:8CA64D"] * 2, "--check", "8CA64D"], "has 8 bytes"),
        (["import-block", TID, "mac", "D0112", "--under", "00" * 32], "no key block"),
        (["export-block", TID, "mac", "--under", "00" * 32], "no such key"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_named(tmp_path: Path, arguments: list[str], why: str) -> None:
    with pytest.raises(CallerMistake, match=why):
        CliRunner().invoke(app, ["acquirer", "keys", *arguments, "--state", str(tmp_path)], catch_exceptions=False)


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"1": {"mac": "xy"}}', '{"1": {"colour": "00"}}', '{"1": {"scheme": "x"}}']
)
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CallerMistake, match="not a file of terminal keys"):
        TerminalKeyStore(tmp_path / FILE).of("1")


@pytest.mark.parametrize(
    ("dialect_name", "scheme"), [("ascii-1987-mac", "tdes"), ("unionpay-pos", "tdes"), ("bcd-1987", "aes")]
)
def test_a_key_for_each_transaction(start_host: Start, dialect_name: str, scheme: str) -> None:
    """DUKPT: the KSN comes in DE62, the code and the PIN are under that transaction's keys, and so is the answer."""
    host, dialect = start_host(tls=False, dialect=dialect_name), find_dialect(dialect_name)
    TerminalKeyStore(host.root / "state" / FILE).put(TID, TerminalKeys(bdk=BDK, scheme=scheme))  # type: ignore[arg-type]
    kind = dukpt_aes if scheme == "aes" else dukpt
    ksn = bytes(kind.KSN_BYTES - 1) + b"\x01"
    initial = kind.initial_key(BDK, ksn)
    card = host.cards["secret"]
    with Speaker(host.port, dialect) as till:
        for _ in range(3):
            keys = kind.session_keys_of_terminal(initial, ksn)
            till.request_key, till.mac_key = keys.mac_request, keys.mac_response
            block = pin_block.encrypt("4711", card.pan, keys.pin, form=0) if scheme == "tdes" else None
            told = ksn if dialect.is_binary(62) else ksn.hex().upper()
            request = till.request("sale", card, 100, de62=told, de52=block)
            assert till.code(request) == "00"
            received = host.about("request_received", key(request))[0]
            assert received.get("pin_ok") is (True if block else None)
            assert "not_judged" not in received
            ksn = kind.next_ksn(ksn)
        till.request_key = bytes(len(till.request_key))
        assert till.ask(till.request("sale", card, 100, de62=told)).text(39) == "A0"
        assert till.code(till.request("sale", card, 100, de62="00" if not dialect.is_binary(62) else b"\0")) == "30"


def test_what_has_no_key_is_not_judged_by_name(start_host: Start) -> None:
    host = start_host(tls=False, dialect="ascii-1987-mac")
    with Speaker(host.port, find_dialect("ascii-1987-mac")) as till:
        request = till.request("sale", host.cards["secret"], 100, de52=bytes(8))
        assert till.code(request) == "00"
    told = host.about("request_received", key(request))[0]
    assert told["not_judged"] == ["message authentication code: no key", "PIN: no key"]


def test_two_who_change_keys_at_once_lose_nothing(tmp_path: Path) -> None:
    """The host that draws session keys and a person at the command line, each with a store of its own."""

    def work(number: int) -> None:
        for round_ in range(10):
            TerminalKeyStore(tmp_path / FILE).put(f"{number}{round_}", TerminalKeys(bytes(16)))
            TerminalKeyStore(tmp_path / FILE).change("52000001", None)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(TerminalKeyStore(tmp_path / FILE).all()) == 31
