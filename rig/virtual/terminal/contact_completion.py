"""How a contact purchase ends: the issuer authenticated, its scripts carried out, the second cryptogram.

Source: EMV Book 3, 10.9 to 10.11; Book 4, 6.3.9 and annexes A5 (9F5B) and A6 (8A).
"""

from __future__ import annotations

from rig.virtual.terminal.emv import apdu
from rig.virtual.terminal.emv.actions import Cryptogram, without_host
from rig.virtual.terminal.emv.card import CardLost, CardRefused, Completion, HostAnswer
from rig.virtual.terminal.emv.generate import generate
from rig.virtual.terminal.emv.kernel import Selected, entries_of, fill
from rig.virtual.terminal.emv.objects import for_host
from rig.virtual.terminal.emv.tvr import Tvr
from rig.virtual.terminal.results import approves
from rig.wire.errors import WireError
from rig.wire.oda import PublicKey
from rig.wire.tlv import Tlv, parse

_ISSUER_AUTHENTICATION = 0x04
_APPROVED, _DECLINED = "Y3", "Z3"
"""8A where the host could not be asked."""
_BEFORE, _AFTER = 0x71, 0x72
_SUCCESSFUL, _FAILED = 0x20, 0x10


class Completing:
    """A card that has given its first cryptogram and waits in the slot.

    Args:
        selected: the card and its application.
        objects: all that is known, its first cryptogram included.
        tvr: what the terminal found wrong until now.
        sent: the values sent for the PDOL and CDOL1, which CDA covers.
        key: the card's, where its cryptograms are signed.
    """

    def __init__(
        self, selected: Selected, objects: dict[int, bytes], tvr: Tvr, sent: bytes, key: PublicKey | None
    ) -> None:
        self.objects = objects
        self._selected = selected
        self._tvr = tvr
        self._sent = sent
        self._key = key
        self._results = b""

    def finish(self, answer: HostAnswer | None) -> Completion:
        """Tell the card what the host said, and hear its last word; ``None``: the host was not reached.

        A card that was pulled, or goes wrong, has not approved.
        """
        try:
            return self._finish(answer)
        except CardLost as lost:
            return Completion(False, for_host(self.objects), f"the card left before its last word: {lost}")
        except (CardRefused, apdu.StatusError) as error:
            return Completion(False, for_host(self.objects), str(error))

    def give_up(self, kind: Cryptogram) -> None:
        """A card that cannot be believed and waits for the issuer is told to decline (Book 4, 6.3.2.2)."""
        if kind is Cryptogram.ARQC:
            self.finish(HostAnswer(_DECLINED))

    def _finish(self, answer: HostAnswer | None) -> Completion:
        told = _objects_of(answer.chip if answer else b"")
        self._authenticate_issuer(told)
        self._run_scripts(told, _BEFORE, Tvr.SCRIPT_FAILED_BEFORE)
        if answer is None:
            asked = without_host(self.objects, self._tvr, self._selected.facts)
            rc = _APPROVED if asked is Cryptogram.TC else _DECLINED
        else:
            asked, rc = Cryptogram.TC if approves(answer.rc) else Cryptogram.AAC, answer.rc
        self.objects |= {0x8A: rc.encode(), 0x95: self._tvr.encode()}
        kind, why = self._last_word(asked)
        self._run_scripts_after(told)
        if asked is Cryptogram.TC and kind is not Cryptogram.TC:
            why = why or "the card declined"
        return Completion(asked is kind is Cryptogram.TC and not why, for_host(self.objects), why)

    def _last_word(self, asked: Cryptogram) -> tuple[Cryptogram, str]:
        """The second GENERATE AC. An issuer's approval needs no signature of the card any more."""
        data = fill(entries_of(self.objects[0x8D]), self.objects)
        key = self._key if self.objects[0x8A] == _APPROVED.encode() else None
        got = generate(self._selected.transceive, asked, data, self.objects[0x9F37], self._sent, key)
        self.objects |= got.objects
        return got.kind, got.why

    def _authenticate_issuer(self, told: list[Tlv]) -> None:
        """EXTERNAL AUTHENTICATE where the card can it (AIP); else 91 goes with the second GENERATE AC."""
        data = next((each.value for each in told if each.tag == 0x91), None)
        if data is None:
            return
        self.objects[0x91] = data
        if self.objects[0x82][0] & _ISSUER_AUTHENTICATION:
            try:
                apdu.command(self._selected.transceive, apdu.external_authenticate(data))
            except apdu.StatusError as error:
                self._selected.note("terminal_issuer_not_authenticated", why=str(error))
                self._tvr |= Tvr.ISSUER_AUTHENTICATION_FAILED

    def _run_scripts_after(self, told: list[Tlv]) -> None:
        """The scripts for after the last word, which stands whatever becomes of them."""
        try:
            self._run_scripts(told, _AFTER, Tvr.SCRIPT_FAILED_AFTER)
        except CardLost as lost:
            self._selected.note("terminal_script", ok=False, why=str(lost))

    def _run_scripts(self, told: list[Tlv], template: int, failed: Tvr) -> None:
        for script in told:
            if script.tag != template:
                continue
            identifier, result = self._run_script(script)
            self._results += bytes([result]) + identifier
            self.objects[0x9F5B] = self._results
            self._selected.note("terminal_script", ok=result == _SUCCESSFUL, template=f"{template:X}")
            if result != _SUCCESSFUL:
                self._tvr |= failed
                self.objects[0x95] = self._tvr.encode()

    def _run_script(self, script: Tlv) -> tuple[bytes, int]:
        """Its identifier (9F18), and the first byte of its result: a failed command ends it, and is numbered."""
        try:
            parts = parse(script.value)
        except WireError:
            return bytes(4), _FAILED
        identifier = next((each.value for each in parts if each.tag == 0x9F18), b"")[:4].rjust(4, b"\0")
        commands = [each.value for each in parts if each.tag == 0x86]
        for number, each in enumerate(commands, start=1):
            response = self._selected.transceive(each)
            if response[-2:-1] not in (b"\x90", b"\x62", b"\x63"):
                return identifier, _FAILED | min(number, 0x0F)
        return identifier, _SUCCESSFUL


def _objects_of(chip: bytes) -> list[Tlv]:
    """The host's DE55; one that cannot be read holds nothing for the card."""
    try:
        return parse(chip)
    except WireError:
        return []
