"""Opening a serial port, and what stands in the way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rig.errors import BenchBusy, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.serial_port import SerialPort
from rig.virtual.pty import PtyPort


def test_a_missing_port_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(DeviceGone, match=r"modem: there is no port .*nothing.*plug it in"):
        SerialPort(str(tmp_path / "nothing"), name="modem")


def test_what_is_no_port_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeviceGone, match="does not open"):
        SerialPort(str(tmp_path / "file"), name="modem")


def test_a_port_has_one_owner(tmp_path: Path) -> None:
    device = PtyPort(tmp_path / "tty")
    owner = SerialPort(str(device.link), name="modem")
    with pytest.raises(BenchBusy, match="in use"):
        SerialPort(str(device.link), name="sentinel")
    owner.close()
    SerialPort(str(device.link), name="sentinel").close()
    device.close()


def test_what_follows_a_match_stays_for_the_next_call(tmp_path: Path) -> None:
    device = PtyPort(tmp_path / "tty")
    port = SerialPort(str(device.link), name="modem")
    device.write(b"one;two;")
    assert port.read_until(re.compile(rb";"), 1) == b"one;"
    assert port.read_until(re.compile(rb";"), 1) == b"two;"
    device.write(b"half")
    with pytest.raises(DeviceMute, match="only b'half'"):
        port.read_until(re.compile(rb";"), 0.05)
    port.close()
    with pytest.raises(DeviceGone):
        port.write(b"x")
    device.close()


def test_a_flood_ends(tmp_path: Path) -> None:
    device = PtyPort(tmp_path / "tty")
    port = SerialPort(str(device.link), name="modem")
    port._pending = b"x" * 70000
    with pytest.raises(DeviceNonsense, match="floods"):
        port.read_until(re.compile(rb";"), 1)
    port.close()
    device.close()
