"""Impairments that change over time: files, importers of field traces, and the player."""

from rig.bearers.timeline.file import FOLDER, load_timeline, timeline_names, write_timeline
from rig.bearers.timeline.model import Step, Timeline
from rig.bearers.timeline.player import Player, Replay

__all__ = [
    "FOLDER",
    "Player",
    "Replay",
    "Step",
    "Timeline",
    "load_timeline",
    "timeline_names",
    "write_timeline",
]
