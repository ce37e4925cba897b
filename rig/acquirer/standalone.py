"""The host alone, for anyone who writes a terminal: no bench, no guard, one process that prints what happens.

It keeps certificates, keys and its ledger in a state directory (0700), and has the same control socket as on a bench.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.acquirer.ledger import Ledger
from rig.acquirer.profiles import load_profiles
from rig.acquirer.serve import Served, serve
from rig.errors import CallerMistake
from rig.history import Event, Journal, Redactor, TestRange

Told = Callable[[Event], None]
_BIN = 6


@dataclass(frozen=True)
class Settings:
    """What the command line says.

    Attributes:
        state: the state directory, made if absent.
        cards: the folder of card profiles; they say which numbers are test cards.
        listen: addresses; ``port``: 0 picks one.
        terminals: terminal → merchant; None serves every terminal.
        ledger: the ledger's file; None: in the state directory.
    """

    state: Path
    cards: Path
    listen: tuple[str, ...]
    port: int
    dialect: str
    tls: bool = True
    currency: str = "EUR"
    terminals: Mapping[str, str] | None = None
    rules: Path | None = None
    ledger: Path | None = None
    front: str = "good"
    limits: Mapping[str, Any] = field(default_factory=dict)


def default_state() -> Path:
    """Where the host keeps its things when nobody says: ``$XDG_STATE_HOME/pos-rig/acquirer``."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local/state").absolute() / "pos-rig" / "acquirer"


def run(settings: Settings, told: Told, ready: Callable[[Served], None], stop: threading.Event | None = None) -> None:
    """Serve until SIGTERM, Ctrl-C or ``stop``; every event of the history is told.

    Raises:
        CallerMistake: there are no cards, or something else in the settings is wrong.
        DeviceGone: an address cannot be bound.
    """
    state = settings.state
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    state.chmod(0o700)
    redaction = _redaction(state, settings.cards)
    journal = Journal.open(state / "journals", "acquirer", redaction)
    journal.watch = told
    ledger = Ledger(settings.ledger or state / "ledger.sqlite")
    stop = stop or _stop_on_signals()
    try:
        asyncio.run(serve(_config(settings), journal, ledger, stop, ready))
    finally:
        ledger.close()
        journal.close()


def _config(settings: Settings) -> dict[str, Any]:
    return {
        "runtime": str(settings.state), "listen": list(settings.listen), "port": settings.port, "tls": settings.tls,
        "state": str(settings.state), "cards": str(settings.cards), "currency": settings.currency,
        "terminals": dict(settings.terminals) if settings.terminals is not None else None,
        "dialect": settings.dialect, "rules": str(settings.rules) if settings.rules else None,
        "limits": dict(settings.limits),
        "front": settings.front,
    }  # fmt: skip


def _redaction(state: Path, cards: Path) -> Redactor:
    """Under the kept key; the test ranges are those of the cards: their first six digits."""
    profiles = load_profiles(cards)
    if not profiles:
        raise CallerMistake(str(cards), "no card profile is there", "name a folder like fixtures/cards with --cards")
    ranges = tuple(TestRange(prefix) for prefix in sorted({card.pan[:_BIN] for card in profiles}))
    path = state / "redaction.json"
    redactor = Redactor.load(path).with_ranges(ranges) if path.exists() else Redactor.with_new_key(ranges)
    redactor.save(path)
    return redactor


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=stop.set, daemon=True).start())
    return stop
