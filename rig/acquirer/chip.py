"""The chip's part of a request (DE55) as an issuer reads it, and the chip's part of its answer.

Which rules the card follows is told by its AID (84, 9F06 or 4F: the scheme) and by 9F10 (the version). The answer
carries issuer authentication data (91), and an issuer script (72) where a fault rule asks for one.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from rig.acquirer.faults import Rule
from rig.acquirer.keys import BankKeys
from rig.acquirer.profiles import CardProfile
from rig.acquirer.request import Request
from rig.wire import tlv
from rig.wire.cryptogram import (
    CryptogramData,
    CryptogramVersion,
    Decision,
    application_cryptogram,
    covered_tags,
    issuer_authentication_data,
    read_issuer_data,
    scheme_of,
    script_command,
    script_template,
    version_of,
)
from rig.wire.errors import WireError

_ENTRY_MODES = ("05", "07")
_AIDS = (0x84, 0x9F06, 0x4F)
_AMOUNT, _CURRENCY, _ISSUER_DATA, _CRYPTOGRAM, _AUTHENTICATION = 0x9F02, 0x5F2A, 0x9F10, 0x9F26, 0x91


def came_by_chip(request: Request) -> bool:
    """Whether the terminal says that it read the chip, with or without contacts (DE22)."""
    return request.message.text(22).startswith(_ENTRY_MODES)


@dataclass(frozen=True)
class ChipData:
    """What the chip says in one request.

    Attributes:
        version: how it computes.
        psn: the PAN sequence number.
        covered: what its cryptogram covers.
        cryptogram: 9F26.
        decision: what the cryptogram says by 9F10: declined, approved, or ask the issuer.
    """

    version: CryptogramVersion
    psn: str
    covered: CryptogramData
    cryptogram: bytes
    decision: Decision

    @classmethod
    def read(cls, request: Request, card: CardProfile) -> ChipData:
        """Read DE55. Raises WireError where the card cannot have said this."""
        chip = request.chip
        aid = next((chip[tag] for tag in _AIDS if tag in chip), b"")
        scheme = scheme_of(aid) if aid else card.scheme
        version = version_of(scheme, chip.get(_ISSUER_DATA, b""))
        if not card.computes(version):
            raise WireError(f"this card has no application of {version}")
        covered = CryptogramData.from_tags(chip, covered_tags(version))
        psn = (request.message.text(23) or card.psn)[-2:].zfill(2)
        cryptogram, decision = chip.get(_CRYPTOGRAM, b""), read_issuer_data(version, covered.tag_9f10).decision
        return cls(version, psn, covered, cryptogram, decision)

    def is_of(self, card: CardProfile, keys: BankKeys, request: Request) -> bool:
        """Whether the card itself made the cryptogram, over the amount of DE4 and no other currency than DE49."""
        expected = application_cryptogram(self.version, keys.mk_ac, card.pan, self.psn, self.covered)
        told = request.chip.get(_AMOUNT, b"").hex(), request.chip.get(_CURRENCY, b"").hex()
        amount, currency = request.message.text(4), f"0{request.message.text(49)}"
        return hmac.compare_digest(self.cryptogram, expected) and told in ((amount, currency), (amount, ""))

    def answer(self, card: CardProfile, keys: BankKeys, rc: str, fault: Rule | None) -> bytes:
        """DE55 of the answer, as a host that is sound or has this fault gives it."""
        action = fault.action if fault else ""
        proof = issuer_authentication_data(
            self.version, keys.mk_ac, card.pan, self.psn, self.covered, self.cryptogram, rc
        )
        if action == "wrong_arpc":
            proof = bytes([proof[0] ^ 0xFF]) + proof[1:]
        data = b"" if action == "no_arpc" else tlv.encode(_AUTHENTICATION, proof)
        if fault is None or fault.script is None or keys.mk_smi is None:
            return data
        atc = self.covered.tag_9f36
        command = script_command(self.version, keys.mk_smi, card.pan, self.psn, atc, self.cryptogram, fault.script)
        return data + script_template([command])
