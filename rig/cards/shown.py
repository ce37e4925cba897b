"""What is on a card, read as a terminal reads it from a copy in memory: nothing of the bench is counted."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.cards.bureau import CardBureau
from rig.cards.decoded import Decoded, decode
from rig.cards.emv.card import EmvCard
from rig.cards.emv.private_keys import FOLDER
from rig.cards.keys import FILE
from rig.cards.profile import CardProfile, Interface
from rig.cards.terminal_commands import (
    Listed,
    Transceive,
    ask,
    begin,
    command,
    list_applications,
    read_records,
    select,
    terminal_objects,
)
from rig.history import Redactor
from rig.wire import tlv
from rig.wire.errors import WireError

ARQC = 0x80
_OPTIONS = ((0x82, 2), (0x94, 0))
_CRYPTOGRAM = ((0x9F27, 1), (0x9F36, 2), (0x9F26, 8), (0x9F10, 0))
"""What format 1 holds, tag and length, 0 for the rest (EMV Book 3, 6.5.8.4 and 6.5.5.4)."""


@dataclass(frozen=True)
class Answer:
    """A command's name and what came of it; nothing where the card refused."""

    command: str
    objects: tuple[Decoded, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"command": self.command, "objects": [each.to_dict() for each in self.objects]}


@dataclass(frozen=True)
class Shown:
    """One application on one interface."""

    interface: Interface
    application: Listed
    answers: tuple[Answer, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "interface": str(self.interface),
            "application": self.application.to_dict(),
            "answers": [each.to_dict() for each in self.answers],
        }


def show(profile: CardProfile, state: Path, redactor: Redactor) -> list[Shown]:
    """Every application on every chip interface.

    Args:
        profile: the card.
        state: the bench's state directory, whose keys it is made with.
        redactor: masks its number.

    Raises:
        CallerMistake: the card is none of this bench.
    """
    shown = []
    with _apart(state) as place:
        bureau = CardBureau(place, redactor)
        for interface in (Interface.CONTACTLESS, Interface.CONTACT):
            if interface not in profile.interfaces:
                continue
            card = bureau.issue(profile, interface)
            transceive = _to(card)
            for listed in list_applications(transceive, interface):
                card.reset()
                answers = _answers(transceive, listed, redactor)
                shown.append(Shown(interface, listed, tuple(answers)))
    return shown


def _to(card: EmvCard) -> Transceive:
    return lambda apdu: card.process(apdu).response


@contextmanager
def _apart(state: Path) -> Iterator[Path]:
    """A folder with the bench's keys and without its counters; a key that is made here is the bench's too."""
    keys = state / FOLDER
    keys.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rig-card-") as folder:
        place = Path(folder)
        (place / FOLDER).symlink_to(keys.resolve())
        if (state / FILE).exists():
            shutil.copy(state / FILE, place / FILE)
        yield place


def _answers(transceive: Transceive, listed: Listed, redactor: Redactor) -> Iterator[Answer]:
    control = select(transceive, listed.aid_bytes)
    yield _answer("SELECT AID", control, redactor)
    begun = begin(transceive, control or b"")
    yield _answer("GPO", _tagged(begun.response, _OPTIONS) if begun else None, redactor)
    if begun is None:
        return
    found = dict(begun.objects)
    for (file, number), record in read_records(transceive, begun.objects.get(0x94, b"")):
        yield _answer(f"READ RECORD {file}.{number}", record, redactor)
        found |= _by_tag(record)
    if 0x8C in found:
        wanted = tlv.fill_dol(tlv.parse_dol(found[0x8C]), terminal_objects())
        signed = ask(transceive, command(0x80, 0xAE, ARQC, 0x00, wanted))
        yield _answer("GENERATE AC", _tagged(signed, _CRYPTOGRAM) if signed else None, redactor)


def _by_tag(record: bytes) -> dict[int, bytes]:
    try:
        return tlv.as_mapping(record)
    except WireError:
        return {}


def _tagged(response: bytes, fields: tuple[tuple[int, int], ...]) -> bytes:
    """Format 1 (80, values alone) with the tags that its values have; other responses as they are."""
    try:
        first = tlv.parse(response)[0]
    except (WireError, IndexError):
        return response
    if first.tag != 0x80:
        return response
    values, rest = [], first.value
    for tag, length in fields:
        values.append(tlv.Tlv(tag, rest[: length or None]))
        rest = rest[length:] if length else b""
    return tlv.encode_all(each for each in values if each.value)


def _answer(name: str, data: bytes | None, redactor: Redactor) -> Answer:
    if data is None:
        return Answer(f"{name}: refused")
    try:
        return Answer(name, tuple(decode(data, redactor)))
    except WireError:
        return Answer(f"{name}: malformed")
