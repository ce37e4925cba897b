"""The transcript of an instrument: every line sent and received, told to whoever wants to record it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Observe = Callable[[str, dict[str, Any]], None]
"""Called with ``"instrument_tx"`` or ``"instrument_rx"`` and ``{"device": name, "line": text}``."""


def unobserved(_kind: str, _data: dict[str, Any]) -> None:
    """Nobody records this instrument."""
