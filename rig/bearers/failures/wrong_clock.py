"""Wrong clock: the time server of a bearer is off, and so is everyone who asks it."""

from __future__ import annotations

from typing import Any

from rig.bearers.failures.failure import Site
from rig.bearers.failures.wrong_service import WrongService
from rig.errors import CallerMistake

_DAY_S = 86_400
_FURTHEST_DAYS = 18_250
"""50 years. An SNTP timestamp means a time of 1968 to 2104 (RFC 4330, 3): what is further off is read as another."""


class WrongClock(WrongService):
    """The time server answers with a time that is off.

    The terminal sees: a good answer; from then on the host's certificate has expired, or is not yet valid, and receipts
    bear the wrong date. It is felt when the terminal asks for the time next, usually after it boots.

    Args:
        offset_days: how far ahead of the true time, up to 50 years; negative for behind.
    """

    service = "ntp"
    sees = "the time server is off by years: to its clock the host's certificate is not valid"

    def __init__(self, offset_days: float = 3650) -> None:
        super().__init__()
        if not 0 < abs(offset_days) <= _FURTHEST_DAYS:
            raise CallerMistake(
                "wrong-clock", f"offset_days is {offset_days!r}", f"up to {_FURTHEST_DAYS} either way, and not none"
            )
        self._offset_s = offset_days * _DAY_S

    def rule(self, site: Site) -> dict[str, Any]:
        """The offset."""
        return {"answer": "offset", "seconds": self._offset_s}
