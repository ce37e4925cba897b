"""Card network, issuers and the business day: routed, ruled, stood in for, cut over."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rig.acquirer.rules import NetworkRules
from rig.errors import CallerMistake
from rig.rpc import RpcError
from rig.wire.iso8583 import ASCII87
from tests.acquirer.speaker import Speaker
from tests.acquirer.till import HostProcess, key, sale

Start = Callable[..., HostProcess]


@pytest.fixture
def till(host: HostProcess) -> Iterator[Speaker]:
    with Speaker(host.ready["plain_port"], ASCII87) as till:
        yield till


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    host = HostProcess(tmp_path_factory.mktemp("network") / "host", plain_port=0)
    yield host
    assert host.end() == 0


def test_own_bank_and_another_bank(host: HostProcess, till: Speaker) -> None:
    host.control.set_network({"own_bank": "north-bank"})
    ways = {}
    for name in ("credit", "debit"):
        request = till.request("sale", host.cards[name], 100)
        assert till.code(request) == "00"
        ways[name] = host.about("request_received", key(request))[0]["way"]
        assert host.row(key(request))["bank"] == host.cards[name].bank
    assert ways == {"credit": "own bank", "debit": "card network"}


def test_who_stands_in_approves_up_to_its_limit(host: HostProcess, till: Speaker) -> None:
    credit, debit = host.cards["credit"], host.cards["debit"]
    host.control.set_network({"stand_in": {"limit": 500}})
    host.control.issuer_out("east-bank")
    approved = till.request("sale", debit, 500)
    assert [till.code(approved), till.code(till.request("sale", debit, 501))] == ["00", "91"]
    assert host.row(key(approved))["bank"] == "stand-in for east-bank"
    assert till.code(till.request("sale", credit, 501)) == "00"
    host.control.issuer_back("east-bank")
    assert till.code(till.request("sale", debit, 501)) == "00"
    with pytest.raises(RpcError, match="no card is of the bank west-bank"):
        host.control.issuer_out("west-bank")


def test_codes_by_amount_card_and_counter(host: HostProcess, till: Speaker) -> None:
    credit, purse = host.cards["credit"], host.cards["purse"]
    rules: list[dict[str, Any]] = [
        {"rc": "05", "amount_ends": "05"},
        {"rc": "51", "card": "purse", "after": 1, "count": 2},
        {"rc": "61", "bank": "east-bank", "flow": "sale"},
        {"rc": "10", "amount_ends": "77", "approves": 40},
    ]
    host.control.set_network({"codes": rules})
    assert [till.code(till.request("sale", credit, amount)) for amount in (105, 1005, 106)] == ["05", "05", "00"]
    assert [till.code(till.request("sale", purse, 100)) for _ in range(4)] == ["00", "51", "51", "00"]
    assert till.code(till.request("sale", host.cards["debit"], 100)) == "61"
    part = till.request("sale", credit, 277)
    answer = till.ask(part)
    assert (answer.text(39), int(answer.text(4))) == ("10", 40)
    row = host.row(key(part))
    assert (row["amount"], row["requested"], row["state"]) == (40, 277, "approved")
    assert till.code(till.reversal(part)) == "00"
    assert host.control.clear().network["codes"] == []
    assert till.code(till.request("sale", credit, 105)) == "00"


def test_a_prepaid_card_pays_what_it_has(host: HostProcess, till: Speaker) -> None:
    card = host.cards["part"]
    assert till.code(till.request("sale", card, 400)) == "00"
    answer = till.ask(till.request("sale", card, 700))
    assert (answer.text(39), int(answer.text(4))) == ("10", 600)
    assert till.code(till.request("sale", card, 1)) == "51"
    assert till.code(till.request("refund", card, 250)) == "00"
    assert int(till.ask(till.request("sale", card, 900)).text(4)) == 250


def test_midnight_and_the_end_of_the_day_come_when_they_are_told(start_host: Start) -> None:
    host = start_host(plain_port=0)
    card, today = host.cards["credit"], datetime.date.today()
    with Speaker(host.ready["plain_port"], ASCII87) as till:
        before = till.request("sale", card, 100)
        assert 15 not in till.ask(before).fields
        assert host.control.cut_over() == (today + datetime.timedelta(days=1)).isoformat()
        answer = till.ask(till.request("sale", card, 200))
        assert answer.text(15) == f"{today + datetime.timedelta(days=1):%m%d}"
        assert answer.text(37)[1:4] == f"{today + datetime.timedelta(days=1):%j}"
        assert host.control.end_of_day() == [(before.text(41), "000001")]
        assert till.code(till.request("sale", card, 300)) == "77"
        assert till.code(till.reversal(before)) == "12"
        till.batch = "000002"
        assert till.ask(till.request("sale", card, 300)).text(15) == f"{today + datetime.timedelta(days=2):%m%d}"
    host.end()
    host.start()
    with Speaker(host.ready["plain_port"], ASCII87, batch="000003") as till:
        assert till.ask(till.request("sale", card, 400)).text(15) == f"{today + datetime.timedelta(days=2):%m%d}"
    assert host.events("batch_cut_over")[0].data["batch"] == "000001"


def test_rules_from_a_file(start_host: Start, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"out": ["north-bank"]}))
    host = start_host(rules=str(tmp_path / "rules.yaml"))
    with host.till() as till:
        assert till.ask(sale(host.cards["credit"], 100)).text(39) == "91"
        host.control.issuer_back("north-bank")
        assert till.ask(sale(host.cards["credit"], 100)).text(39) == "00"
    assert host.control.clear().network["out"] == ["north-bank"]


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ({"codes": [{"rc": "5"}]}, "codes.0.rc"),
        ({"codes": [{"rc": "10"}]}, "approves belongs to rc 10"),
        ({"codes": [{"rc": "05", "approves": 5}]}, "approves belongs to rc 10"),
        ({"codes": [{"rc": "05", "amount_ends": "x"}]}, "amount_ends"),
        ({"colour": "red"}, "colour"),
        ({"stand_in": {"limit": -1}}, "stand_in.limit"),
    ],
)
def test_rules_that_cannot_be_are_refused_by_name(raw: dict[str, Any], where: str) -> None:
    with pytest.raises(CallerMistake, match=where):
        NetworkRules.read(raw, "rules.yaml")
