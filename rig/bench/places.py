"""Where a bench keeps things: its state directory, its runtime folder, the folder of a run."""

from __future__ import annotations

import datetime
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rig.errors import CallerMistake


@dataclass(frozen=True)
class StateDirectory:
    """What outlives a run: certificate authority, keys, card counters, guard journal, lock. 0700."""

    root: Path

    @classmethod
    def of(cls, bench: str) -> StateDirectory:
        """The state directory of a bench by name: ``$RIG_STATE``, else ``$XDG_STATE_HOME/pos-rig``, made if absent."""
        base = os.environ.get("RIG_STATE")
        home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
        root = (Path(base) if base else Path(home) / "pos-rig") / bench
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
    def guard_journal(self) -> Path:
        """What the guard did, so that the next start can mend what a crash left."""
        return self.root / "guard.jsonl"

    @property
    def redaction(self) -> Path:
        """The token key and the test ranges."""
        return self.root / "redaction.json"

    @property
    def certificates(self) -> Path:
        """Certificate authority and server key."""
        return self.root / "pki"

    @property
    def ledger(self) -> Path:
        """The acquirer's ledger."""
        return self.root / "ledger.sqlite"

    @property
    def terminal_disk(self) -> Path:
        """The virtual terminal's own disk."""
        return self.root / "terminal-disk"


def new_runtime_folder(bench: str) -> Path:
    """A fresh folder for sockets and PTY names: short, because a unix socket's path is at most 107 bytes."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    if not os.access(base, os.W_OK):
        base = Path(tempfile.gettempdir())
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
        return folder
    raise CallerMistake(str(reports), "no free name for a run folder", "is the clock stuck?")
