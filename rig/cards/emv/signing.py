"""What a chip does with the keys that it shares with its issuer: sign, know the issuer's answer, obey its scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rig.cards.emv.apdu import CardError, StatusWord
from rig.cards.keys import MasterKeys
from rig.wire.cryptogram import (
    CryptogramData,
    CryptogramVersion,
    Decision,
    application_cryptogram,
    check_issuer_authentication,
    check_script,
    covered_tags,
    issuer_data,
)
from rig.wire.errors import WireError

INFORMATION: dict[Decision, int] = {"AAC": 0x00, "TC": 0x40, "ARQC": 0x80}
"""Cryptogram information data, 9F27 (EMV Book 3, table 15)."""


@dataclass(frozen=True)
class Signed:
    """One cryptogram.

    Attributes:
        decision: what it says.
        issuer_data: the 9F10 that goes with it.
        value: 9F26.
        data: what it covers.
    """

    decision: Decision
    issuer_data: bytes
    value: bytes
    data: CryptogramData

    @property
    def information(self) -> bytes:
        """9F27."""
        return bytes([INFORMATION[self.decision]])


@dataclass(frozen=True)
class ChipSecrets:
    """The issuer's master keys as one application uses them, for its own number."""

    keys: MasterKeys = field(repr=False)
    version: CryptogramVersion
    pan: str = field(repr=False)
    psn: str

    def sign(self, decision: Decision, values: Mapping[int, bytes], first: Decision | None = None) -> Signed:
        """Sign a decision.

        Args:
            decision: what the cryptogram will say.
            values: the terminal's data objects, and AIP and counter of the card.
            first: for a second cryptogram, what the first one said.

        Raises:
            CardError: the terminal did not tell what the cryptogram covers.
        """
        told = issuer_data(self.version, decision, first=first)
        try:
            data = CryptogramData.from_tags({**values, 0x9F10: told}, covered_tags(self.version))
        except WireError:
            raise CardError(StatusWord.WRONG_DATA) from None
        value = application_cryptogram(self.version, self.keys.mk_ac, self.pan, self.psn, data)
        return Signed(decision, told, value, data)

    def issuer_said(self, request: Signed, tag_91: bytes) -> str | None:
        """The issuer's response code to a request, or None where the answer is not the issuer's."""
        return check_issuer_authentication(
            self.version, self.keys.mk_ac, self.pan, self.psn, request.data, request.value, tag_91
        )

    def sent_by_issuer(self, request: Signed, command: bytes, number: int) -> bool:
        """Whether a script's command, the `number`-th from 0, comes from the issuer in answer to this request."""
        atc = request.data.tag_9f36
        return check_script(self.version, self.keys.mk_smi, self.pan, self.psn, atc, request.value, command, number)
