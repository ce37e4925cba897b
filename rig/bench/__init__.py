"""A bench: its description, its assembly, its lease, its guard, its doctor.

The names below are imported when they are first used: the guard and the doctor start faster without the session.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rig.bench.description import BenchFile, load_bench
    from rig.bench.opening import open_bench
    from rig.bench.operations import Operation
    from rig.bench.places import StateDirectory, new_run_folder
    from rig.bench.session import Bench

__all__ = ["Bench", "BenchFile", "Operation", "StateDirectory", "load_bench", "new_run_folder", "open_bench"]

_HOMES = {
    "Bench": "session",
    "BenchFile": "description",
    "Operation": "operations",
    "StateDirectory": "places",
    "load_bench": "description",
    "new_run_folder": "places",
    "open_bench": "opening",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
