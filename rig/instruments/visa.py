"""A line session to a VISA instrument, without the traps of pyvisa 1.16 over pyvisa-py 0.8.

What the stock session does, and what this one does about it (pyvisa-py 0.8.1, ``tcpip.py`` and ``serial.py``):

1. Opening a refused port succeeds, the first write raises: ``SO_ERROR`` is asked after opening.
2. A dead peer looks like a slow one: the socket is peeked at, and its end is told at once.
3. After a timeout the next query reads the late answer: the session is dropped and opened anew; a serial port, which
   is the same port when it is opened anew, is listened to first until it is quiet.
4. Exclusive access is silently ignored: a lock file in the bench's lock folder, held by ``flock``.
5. Two threads read each other's answers: one query at a time.
6. Nagle's algorithm costs 44 ms a write-then-query: ``TCP_NODELAY``.
7. A blank greeting shifts every answer by one: it is drained, and blank lines are never answers.
8. A prompt has no end of line: it is dropped from the beginning of a line, and ends an answer of several lines. The
   echo of a command that such a box may send is no answer either.
9. Emptying the input of a serial port by the flag that empties a socket's does nothing: each has its own.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyvisa
from pyvisa.constants import StatusCode
from pyvisa.resources import MessageBasedResource

from rig.errors import DeviceMute, DeviceNonsense
from rig.instruments.transcript import Observe, unobserved
from rig.instruments.visa_session import VisaSession

_MAX_BLANK_LINES = 8
_MAX_ANSWER = 65536
_MAX_LINES = 1000
_QUIET_S = 0.1


class VisaLine:
    """Asks a line, gets a line, or several. Owned by one process (lock file), safe to use from its threads.

    Args:
        resource: VISA address, such as ``TCPIP::10.0.0.5::23::SOCKET`` or ``ASRL/dev/ttyUSB0::INSTR``.
        name: what the bench calls the instrument.
        lock_folder: where the lock files of this machine's instruments are.
        timeout_s: longest wait for an answer, and for a connection.
        termination: what ends a line that is sent; answers end with LF, a CR before it is dropped.
        prompt: what the instrument says when it is ready for a command, empty where it says nothing.
        baud_rate: of a serial port; None is 9600.
        observe: told every line.

    Raises:
        BenchBusy: another process owns the instrument.
        DeviceGone: nothing answers at the address.
    """

    def __init__(
        self,
        resource: str,
        *,
        name: str,
        lock_folder: Path,
        timeout_s: float = 1.0,
        termination: str = "\r\n",
        prompt: str = "",
        baud_rate: int | None = None,
        observe: Observe = unobserved,
    ) -> None:
        self.name = name
        self.resource = resource
        self._timeout_s = timeout_s
        self._prompt = prompt
        self._observe = observe
        self._mutex = threading.RLock()
        self._session = VisaSession(resource, name, lock_folder, timeout_s, termination, baud_rate)

    def query(self, command: str) -> str:
        """Send a line and return its answer, stripped.

        Raises:
            DeviceMute: no answer in time. The session is opened anew for the next query.
            DeviceGone: the connection ended.
            DeviceNonsense: the answer is not ASCII, or nothing but blank lines.
        """
        with self._exchange(command) as instrument:
            asked = time.perf_counter()
            instrument.write(command)
            answer = self._next_line(instrument, command)
            self._heard(answer, asked)
            return answer

    def query_lines(
        self, command: str, *, count: int | None = None, least: int = 1, like: re.Pattern[str] | None = None
    ) -> list[str]:
        """Send a line and return the lines of its answer, stripped, without the blank ones.

        Args:
            command: the line.
            count: how many lines the answer has. Where that is not known, it ends with the prompt, and without a
                prompt when nothing more came for a moment.
            least: how many it has at least; a prompt before them is the late one of the command before.
            like: what those begin with; what else is said may be about something else.

        Raises:
            DeviceMute, DeviceGone, DeviceNonsense: as :meth:`query` says.
        """
        with self._exchange(command) as instrument:
            asked = time.perf_counter()
            instrument.write(command)
            if count is not None:
                lines = [self._next_line(instrument, command) for _ in range(count)]
            elif self._prompt:
                lines = self._until_prompt(instrument, command, least, like)
            else:
                lines = self._until_quiet(instrument, command)
            self._heard("\n".join(lines), asked)
            return lines

    def send(self, command: str) -> None:
        """Send a line that has no answer: whether it did anything must be asked.

        Raises:
            DeviceGone: the connection ended.
        """
        with self._exchange(command) as instrument:
            instrument.write(command)

    def close(self) -> None:
        """End the session and free the instrument."""
        with self._mutex:
            self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _exchange(self, command: str) -> Iterator[MessageBasedResource]:
        """One at a time, on a live session; whatever goes wrong drops the session and gets its name."""
        with self._mutex:
            instrument = self._session.live()
            self._observe("instrument_tx", {"device": self.name, "line": command})
            try:
                yield instrument
            except pyvisa.VisaIOError as error:
                slow = error.error_code == StatusCode.error_timeout and self._session.alive()
                self._session.drop(owed=slow)
                if slow:
                    raise self._mute(command) from error
                raise self._session.gone(f"the connection ended on {command!r}") from error
            except OSError as error:
                self._session.drop()
                raise self._session.gone(f"the connection ended on {command!r}: {error.strerror or error}") from error
            except DeviceNonsense:
                self._session.drop(owed=True)
                raise

    def _heard(self, answer: str, asked: float) -> None:
        elapsed_ms = round((time.perf_counter() - asked) * 1000, 2)
        self._observe("instrument_rx", {"device": self.name, "line": answer, "ms": elapsed_ms})

    def _next_line(self, instrument: MessageBasedResource, command: str) -> str:
        """The next line that says something."""
        for _ in range(_MAX_BLANK_LINES):
            self._await(command)
            if lines := self._lines(instrument.read_raw(), command):
                return lines[0]
        raise DeviceNonsense(self.name, f"answered {command!r} with blank lines alone", "another dialect?")

    def _until_prompt(
        self, instrument: MessageBasedResource, command: str, least: int, like: re.Pattern[str] | None
    ) -> list[str]:
        said = b""
        end = self._prompt.encode()
        with instrument.read_termination_context(self._prompt[-1]):
            while len(said) < _MAX_ANSWER:
                self._await(command)
                said += instrument.read_raw()
                if said.endswith(end):
                    lines = self._lines(said, command)
                    if sum(like is None or like.match(line) is not None for line in lines) >= least:
                        return lines
        raise DeviceNonsense(self.name, f"answers {command!r} without end", "another dialect?")

    def _until_quiet(self, instrument: MessageBasedResource, command: str) -> list[str]:
        lines = [self._next_line(instrument, command)]
        for _ in range(_MAX_LINES):
            if not self._session.await_input(_QUIET_S):
                return lines
            try:
                lines += self._lines(instrument.read_raw(), command)
            except pyvisa.VisaIOError:
                if self._session.alive():
                    return lines  # what is no whole line, such as a prompt, is not of the answer
                raise
        raise DeviceNonsense(self.name, f"answers {command!r} without end", "another dialect?")

    def _lines(self, raw: bytes, command: str) -> list[str]:
        """The lines of an answer that say something: no blanks, prompts, echoes."""
        try:
            said = raw.decode("ascii")
        except UnicodeDecodeError:
            raise DeviceNonsense(
                self.name, f"answered {raw[:200]!r} to {command!r}", "is it the right instrument, baud rate, dialect?"
            ) from None
        lines = []
        for each in said.splitlines():
            line = each.strip()
            while self._prompt and line.startswith(self._prompt):
                line = line.removeprefix(self._prompt).strip()
            if line and not (self._prompt and line == command):
                lines.append(line)
        return lines

    def _await(self, command: str) -> None:
        if not self._session.await_input(self._timeout_s):
            self._session.drop(owed=True)
            raise self._mute(command)

    def _mute(self, command: str) -> DeviceMute:
        return DeviceMute(
            self.name,
            f"no answer to {command!r} in {self._timeout_s:g} s at {self.resource}",
            "check its line termination, or power-cycle it",
        )
