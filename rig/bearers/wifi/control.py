"""The control socket of hostapd: one datagram a command, one a reply, and events for whoever attached.

.. code-block:: text

    → PING                     ← PONG
    → DISABLE                  ← OK        (or FAIL, or UNKNOWN COMMAND)
    → STATUS                   ← state=ENABLED\nphy=phy0\nfreq=2412\n…
    → ATTACH                   ← OK, and from then on  <3>AP-STA-CONNECTED 02:00:00:00:01:00

Commands and events go over a socket each, so that no event comes in the place of a reply. The sockets bear automatic
abstract names (``unix(7)``): nothing lies in a folder, and nothing is left of them after a crash. wpa_supplicant
speaks the same.

Sources: hostap's developers' documentation, "Control interface" (https://w1.fi/wpa_supplicant/devel/); hostapd's
``README`` and ``hostapd_cli``.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rig.errors import BenchTrouble, DeviceGone, DeviceMute, DeviceNonsense

_LARGEST = 8192
_PING_S = 2.0
_STAYS_UNANSWERED = 3

OnEvent = Callable[[str], None]


def _nothing() -> None:
    pass


class Control:
    """A dialogue with one interface of hostapd. May be used from several threads.

    Args:
        path: the socket of the interface, such as ``/run/hostapd/wlan0``.
        name: for errors.
        timeout_s: how long a reply may take.

    Raises:
        DeviceGone: nobody serves the socket; every method raises it when hostapd has ended.
        DeviceMute: no reply in time; every method that asks raises it.
    """

    def __init__(self, path: Path, name: str, timeout_s: float = 5.0) -> None:
        self._path = path
        self._name = name
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._socket = self._open()
        self._events: socket.socket | None = None

    def ask(self, command: str, timeout_s: float | None = None) -> str:
        """Send a command and return its reply, whatever that is, without the last line's end."""
        with self._lock:
            try:
                return self._exchange(self._socket, command, timeout_s or self._timeout_s).rstrip("\n")
            except DeviceMute:
                # The reply may still come, and would be taken for the next one's.
                self._socket.close()
                self._socket = self._open()
                raise

    def do(self, command: str, timeout_s: float | None = None) -> None:
        """Send a command that answers OK.

        Raises:
            BenchTrouble: it answered FAIL.
            DeviceNonsense: it does not know the command.
        """
        shown = "SET wpa_passphrase …" if command.startswith("SET wpa_passphrase") else command
        match reply := self.ask(command, timeout_s):
            case "OK":
                return
            case "FAIL":
                raise BenchTrouble(self._name, f"hostapd refused {shown!r}", "see its log")
        raise DeviceNonsense(self._name, f"{shown!r} was answered {reply[:80]!r}", "hostapd 2.10 or newer is needed")

    def facts(self, command: str) -> dict[str, str]:
        """Send a command that answers lines of ``key=value``."""
        return facts_of(self.ask(command))

    def attach(self, on_event: OnEvent, on_end: Callable[[], None] = _nothing) -> None:
        """Have every event told, without its level, in a thread of its own, until hostapd ends or :meth:`close`.

        Args:
            on_event: gets such as ``AP-STA-CONNECTED 02:00:00:00:01:00``.
            on_end: called once when hostapd has ended.
        """
        events = self._open()
        early: list[str] = []
        reply = self._exchange(events, "ATTACH", self._timeout_s, early.append)
        if reply.strip() != "OK":
            events.close()
            raise BenchTrouble(self._name, f"hostapd refused 'ATTACH': {reply.strip()[:80]}", "see its log")
        self._events = events

        def run() -> None:
            for event in early:
                on_event(event)
            if self._listen(events, on_event):
                on_end()

        threading.Thread(target=run, name=f"events of {self._name}", daemon=True).start()

    def close(self) -> None:
        """End the dialogue."""
        if self._events is not None:
            with contextlib.suppress(OSError):
                self._events.send(b"DETACH")
            with contextlib.suppress(OSError):
                self._events.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _open(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            made.bind("")
            made.connect(str(self._path))
        except OSError as error:
            made.close()
            raise self._gone(f"nobody serves {self._path}: {error.strerror or error}") from error
        return made

    def _exchange(
        self, over: socket.socket, command: str, timeout_s: float, on_event: OnEvent = lambda _event: None
    ) -> str:
        deadline = time.monotonic() + timeout_s
        over.settimeout(timeout_s)
        try:
            over.send(command.encode())
            while True:
                over.settimeout(max(0.001, deadline - time.monotonic()))
                reply = over.recv(_LARGEST).decode(errors="replace")
                if not reply.startswith("<"):
                    return reply
                on_event(event_text(reply))
        except TimeoutError:
            word = command.split(" ", 1)[0]
            raise DeviceMute(self._name, f"no reply to {word!r} in {timeout_s:g} s", "is hostapd stopped?") from None
        except OSError as error:
            raise self._gone(f"hostapd has ended: {error.strerror or error}") from error

    def _listen(self, events: socket.socket, on_event: OnEvent) -> bool:
        """Tell events; a datagram socket does not learn that the other end is gone, so it is asked now and then.

        Returns:
            Whether hostapd ended; else we did.
        """
        unanswered = 0
        with events:
            events.settimeout(_PING_S)
            while unanswered <= _STAYS_UNANSWERED:
                try:
                    data = events.recv(_LARGEST)
                    unanswered = 0
                except TimeoutError:
                    unanswered += 1
                    try:
                        events.send(b"PING")
                    except OSError:
                        return True
                    continue
                except OSError:
                    return True
                if not data:
                    return False
                if data.startswith(b"<"):
                    on_event(event_text(data.decode(errors="replace")))
        return True

    def _gone(self, what: str) -> DeviceGone:
        return DeviceGone(self._name, what, "was it started? see its log")


def event_text(raw: str) -> str:
    """An event without its level: ``<3>AP-ENABLED `` → ``AP-ENABLED``."""
    return raw.partition(">")[2].strip() if raw.startswith("<") else raw.strip()


def facts_of(reply: str) -> dict[str, str]:
    """Lines of ``key=value`` as a mapping; other lines are passed over."""
    pairs = (line.partition("=") for line in reply.splitlines() if "=" in line)
    return {key: value for key, _, value in pairs}


def facts_in(event: str) -> Mapping[str, str]:
    """The words of ``key=value`` in an event, such as ``AP-CSA-FINISHED freq=2462 dfs=0``."""
    return facts_of(event.replace(" ", "\n"))
