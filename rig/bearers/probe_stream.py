"""A steady row of probes beside a changing link: what a packet that was sent at each time really met.

Questions go out at their times whether or not those before were answered, so that a slow link is asked as often as a
fast one. Events: ``probe {link, sent_t, rtt_ms}``, in the order of the answers; ``rtt_ms`` null for one that was not
answered within the patience.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from rig.bearers.probe import Prober
from rig.bearers.probe_ways import Answer
from rig.errors import RigError

_STOP_LIMIT_S = 5.0


class ProbeStream:
    """Asks at an interval until it is stopped, on a thread of its own.

    Args:
        link: the name of the link, for the events.
        prober: asks; used by nobody else meanwhile, and closed at the end. Should it never have been answered, the
            stream asks all the same.
        observe: gets the events.
        interval_s: between two questions.
        patience_s: an answer that takes longer counts as none.
    """

    def __init__(
        self,
        link: str,
        prober: Prober,
        observe: Callable[[str, Mapping[str, Any]], object],
        interval_s: float = 0.15,
        patience_s: float = 2.0,
    ) -> None:
        self._link, self._prober, self._observe = link, prober, observe
        self._interval = round(interval_s * 1e9)
        self._patience = round(patience_s * 1e9)
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name=f"probe {link}", daemon=True)
        self._waiting: dict[int, None] = {}
        self.answers: list[Answer] = []
        """What was answered so far."""
        self.unanswered: list[int] = []
        """When what was not answered within the patience had been sent, monotonic ns."""

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; what is still under way is neither answered nor lost."""
        if self._waker.fileno() >= 0:
            self._waker.close()
            self._thread.join(_STOP_LIMIT_S)

    def _run(self) -> None:
        try:
            self._ask_on()
        except RigError as error:  # the interface is gone, say: the link's own user will meet it too
            self._observe("probe_ended", {"link": self._link, "why": str(error)})
        finally:
            self._prober.close()
            self._wake.close()

    def _ask_on(self) -> None:
        due = time.monotonic_ns()
        while True:
            now = time.monotonic_ns()
            if now >= due:
                self._waiting[self._prober.way.ask()] = None
                due += self._interval * ((now - due) // self._interval + 1)
            asking = self._prober.way.sockets()
            doubtful = asking if self._prober.way.name == "tcp" else []
            patience = max(due - time.monotonic_ns(), 0) / 1e9
            ready, _, _ = select.select([self._wake, *asking], doubtful, [], patience)
            if self._wake in ready:
                return
            self._collect()

    def _collect(self) -> None:
        for answer in self._prober.way.answers():
            if answer.sent_t in self._waiting:
                del self._waiting[answer.sent_t]
                self.answers.append(answer)
                self._tell(answer.sent_t, round(answer.rtt_ms, 3))
        given_up = time.monotonic_ns() - self._patience
        for sent_t in [each for each in self._waiting if each < given_up]:
            del self._waiting[sent_t]
            self.unanswered.append(sent_t)
            self._tell(sent_t, None)

    def _tell(self, sent_t: int, rtt_ms: float | None) -> None:
        self._observe("probe", {"link": self._link, "sent_t": sent_t, "rtt_ms": rtt_ms})
