"""A test card: what finds the application that a terminal selects and gives each command to its flow.

Applications are found by PPSE, PSE or name (`directory`), and go one of three ways: `contactless_visa` (Visa and
UnionPay), `contactless_mchip` (Mastercard), `contact` (all of them in the slot).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from rig.cards.counter import TransactionCounter
from rig.cards.emv import contents, directory
from rig.cards.emv.apdu import PPSE, PSE, SCRIPT_COMMANDS, CardError, CommandApdu, StatusWord, command_name
from rig.cards.emv.contact import ContactFlow
from rig.cards.emv.contactless_mchip import GenerateFlow
from rig.cards.emv.contactless_visa import QuickFlow
from rig.cards.emv.flow import Answer, Cryptogram, Flow, record
from rig.cards.emv.get_data import get_data
from rig.cards.emv.personal import PDOL, Personal
from rig.cards.memory import CardMemory
from rig.cards.profile import CardProfile, Interface
from rig.wire.errors import WireError

__all__ = ["PDOL", "PPSE", "PSE", "Cryptogram", "EmvCard", "Exchange"]

_BY_NAME = 0x04
_FIRST_OR_NEXT = (0x00, 0x02)
_CLASSES = (0x00, 0x80, 0x84, 0x8C)
_CHALLENGE = 8
_FLOW_COMMANDS = frozenset({
    "GPO", "READ RECORD", "GENERATE AC", "INTERNAL AUTHENTICATE", "EXTERNAL AUTHENTICATE", "VERIFY",
    *SCRIPT_COMMANDS.values(),
})  # fmt: skip


@dataclass(frozen=True)
class Exchange:
    """One command and what the card makes of it.

    Attributes:
        name: the command for people, e.g. ``SELECT AID``.
        response: data and status word.
        selected: an application was selected by this command.
        cryptogram: what this command's answer signs, if anything.
    """

    name: str
    command: bytes
    response: bytes
    selected: bool = False
    cryptogram: Cryptogram | None = None


class EmvCard:
    """One personalised card on one interface.

    Args:
        profile: what it is.
        interface: contactless or contact.
        personals: its applications, in the profile's order.
        counter: its transaction counter.
        memory: what else it remembers.
    """

    def __init__(
        self,
        profile: CardProfile,
        interface: Interface,
        personals: Sequence[Personal],
        counter: TransactionCounter,
        memory: CardMemory,
    ) -> None:
        self.profile = profile
        self.interface = interface
        self._personals = {each.application.aid: each for each in personals}
        self._counter, self._memory = counter, memory
        self._selector = directory.Selector(profile.applications)
        self._flow: Flow | None = None
        self._in_directory = False

    def reset(self) -> None:
        """The card lost its field or its power: nothing is selected any more."""
        self._selector.reset()
        self._deselect()

    def process(self, raw: bytes) -> Exchange:
        """Answer one command. Never raises for what a terminal sends: a card answers with a status word."""
        try:
            command = CommandApdu.decode(raw)
        except WireError:
            return Exchange("malformed", raw, StatusWord.WRONG_LENGTH.encode())
        name = command_name(command)
        try:
            if name.startswith("SELECT"):
                return self._select(name, command, raw)
            answer = self._answer(name, command)
        except CardError as refusal:
            return Exchange(name, raw, refusal.answer)
        return Exchange(name, raw, answer.data + StatusWord.OK.encode(), cryptogram=answer.cryptogram)

    def _select(self, name: str, command: CommandApdu, raw: bytes) -> Exchange:
        if command.p1 != _BY_NAME or command.p2 not in _FIRST_OR_NEXT:
            raise CardError(StatusWord.WRONG_PARAMETERS)
        self._deselect()
        if self._memory.now.card_blocked:
            raise CardError(StatusWord.NOT_SUPPORTED)
        if name != "SELECT AID":
            return Exchange(name, raw, self._directory(command) + StatusWord.OK.encode())
        application = self._selector.find(command)
        self._flow = flow = self._flow_of(self._personals[application.aid])
        status = StatusWord.SELECTED_BLOCKED if flow.blocked else StatusWord.OK
        data = directory.select_application(application, flow.personal.pdol)
        return Exchange(name, raw, data + status.encode(), selected=not flow.blocked)

    def _directory(self, command: CommandApdu) -> bytes:
        here = PPSE if self.interface is Interface.CONTACTLESS else PSE
        if command.data != here or command.p2:
            raise CardError(StatusWord.FILE_NOT_FOUND)
        if here == PPSE:
            return directory.select_ppse(self.profile.applications)
        self._in_directory = True
        return directory.select_pse()

    def _flow_of(self, personal: Personal) -> Flow:
        if self.interface is Interface.CONTACT:
            return ContactFlow(personal, self._counter, self._memory)
        flow = QuickFlow if contents.quick(personal.application, self.interface) else GenerateFlow
        return flow(personal, self._counter, self._memory)

    def _answer(self, name: str, command: CommandApdu) -> Answer:
        if command.cla not in _CLASSES:
            raise CardError(StatusWord.WRONG_CLASS)
        if name == "GET CHALLENGE":
            return Answer(secrets.token_bytes(_CHALLENGE))
        if name == "GET DATA":
            personal = self._flow.personal if self._flow else None
            return Answer(get_data(command.tag, personal, self._counter, self._memory))
        if name == "READ RECORD" and self._in_directory:
            return Answer(record(self._directory_records(), command))
        if name not in _FLOW_COMMANDS:
            raise CardError(StatusWord.WRONG_INSTRUCTION)
        if self._flow is None or self._memory.now.card_blocked:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        handler = self._flow.commands().get(name)
        if handler is None:
            raise CardError(StatusWord.WRONG_INSTRUCTION)
        return handler(command)

    def _directory_records(self) -> dict[tuple[int, int], bytes]:
        records = directory.pse_records(self.profile.applications)
        return {(directory.DIRECTORY_FILE, number): each for number, each in enumerate(records, 1)}

    def _deselect(self) -> None:
        self._flow, self._in_directory = None, False
