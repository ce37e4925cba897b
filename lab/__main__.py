"""``python -m lab [PART …]``: all parts, or those named, and one table of what held.

Ends with 0 where all held, 1 where a figure or a test did not, 2 where a part could not run, and 3 where something
must be installed first that this user may not install; 1 goes before the others.
"""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from lab import junit, table
from lab.install import install, missing_packages
from lab.part import LabTrouble, Part, Row
from rig.errors import RigError

PARTS = ("netem", "userspace", "moments", "timeline", "cards", "wifi")
HELD, BROKEN, COULD_NOT_RUN, NOT_INSTALLED = 0, 1, 2, 3


@dataclass
class Outcome:
    """What became of the parts.

    Attributes:
        rows: of those that ran.
        troubles: part → why it could not run.
        reports: JUnit reports that parts left.
        lacks: whether something could not be installed.
    """

    rows: list[Row] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)
    reports: list[Path] = field(default_factory=list)
    lacks: bool = False

    @property
    def code(self) -> int:
        """The exit code."""
        if not all(row.ok for row in self.rows):
            return BROKEN
        if self.lacks:
            return NOT_INSTALLED
        return COULD_NOT_RUN if self.troubles or not self.rows else HELD


def run_parts(names: Sequence[str], folder: Path) -> Outcome:
    """Install what the parts need, and run one after the other."""
    outcome = Outcome()
    parts = {name: cast(Part, importlib.import_module(f"lab.{name}")) for name in names}
    why = ""
    if packages := missing_packages(need for part in parts.values() for need in part.NEEDS):
        why = install(packages)
    for name, part in parts.items():
        print(f"\n=== lab: {name}", flush=True)
        if lacking := missing_packages(part.NEEDS):
            outcome.lacks = True
            outcome.troubles[name] = f"lacks {', '.join(lacking)}: {why or 'installed, and yet not there'}"
            continue
        _run_part(name, part, folder / name, outcome)
    return outcome


def _run_part(name: str, part: Part, folder: Path, outcome: Outcome) -> None:
    folder.mkdir()
    begun = time.monotonic()
    try:
        rows = part.run(folder)
        if not rows:
            raise LabTrouble("measured nothing")
        outcome.rows += rows
    except (LabTrouble, RigError) as trouble:
        outcome.troubles[name] = str(trouble)
    except Exception as error:  # noqa: BLE001 - a part that breaks must not hide what the others measured
        traceback.print_exc()
        outcome.troubles[name] = f"{type(error).__name__}: {error}"
    outcome.reports += sorted(folder.glob("*.xml"))
    print(f"=== lab: {name}: {time.monotonic() - begun:.0f} s", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, print the table, write what is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab", description="Measure on kernels that have it all.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all of them if none is named")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--junit-xml", type=Path, metavar="FILE", help="write a JUnit report there")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the kernels end with us
    with tempfile.TemporaryDirectory(prefix="rig-lab-") as folder:
        outcome = run_parts([name for name in PARTS if name in (options.parts or PARTS)], Path(folder))
        if options.junit_xml:
            junit.write(options.junit_xml, outcome.rows, outcome.troubles, outcome.reports)
    if options.json:
        told = {"rows": [row.to_dict() for row in outcome.rows], "troubles": outcome.troubles}
        options.json.write_text(json.dumps(told, ensure_ascii=False, indent=1))
    print(table.render(outcome.rows, outcome.troubles))
    return outcome.code


if __name__ == "__main__":
    sys.exit(main())
