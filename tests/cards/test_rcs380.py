"""The RC-S380 as a card: the bytes on USB, taps, faults, and what may be wrong with the device. No hardware was met."""

import errno
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rig.cards import rcs380
from rig.cards.bureau import CardBureau
from rig.cards.faults import At, BadBlocks, Spoil, Tear, WaitStorm
from rig.cards.profile import CardProfile
from rig.cards.rcs380 import Rcs380Presenter
from rig.cards.spoil import Status
from rig.errors import BenchBusy, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense, RigError
from tests.cards.port100 import Port100

H = bytes.fromhex
RATS = H("E080")
SELECT_PPSE = H("00A404000E") + b"2PAY.SYS.DDF01" + H("00")


class Presented:
    """A presenter on the simulated device, noting what it tells."""

    def __init__(self, bureau: CardBureau) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.presenter = Rcs380Presenter(Path("/run/bench/usb:054c:06c1"), bureau, self._observe, lambda *_: None)

    def _observe(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((kind, dict(data)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == kind]

    def wait_for(self, kind: str, count: int = 1) -> dict[str, Any]:
        deadline = time.monotonic() + 3
        while len(found := self.of(kind)) < count:
            assert time.monotonic() < deadline, f"no {kind}"
            time.sleep(0.002)
        return found[-1]


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Port100:
    device = Port100()
    monkeypatch.setattr(rcs380, "open_transport", lambda _: device)
    return device


@pytest.fixture
def bench(device: Port100, bureau: CardBureau) -> Iterator[Presented]:
    presented = Presented(bureau)
    yield presented
    device.unplugged = False
    presented.presenter.close()
    assert device.closed


def test_the_line_carries_exactly_these_commands(device: Port100, bench: Presented, visa: CardProfile) -> None:
    opened, device.line[:] = list(device.line), []
    bench.presenter.arm(visa)
    uid = bench.of("card_armed")[0]["uid"]
    ats = device.ask(RATS)
    answer = device.ask(H("0200FF000000"))
    assert device.ask(H("C2")) == H("C2")
    device.wait_for(">D6400", 2)  # it listens again
    proof = bench.presenter.remove()
    told = [each for each in device.line if each != "<D7490B000080000000"]  # the slices in which nothing came
    listen = ">D648" + "0000FFFF01" + "0400" + uid[2:] + "20" + "00" * 18 + "0000" + "C800"
    begin = [">D64008" + "0B", "<D74100", ">D642" + "000101010207", "<D74300", ">D642" + "0100", "<D74300"]
    receive = ">D648" + "0000FFFF00" + "00" * 24 + "0000" + "C800"
    send = ">D648" + "F401FFFF00" + "00" * 24 + "0000" + "6400"
    assert opened == [">ack", ">D62A01", "<D72B00", ">D620", "<D7211101", ">D622", "<D7230001", ">D60600", "<D70700",
                      ">D620", "<D7211101"]  # fmt: skip
    assert ats == H("057880A002")
    assert answer == H("026D00")
    others = [each for each in told if each not in (listen, receive)]
    assert others == [
        *begin, "<D7490B000300000000" + "E080",
        listen[:-4] + "6400" + "057880A002", "<D7490B000300000000" + "0200FF000000", ">D642" + "0101", "<D74300",
        send + "026D00", "<D7490B000300000000" + "C2",
        send + "C2", *begin, ">D60600", "<D70700",
    ]  # fmt: skip
    assert proof == {"card": visa.name, "target": "released", "in_field": None, "chip": "NFC Port-100 v1.11"}


def tap(device: Port100, *commands: bytes) -> list[bytes | None]:
    """The card's answers to whole commands, each in one block."""
    device.ask(RATS)
    return [device.ask(bytes([2 | at & 1]) + command, 0.5) for at, command in enumerate(commands)]


def test_a_field_that_goes_ends_the_tap_and_the_next_begins_anew(
    device: Port100, bench: Presented, visa: CardProfile
) -> None:
    bench.presenter.arm(visa)
    for _ in range(3):
        (answer,) = tap(device, SELECT_PPSE)
        assert answer is not None
        assert answer[:1] == b"\x02"
        assert answer.endswith(H("9000"))
        device.field_goes()
    bench.wait_for("card_apdu", 3)
    bench.presenter.remove()
    assert [data["name"] for data in bench.of("card_apdu")] == ["SELECT PPSE"] * 3
    assert device.ask(RATS, 0.1) is None


def test_faults_happen_as_with_any_chip_whose_blocks_are_ours(
    device: Port100, bench: Presented, visa: CardProfile
) -> None:
    first = At("SELECT PPSE")
    bench.presenter.arm(visa, [WaitStorm(first, 2), Spoil(first, Status(0x6A82)), Tear(At("SELECT PPSE", 2))])
    device.ask(RATS)
    assert device.ask(b"\x02" + SELECT_PPSE) == H("F201")
    assert device.ask(H("F201")) == H("F201")
    assert device.ask(H("F201")) == H("026A82")
    assert device.ask(b"\x03" + SELECT_PPSE, 0.3) is None
    assert bench.wait_for("card_removed")["why"] == "tear before SELECT PPSE 2"


def test_a_wrong_checksum_is_refused_by_name(device: Port100, bench: Presented, visa: CardProfile) -> None:
    with pytest.raises(
        CallerMistake, match=r"it cannot do: 1 blocks bad-crc at GPO .*needs\('card: wrong-checksums'\)"
    ):
        bench.presenter.arm(visa, [BadBlocks(At("GPO"), "bad-crc")])
    assert bench.events == []


def test_a_reader_unplugged_while_a_card_waits_is_told(device: Port100, bench: Presented, visa: CardProfile) -> None:
    bench.presenter.arm(visa)
    device.unplugged = True
    with pytest.raises(DeviceGone, match="the reader was unplugged") as caught:
        bench.presenter.remove()
    assert caught.value.device == "usb:054c:06c1"


def test_a_device_that_refuses_a_command_talks_nonsense(
    device: Port100, bench: Presented, visa: CardProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = device._execute
    monkeypatch.setattr(
        device, "_execute", lambda number, data: (lambda: b"\x01") if number == 0x40 else execute(number, data)
    )
    with pytest.raises(DeviceNonsense, match="refuses a command: PARAMETER_ERROR"):
        bench.presenter.arm(visa)


@pytest.mark.parametrize("place", ["tty:usb", "usb:054c", "usb:054c:06c1:1", "usb:12345:1", "/dev/ttyUSB0"])
def test_a_port_that_names_no_usb_device_is_refused(place: str, bureau: CardBureau) -> None:
    with pytest.raises(CallerMistake, match="names no USB device"):
        Rcs380Presenter(Path(place), bureau, lambda *_: None, lambda *_: None)


@pytest.mark.parametrize(
    ("found", "trouble", "told"),
    [
        ([], DeviceGone, "there is no RC-S380"),
        ([(0x072F, 0x2200, 1, 3)], DeviceGone, "there is no RC-S380"),
        ([(0x054C, 0x06C1, 1, 4), (0x054C, 0x06C3, 2, 7)], CallerMistake, "usb:001:004, usb:002:007"),
    ],
)
def test_what_is_plugged_in_decides(
    found: list[tuple[int, ...]],
    trouble: type[RigError],
    told: str,
    bureau: CardBureau,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nfc.clf.transport.USB.find", lambda _: found)
    with pytest.raises(trouble, match=told):
        Rcs380Presenter(Path("usb"), bureau, lambda *_: None, lambda *_: None)


@pytest.mark.parametrize(
    ("code", "trouble", "told"),
    [
        (errno.EACCES, DeviceGone, "udev"),
        (errno.EBUSY, BenchBusy, "another program holds"),
        (errno.ENODEV, DeviceGone, "unplugged"),
        (errno.ETIMEDOUT, DeviceMute, "does not answer"),
        (errno.EIO, DeviceNonsense, "USB fails"),
    ],
)
def test_a_reader_that_does_not_open_is_told_with_its_cure(
    code: int, trouble: type[RigError], told: str, bureau: CardBureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(rcs380, "open_transport", fail)
    with pytest.raises(trouble, match=told):
        Rcs380Presenter(Path("usb"), bureau, lambda *_: None, lambda *_: None)


def test_a_device_that_is_no_rcs380_is_given_back(
    device: Port100, bureau: CardBureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mute(timeout: int = 0) -> bytearray:
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

    monkeypatch.setattr(device, "read", mute)
    with pytest.raises(DeviceMute):
        Rcs380Presenter(Path("usb"), bureau, lambda *_: None, lambda *_: None)
    assert device.closed
