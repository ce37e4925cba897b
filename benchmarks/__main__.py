"""All benchmarks, or those that are named, as JSON lines: ``python -m benchmarks [acquirer] [sale] …``."""

from __future__ import annotations

import importlib
import json
import sys

NAMES = ("sale", "start", "card", "attenuator", "impairment", "acquirer")


def main(wanted: list[str]) -> None:
    for name in wanted or NAMES:
        if name not in NAMES:
            sys.exit(f"no benchmark {name!r}; there are {', '.join(NAMES)}")
        for line in importlib.import_module(f"benchmarks.{name}").measure():
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
