"""Contactless Mastercard, and what its M/Chip flow shares with every card on contacts: the first GENERATE AC.

Public: EMV Contactless Book C-2 (kernel 2, EMV mode; these cards have no magnetic stripe mode); EMV Book 3, 6.5.5;
combined authentication (CDA): EMV Book 2, 6.6.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.cards.emv.apdu import CardError, CommandApdu, StatusWord
from rig.cards.emv.flow import Answer, Flow, Handler, bare, split, template
from rig.cards.emv.signing import Signed
from rig.cards.profile import Interface
from rig.wire import tlv
from rig.wire.cryptogram import Decision

_ASKED: dict[int, Decision] = {0x00: "AAC", 0x40: "TC", 0x80: "ARQC"}
_COMBINED = 0x10


class GenerateFlow(Flow):
    """GPO that tells AIP and AFL, records, and a cryptogram for GENERATE AC."""

    first: Signed | None = None
    first_data = b""

    def commands(self) -> Mapping[str, Handler]:
        """See `Flow.commands`."""
        return {**super().commands(), "GENERATE AC": self.generate}

    @property
    def tagged(self) -> bool:
        """Whether answers have the format 2 (77) rather than 1 (80): Mastercard's do, and all over the air."""
        scheme, interface = self.personal.application.scheme, self.personal.interface
        return scheme == "mastercard" or interface is Interface.CONTACTLESS

    def processing_options(self, command: CommandApdu) -> Answer:
        """AIP and AFL."""
        if self.blocked and self.personal.interface is Interface.CONTACTLESS:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        self.begin(command)
        told = (0x82, self.personal.interchange_profile), (0x94, self.locator)
        return Answer(template(*told) if self.tagged else bare(*(value for _, value in told)))

    def generate(self, command: CommandApdu) -> Answer:
        """GENERATE AC; over the air there is only one."""
        if self.first is not None:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return self.generate_first(command)

    def generate_first(self, command: CommandApdu) -> Answer:
        """The first cryptogram."""
        self.begun()
        asked = asked_for(command)
        values = self.values | split(self.personal.cdol1, command.data)
        before, self.values = self.values, values
        try:
            signed = self.personal.secrets.sign(self.decide(asked), values)
        except CardError:
            self.values = before
            raise
        if signed.decision == "TC":
            self.spend()
        self.first, self.first_data = signed, command.data
        return Answer(self.told(signed, command, self.first_data), self.cryptogram(signed))

    def told(self, signed: Signed, command: CommandApdu, *lists: bytes) -> bytes:
        """The answer to GENERATE AC, with a combined signature where it is asked for and there is one.

        Args:
            signed: the cryptogram.
            command: which asked for it.
            lists: the values that came for CDOL1 and, with the second cryptogram, CDOL2.
        """
        information, atc = signed.information, self.values[0x9F36]
        credentials = self.personal.credentials
        combined = command.p1 & _COMBINED and self.personal.authentication == "cda" and signed.decision != "AAC"
        if combined and credentials is not None:
            parts = {0x9F27: information, 0x9F36: atc, 0x9F10: signed.issuer_data}
            covered = self.pdol_values + b"".join(lists) + b"".join(tlv.encode(*each) for each in parts.items())
            signature = credentials.sign_combined(self.values[0x9F37], information, signed.value, covered)
            return template((0x9F27, information), (0x9F36, atc), (0x9F4B, signature), (0x9F10, signed.issuer_data))
        if self.tagged:
            return template((0x9F27, information), (0x9F36, atc), (0x9F26, signed.value), (0x9F10, signed.issuer_data))
        return bare(information, atc, signed.value, signed.issuer_data)


def asked_for(command: CommandApdu) -> Decision:
    """What the terminal proposes. Raises CardError for what does not exist."""
    asked = _ASKED.get(command.p1 & 0xC0)
    if asked is None or command.p2:
        raise CardError(StatusWord.WRONG_PARAMETERS)
    return asked
