"""The remote API of an Amarisoft base station, as far as a cell's gain; see :mod:`rig.instruments.amarisoft`.

Cell ``n`` is channel ``n``. A gain is what the box believes; what leaves its antenna is the path.
"""

from __future__ import annotations

import json
from typing import Any

from rig.virtual.attenuators.box import Box, Say

_VERSION = "2026-06-12"


class CallBox(Box):
    """A base station's remote API; a message a line, and so is each answer."""

    def greet(self) -> str:
        """What it says first; a wrong model is the core network beside it."""
        kind = "ENB" if self.model == self.plate else "MME"
        return json.dumps({"message": "ready", "type": kind, "name": kind, "version": _VERSION})

    def answer(self, line: str, say: Say) -> tuple[str, ...]:
        """One message."""
        try:
            asked = json.loads(line)
        except ValueError:
            return (json.dumps({"error": "syntax error"}),)
        if not isinstance(asked, dict):
            return (json.dumps({"error": "no object"}),)
        told = {"message": asked.get("message"), **self._told(asked)}
        return (json.dumps(told | {key: asked[key] for key in ("message_id",) if key in asked}),)

    def _told(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("message") == "config_get":
            cells = {str(channel): {"gain": 0 - self.bank.told_db[channel - 1]} for channel in self.bank.channels}
            return {"type": "ENB", "name": "ENB", "version": _VERSION, "cells": cells}
        if asked.get("message") == "cell_gain":
            channel, gain = asked.get("cell_id"), asked.get("gain")
            if not isinstance(channel, int) or channel not in self.bank.channels:
                return {"error": f"cell {channel} not found"}
            if not isinstance(gain, int | float) or not self.bank.takes(-gain):
                return {"error": "gain: out of range"}
            self.bank.set(channel, 0 - gain)
            return {}
        return {"error": f"unknown message {asked.get('message')!r}"}
