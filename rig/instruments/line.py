"""What a driver of a line-speaking instrument needs of its transport, whichever that is."""

from __future__ import annotations

from typing import Protocol


class Line(Protocol):
    """A session with an instrument that is asked a line and answers with one."""

    @property
    def name(self) -> str:
        """What the bench calls the instrument."""

    def query(self, command: str) -> str:
        """Send a line and return its answer, stripped.

        Raises:
            DeviceMute, DeviceGone, DeviceNonsense: no answer, no instrument, or none of its protocol.
        """

    def close(self) -> None:
        """End the session and free the instrument."""
