"""Contactless Visa and UnionPay: the answer to GET PROCESSING OPTIONS already holds the cryptogram, there is no other.

Public: EMV Contactless Book C-3 (Visa, kernel 3) and C-7 (UnionPay, kernel 7), which share this flow. An offline
approval (TC) comes with an AFL, whose records hold the certificates and the fast dynamic signature (fDDA, C-3 annex C).
"""

from __future__ import annotations

import secrets

from rig.cards.emv.apdu import CardError, CommandApdu, StatusWord
from rig.cards.emv.contents import adds_records, knows_holder_by_device, track2
from rig.cards.emv.flow import Answer, Flow, template
from rig.cards.emv.records import DYNAMIC, pack
from rig.cards.emv.signing import Signed
from rig.wire import tlv
from rig.wire.cryptogram import Decision

# Terminal transaction qualifiers, 9F66, as byte and bit.
_READER_HAS_ONLINE_PIN, _READER_HAS_SIGNATURE = (0, 0x04), (0, 0x02)
_ONLINE_CRYPTOGRAM_REQUIRED, _CVM_REQUIRED = (1, 0x80), (1, 0x40)
# Card transaction qualifiers, 9F6C.
_ASK_ONLINE_PIN, _ASK_SIGNATURE, _KNOWN_BY_DEVICE = b"\x80\x00", b"\x40\x00", b"\x00\x80"
_NOTHING = bytes(2)
_FORM_FACTOR = {"card": bytes.fromhex("20700000"), "phone": bytes.fromhex("23800000")}  # 9F6E, Visa's
_FAST_VERSION = b"\x01"


class QuickFlow(Flow):
    """One tap."""

    def processing_options(self, command: CommandApdu) -> Answer:
        """Everything that an online transaction needs, and where to read on for an offline one."""
        if self.blocked:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        self.begin(command)
        personal = self.personal
        signed = personal.secrets.sign(self.decide(self._offered()), self.values)
        own = personal.application.objects
        qualifiers = own.get(0x9F6C) or self._card_qualifiers()  # the same as 9F69 repeats under the signature
        objects = {
            0x82: personal.interchange_profile,
            0x57: track2(personal.profile),
            0x5F34: bytes.fromhex(personal.profile.psn),
            0x9F10: signed.issuer_data,
            0x9F26: signed.value,
            0x9F27: signed.information,
            0x9F36: self.values[0x9F36],
            0x9F6C: qualifiers,
        }
        if personal.application.scheme == "visa":
            objects[0x9F6E] = _FORM_FACTOR[personal.profile.device]
        if locator := self._locator(signed, qualifiers):
            objects[0x94] = locator
        return Answer(
            template(*((tag, own.get(tag, value)) for tag, value in objects.items())), self.cryptogram(signed)
        )

    def _offered(self) -> Decision:
        """The most that the terminal lets this card do."""
        offline = self.personal.authentication == "fdda" and not self._says(_ONLINE_CRYPTOGRAM_REQUIRED)
        return "TC" if offline else "ARQC"

    def _locator(self, signed: Signed, qualifiers: bytes) -> bytes:
        """The AFL: of an offline approval everything, else the static records, where the profile adds to them."""
        credentials = self.personal.credentials
        if signed.decision == "TC" and credentials is not None:
            self.spend()
            authentication_data = _FAST_VERSION + secrets.token_bytes(4) + qualifiers
            covered = {**self.values, 0x9F69: authentication_data}
            signature = credentials.sign_fast(covered, int(self.personal.application.fast_format, 16))
            file = pack(DYNAMIC, [tlv.encode(0x9F69, authentication_data), tlv.encode(0x9F4B, signature)])
            self.show({(DYNAMIC, number): tlv.encode(0x70, body) for number, body in enumerate(file.bodies, 1)})
            return self.locator + file.locator
        return self.locator if adds_records(self.personal.application) else b""

    def _card_qualifiers(self) -> bytes:
        """9F6C: the phone knows its owner; else, where the terminal requires it, the first method that both can do."""
        application = self.personal.application
        if knows_holder_by_device(application):
            return _KNOWN_BY_DEVICE
        if self._says(_CVM_REQUIRED):
            for method in application.cvm or ():
                if method == "online-pin" and self._says(_READER_HAS_ONLINE_PIN):
                    return _ASK_ONLINE_PIN
                if method == "signature" and self._says(_READER_HAS_SIGNATURE):
                    return _ASK_SIGNATURE
        return _NOTHING

    def _says(self, qualifier: tuple[int, int]) -> bool:
        byte, bit = qualifier
        return bool(self.values[0x9F66][byte] & bit)
