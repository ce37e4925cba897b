"""Sales that were approved offline: told to the host afterwards, booked once, counted in the totals."""

from __future__ import annotations

import pytest

from rig.wire.iso8583 import Message, Totals
from tests.acquirer.till import HostProcess, advice, changed, key, reversal, sale, settlement, swipe, void


def test_an_advice_is_booked_as_an_approved_sale(host: HostProcess) -> None:
    request = advice(host.cards["credit"], 700)
    with host.till() as till:
        answer = till.ask(request)
    assert (answer.mti, answer.text(39), answer.text(11)) == ("0230", "00", request.text(11))
    assert answer.data(55) == b""
    row = host.row(key(request))
    assert (row["operation"], row["state"], row["rc"], row["mti"]) == ("sale", "approved", "00", "0220")
    received = host.about("request_received", key(request))[0]
    assert (received["mti"], received["cryptogram_ok"], received["amount"]) == ("0220", True, 700)


def test_its_repeat_gets_the_stored_answer(host: HostProcess) -> None:
    request = advice(host.cards["credit"], 700)
    with host.till() as till:
        first = till.ask(request)
        second = till.ask(changed(Message("0221", request.fields), de7="0131235958"))
        other = till.ask(changed(Message("0221", request.fields), de4="000000000701"))
    assert (second.mti, second.text(37), second.text(39)) == ("0230", first.text(37), "00")
    assert other.text(39) == "94"
    assert host.row(key(request))["counts"] == {"requests": 2, "reversals": 0, "duplicates": 1}


def test_what_was_promised_is_paid_whatever_the_account_holds(host: HostProcess) -> None:
    with host.till() as till:
        assert till.ask(advice(host.cards["debit"], 6000)).text(39) == "00"
        assert till.ask(sale(host.cards["debit"], 1)).text(39) == "51"


def test_a_certificate_that_is_none_is_refused(host: HostProcess) -> None:
    card = host.cards["credit"]
    with host.till() as till:
        assert till.ask(advice(card, 700, decision="ARQC")).text(39) == "05"
        forged = advice(card, 700)
        assert till.ask(changed(forged, de4="000000000701")).text(39) == "05"
        assert till.ask(changed(advice(card, 700, decision="ARQC"), de39="Y3")).text(39) == "00"
    assert host.row(key(forged))["state"] == "declined"


@pytest.mark.parametrize("code", ["Y1", "Y3"])
def test_what_the_card_declined_was_not_approved(host: HostProcess, code: str) -> None:
    request = changed(advice(host.cards["credit"], 700, decision="AAC"), de39=code)
    with host.till() as till:
        assert till.ask(request).text(39) == "05"
    assert host.row(key(request))["state"] == "declined"


@pytest.mark.parametrize("entry_mode", ["021", "801", "012"])
def test_a_stripe_promises_nothing(host: HostProcess, entry_mode: str) -> None:
    fields = dict(swipe(host.cards["stripe"], 700, entry_mode).fields) | {39: "Y1"}
    with host.till() as till:
        assert till.ask(Message("0220", dict(sorted(fields.items())))).text(39) == "05"


@pytest.mark.parametrize("change", [{"de39": None}, {"de39": "00"}, {"de3": "300000"}])
def test_an_advice_of_anything_else_is_not_served(host: HostProcess, change: dict[str, str | None]) -> None:
    with host.till() as till:
        assert till.ask(changed(advice(host.cards["credit"], 700), **change)).text(39) == "30"


def test_the_totals_count_it_and_a_closed_batch_takes_none(host: HostProcess) -> None:
    card, batch = host.cards["credit"], {"de60": "000777"}
    with host.till() as till:
        till.ask(sale(card, 300, batch="000777"))
        till.ask(changed(advice(card, 700), **batch))
        assert till.ask(settlement(Totals(2, 1000, 0, 0), "000777")).text(39) == "00"
        assert till.ask(changed(advice(card, 1), **batch)).text(39) == "77"


def test_it_can_be_voided(host: HostProcess) -> None:
    request = advice(host.cards["credit"], 700)
    with host.till() as till:
        rrn = till.ask(request).text(37)
        undo = changed(void(request, rrn), de39=None)
        assert till.ask(undo).text(39) == "00"
    assert host.row(key(request))["state"] == "voided"


def test_the_counter_of_a_sale_that_was_reversed_may_come_again_in_its_advice(host: HostProcess) -> None:
    card = host.cards["visa-18"]
    online = sale(card, 700, atc=900)
    offline = changed(advice(card, 700, atc=900, decision="TC"), de39="Y3")
    with host.till() as till:
        till.ask(online)
        till.ask(reversal(online))
        assert till.ask(offline).text(39) == "00"
        assert not host.about("cryptogram_replayed", key(offline))
        twice = advice(card, 700, atc=900)
        till.ask(twice)
    assert host.about("cryptogram_replayed", key(twice))[0]["of"] == key(offline)


def test_faults_meet_advices_by_name(host: HostProcess) -> None:
    request = advice(host.cards["credit"], 700)
    host.control.decline("91", match="advice")
    with host.till() as till:
        assert till.ask(sale(host.cards["credit"], 1)).text(39) == "00"
        assert till.ask(request).text(39) == "91"
        assert not [row for row in host.control.ledger() if row["key"] == key(request)]
        again = till.ask(Message("0221", request.fields))
    assert again.text(39) == "00"  # a terminal that is put off asks until it is heard, and asks nothing else before
    assert host.row(key(request))["state"] == "approved"
