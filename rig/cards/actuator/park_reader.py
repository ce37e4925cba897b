"""The bench's own reader at the park position of an actuator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from rig.cards.pn532_reader import Pn532CardReader
from rig.cards.reading import Identification, identify_card
from rig.errors import CallerMistake
from rig.history import Redactor


class ParkReader(Protocol):
    """Tells which card lies there."""

    def identify(self, redactor: Redactor) -> Identification:
        """The card.

        Raises:
            BenchTrouble: there is none, there are several, it does not answer, or the reader is gone.
        """

    def close(self) -> None:
        """Give the reader back."""


class Pn532ParkReader:
    """A PN532, opened when it is first needed, its field off between two cards."""

    def __init__(self, port: Path) -> None:
        self._port = port
        self._reader: Pn532CardReader | None = None

    def identify(self, redactor: Redactor) -> Identification:
        """See `ParkReader.identify`."""
        if self._reader is None:
            self._reader = Pn532CardReader(self._port)
        with self._reader.card() as card:
            return identify_card(card, redactor)

    def close(self) -> None:
        """Give the port back."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def park_reader(device: str, beside: Path, settings: object) -> ParkReader:
    """The reader that a bench file describes: ``{driver: pn532, port: …}``; a relative port is `beside` the machine's.

    Raises:
        CallerMistake: a field is missing or unknown, or there is no such driver.
    """
    if not isinstance(settings, Mapping) or set(settings) != {"driver", "port"}:
        raise CallerMistake(device, "field reader is not {driver, port}", "write {driver: pn532, port: /dev/…}")
    if settings["driver"] != "pn532":
        raise CallerMistake(device, f"field reader: no driver {settings['driver']}", "use pn532")
    return Pn532ParkReader(beside.parent / str(settings["port"]))
