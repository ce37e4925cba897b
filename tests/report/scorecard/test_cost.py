"""Bytes on the wire: each for what it was, and to the byte what another reader of the same capture sums up."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.report.scorecard import Scorecard
from rig.report.scorecard.connections import Share
from rig.report.scorecard.figures import Volume
from rig.report.scorecard.statistics import mean
from tests.report.scorecard.made import ACK, PUSH, SYN, Story, Talk, udp
from tests.report.scorecard.test_tls import ANSWER, REQUEST, handshake

ECHO, ECHO_REPLY = b"\x08\x00" + bytes(62), b"\x00\x00" + bytes(62)
DNS = udp(40_001, 53, bytes(40))


def volume(card: Scorecard, bearer: str = "wifi", condition: str = "ideal") -> Volume:
    """What one condition put on the wire of a bearer."""
    found = next(each for each in card.bearers if each.name == bearer)
    return next(each for each in found.cost.volumes if each.condition == condition)


def test_a_sale_over_tls_is_told_apart_to_the_byte(tmp_path: Path) -> None:
    story = Story("wifi")
    chunks = handshake(tmp_path, ssl.TLSVersion.TLSv1_3)
    with story.on("wifi", "ideal") as case:
        sale = case.sale()
        talk = Talk(story, "wifi")
        talk.opens()
        talk.says(chunks)
        talk.closes()
        story.now_ms = talk.t // 1_000_000 - 2
        case.answer(case.request(sale, peer="10.64.1.2"))
        case.ends(sale, "approved", 1234)
    found = volume(story.card(tmp_path / "run")).bytes
    record = 5 + 1 + 16
    assert found["requests and answers"] == len(REQUEST) + len(ANSWER) + 2 * (record + 40), "a packet each"
    assert found["TCP ACKs"] == (1 + len(chunks) + 2) * 40, "of the opening, of each packet of data, of both FINs"
    assert found["closing"] == 2 * 40 + 40 + 24, "two FINs, and the alert that says so"
    everything = sum(len(data) for _, data in chunks) + (3 + 2 * len(chunks) + 4) * 40
    assert sum(found.values()) == everything
    assert found["handshakes"] > 1500


def test_what_is_sent_again_and_what_keeps_the_connection_is_apart(tmp_path: Path) -> None:
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        sale = case.sale()
        talk = Talk(story, "wifi")
        opened = talk.sends(False, SYN) + talk.sends(True, SYN | ACK)
        again = talk.sends(False, SYN, back=1)  # the answer was late
        acked = talk.sends(False)
        data = talk.sends(False, ACK | PUSH, b"r" * 100)
        again += talk.sends(False, ACK | PUSH, b"r" * 100, back=100)
        acked += talk.sends(True)
        kept = talk.sends(True, ACK, back=1) + talk.sends(False)
        kept += talk.sends(False, ACK, b"\0", back=1) + talk.sends(True)
        data += talk.sends(True, ACK | PUSH, b"a" * 60)
        # Half of it was seen before: its headers and that half were sent again, the rest is new.
        talk.sequence[1] -= 30
        talk.sends(True, ACK | PUSH, b"a" * 30 + b"b" * 30)
        again, data = again + 40 + 30, data + 30
        acked += talk.sends(False)
        story.now_ms = talk.t // 1_000_000
        case.answer(case.request(sale, peer="10.64.1.2"))
        case.ends(sale, "approved", 1234)
    found = volume(story.card(tmp_path / "run")).bytes
    assert {name: count for name, count in found.items() if count} == {
        "handshakes": opened, "requests and answers": data, "TCP ACKs": acked, "retransmissions": again,
        "keep-alive": kept,
    }  # fmt: skip


def test_the_rigs_own_probes_are_charged_to_nobody(tmp_path: Path) -> None:
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        sale = case.sale()
        talk = Talk(story, "wifi")
        probes = talk.datagram(1, True, ECHO) + talk.datagram(1, False, ECHO_REPLY)
        own = talk.datagram(1, False, ECHO)
        names = talk.datagram(17, False, DNS)
        knock = Talk(story, "wifi", port=9, host="10.64.1.1", host_port=50_000, t=talk.t)
        probes += knock.sends(True, SYN) + knock.sends(False, 20)
        story.now_ms = knock.t // 1_000_000
        case.ends(sale, "declined")
    found = volume(story.card(tmp_path / "run"))
    assert found.probes == probes
    assert {name: count for name, count in found.bytes.items() if count} == {
        "names, addresses, time": names,
        "other": own,
    }


def test_connections_without_a_request_and_with_a_reversal_alone_are_retries(tmp_path: Path) -> None:
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        sale = case.sale()
        failed = Talk(story, "wifi")
        nothing = failed.opens() + failed.says([(False, b"x" * 50)]) + failed.closes()
        story.now_ms = failed.t // 1_000_000 + 500
        good = Talk(story, "wifi", port=40_001)
        asked = good.opens() + good.says([(False, b"q" * 100)]) + good.closes()
        story.now_ms = good.t // 1_000_000 - 5
        key = case.request(sale, peer="10.64.1.2")
        case.withhold(key)
        story.waits(3)
        back = Talk(story, "wifi", port=40_002)
        reversal = back.opens() + back.says([(False, b"v" * 90), (True, b"w" * 70)]) + back.closes()
        story.now_ms = back.t // 1_000_000 - 5
        case.reversal(key, peer="10.64.1.2")
        case.ends(sale, "declined")
    found = volume(story.card(tmp_path / "run"))
    assert found.bytes["failed connections"] == nothing
    assert found.bytes["reversals and repeats"] == reversal
    assert found.total == nothing + asked + reversal


def test_what_comes_before_the_first_sale_and_while_settling_is_no_sales(tmp_path: Path) -> None:
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        talk = Talk(story, "wifi")
        talk.datagram(17, False, DNS)
        story.now_ms = talk.t // 1_000_000
        case.ends(case.sale(), "declined")
        case.settle()
        late = Talk(story, "wifi", t=story.now_ns)
        settling = late.datagram(17, False, DNS)
        story.now_ms = late.t // 1_000_000
    found = volume(story.card(tmp_path / "run"))
    assert (found.total, found.sales) == (0, 1)
    assert found.settling in (0, settling), "after the last event of the settling it is the next one's"


def test_what_ends_a_connection_is_charged_to_the_sale_that_opened_it(tmp_path: Path) -> None:
    story = Story("wifi")
    sizes: list[int] = []
    tails: list[Talk] = []
    with story.on("wifi", "ideal") as case:
        for number in range(3):
            sale = case.sale()
            if tails:
                tails[-1].t = story.now_ns
                sizes[-1] += tails[-1].closes()  # after the next sale has begun
                story.now_ms = tails[-1].t // 1_000_000
            talk = Talk(story, "wifi", port=40_000 + number)
            sizes.append(talk.opens() + talk.says([(False, b"q" * 100)]))
            tails.append(talk)
            story.now_ms = talk.t // 1_000_000 - 2
            case.answer(case.request(sale, peer="10.64.1.2"))
            case.ends(sale, "approved", 1234)
        case.settle()
    story.waits(2)  # the last one's comes after its case
    tails[-1].t = story.now_ns
    sizes[-1] += tails[-1].closes()
    story.now_ms = tails[-1].t // 1_000_000
    with story.on("wifi", "outage") as case:
        story.fails(case)
    found = volume(story.card(tmp_path / "run"))
    assert len(set(sizes)) == 1
    assert found.a_sale is not None
    assert (found.a_sale.low, found.a_sale.value, found.a_sale.high) == (sizes[0], sizes[0], sizes[0])
    captured = sum(int.from_bytes(each.data[16:18]) for each in story.packets)
    assert found.total + found.settling + found.probes == captured


def test_a_connection_that_is_kept_from_before_is_charged_where_its_packets_come(tmp_path: Path) -> None:
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        talk = Talk(story, "wifi")
        talk.opens()
        story.now_ms = talk.t // 1_000_000
        sizes = []
        for number in range(2):
            sale = case.sale()
            talk.t = story.now_ns
            sizes.append(talk.says([(False, b"q" * 100 * (1 + number))]))
            story.now_ms = talk.t // 1_000_000
            case.answer(case.request(sale, peer="10.64.1.2"))
            case.ends(sale, "approved", 1234)
    found = volume(story.card(tmp_path / "run"))
    assert found.total == sum(sizes)
    assert found.a_sale == mean(sizes), "each pays for its own packets"


def test_what_the_bench_spoilt_costs_nothing(tmp_path: Path) -> None:
    story = Story("wifi")
    sizes = []
    for spoilt in (False, True):
        with story.on("wifi", "ideal") as case:
            sale = case.sale()
            talk = Talk(story, "wifi", port=40_000 + spoilt)
            sizes.append(talk.opens() + talk.says([(False, b"q" * (900 if spoilt else 100))]))
            story.now_ms = talk.t // 1_000_000
            if spoilt:
                case.trouble()
            case.ends(sale, "declined")
    card = story.card(tmp_path / "run")
    assert card.bearers[0].stability[0].bench_faults == 1
    assert (volume(card).sales, volume(card).total) == (1, sizes[0])


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_the_sum_is_tsharks_to_the_byte(tmp_path: Path) -> None:
    story = Story("wifi", "lte")
    for bearer in story.bearers:
        with story.on(bearer, "ideal") as case:
            for number in range(3):
                sale = case.sale()
                talk = Talk(story, bearer, port=40_000 + number)
                talk.datagram(17, False, DNS)
                talk.datagram(1, True, ECHO)
                talk.datagram(1, False, ECHO_REPLY)
                talk.opens()
                talk.says(handshake(tmp_path, ssl.TLSVersion.TLSv1_3))
                talk.sends(False, ACK | PUSH, b"again", back=5)
                talk.closes()
                story.now_ms = talk.t // 1_000_000 - 2
                case.answer(case.request(sale, peer=talk.story.events[0].data["links"][bearer]["terminal_address"]))
                case.ends(sale, "approved", 1234)
    card = story.card(tmp_path / "run")
    for bearer in story.bearers:
        found = volume(card, bearer)
        assert found.total == _tshark(tmp_path / "run/wire.pcapng", bearer, "not icmp")
        assert found.probes == _tshark(tmp_path / "run/wire.pcapng", bearer, "icmp")
        assert found.up + found.down == found.total
        assert found.a_sale is not None
        assert found.a_sale.value * found.sales == pytest.approx(found.total)


def _tshark(capture: Path, bearer: str, chosen: str) -> int:
    shown = f"frame.interface_name == {bearer} and ip and {chosen}"
    command = ["tshark", "-r", str(capture), "-o", "ip.defragment:FALSE", "-Y", shown, "-T", "fields", "-e", "ip.len"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return sum(int(line.split(",")[0]) for line in lines)


Step = tuple[bool, int, int, int]
STEPS = st.lists(st.tuples(st.booleans(), st.sampled_from([ACK, ACK | PUSH, SYN, 1 | ACK, 4]), st.integers(0, 80),
                           st.integers(0, 120)), max_size=25)  # fmt: skip


@given(STEPS)
def test_whatever_a_connection_does_every_byte_is_for_one_thing(steps: list[Step]) -> None:
    from rig.report.scorecard.connections import connections_of
    from rig.report.scorecard.datagrams import dissect

    story = Story("wifi")
    talk = Talk(story, "wifi")
    for down, flags, length, back in steps:
        talk.sends(down, flags, bytes(length), back=back)
    datagrams = [dissect(each.data, each.wall_ns, "wifi", each.outgoing) for each in story.packets]
    whole = [each for each in datagrams if each is not None]
    told = [pair for connection in connections_of(whole) for pair in connection.shares()]
    assert len(told) == len(steps)
    for datagram, shares in told:
        assert sum(shares.values()) == datagram.size
        assert all(count > 0 and isinstance(share, Share) for share, count in shares.items())
