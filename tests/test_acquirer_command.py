"""`rig acquirer`: the host alone, as somebody who writes a terminal meets it."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rig.acquirer.profiles import load_profiles
from rig.cli import app
from rig.wire.iso8583 import Message, Tpdu, de61
from rig.wire.iso8583.registry import dialect_names, find_dialect

PROJECT = Path(__file__).resolve().parents[1]
RIG = Path(sys.executable).with_name("rig")
CARDS = PROJECT / "fixtures/cards"


@contextmanager
def _served(state: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [str(RIG), "acquirer", "serve", "--listen", "127.0.0.1:0", "--state", str(state), "--cards", str(CARDS)]
    with subprocess.Popen([*command, "--json", *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            while (told := json.loads(process.stdout.readline()))["kind"] != "ready":
                pass
            yield process, told
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)
    assert process.returncode == 0


def _ask(connection: socket.socket, dialect_name: str, message: Message) -> Message:
    dialect = find_dialect(dialect_name)
    connection.sendall(dialect.framing.frame(Tpdu(1, 2), dialect.header + dialect.encode(message)))
    reader = dialect.framing.reader()
    while not (frames := reader.feed(connection.recv(4096))):
        pass
    return dialect.decode(dialect.split(frames[0][1])[1])


CARD = next(card for card in load_profiles(CARDS) if card.name == "visa-credit")


def test_a_sale_and_its_void_by_a_terminal_under_development(tmp_path: Path) -> None:
    state = tmp_path / "state"
    fields = {2: CARD.pan, 3: "000000", 4: "000000000100", 11: "000001", 13: "1123", 14: CARD.expiry, 22: "012"}
    fields |= {25: "00", 41: "11223344", 42: "SOMEBODYSSHOP01", 49: "978", 60: "22000001000"}
    with _served(state, "--dialect", "unionpay-pos") as (process, ready):
        trust = ssl.create_default_context(cafile=ready["ca"])
        raw = socket.create_connection((ready["address"], ready["port"]), timeout=5)
        with trust.wrap_socket(raw, server_hostname="acquirer.bench") as connection:
            answer = _ask(connection, "unionpay-pos", Message("0200", fields))
            assert answer.text(39) == "00"
            void = {**fields, 3: "200000", 11: "000002", 37: answer.text(37), 60: "23000001000"}
            void[61] = de61("000001", "000001", "1123")
            assert _ask(connection, "unionpay-pos", Message("0200", void)).text(39) == "00"
            armed = subprocess.run(
                [RIG, "acquirer", "arm", '{"action": "decline", "rc": "96"}', "--state", state],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert "armed" in armed.stdout
            assert _ask(connection, "unionpay-pos", Message("0200", {**fields, 11: "000003"})).text(39) == "96"
        exported = CliRunner().invoke(app, ["acquirer", "export", str(state / "ledger.sqlite")])
        ended = subprocess.run(
            [RIG, "acquirer", "end-of-day", "--state", state], capture_output=True, text=True, check=True
        )
    assert "1 batches closed" in ended.stdout
    assert exported.exit_code == 0
    assert CARD.pan not in exported.stdout
    states = [line.split(",")[11] for line in exported.stdout.splitlines()[1:]]
    assert states == ["voided", "approved", "declined"]
    assert process.returncode == 0


def test_only_the_terminals_that_are_named(tmp_path: Path) -> None:
    options = ("--dialect", "ascii-1987", "--plain", "--terminal", "52000001=POSRIG000000001")
    echo = {7: "0131235959", 11: "000001", 41: "52000009", 42: "POSRIG000000001", 70: "301"}
    with (
        _served(tmp_path, *options) as (_, ready),
        socket.create_connection((ready["address"], ready["port"]), timeout=5) as connection,
    ):
        assert _ask(connection, "ascii-1987", Message("0800", echo)).text(39) == "97"
        assert _ask(connection, "ascii-1987", Message("0800", {**echo, 41: "52000001"})).text(39) == "00"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--dialect", "esperanto"], "known are"),
        (["--dialect", "ascii-1987", "--listen", "nowhere"], "no address and port"),
        (["--dialect", "ascii-1987", "--terminal", "52000001"], "names no merchant"),
        (["--dialect", "ascii-1987", "--cards", "/nowhere"], "no card profile"),
        (["--dialect", "ascii-1987", "--rules", "/nowhere"], "cannot be read"),
        (["--dialect", "ascii-1987", "--currency", "XXX"], "is unknown"),
        (["--dialect", "ascii-1987", "--listen", "192.0.2.1:5000"], "cannot listen"),
    ],
)
def test_what_cannot_be_served_is_one_line_and_2(tmp_path: Path, options: list[str], why: str) -> None:
    command = [str(RIG), "acquirer", "serve", "--listen", "127.0.0.1:0", "--state", str(tmp_path)]
    command += ["--cards", str(CARDS), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    assert why in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_dialects_are_listed() -> None:
    told = CliRunner().invoke(app, ["acquirer", "dialects", "--json"])
    assert sorted(json.loads(told.stdout)) == dialect_names()
    assert "unionpay-ecb" in CliRunner().invoke(app, ["acquirer", "dialects"]).stdout
