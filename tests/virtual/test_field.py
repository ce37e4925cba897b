"""The field as a process: ports under their names, a journal, and no work while nothing happens."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serial

from rig.wire.pn532 import ACK, Command, Frame, FrameReader, command

CHIPS = {"bench": "pn532.tty", "terminal": "reader.tty"}
AS_CARD = bytes.fromhex("01 0400 112233 20") + bytes(28) + b"\0\0"


def ask(port: serial.Serial, number: Command, data: bytes = b"") -> str:
    """The chip's answer to a command, as hex."""
    port.write(command(number, data))
    frames = FrameReader()
    while True:
        for item in frames.feed(port.read(1)):
            if isinstance(item, Frame):
                return item.data.hex().upper()


def cpu_ticks(pid: int) -> int:
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return int(user) + int(system)


def test_ports_stand_under_their_names_and_go_with_the_process(start_device: Callable[..., Any], runtime: Path) -> None:
    field = start_device("field", chips=CHIPS)
    assert set(field.ready["ports"]) == {"bench", "terminal"}
    with serial.Serial(str((runtime / "reader.tty").resolve()), timeout=2) as port:
        assert ask(port, Command.GET_FIRMWARE_VERSION) == "D50332010607"
    field.end()
    assert list(runtime.iterdir()) == []


def test_the_journal_shows_a_card_that_was_there_and_its_removal(
    start_device: Callable[..., Any], runtime: Path
) -> None:
    field = start_device("field", chips=CHIPS)
    with (
        serial.Serial(str((runtime / "reader.tty").resolve()), timeout=2) as reader,
        serial.Serial(str((runtime / "pn532.tty").resolve()), timeout=2) as card,
    ):
        ask(reader, Command.RF_CONFIGURATION, b"\x01\x01")
        card.write(command(Command.TG_INIT_AS_TARGET, AS_CARD))
        field.wait_for("field", 2)
        card.write(ACK)
        field.wait_for("field", 3)
        ask(reader, Command.RF_CONFIGURATION, b"\x01\x02")
    states = [(event.data["state"], event.data["cards"]) for event in field.wait_for("field", 4)]
    assert states == [("on", []), ("on", ["bench"]), ("on", []), ("off", [])]
    assert "abort" in [event.data["name"] for event in field.events("device_rx")]


def test_idle_it_costs_nothing(start_device: Callable[..., Any], runtime: Path) -> None:
    field = start_device("field", chips=CHIPS)
    with serial.Serial(str((runtime / "pn532.tty").resolve()), timeout=2) as card:
        card.write(command(Command.TG_INIT_AS_TARGET, AS_CARD))
        field.wait_for("field")
        before = cpu_ticks(field.process.pid)
        time.sleep(0.5)
        assert cpu_ticks(field.process.pid) - before <= 0.05 * os.sysconf("SC_CLK_TCK")


def test_a_host_that_never_reads_does_not_stop_the_others(start_device: Callable[..., Any], runtime: Path) -> None:
    start_device("field", chips=CHIPS)
    with (
        serial.Serial(str((runtime / "pn532.tty").resolve()), timeout=2, write_timeout=2) as deaf,
        serial.Serial(str((runtime / "reader.tty").resolve()), timeout=2) as port,
    ):
        for _ in range(100):
            deaf.write(command(Command.DIAGNOSE, bytes(260)))
        assert ask(port, Command.GET_FIRMWARE_VERSION) == "D50332010607"
