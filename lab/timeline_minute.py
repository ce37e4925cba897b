"""A minute at one step a second, played over real netem: ``python -m lab.timeline_minute ROWS.json PICTURE.svg``.

Meanwhile packets go both ways so close together that each step down would let some overtake others, did netem not
keep them in order; and a probe measures what each step came to.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.fidelity import heading
from lab.part import LabTrouble, Row
from lab.wires import SEGMENTS, laid_wires
from rig.bearers.link import Backend
from rig.bearers.probe import Prober
from rig.bearers.timeline import load_timeline
from rig.bearers.timeline.play import Play
from rig.clock import percentile
from rig.errors import RigError
from rig.history import Event
from rig.report.played import played_svg, read_played

LAG_LIMIT_MS = 20.0
_PER_SECOND = 500
"""2 ms apart: the steps fall by 3.1 ms a way."""
_ERROR_LIMIT_MS = 3.0


class _Events(list[Event]):
    """The history of one play."""

    def note(self, kind: str, data: Mapping[str, Any]) -> None:
        """An event, now; called by several threads."""
        self.append(Event("", time.monotonic_ns(), "lab", os.getpid(), 0, kind, dict(data)))


def measure(backend: Backend) -> tuple[list[Row], str]:
    """Play the minute; the rows, and the picture of it.

    Raises:
        LabTrouble: it cannot be measured here, or nothing was played.
        RigError: the backend failed.
    """
    sys.setswitchinterval(0.0005)  # the packets' thread hands over to the player's soon
    events, minute = _Events(), load_timeline("minute")
    with laid_wires(backend) as wires:
        place = SEGMENTS[0]
        prober = Prober(place.terminal_address.split("/")[0], place.name)
        play = Play(wires[0].link, minute, events.note, prober)
        play.start()
        up, down = wires[0].both(round(minute.duration_ms / 1000 * _PER_SECOND), _PER_SECOND, 1.0)
        replay = play.wait(10)
    if replay is None or replay.trouble is not None:
        raise LabTrouble(f"the timeline did not play: {replay and replay.trouble}")
    (played,) = read_played(events)
    errors = sorted(abs(each) for each in played.errors_ms())
    lags = [each / 1000 for each in replay.lags_us]
    part = heading(backend)
    measured = f"p50 {percentile(lags, 50):.2f}  p99 {percentile(lags, 99):.2f} ms, {replay.superseded} passed over"
    in_time = percentile(lags, 99) <= LAG_LIMIT_MS and replay.applied == len(minute.steps)
    rows = [Row(part, "timeline of 60 steps: apply lag", "1 a second", measured, f"p99 ≤ {LAG_LIMIT_MS:g} ms", in_time)]
    for name, flow in (("up", up), ("down", down)):
        inversions, pace = _inversions(flow.numbers), f"{flow.pace:.0f} packets/s"
        said = f"{inversions} inversions, {flow.missing} missing of {flow.count}, {pace}"
        in_order = inversions == 0 and flow.missing == 0
        rows.append(Row(part, f"timeline: order {name}", f"{_PER_SECOND} packets/s", said, "0 and 0", in_order))
    error = statistics.median(errors) if errors else float("nan")
    said = f"median {error:.2f}  p95 {percentile(errors, 95):.2f} ms of {len(errors)} probes"
    limit = f"median ≤ {_ERROR_LIMIT_MS:g} ms"
    rows.append(
        Row(part, "timeline: round trip against the intended", "20 to 200 ms", said, limit, error <= _ERROR_LIMIT_MS)
    )
    return rows, played_svg(played)


def _inversions(numbers: Sequence[int]) -> int:
    return sum(1 for before, after in itertools.pairwise(numbers) if after < before)


def main(arguments: list[str]) -> int:
    """Measure, and write the rows and the picture."""
    output, picture = map(Path, arguments)
    try:
        rows, svg = measure("netem")
    except (LabTrouble, RigError) as trouble:
        print(trouble)
        return 2
    output.write_text(json.dumps([row.to_dict() for row in rows]))
    picture.write_text(svg, encoding="utf-8")
    for row in rows:
        print(f"  {'ok ' if row.ok else 'NOT'} {row.what}: {row.measured} (limit {row.limit})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
