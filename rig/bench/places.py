"""Where a bench keeps things: its state directory, its runtime folder, the folder of a run."""

from __future__ import annotations

import datetime
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rig.errors import CallerMistake

_LONGEST_BASE = 50
"""Bytes before the folder's own name (34 at most) and a socket's (16), so that all stays below 107."""


@dataclass(frozen=True)
class StateDirectory:
    """What outlives a run: certificate authority, keys, card counters, guard journal, lock. 0700."""

    root: Path

    @classmethod
    def of(cls, bench: str) -> StateDirectory:
        """The state directory of a bench by name: ``$RIG_STATE``, else ``$XDG_STATE_HOME/pos-rig``, made if absent."""
        root = _state_base() / bench
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            root.chmod(0o700)
        except OSError as error:
            raise CallerMistake(
                str(root), f"no state directory: {error.strerror}", "set RIG_STATE to a folder of your own"
            ) from error
        return cls(root)

    @property
    def lock(self) -> Path:
        """The lease of the bench."""
        return self.root / "lease.lock"

    @property
    def instrument_locks(self) -> Path:
        """Locks of instruments, common to all benches: two of them may share a box."""
        return self.root.parent / "instrument-locks"

    @property
    def guard_journal(self) -> Path:
        """What the guard did, so that the next start can mend what a crash left."""
        return self.root / "guard.jsonl"

    @property
    def redaction(self) -> Path:
        """The token key and the test ranges."""
        return self.root / "redaction.json"

    @property
    def calibration(self) -> Path:
        """The measured losses of the RF paths."""
        return self.root / "calibration.json"

    @property
    def certificates(self) -> Path:
        """Certificate authority and server key."""
        return self.root / "pki"

    @property
    def card_authorities(self) -> Path:
        """The public keys of the schemes' synthetic authorities, for the terminal."""
        return self.root / "card-authorities.json"

    @property
    def ledger(self) -> Path:
        """The acquirer's ledger."""
        return self.root / "ledger.sqlite"

    @property
    def terminal_disk(self) -> Path:
        """The virtual terminal's own disk."""
        return self.root / "terminal-disk"


def _state_base() -> Path:
    """Where state directories lie; absolute, because every process of a bench is marked with it."""
    try:
        if base := os.environ.get("RIG_STATE"):
            return Path(base).absolute()
        home = os.environ.get("XDG_STATE_HOME")
        return (Path(home) if home else Path.home() / ".local/state").absolute() / "pos-rig"
    except RuntimeError as error:
        raise CallerMistake("state directory", f"{error}", "set RIG_STATE to a folder of your own") from error


def new_runtime_folder(bench: str) -> Path:
    """A fresh folder for sockets and PTY names: short, because a unix socket's path is at most 107 bytes."""
    candidates = [Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp"), Path(tempfile.gettempdir())]
    fit = (base for base in candidates if os.access(base, os.W_OK) and len(os.fsencode(base)) <= _LONGEST_BASE)
    base = next(fit, Path("/tmp"))
    return Path(tempfile.mkdtemp(prefix=f"rig-{bench[:20]}-", dir=base))


def new_run_folder(reports: Path, bench: str) -> Path:
    """A fresh folder for a run under ``reports/runs``, named by time."""
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    for attempt in range(100):
        folder = reports / "runs" / (f"{stamp}-{bench}" + (f"-{attempt + 1}" if attempt else ""))
        try:
            folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            continue
        except OSError as error:
            raise CallerMistake(
                str(reports), f"no run can be kept here: {error.strerror}", "choose --reports"
            ) from error
        return folder
    raise CallerMistake(str(reports), "no free name for a run folder", "is the clock stuck?")
