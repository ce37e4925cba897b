"""Which events of the devices are moments of a transaction, at which faults may happen."""

from __future__ import annotations

from typing import Any

from rig.faults import Injector, Moment

_ECR_MOMENTS = {"status_information": Moment.STATUS_INFORMATION, "print_line": Moment.PRINT_LINE}
_CARD_NOT_READ = 0x0C
"""The intermediate status "card not readable" (PA00P015, 04 FF)."""
_CARD_MOMENTS = {
    "card_selected": Moment.CARD_SELECTED,
    "card_cryptogram": Moment.BEFORE_REQUEST,
    "card_answered": Moment.CARD_ANSWERED,
}


class SeenMoments:
    """Tells the injector; devices are opened before there is one. May be called from several threads."""

    def __init__(self) -> None:
        self.injector: Injector | None = None
        """Who runs the faults; nothing is told before it is set."""

    def card(self, name: str, data: dict[str, Any]) -> None:
        """Something happened to the card."""
        if name in _CARD_MOMENTS and self.injector is not None:
            self.injector.reached(_CARD_MOMENTS[name], **data)

    def ecr(self, name: str, data: dict[str, Any]) -> None:
        """The terminal told the cash register something."""
        if self.injector is None:
            return
        if name in _ECR_MOMENTS:
            self.injector.reached(_ECR_MOMENTS[name])
        elif name == "intermediate_status" and data.get("code") == _CARD_NOT_READ:
            self.injector.reached(Moment.CARD_NOT_READ)
