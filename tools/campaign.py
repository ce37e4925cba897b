"""Arbitrary bytes for the parsers that meet a stranger's: ``python -m tools.campaign [--inputs 100000]``.

Each target takes that many arbitrary inputs, chosen by hypothesis, and may raise nothing but its own error. Prints one
JSON line a target: the inputs, how many of them were refused, the seconds. The tests run the same with fewer.

One example of hypothesis holds many inputs, because most of the time goes into choosing: its bytes are cut into them,
each as long as its first byte says. An example that fails is made small as usual.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rig.wire import tlv
from rig.wire.errors import WireError
from rig.wire.isodep import CardSide, Granted, Reply, Request
from rig.wire.isodep_blocks import Ats
from rig.wire.isodep_reader import IsoDepError, ReaderSide, Send, run

INPUTS = 100_000
EXAMPLE_INPUTS = 32  # or thereabouts
LONGEST = 64

PCBS = bytes.fromhex("02 03 12 13 0A 0B 1A A2 A3 B2 B3 AA BA C2 CA F2 FA D0 D1 E0 06 00 F0")
"""Control bytes that mean something, or nearly; every second block of a conversation begins with one."""


@dataclass
class Figures:
    """What a target has taken."""

    target: str
    inputs: int = 0
    refused: int = 0
    seconds: float = 0.0


Target = Callable[[bytes], bool]
"""Takes one input and says whether it was sound. May raise nothing."""


def cut(data: bytes) -> Iterator[bytes]:
    """The inputs in an example's bytes."""
    at = 0
    while at < len(data):
        end = at + 1 + data[at] % LONGEST
        yield data[at + 1 : end]
        at = end


def blocks(data: bytes) -> list[bytes]:
    """An input as a conversation: blocks of up to eight bytes."""
    found, at = [], 0
    while at < len(data):
        head, end = data[at], at + 1 + (data[at] & 0x7F) % 9
        block = data[at + 1 : end]
        found.append(bytes([PCBS[block[0] % len(PCBS)]]) + block[1:] if head & 0x80 and block else block)
        at = end
    return found


def parse_tlv(data: bytes) -> bool:
    """BER-TLV and data object lists, decoded every way; what is sound is written and read again, and is the same."""
    try:
        sound = tlv.parse(data)
        tlv.find(data, 0x9F26)
        tlv.as_mapping(data)
    except WireError:
        sound = []
    assert tlv.parse(tlv.encode_all(sound)) == sound
    try:
        entries = tlv.parse_dol(data)
    except WireError:
        return bool(sound)
    assert tlv.parse_dol(tlv.encode_dol(entries)) == entries
    filled = tlv.fill_dol(entries, {each.tag: each.value for each in sound})
    assert len(tlv.split_dol(entries, filled)) == len({each.tag for each in entries})
    return True


def meet_card(data: bytes) -> bool:
    """A card after RATS, told these blocks: it raises nothing, and never sends more than the reader takes."""
    card, sound = CardSide(Ats(cid=bool(len(data) & 1))), False
    card.receive(bytes([0xE0, data[0] & 0x8F if data else 0x80]))
    for block in blocks(data):
        match reaction := card.receive(block):
            case Request():
                sound = True
                sent = card.extend(1) if len(block) & 1 else card.answer(block * 9)
            case Granted():
                sent = card.answer(b"\x90\x00")
            case Reply(ready):
                sent = ready
            case _:
                sent = getattr(reaction, "block", b"")
        assert len(sent) + 2 <= card.reader_takes
    return sound


def plausible(sent: bytes, answer: bytes | None) -> bytes | None:
    """Every second answer becomes an I-block that fits, so that conversations get somewhere."""
    if not answer or answer[0] & 0x20 or sent[0] == 0xE0:
        return answer
    cid = sent[1:2] if sent[0] & 0x08 else b""
    return bytes([0x02 | sent[0] & 0x09 | answer[0] & 0x10]) + cid + answer[1:]


def meet_reader(data: bytes) -> bool:
    """A reader that activates a card and sends it commands, answered so: it ends with responses or its own error."""
    answers = iter(blocks(data))

    def exchange(send: Send) -> bytes | None:
        assert 0 < send.wait_s < 6
        return plausible(send.block, next(answers, None))

    reader = ReaderSide(cid=3 if len(data) & 1 else None)
    try:
        if len(data) & 2:
            run(reader.activate(), exchange)
        else:
            run(reader.activate(), lambda _: Ats().encode())
        for _ in range(3):
            run(reader.transceive(data), exchange)
        run(reader.deselect(), exchange)
    except IsoDepError:
        return False
    return True


TARGETS: dict[str, Target] = {"tlv": parse_tlv, "iso-dep card": meet_card, "iso-dep reader": meet_reader}


def campaign(name: str, inputs: int) -> Figures:
    """Give a target at least so many inputs. Raises what the target raises: a defect, with the smallest example."""
    figures, target = Figures(name), TARGETS[name]

    @settings(
        max_examples=-(-inputs // EXAMPLE_INPUTS), deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(st.binary(min_size=EXAMPLE_INPUTS * 40, max_size=EXAMPLE_INPUTS * 40))
    def take(data: bytes) -> None:
        for each in cut(data):
            figures.inputs += 1
            figures.refused += not target(each)

    began = time.perf_counter()
    while figures.inputs < inputs:
        take()
    figures.seconds = round(time.perf_counter() - began, 2)
    return figures


def main() -> None:
    """Run every target and print its figures."""
    parser = argparse.ArgumentParser(description="arbitrary inputs for the parsers")
    parser.add_argument("--inputs", type=int, default=INPUTS)
    wanted = parser.parse_args().inputs
    for name in TARGETS:
        print(json.dumps(asdict(campaign(name, wanted))), flush=True)


if __name__ == "__main__":
    main()
