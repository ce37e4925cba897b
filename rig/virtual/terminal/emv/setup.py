"""The terminal's EMV settings, and the facts that they make of it.

Of a bench file's ``simulation.terminal``; amounts in minor units::

    country: "0276"                # 9F1A
    offline_capable: true          # may approve without the host, where limits and cards allow it
    contactless_limit: 1000000     # from here on another interface must be used
    contactless_cvm_limit: 5000    # from here on the cardholder is verified
    contactless_floor_limit: 0     # above it the host is asked
    kernels: {visa: {contactless_floor_limit: 2000}}   # the three contactless limits for one scheme
    action_codes: {denial: "0010000000", online: "FC78FCF800", default: "FC78FCA000"}
    card_authorities: /state/card-authorities.json     # may be absent, then no card is authentic
    card_tries: 3                  # how often a card that gets lost is read before it counts as unreadable
    card_answer_s: 10              # how long a contactless card may take for one answer, extensions included
    cardholder_pin: "1234"         # what the cardholder enters
    pin_key: 00…                   # 16 or 24 bytes in hex: the key of DE52; without it there is no DE52
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rig.errors import CallerMistake
from rig.virtual.terminal.emv.facts import ActionCodes, Facts, Limits, PinPad
from rig.virtual.terminal.emv.kernel import Note
from rig.virtual.terminal.emv.oda import load_authorities
from rig.virtual.terminal.emv.schemes import NAMES
from rig.virtual.terminal.section import Section
from rig.wire.errors import WireError

CONTACTLESS = Limits(transaction=1_000_000, cvm=5_000, floor=0)


@dataclass(frozen=True)
class EmvSettings:
    """What a terminal is told of EMV when it is installed. ``contactless`` holds limits by scheme."""

    country: str = "0276"
    offline_capable: bool = True
    contactless: Mapping[str, Limits] = field(default_factory=lambda: dict.fromkeys(NAMES, CONTACTLESS))
    action_codes: ActionCodes = field(default_factory=ActionCodes)
    card_authorities: Path | None = None
    card_tries: int = 3
    card_answer_s: float = 10.0
    pin_pad: PinPad = field(default_factory=PinPad)

    def facts(self, note: Note) -> dict[str, Facts]:
        """The terminal at its contactless reader, for each scheme, with the authorities that there are now.

        ``note`` takes terminal_authorities_damaged: a file that cannot be read is like none, so no card is authentic.
        """
        try:
            authorities = load_authorities(self.card_authorities)
        except WireError as error:
            note("terminal_authorities_damaged", why=str(error))
            authorities = ()
        at_all = Facts(
            country=self.country,
            terminal_type="22" if self.offline_capable else "21",
            offline_capable=self.offline_capable,
            action_codes=self.action_codes,
            authorities=authorities,
            pin_pad=self.pin_pad,
        )
        return {name: replace(at_all, limits=self.contactless[name]) for name in NAMES}


def read_emv(top: Section) -> EmvSettings:
    """The EMV settings in the terminal's file, where all of them may be left out.

    Raises:
        CallerMistake: one is wrong; the message names it.
    """
    usual = EmvSettings()
    authorities = top.get("card_authorities", str, "")
    return EmvSettings(
        country=top.digits("country", 4) if top.has("country") else usual.country,
        offline_capable=top.get("offline_capable", bool, usual.offline_capable),
        contactless=_limits(top),
        action_codes=_action_codes(top) if top.has("action_codes") else usual.action_codes,
        card_authorities=Path(authorities) if authorities else None,
        card_tries=max(1, top.amount("card_tries", usual.card_tries)),
        card_answer_s=top.seconds("card_answer_s", usual.card_answer_s),
        pin_pad=_pin_pad(top),
    )


def _limits(top: Section) -> dict[str, Limits]:
    general = _limits_of(top, CONTACTLESS)
    kernels = top.section("kernels") if top.has("kernels") else None
    own = {name: kernels.section(name) for name in NAMES if kernels is not None and kernels.has(name)}
    return {name: _limits_of(own[name], general) if name in own else general for name in NAMES}


def _limits_of(section: Section, usual: Limits) -> Limits:
    assert usual.transaction is not None
    return Limits(
        section.amount("contactless_limit", usual.transaction),
        section.amount("contactless_cvm_limit", usual.cvm),
        section.amount("contactless_floor_limit", usual.floor),
    )


def _action_codes(top: Section) -> ActionCodes:
    section, usual = top.section("action_codes"), ActionCodes()
    return ActionCodes(
        section.hexadecimal("denial", (5,), usual.denial),
        section.hexadecimal("online", (5,), usual.online),
        section.hexadecimal("default", (5,), usual.default),
    )


def _pin_pad(top: Section) -> PinPad:
    usual = PinPad()
    pin = top.get("cardholder_pin", str, usual.pin)
    if not (4 <= len(pin) <= 12 and pin.isascii() and pin.isdigit()):
        raise CallerMistake("terminal setting cardholder_pin", "is no PIN", "a PIN has 4 to 12 digits, in quotes")
    key = bytes.fromhex(top.hexadecimal("pin_key", (16, 24), "")) if top.has("pin_key") else None
    return PinPad(pin, key)
