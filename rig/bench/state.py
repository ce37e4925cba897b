"""Secrets of a bench, made at first use and kept: token key, certificate authority, keys of issuers and schemes."""

from __future__ import annotations

from pathlib import Path

from rig.acquirer.authority import export_ca
from rig.bench.description import BenchFile
from rig.bench.places import StateDirectory
from rig.cards.emv.authority import CardAuthority
from rig.cards.keys import IssuerKeys
from rig.cards.profile import load_cards
from rig.errors import CallerMistake
from rig.history import Redactor, TestRange


def prepare_state(bench: BenchFile, state: StateDirectory, cards: Path) -> Redactor:
    """Make what is missing, keep what is there; returns the redactor under the bench's own key.

    Args:
        bench: the bench.
        state: its state directory.
        cards: the folder of card profiles, whose banks need keys.
    """
    ranges = tuple(TestRange(r.prefix, r.lengths) for r in bench.test_pans)
    redactor = _redactor(state, ranges)
    export_ca(state.root)
    IssuerKeys.load_or_create(state.root, {card.bank for card in load_cards(cards, redactor.allows).values()})
    CardAuthority(state.root).publish()
    state.terminal_disk.mkdir(exist_ok=True, mode=0o700)
    return redactor


def _redactor(state: StateDirectory, ranges: tuple[TestRange, ...]) -> Redactor:
    """The kept token key with the ranges that the bench file names today."""
    if not state.redaction.exists():
        fresh = Redactor.with_new_key(ranges)
        fresh.save(state.redaction)
        return fresh
    kept = Redactor.load(state.redaction)
    if kept.ranges == ranges:
        return kept
    if not ranges:
        raise CallerMistake("test_pans", "no range", "name the prefixes of your test cards")
    changed = kept.with_ranges(ranges)
    changed.save(state.redaction)
    return changed
