"""A bench: its description, its assembly, its lease, its guard, its doctor."""

from rig.bench.description import BenchFile, load_bench
from rig.bench.operations import Operation
from rig.bench.places import StateDirectory, new_run_folder
from rig.bench.session import Bench

__all__ = ["Bench", "BenchFile", "Operation", "StateDirectory", "load_bench", "new_run_folder"]
