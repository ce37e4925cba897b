"""Faults at named moments of a transaction, with proof that they happened."""

from rig.faults.actions import (
    Action,
    Facts,
    Fault,
    Proof,
    Stage,
    cut,
    cut_ecr,
    cut_power,
    host_down,
    host_late,
    host_silent,
    impair,
    pull_card,
    switch_off,
)
from rig.faults.injection import HoldingHost, Injector
from rig.faults.moments import Moment

__all__ = [
    "Action",
    "Facts",
    "Fault",
    "HoldingHost",
    "Injector",
    "Moment",
    "Proof",
    "Stage",
    "cut",
    "cut_ecr",
    "cut_power",
    "host_down",
    "host_late",
    "host_silent",
    "impair",
    "pull_card",
    "switch_off",
]
