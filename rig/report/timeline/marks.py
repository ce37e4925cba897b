"""What the picture is made of: marks on lanes, each with a time, a shape, a tone and perhaps words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum


class Lane(StrEnum):
    """The lanes, from top to bottom; an empty one is left out."""

    FAULT = "Fault, moment"
    SIGNAL = "Signal"
    CARD = "Card"
    ECR = "Cash register"
    HOST = "Host"
    OUTCOME = "Outcome"


class Shape(Enum):
    """The form of a mark, so that no meaning hangs on colour alone."""

    TICK = "tick"
    SENT = "sent"
    RECEIVED = "received"
    DIAMOND = "diamond"
    DOT = "dot"
    RING = "ring"
    CROSS = "cross"
    BAR = "bar"


class Tone(StrEnum):
    """Colours after Okabe and Ito (2008), which people with any common colour vision can tell apart."""

    PLAIN = "#4d5358"
    FAULT = "#c04a00"
    SIGNAL = "#7a5ea8"
    CARD = "#0072b2"
    ECR = "#33658a"
    HOST = "#00795a"
    GOOD = "#00795a"
    BAD = "#b3261e"
    DOUBT = "#a86a00"


class Weight(IntEnum):
    """How much the words of a mark matter when there is no room for all."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


@dataclass(frozen=True)
class Mark:
    """One thing to draw.

    Attributes:
        lane: where.
        t: when, in monotonic nanoseconds.
        shape: its form.
        tone: its colour.
        label: words beneath it, or none.
        weight: how much the words matter.
        until: for a bar: its end.
    """

    lane: Lane
    t: int
    shape: Shape
    tone: Tone
    label: str = ""
    weight: Weight = Weight.NORMAL
    until: int | None = None


@dataclass(frozen=True)
class Level:
    """One step of the attenuation of a path, or one reading of a signal."""

    t: int
    name: str
    value: float
    unit: str
