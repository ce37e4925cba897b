"""The journal of one process: append-only, redacted before it is written, ordered by the monotonic clock."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rig.history.events import Event
from rig.history.redaction import Redactor

_SHORTEST_PAN, _SMALLEST_PAN = 13, 10**12
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """The id of this boot of the machine: monotonic times compare within one boot only."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "unknown"


class Journal:
    """Writes events as JSON lines, one ``write`` call a line, so that a kill tears the last line at most.

    May be used from several threads. Bytes among the data become upper-case hex.
    """

    def __init__(self, path: Path, process: str, redactor: Redactor) -> None:
        self.path = path
        self.process = process
        self.redactor = redactor
        self._boot = boot_id()
        self._pid = os.getpid()
        self._sequence = 0
        self._lock = threading.Lock()
        self._gathered: list[bytes] | None = None
        self.watch: Callable[[Event], None] | None = None
        """Called with every event, once it is written or gathered."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL | os.O_CLOEXEC, 0o600)

    @classmethod
    def open(cls, folder: Path, process: str, redactor: Redactor) -> Journal:
        """Begin a journal in ``folder``; the file is named by process and process id, and never continued."""
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"{process}-{os.getpid()}"
        for attempt in range(1000):
            try:
                return cls(folder / (f"{stem}.jsonl" if not attempt else f"{stem}.{attempt}.jsonl"), process, redactor)
            except FileExistsError:
                continue
        raise FileExistsError(f"{folder}/{stem}.jsonl and 999 more")

    @classmethod
    def of_process(cls, config: Mapping[str, Any]) -> Journal:
        """Begin the journal of a process of the bench, where its settings say (see :mod:`rig.process`).

        Raises:
            CallerMistake: there is no redaction key where they say.
        """
        return cls.open(Path(config["journals"]), config["name"], Redactor.load(Path(config["redaction"])))

    def write(self, kind: str, *, durable: bool = False, **data: Any) -> Event:
        """Append an event; with ``durable`` it is on the disk before this returns."""
        clean = {self._redact(name): self._redact_field(name, value) for name, value in data.items()}
        with self._lock:
            event = Event(
                self._boot, time.monotonic_ns(), self.process, self._pid, self._sequence + 1, kind, clean,
                datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds"),
            )  # fmt: skip
            line = event.to_bytes()
            if self._gathered is None:
                os.write(self._fd, line)
            else:
                self._gathered.append(line)
            self._sequence += 1
            if durable:
                self._flush()
                os.fdatasync(self._fd)
        if self.watch is not None:
            self.watch(event)
        return event

    def gather(self) -> None:
        """Keep what is written from now on until :meth:`flush`, and write it in one call then."""
        with self._lock:
            self._gathered = self._gathered or []

    def flush(self) -> None:
        """Write what was gathered; from here on events are written as they come.

        Raises OSError where that cannot be written; it is as if it had never been told then.
        """
        with self._lock:
            try:
                self._flush()
            finally:
                self._gathered = None

    def _flush(self) -> None:
        gathered = self._gathered
        if not gathered:
            return
        self._gathered = []
        try:
            os.write(self._fd, b"".join(gathered))
        except OSError:
            self._sequence -= len(gathered)
            raise

    def close(self) -> None:
        """End the journal; writing to it afterwards is an error."""
        with self._lock:
            if self._fd >= 0:
                self._flush()
                os.close(self._fd)
                self._fd = -1

    def _redact_field(self, name: str, value: Any) -> Any:
        if value is None or (type(value) is str and len(value) < _SHORTEST_PAN):
            return value  # most of them
        # A time in nanoseconds has as many digits as a PAN: five days after boot it would begin like a test card.
        return value if isinstance(value, int) and name.endswith("_t") else self._redact(value)

    def _redact(self, value: Any) -> Any:
        if isinstance(value, str):
            return value if len(value) < _SHORTEST_PAN else self.redactor.text(value)
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return value if value < _SMALLEST_PAN or not self.redactor.allows(str(value)) else self._masked(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return self.redactor.data(bytes(value)).hex().upper()
        if isinstance(value, Mapping):
            return {self.redactor.text(str(key)): self._redact_field(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._redact(item) for item in value]
        return self.redactor.text(str(value))

    def _masked(self, value: int) -> str:
        return self.redactor.mask(str(value))
