"""Measures a bearer as a packet meets it: the round trip from the bench to the terminal's address and back.

How it asks: :mod:`rig.bearers.probe_ways`. The terminal must answer on the probed bearer by one of the ways; what never
answers is silent, be it cut or just polite.
"""

from __future__ import annotations

import select
import time

from rig.bearers.probe_ways import SYN_REPEATED_S, IcmpEcho, TcpKnock, Way


class Prober:
    """Asks a terminal's address for the round trip, by ICMP or, where that is never answered, by TCP.

    Args:
        address: the terminal's, on the bearer that is measured.
        interface: the bench's interface of that bearer; empty lets the routes decide. (``SO_BINDTODEVICE``)

    Not for several threads at once. Lives in the network namespace of the thread that makes it.

    Raises:
        CallerMistake: the address is none.
        BenchTrouble: the system lets nobody ask.
    """

    def __init__(self, address: str, interface: str = "") -> None:
        self.address, self.interface = address, interface
        self.way: Way = IcmpEcho(address, interface)
        self.answered = False
        """Whether the terminal ever answered: silence is evidence only of one who does."""

    def rtt(self, timeout_s: float = 1.0) -> float | None:
        """Milliseconds of one round trip, or None for no answer within the time.

        As long as nobody has answered at all, the other way is tried too, which takes the same time again.
        """
        took = self._ask(timeout_s)
        if took is None and not self.answered:
            self.way.close()
            self.way = TcpKnock(self.address, self.interface)
            took = self._ask(min(timeout_s, SYN_REPEATED_S))
            if took is None:
                self.way.close()
                self.way = IcmpEcho(self.address, self.interface)
        self.answered = self.answered or took is not None
        return took

    def close(self) -> None:
        """Stop asking."""
        self.way.close()

    def _ask(self, timeout_s: float) -> float | None:
        sent_t = self.way.ask()
        deadline = sent_t + round(timeout_s * 1e9)
        while (left := deadline - time.monotonic_ns()) > 0:
            waiting = self.way.sockets()
            select.select(waiting, waiting if self.way.name == "tcp" else [], [], left / 1e9)
            for answer in self.way.answers():
                if answer.sent_t == sent_t:
                    return answer.rtt_ms
            if not waiting:
                break
        return None
