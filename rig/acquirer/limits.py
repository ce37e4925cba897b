"""What a peer may ask of the host."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one door; times in seconds, ``unsent`` in bytes that a peer does not take."""

    connections: int = 64
    outstanding: int = 16
    handshake_s: float = 5.0
    frame_s: float = 5.0
    idle_s: float = 300.0
    unsent: int = 1 << 18
