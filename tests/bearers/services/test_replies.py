"""Each service answers byte by byte as its protocol wants, and wrong where a rule says so. No sockets."""

from __future__ import annotations

import struct
import time
from typing import Any

import dpkt
import pytest

from rig.bearers.failures import Site
from rig.bearers.failures.wrong_clock import WrongClock
from rig.bearers.services.addresses import AddressService, Pool
from rig.bearers.services.clock import TimeService
from rig.bearers.services.names import NameService
from rig.bearers.services.rules import Rule
from rig.errors import CallerMistake
from rig.wire.dhcp import Dhcp, MessageType, Option, packed
from rig.wire.dns import TYPE_AAAA, Answer, Question, Rcode, decode_answer, encode_question
from rig.wire.errors import WireError
from rig.wire.sntp import decode_time_answer, encode_time_question, seconds_of, timestamp

MAC = bytes.fromhex("020000000001")
OTHER = bytes.fromhex("020000000002")
QUESTION = Question(0x1234, "acquirer.bench")


def names(rule: dict[str, object] | None = None) -> NameService:
    service = NameService({"acquirer.bench": ["10.64.0.10"]})
    service.rule = Rule.read("dns", rule) if rule else None
    return service


def ask(service: NameService, question: Question = QUESTION) -> Answer | None:
    reply = service.reply(encode_question(question))
    return None if reply is None else decode_answer(reply)


def test_a_name_byte_by_byte() -> None:
    query = bytes.fromhex("1234 0100 0001 0000 0000 0000 08") + b"acquirer\x05bench\0" + bytes.fromhex("0001 0001")
    assert encode_question(QUESTION) == query
    assert names().reply(query) == (
        bytes.fromhex("1234 8580 0001 0001 0000 0000") + query[12:]
        + bytes.fromhex("c00c 0001 0001 00000000 0004 0a40000a")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "rcode", "addresses"),
    [
        (None, Rcode.NOERROR, ("10.64.0.10",)),
        ({"answer": "servfail"}, Rcode.SERVFAIL, ()),
        ({"answer": "nxdomain"}, Rcode.NXDOMAIN, ()),
        ({"answer": "address", "address": "192.0.2.1"}, Rcode.NOERROR, ("192.0.2.1",)),
    ],
)
def test_names_right_and_wrong(rule: dict[str, object] | None, rcode: Rcode, addresses: tuple[str, ...]) -> None:
    service = names(rule)
    answer = ask(service)
    assert answer is not None
    assert (answer.rcode, answer.addresses, answer.question) == (rcode, addresses, QUESTION)
    assert service.counts.misled == (rule is not None)


def test_a_silent_name_server_counts_what_it_did_not_answer() -> None:
    service = names({"answer": "timeout"})
    assert ask(service) is None
    assert (service.counts.asked, service.counts.misled) == (1, 1)


def test_an_unknown_name_and_an_unknown_type() -> None:
    assert ask(names(), Question(1, "elsewhere.example")) == Answer(Question(1, "elsewhere.example"), Rcode.NXDOMAIN)
    assert ask(names(), Question(1, "acquirer.bench", TYPE_AAAA)) == Answer(Question(1, "acquirer.bench", TYPE_AAAA))


@pytest.mark.parametrize("data", [b"", bytes(11), bytes(12), b"\xff" * 40])
def test_nonsense_is_no_question(data: bytes) -> None:
    with pytest.raises(WireError):
        names().reply(data)
    with pytest.raises(WireError):
        TimeService().reply(data)


def addresses(rule: dict[str, object] | None = None, last: str = "10.64.1.3") -> AddressService:
    service = AddressService(Pool.read("10.64.1.1/24", "10.64.1.2", last))
    service.rule = Rule.read("dhcp", rule) if rule else None
    return service


def discover(mac: bytes = MAC) -> Dhcp:
    return Dhcp(MessageType.DISCOVER, 7, mac, broadcast=True)


def request(address: str, mac: bytes = MAC, server: str = "10.64.1.1") -> Dhcp:
    wishes = {int(Option.REQUESTED_ADDRESS): packed(address), int(Option.SERVER_IDENTIFIER): packed(server)}
    return Dhcp(MessageType.REQUEST, 7, mac, options=wishes)


def test_an_address_is_offered_granted_and_kept() -> None:
    service = addresses()
    offer = service.reply(discover())
    assert offer is not None
    assert (offer.kind, offer.yours, offer.transaction) == (MessageType.OFFER, "10.64.1.2", 7)
    ack = service.reply(request(offer.yours))
    assert ack is not None
    assert (ack.kind, ack.yours) == (MessageType.ACK, "10.64.1.2")
    assert [ack.address(o) for o in (Option.ROUTER, Option.DNS_SERVER, Option.NTP_SERVER)] == ["10.64.1.1"] * 3
    assert (ack.seconds(Option.LEASE_TIME), ack.seconds(Option.RENEWAL_TIME)) == (3600, 1800)
    again = service.reply(discover())
    assert again is not None
    assert again.yours == "10.64.1.2"
    renewed = service.reply(Dhcp(MessageType.REQUEST, 8, MAC, client="10.64.1.2"))
    assert renewed is not None
    assert renewed.kind is MessageType.ACK


def test_a_pool_can_be_used_up_and_given_back_to() -> None:
    service = addresses(last="10.64.1.2")
    assert service.reply(discover()) is not None
    assert service.reply(discover(OTHER)) is None
    service.reply(Dhcp(MessageType.RELEASE, 9, MAC, client="10.64.1.2"))
    assert service.reply(discover(OTHER)) is not None


def test_another_servers_client_is_left_alone_and_a_wrong_wish_refused() -> None:
    service = addresses()
    assert service.reply(request("10.64.1.2", server="10.64.1.99")) is None
    refused = service.reply(request("10.64.1.200"))
    assert refused is not None
    assert refused.kind is MessageType.NAK


def test_an_address_that_another_server_gave_is_left_to_its_client() -> None:
    service = addresses()
    ack = service.reply(Dhcp(MessageType.REQUEST, 8, MAC, client="10.64.1.3"))
    assert ack is not None
    assert (ack.kind, ack.yours) == (MessageType.ACK, "10.64.1.3")
    taken = service.reply(Dhcp(MessageType.REQUEST, 9, OTHER, client="10.64.1.3"))
    assert taken is not None
    assert taken.kind is MessageType.NAK


@pytest.mark.parametrize(("way", "answer"), [("timeout", None), ("pool-empty", None), ("nak", MessageType.NAK)])
def test_addresses_wrong(way: str, answer: MessageType | None) -> None:
    service = addresses({"answer": way})
    assert service.reply(discover()) is None
    said = service.reply(request("10.64.1.2"))
    assert (None if said is None else said.kind) == answer
    assert service.counts.misled == 2


def test_a_short_lease_is_granted_and_not_extended() -> None:
    service = addresses({"answer": "short-lease", "seconds": 2})
    assert service.reply(discover()) is not None
    ack = service.reply(request("10.64.1.2"))
    assert ack is not None
    assert ack.seconds(Option.LEASE_TIME) == 2
    assert service.reply(Dhcp(MessageType.REQUEST, 8, MAC, client="10.64.1.2")) is None
    assert service.counts.misled == 2


def test_a_portal_is_told_of_by_option_114() -> None:
    service = addresses()
    service.portal = "http://10.64.1.1/portal"
    offer = service.reply(discover())
    assert offer is not None
    assert offer.options[114] == b"http://10.64.1.1/portal"


@pytest.mark.parametrize(
    "pool",
    [
        ("10.64.1.1/24", "10.64.2.2", "10.64.2.3"), ("10.64.1.1/24", "10.64.1.9", "10.64.1.3"),
        ("10.64.1.5/24", "10.64.1.2", "10.64.1.9"), ("nowhere", "10.64.1.2", "10.64.1.9"),
    ],
)  # fmt: skip
def test_a_pool_that_cannot_be_is_refused(pool: tuple[str, str, str]) -> None:
    with pytest.raises(CallerMistake):
        Pool.read(*pool)


def test_the_time_byte_by_byte() -> None:
    now = 1_700_000_000.5
    reply = TimeService().reply(encode_time_question(0x0102030405060708), now)
    assert reply is not None
    assert len(reply) == 48
    stamp = bytes.fromhex("e8fe6f80 80000000")  # 1,700,000,000 + 2,208,988,800, and a half
    assert reply[:4] == bytes.fromhex("24 01 06 ec")
    assert reply[12:16] == b"LOCL"
    assert reply[16:24] == stamp
    assert reply[24:32] == bytes.fromhex("0102030405060708")
    assert reply[32:40] == reply[40:48] == stamp
    foreign_ntp: Any = dpkt.ntp.NTP  # dpkt is untyped
    foreign = foreign_ntp(reply)
    assert (foreign.mode, foreign.v, foreign.stratum) == (4, 4, 1)
    assert struct.unpack("!II", foreign.transmit_time)[0] - 2_208_988_800 == 1_700_000_000


def test_the_time_off_by_an_offset() -> None:
    service = TimeService()
    service.rule = Rule.read("ntp", {"answer": "offset", "seconds": 315_360_000})
    reply = service.reply(encode_time_question(5), 1_000_000_000.0)
    assert reply is not None
    assert decode_time_answer(reply).transmit == pytest.approx(1_315_360_000)
    service.rule = Rule.read("ntp", {"answer": "timeout"})
    assert service.reply(encode_time_question(5)) is None


def test_the_time_goes_on_after_2036() -> None:
    for moment in (0.0, 1_700_000_000.25, 2_085_978_495.0, 2_085_978_496.5, 4_000_000_000.0):
        if moment:
            assert seconds_of(timestamp(moment)) == pytest.approx(moment)


@pytest.mark.parametrize("days", [-18_250, 18_250])
def test_the_furthest_offset_is_read_as_it_was_meant(days: int) -> None:
    """A timestamp names one of 136 years: what is too far behind would be read as ahead."""
    rule = WrongClock(days).rule(Site("wifi", "wifi", (), 1))
    moment = time.time() + rule["seconds"]
    assert seconds_of(timestamp(moment)) == pytest.approx(moment)
    with pytest.raises(CallerMistake, match="offset_days"):
        WrongClock(2 * days)


@pytest.mark.parametrize(
    ("service", "rule"),
    [
        ("dns", {"answer": "nak"}), ("dns", {"answer": "address"}), ("dns", {}), ("dns", {"answer": "timeout", "x": 1}),
        ("dhcp", {"answer": "servfail"}), ("dhcp", {"answer": "short-lease"}), ("ntp", {"answer": "nxdomain"}),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(service: str, rule: dict[str, object]) -> None:
    with pytest.raises(CallerMistake):
        Rule.read(service, rule)
