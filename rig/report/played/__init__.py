"""The picture of a timeline that was played: what was meant, and what packets met."""

from rig.report.played.reading import Played, Stretch, read_played
from rig.report.played.svg import LARGEST, played_html, played_svg

__all__ = ["LARGEST", "Played", "Stretch", "played_html", "played_svg", "read_played"]
