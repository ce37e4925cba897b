"""x"""

from __future__ import annotations

from rig.report.scorecard.model import Scorecard


def page(card: Scorecard) -> str:
    return "<html/>"
