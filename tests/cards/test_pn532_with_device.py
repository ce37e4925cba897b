"""The golden dialogues on a real PN532: ``pytest --pn532 /dev/ttyUSB0 tests/cards/test_pn532_with_device.py``.

The driver must say what is recorded, to the byte; the chip must answer the same commands with the same kind of answer
(its firmware version and what it feels of a field are its own). With a second ``--pn532`` the chip there lies on the
first and reads it, so that `exchange` is tried too. No one has yet run this on hardware.
"""

from pathlib import Path

import pytest

from tests.cards import golden_lines
from tests.cards.conftest import Reader
from tests.cards.golden_drive import DIALOGUES, Drive, RemoteReader


@pytest.fixture
def devices(request: pytest.FixtureRequest) -> list[Path]:
    given = [Path(each) for each in request.config.getoption("pn532")]
    if not given:
        pytest.skip("no --pn532 DEVICE")
    return given


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_real_chip_holds_the_dialogue(name: str, devices: list[Path]) -> None:
    if name == "exchange" and len(devices) < 2:
        pytest.skip("no second --pn532 DEVICE to read the first")
    reader = RemoteReader(Reader(devices[1])) if name == "exchange" else None
    line = golden_lines.Tap(devices[0])
    drive = Drive(line)
    try:
        drive.open()
        opened = list(line.words)
        line.words.clear()
        if name != "open":
            getattr(drive, name)(reader.visit if reader else lambda: None)
        said = opened if name == "open" else line.words
    finally:
        drive.end()
        if reader:
            reader.close()
    recorded = golden_lines.read(name)
    assert [word.data for word in said if word.direction == ">"] == [w.data for w in recorded if w.direction == ">"]
    assert [word.answers() for word in said] == [word.answers() for word in recorded]
