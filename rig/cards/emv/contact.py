"""EMV on contacts, of every scheme: offline authentication, offline PIN, two cryptograms, the issuer's answer.

Public: EMV Book 3, 6.5 (commands) and chapter 10; issuer authentication and scripts: EMV Book 2, 8.2 and 9. Visa and
UnionPay cards take the issuer's answer by EXTERNAL AUTHENTICATE, Mastercard cards with the second GENERATE AC.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.cards.emv.apdu import SCRIPT_COMMANDS, CardError, CommandApdu, StatusWord
from rig.cards.emv.contactless_mchip import GenerateFlow, asked_for
from rig.cards.emv.contents import asks_for_external_authenticate
from rig.cards.emv.flow import Answer, Handler, bare, split, template
from rig.cards.emv.personal import DDOL
from rig.cards.emv.scripts import obey
from rig.cards.memory import PIN, PIN_TRIES
from rig.wire.cryptogram import Decision

_PLAINTEXT_PIN = 0x80
_PIN_BLOCK = bytes([0x20 | len(PIN)]) + bytes.fromhex(PIN) + b"\xff" * 5  # EMV Book 3, 6.5.12
_APPROVED_BY_ISSUER = frozenset({"00", "08", "10", "11"})
_DECIDED_OFFLINE = frozenset({b"Y1", b"Y3"})


class ContactFlow(GenerateFlow):
    """One transaction of a card in the slot."""

    issuer_answered = False
    issuer_approves: bool | None = None
    """None where the issuer's answer did not come, or came without its authentication."""
    scripts = 0
    ended = False

    def commands(self) -> Mapping[str, Handler]:
        """See `Flow.commands`."""
        own: dict[str, Handler] = {
            "INTERNAL AUTHENTICATE": self.internal_authenticate,
            "EXTERNAL AUTHENTICATE": self.external_authenticate,
            "VERIFY": self.verify,
        }
        return {**super().commands(), **own, **dict.fromkeys(SCRIPT_COMMANDS.values(), self.script)}

    def internal_authenticate(self, command: CommandApdu) -> Answer:
        """INTERNAL AUTHENTICATE (DDA)."""
        self.begun()
        credentials = self.personal.credentials
        if credentials is None or self.personal.authentication not in ("dda", "cda") or self.first is not None:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        split(DDOL, command.data)
        signature = credentials.sign_dynamic(command.data)
        return Answer(template((0x9F4B, signature)) if self.tagged else bare(signature))

    def verify(self, command: CommandApdu) -> Answer:
        """VERIFY with the PIN in plaintext."""
        self.begun()
        cvm = self.personal.application.cvm
        if cvm is None or "offline-pin" not in cvm:
            raise CardError(StatusWord.DATA_NOT_FOUND)
        if (command.p1, command.p2) != (0, _PLAINTEXT_PIN):
            raise CardError(StatusWord.WRONG_PARAMETERS)
        left = self.memory.now.pin_tries
        if left == 0:
            raise CardError(StatusWord.METHOD_BLOCKED)
        if len(command.data) != len(_PIN_BLOCK):
            raise CardError(StatusWord.WRONG_LENGTH)
        if command.data != _PIN_BLOCK:
            self.memory.change(pin_tries=left - 1)
            raise CardError(StatusWord.WRONG_PIN, left - 1)
        self.memory.change(pin_tries=PIN_TRIES)
        return Answer()

    def external_authenticate(self, command: CommandApdu) -> Answer:
        """EXTERNAL AUTHENTICATE: the issuer's answer, once after an ARQC."""
        waits = self.first is not None and self.first.decision == "ARQC" and not self.ended
        if not waits or self.issuer_answered or not asks_for_external_authenticate(self.personal.application):
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        if not 8 <= len(command.data) <= 16:
            raise CardError(StatusWord.WRONG_LENGTH)
        if not self._hear_issuer(command.data):
            raise CardError(StatusWord.NOT_AUTHENTICATED)
        return Answer()

    def generate(self, command: CommandApdu) -> Answer:
        """GENERATE AC, the first and the second."""
        if self.first is None:
            return self.generate_first(command)
        if self.ended or self.first.decision != "ARQC":
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        asked = asked_for(command)
        if asked == "ARQC":
            raise CardError(StatusWord.WRONG_PARAMETERS)
        told = split(self.personal.cdol2, command.data)
        if any(told.get(0x91, b"")):  # zeros: the terminal has none
            self._hear_issuer(told[0x91])
        self.values |= told
        decision = self._second(asked)
        signed = self.personal.secrets.sign(decision, self.values, first="ARQC")
        self.ended = True
        self._remember(decision)
        return Answer(self.told(signed, command, self.first_data, command.data), self.cryptogram(signed, last=True))

    def script(self, command: CommandApdu) -> Answer:
        """A command of an issuer script, before or after the second GENERATE AC."""
        if self.first is None or self.first.decision == "TC":
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        raw = bytes([command.cla, command.ins, command.p1, command.p2, len(command.data)]) + command.data
        if not self.personal.secrets.sent_by_issuer(self.first, raw, self.scripts):
            raise CardError(StatusWord.WRONG_SECURE_MESSAGING)
        obey(SCRIPT_COMMANDS[command.ins], command, self.personal, self.memory)
        self.scripts += 1
        return Answer()

    def _hear_issuer(self, tag_91: bytes) -> bool:
        """Take the issuer's answer; whether it is the issuer's."""
        if self.first is None:
            return False
        said = self.personal.secrets.issuer_said(self.first, tag_91)
        self.issuer_answered = True
        self.issuer_approves = said in _APPROVED_BY_ISSUER
        if said is not None:
            self.memory.change(last_online=int.from_bytes(self.values[0x9F36], "big"))
        return said is not None

    def _second(self, asked: Decision) -> Decision:
        refuses = self.personal.profile.behaviour.second == "decline" or self.blocked
        return "AAC" if refuses or (self.issuer_answered and not self.issuer_approves) else asked

    def _remember(self, decision: Decision) -> None:
        if decision == "TC" and self.values.get(0x8A) in _DECIDED_OFFLINE:
            self.spend()
        elif self.issuer_approves and self.personal.profile.kind != "prepaid":
            spent = self.memory.now.spent
            self.memory.change(spent={**spent, self.personal.application.aid: 0})
