"""A terminal with slot and magnetic head, the rig's own cards and presenters at them, a host that knows their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rig.cards.bureau import CardBureau
from rig.cards.emv.authority import CardAuthority
from rig.cards.keys import IssuerKeys
from rig.cards.profile import CardProfile, load_card
from rig.cards.stripe import StripePresenter
from rig.cards.vpcd import VpcdPresenter
from rig.history import Redactor, TestRange
from rig.wire.cryptogram import CryptogramData, issuer_authentication_data, version_of
from rig.wire.iso8583 import Message
from rig.wire.tlv import as_mapping, encode
from tests.virtual.terminal.scripted_ecr import ScriptedEcr
from tests.virtual.terminal.scripted_host import Reply, approval
from tests.virtual.terminal.terminal_process import Bench

CARDS = Path(__file__).parents[3] / "fixtures/cards"
Events = list[tuple[str, Mapping[str, Any]]]


class SlotBench:
    """``settings`` may be changed until the first till."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.host = bench.host
        self.settings = bench.settings
        self.state = bench.folder / "state"
        self.events: Events = []
        redactor = Redactor.with_new_key([TestRange(first) for first in ("2", "4", "5", "6")])
        self.bureau = CardBureau(self.state, redactor)
        self.slot = VpcdPresenter(bench.folder / "slot.sock", self.bureau, self._observe, _ignore, loses_power=True)
        self.stripe = StripePresenter(bench.folder / "stripe.tty", self.bureau, self._observe, _ignore)
        self.after_command: Callable[[str], object] = lambda name: None
        """Called with each command's name when it is answered, before the card hears the next."""
        self.settings |= {
            "slot": "slot.sock", "stripe": "stripe.tty", "card_authorities": str(CardAuthority(self.state).publish()),
            "card_timeout_s": 3.0,
        }  # fmt: skip
        bench.card.remove()

    def till(self) -> ScriptedEcr:
        """A registered cash register; no card is anywhere."""
        till = self.bench.till()
        till.register()
        return till

    def sign(self, request: Message, profile: CardProfile, rc: str = "00", more: bytes = b"") -> Message:
        """The issuer's answer with its authentication data (91) and ``more`` of DE55."""
        tags = as_mapping(request.data(55))
        version = version_of(profile.scheme, tags[0x9F10])
        key = IssuerKeys.load_or_create(self.state, [profile.bank]).of(profile.bank).mk_ac
        data = CryptogramData.from_tags(tags)
        proof = issuer_authentication_data(version, key, profile.pan, profile.psn, data, tags[0x9F26], rc)
        answer = approval(request, rc)
        return replace(answer, fields=dict(sorted({**answer.fields, 55: encode(0x91, proof) + more}.items())))

    def answer_sales(self, make: Callable[[Message], Message | None]) -> None:
        """Script what the host says to 0200."""

        def script(request: Message) -> Reply | None:
            return (lambda: make(request)) if request.mti == "0200" else None

        self.host.script = script

    def names(self) -> list[str]:
        """The commands that the presented card was sent, by name."""
        return [fields["name"] for kind, fields in self.events if kind == "card_apdu"]

    def close(self) -> None:
        """Pull whatever is in the slot."""
        self.slot.close()

    def _observe(self, kind: str, fields: Mapping[str, Any]) -> None:
        self.events.append((kind, fields))
        if kind == "card_apdu":
            self.after_command(fields["name"])


def _ignore(*_: object) -> None:
    return


def profile(name: str, **changes: Any) -> CardProfile:
    """A card of the bench's, changed; ``behaviour`` and ``application`` (of the first) are mappings of changes."""
    card = load_card(name, CARDS)
    if "behaviour" in changes:
        changes["behaviour"] = card.behaviour.model_copy(update=changes["behaviour"])
    if "application" in changes:
        first, *others = card.applications
        changes["applications"] = (first.model_copy(update=changes.pop("application")), *others)
    return card.model_copy(update=changes)
