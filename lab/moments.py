"""Exact moments, tried a thousand times each: the cut falls between request and answer, and no answer ever leaks.

``python -m lab.moments [--trials N] [--json]`` as root or where user namespaces are allowed; exit code 0 where nothing
leaked. The host answers the very moment a request is there, and every trial is a terminal of its own (an address of
its own), so that nothing has to be put back between two of them. How a trial knows what happened, without waiting:

- the host says on a pipe that its answer has left, when the call that sent it has returned;
- the kernel's counters (the link's, for the acquirer's hook) say that the cut began with this trial's packet;
- the terminal has nothing to read then, and still nothing when all trials of its batch are over.

Before each series the same exchange without a cut shows that answers do arrive.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.moments_bench import Client, MomentsBench
from lab.moments_hook import CONTROLS, hook_trials
from lab.part import LabTrouble, Need, Row
from rig.bearers.netspace import can_isolate, in_namespace, new_namespace, unshare_network
from rig.bearers.wire_cut import Cut, Effect, WireCut
from rig.bearers.wire_trigger import Payload, TlsRecord, Trigger

NEEDS = (Need("nft", "nftables"),)
BATCH = 100
TRIGGERS: dict[str, Trigger] = {"plain": Payload(7, b"0200"), "TLS 1.2": TlsRecord(1), "TLS 1.3": TlsRecord(1)}


@dataclass(frozen=True)
class Series:
    """One way of cutting, tried many times.

    Attributes:
        name: of the way.
        trials: how many.
        leaks: answers that reached the terminal.
        hits: cuts that began with the request of their trial.
        handshakes: connections that came up before it, TLS or plain.
        answered: answers that left the host.
        controls: exchanges without a cut, all of which must be answered.
        seconds: all of it.
    """

    name: str
    trials: int
    leaks: int
    hits: int
    handshakes: int
    answered: int
    controls: int
    seconds: float

    @property
    def good(self) -> bool:
        """No leak, in as many true trials as were asked for."""
        as_asked = {self.hits, self.handshakes, self.answered} == {self.trials} and self.controls == CONTROLS
        return self.leaks == 0 and as_asked


def run(folder: Path) -> list[Row]:
    """A thousand trials of each way, in a process of its own; as a part of the lab.

    Raises:
        LabTrouble: the trials could not be made.
    """
    command = [sys.executable, "-m", "lab.moments", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(folder)})
    if not done.stdout.strip():
        raise LabTrouble(
            f"the trials could not be made: {(done.stderr.strip().splitlines() or ['no word of why'])[-1]}"
        )
    return [_row(Series(**raw)) for raw in json.loads(done.stdout)]


def _row(series: Series) -> Row:
    measured = f"{series.leaks} leaks, {series.hits} hits, {series.handshakes} handshakes, {series.answered} answered"
    measured += f", {series.controls} of {CONTROLS} without a cut"
    what = f"cut between request and answer: {series.name}"
    return Row("moments", what, f"{series.trials} trials", measured, "0 leaks, every trial a hit", series.good)


def try_all(trials: int) -> Iterator[Series]:
    """All series, in this process's own private network.

    Raises:
        BenchTrouble: the network or nftables cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="rig-moments-") as folder:
        begun = time.monotonic()
        network = new_namespace()  # its own: cables go some time after their last user
        hooked = in_namespace(network, lambda: hook_trials(Path(folder), trials))
        os.close(network)
        yield _series("acquirer's hook, user-space link", trials, begun, **hooked)
        with MomentsBench(Path(folder)) as bench, WireCut(bench.interface) as wire:
            for protocol, trigger in TRIGGERS.items():
                begun = time.monotonic()
                kind = "payload" if isinstance(trigger, Payload) else "record"
                name = f"nft {kind} trigger, {protocol}"
                yield _series(name, trials, begun, **_wire_trials(bench, wire, protocol, trigger, trials))


def _series(name: str, trials: int, begun: float, **counted: int) -> Series:
    return Series(name, trials, seconds=round(time.monotonic() - begun, 2), **counted)


def _wire_trials(bench: MomentsBench, wire: WireCut, protocol: str, trigger: Trigger, trials: int) -> dict[str, int]:
    wire.disarm()
    controls = sum(_exchange(bench.client(protocol)) for _ in range(CONTROLS))
    bench.answers(CONTROLS)
    wire.arm(Cut(Effect.ANSWER_LOST, trigger, bench.ports[protocol]))
    leaks = hits = handshakes = answered = 0
    for first in range(0, trials, BATCH):
        clients: list[Client] = []
        for number in range(first, min(first + BATCH, trials)):
            client = bench.client(protocol)
            handshakes += 1
            client.send()
            answered += bench.answers(1)
            hits += wire.counts().hits == number + 1
            leaks += client.heard_something()
            clients.append(client)
        # Once more: a packet that was on its way at the first look has come by now.
        leaks += sum(client.heard_something() for client in clients)
        for client in clients:
            client.close()
    if wire.counts().answers_lost < trials:
        hits = 0  # answers left the host, and were not dropped here: whatever this was, it is no proof
    return {"leaks": leaks, "hits": hits, "handshakes": handshakes, "answered": answered, "controls": controls}


def _exchange(client: Client) -> bool:
    client.send()
    answered = client.wait_for_answer()
    client.close()
    return answered


def table(series: list[Series]) -> str:
    """The series as people read them."""
    rows = [f"{'way of cutting':<34}{'trials':>7}{'handshakes':>11}{'hits':>6}{'answered':>9}{'leaks':>6}{'s':>7}"]
    rows += [
        f"{s.name:<34}{s.trials:>7}{s.handshakes:>11}{s.hits:>6}{s.answered:>9}{s.leaks:>6}{s.seconds:>7.1f}"
        for s in series
    ]
    return "\n".join(rows)


def main(arguments: list[str] | None = None, say: Callable[[str], Any] = print) -> int:
    """Run all series and tell their table."""
    parser = argparse.ArgumentParser(description="Exact moments: cut between request and answer, and count leaks.")
    parser.add_argument("--trials", type=int, default=1000, help="of each way (1000)")
    parser.add_argument("--json", action="store_true", help="one JSON line instead of the table")
    options = parser.parse_args(arguments)
    unshare_network(user_namespace=can_isolate().way == "user namespace")
    series = list(try_all(options.trials))
    say(json.dumps([asdict(s) for s in series]) if options.json else table(series))
    return 0 if all(s.good for s in series) else 1


if __name__ == "__main__":
    sys.exit(main())
