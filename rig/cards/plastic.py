"""The chips of the simulated physical test cards: a process that holds the bench's cards as a drawer does.

Settings, beside those of every bench process::

    {"cards": ["visa-credit", "unionpay-debit"], "folder": "…/fixtures/cards", "state": "…"}

Each card connects to ``NAME.card`` in the runtime folder, where the simulated air asks it (the protocol of
`rig.wire.vpcd`), and answers until the process ends. The journal holds `started` and `ended` alone: what a physical
card says to a terminal is heard by nobody.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

from rig.cards.bureau import CardBureau
from rig.cards.emv.card import EmvCard
from rig.cards.profile import Interface, load_card
from rig.cards.slot import SlotAddress, SlotSession, Told
from rig.cards.vpcd import ATR
from rig.errors import BenchTrouble, DeviceGone
from rig.history import Journal, Redactor
from rig.process import Started, main_config

CONNECT_S, AGAIN_S = 10.0, 0.05


def main() -> None:
    """Serve until SIGTERM."""
    started = main_config()
    config = started.config
    journal = Journal.of_process(config)
    journal.write("started", pid=os.getpid(), cards=config["cards"])
    sessions = put_out(started)
    started.ready(cards=config["cards"])
    started.stop.wait()
    for session in sessions:
        with contextlib.suppress(BenchTrouble):  # the air may be gone before the cards
            session.end()
    journal.write("ended", durable=True)
    journal.close()


def put_out(started: Started) -> list[SlotSession]:
    """Connect each card to its place in the air, which may still be on its way.

    Raises:
        CallerMistake: there is no such card, or it may not be used on this bench.
        DeviceGone: the air did not come.
    """
    config = started.config
    redactor = Redactor.load(Path(config["redaction"]))
    bureau = CardBureau(Path(config["state"]), redactor)
    sessions = []
    for name in config["cards"]:
        card = bureau.issue(load_card(name, Path(config["folder"]), redactor.allows))
        session = _inserted(card, SlotAddress(Path(config["runtime"]) / f"{name}.card"), started.stop)
        session.start()
        sessions.append(session)
    return sessions


def _ignore(*_: object) -> None:
    return None


SILENT = Told(seen=_ignore, before_answer=_ignore, after_answer=_ignore, fault=_ignore)


def _inserted(card: EmvCard, place: SlotAddress, stop: threading.Event) -> SlotSession:
    deadline = time.monotonic() + CONNECT_S
    while True:
        try:
            return SlotSession(place, ATR[Interface.CONTACTLESS], card, (), SILENT, loses_power=True)
        except DeviceGone:
            if time.monotonic() > deadline or stop.wait(AGAIN_S):
                raise


if __name__ == "__main__":
    main()
