"""Wrong clock: the time server of a bearer is off, and so is everyone who asks it."""

from __future__ import annotations

from typing import Any

from rig.bearers.failures.failure import Site
from rig.bearers.failures.wrong_service import WrongService
from rig.errors import CallerMistake

_DAY_S = 86_400


class WrongClock(WrongService):
    """The time server answers with a time that is off.

    The terminal sees: a good answer; from then on the host's certificate has expired, or is not yet valid, and receipts
    bear the wrong date. It is felt when the terminal asks for the time next, usually after it boots.

    Args:
        offset_days: how far ahead of the true time; negative for behind.
    """

    service = "ntp"
    sees = "the time server is off by years: to its clock the host's certificate is not valid"

    def __init__(self, offset_days: float = 3650) -> None:
        super().__init__()
        if not 0 < abs(offset_days) <= 36_500:
            raise CallerMistake("wrong-clock", f"offset_days is {offset_days!r}", "up to 100 years, and not none")
        self._offset_s = offset_days * _DAY_S

    def rule(self, site: Site) -> dict[str, Any]:
        """The offset."""
        return {"answer": "offset", "seconds": self._offset_s}
