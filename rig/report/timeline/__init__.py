"""The picture of a case: what was done to it, what everyone said, and what came of it, on one time axis."""

from rig.report.timeline.svg import LARGEST, description_html, timeline_svg

__all__ = ["LARGEST", "description_html", "timeline_svg"]
