"""Faults at named moments of a transaction, with proof that they happened."""

from rig.bearers.wire_trigger import Payload, TlsRecord
from rig.faults.actions import (
    Action,
    Facts,
    Fault,
    LateProof,
    Proof,
    Stage,
    cut,
    cut_ecr,
    cut_power,
    fail,
    host_down,
    host_late,
    host_silent,
    impair,
    play,
    pull_card,
    switch_off,
)
from rig.faults.injection import HoldingHost, Injector
from rig.faults.moments import Moment
from rig.faults.wifi import change_channel, deauthenticate, roam, wifi_vanish, wrong_key
from rig.faults.wire import cut_on_wire, lose_request_on_wire, reset_on_wire

__all__ = [
    "Action",
    "Facts",
    "Fault",
    "HoldingHost",
    "Injector",
    "LateProof",
    "Moment",
    "Payload",
    "Proof",
    "Stage",
    "TlsRecord",
    "change_channel",
    "cut",
    "cut_ecr",
    "cut_on_wire",
    "cut_power",
    "deauthenticate",
    "fail",
    "host_down",
    "host_late",
    "host_silent",
    "impair",
    "lose_request_on_wire",
    "play",
    "pull_card",
    "reset_on_wire",
    "roam",
    "switch_off",
    "wifi_vanish",
    "wrong_key",
]
