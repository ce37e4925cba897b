"""Sales, voids, reversals and settlements, asked of a real host over TLS."""

from __future__ import annotations

from rig.wire.iso8583 import Message, Totals
from tests.acquirer.till import MID, TID, HostProcess, changed, key, reversal, sale, settlement, void


def test_a_sale_is_approved_booked_and_in_the_history(host: HostProcess) -> None:
    card = host.cards["credit"]
    request = sale(card, 1234)
    with host.till() as till:
        answer = till.ask(request)
    assert answer.mti == "0210"
    assert answer.text(39) == "00"
    assert len(answer.text(38)) == 6
    assert (answer.text(4), answer.text(11), answer.text(41)) == (request.text(4), request.text(11), TID)
    assert 2 not in answer.fields
    row = host.row(key(request))
    assert (row["state"], row["amount"], row["currency"], row["rc"]) == ("approved", 1234, "978", "00")
    assert (row["rrn"], row["auth"]) == (answer.text(37), answer.text(38))
    assert row["counts"] == {"requests": 1, "reversals": 0, "duplicates": 0}
    assert row["token"] == host.redactor.token(card.pan)
    (received,) = host.about("request_received", key(request))
    assert received["cryptogram_ok"] is True
    assert (received["amount"], received["currency"], received["batch"]) == (1234, "978", "000001")
    assert (received["peer"], received["local"], received["repeat"]) == ("127.0.0.1", "127.0.0.1", False)
    (sent,) = host.about("answer_sent", key(request))
    assert (sent["rc"], sent["auth"], sent["rrn"], sent["late"]) == ("00", answer.text(38), answer.text(37), False)
    order = [event.kind for event in host.events() if event.data.get("key") == key(request)]
    assert order == ["request_received", "answer_sent"]


def test_debit_spends_its_balance_and_gets_it_back(host: HostProcess) -> None:
    card = host.cards["debit"]
    with host.till() as till:
        first = sale(card, 3000)
        assert till.ask(first).text(39) == "00"
        assert till.ask(sale(card, 2001)).text(39) == "51"
        assert till.ask(sale(card, 2000)).text(39) == "00"
        assert till.ask(reversal(first)).text(39) == "00"
        assert till.ask(sale(card, 3000)).text(39) == "00"


def test_declines_say_why(host: HostProcess) -> None:
    credit, good = host.cards["credit"], sale(host.cards["credit"], 100)
    with host.till() as till:
        assert till.ask(sale(host.cards["stolen"], 100)).text(39) == "43"
        assert till.ask(sale(host.cards["old"], 100)).text(39) == "54"
        assert till.ask(sale(credit, 10_000_001)).text(39) == "51"
        assert till.ask(sale(credit, 0)).text(39) == "13"
        assert till.ask(changed(good, de49="840")).text(39) == "12"
        assert till.ask(changed(sale(credit, 100), de41="52000099")).text(39) == "97"
        assert till.ask(changed(sale(credit, 100), de42="SOMEBODY0000001")).text(39) == "03"
    row = host.row(key(good))
    assert (row["state"], row["rc"], row["auth"]) == ("declined", "12", None)


def test_a_card_of_the_test_ranges_that_no_bank_issued(host: HostProcess) -> None:
    stranger = host.cards["credit"]
    unknown = changed(sale(stranger, 100), de2=stranger.pan[:7] + stranger.pan[7:][::-1])
    pan = unknown.text(2)
    digits = next(pan[:-1] + str(d) for d in range(10) if host.redactor.allows(pan[:-1] + str(d)))
    with host.till() as till:
        assert till.ask(changed(unknown, de2=digits)).text(39) == "14"


def test_a_cryptogram_that_is_not_the_cards(host: HostProcess) -> None:
    card = host.cards["credit"]
    good = sale(card, 500)
    chip = good.data(55)
    wrong = changed(good, de55=chip[:-1] + bytes([chip[-1] ^ 1]))
    other_amount = changed(sale(card, 500), de4=f"{50_000:012d}")
    missing = changed(sale(card, 500), de55=None)
    with host.till() as till:
        for request in (wrong, other_amount, missing):
            assert till.ask(request).text(39) == "05"
            assert host.about("request_received", key(request))[0]["cryptogram_ok"] is False
            assert host.row(key(request))["state"] == "declined"


def test_a_cryptogram_used_twice_is_noted(host: HostProcess) -> None:
    card = host.cards["credit"]
    first, second = sale(card, 100, atc=900), sale(card, 100, atc=900)
    with host.till() as till:
        till.ask(first)
        till.ask(second)
    assert host.about("cryptogram_replayed", key(second))[0]["of"] == key(first)


def test_the_same_again_gets_the_stored_answer(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 700)
    with host.till() as till:
        first = till.ask(request)
        again = till.ask(changed(Message("0201", request.fields), de7="0201000000"))
    assert {n: v for n, v in again.fields.items() if n != 7} == {n: v for n, v in first.fields.items() if n != 7}
    assert host.row(key(request))["counts"] == {"requests": 2, "reversals": 0, "duplicates": 1}


def test_the_same_key_with_other_content_is_a_duplicate(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 700)
    with host.till() as till:
        till.ask(request)
        assert till.ask(changed(request, de4=f"{701:012d}")).text(39) == "94"
        assert till.ask(changed(request, de2=host.cards["stolen"].pan)).text(39) == "94"
    row = host.row(key(request))
    assert (row["state"], row["amount"], row["counts"]["duplicates"]) == ("approved", 700, 0)


def test_a_reversal_and_its_repeat(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 900)
    with host.till() as till:
        till.ask(request)
        assert till.ask(reversal(request)).text(39) == "00"
        assert till.ask(reversal(request, "0401")).text(39) == "00"
        assert till.ask(request).text(39) == "68"  # never the stored approval
    row = host.row(key(request))
    assert (row["state"], row["counts"]["reversals"]) == ("reversed", 2)
    assert row["reversed_t"] > row["received_t"]
    assert (row["reversal"]["reason"], row["reversal"]["mti"]) == ("98", "0400")
    received = host.about("request_received", key(request))
    assert [each["repeat"] for each in received if each["mti"][1] == "4"] == [False, True]
    assert received[1]["original"] == {"mti": "0200", "stan": request.text(11), "time": "0131235959"}


def test_a_reversal_must_be_its_originals(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 900)
    undo = reversal(request)
    with host.till() as till:
        till.ask(request)
        assert till.ask(changed(undo, de4=f"{901:012d}")).text(39) == "13"
        assert till.ask(changed(undo, de2=host.cards["stolen"].pan, de11="990001")).text(39) == "12"
        assert host.row(key(request))["state"] == "approved"
        assert till.ask(undo).text(39) == "00"
    assert host.row(key(request))["state"] == "reversed"


def test_a_reversal_of_nothing_is_25_and_its_late_original_is_refused(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 900)
    with host.till() as till:
        assert till.ask(reversal(request)).text(39) == "25"
        assert till.ask(reversal(request, "0401")).text(39) == "25"
        assert till.ask(request).text(39) == "68"
    row = host.row(key(request))
    assert (row["state"], row["rc"], row["counts"]["reversals"]) == ("declined", "68", 2)
    assert row["reversal"]["mti"] == "0400"


def test_a_void_and_its_reversal(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1100)
    with host.till() as till:
        rrn = till.ask(request).text(37)
        assert till.ask(changed(void(request, rrn), de4=f"{1:012d}")).text(39) == "13"
        assert till.ask(changed(void(request, "999999999999"), de90=None)).text(39) == "25"
        undo = void(request, rrn)
        assert till.ask(undo).text(39) == "00"
        assert (host.row(key(request))["state"], host.row(key(undo))["operation"]) == ("voided", "void")
        assert till.ask(void(request, rrn)).text(39) == "12"
        assert till.ask(reversal(undo)).text(39) == "00"
        assert (host.row(key(request))["state"], host.row(key(undo))["state"]) == ("approved", "reversed")
        assert till.ask(changed(void(request, rrn), de2=None, de90=None)).text(39) == "00"


def test_a_settlement_agrees_and_closes_the_batch(host: HostProcess) -> None:
    card, batch = host.cards["credit"], "000777"
    first, second, third = (sale(card, amount, batch=batch) for amount in (100, 200, 400))
    with host.till() as till:
        till.ask(first)
        rrn = till.ask(second).text(37)
        till.ask(third)
        till.ask(void(second, rrn))
        till.ask(reversal(third))
        ours = Totals(sales=2, sales_sum=300, voids=1, voids_sum=200)
        wrong = till.ask(settlement(Totals(sales=3, sales_sum=700), batch))
        assert (wrong.text(39), wrong.text(48)) == ("95", ours.encode())
        assert till.ask(settlement(ours, batch)).text(39) == "00"
        assert till.ask(sale(card, 100, batch=batch)).text(39) == "77"
        assert till.ask(reversal(first)).text(39) == "12"
    assert [host.row(key(each))["state"] for each in (first, second, third)] == ["settled", "voided", "reversed"]
    told = [event.data for event in host.events("settlement") if event.data["batch"] == batch]
    assert [each["agreed"] for each in told] == [False, True]
    assert told[0]["host"] == {"sales": 2, "sales_sum": 300, "voids": 1, "voids_sum": 200}
    assert told[0]["terminal"]["sales"] == 3


def test_echo_and_sign_on(host: HostProcess) -> None:
    fields: dict[int, str | bytes] = {7: "0131235959", 11: "000001", 41: TID, 42: MID, 70: "301"}
    with host.till() as till:
        assert till.ask(Message("0800", fields)).text(39) == "00"
        answer = till.ask(Message("0800", fields | {70: "001"}))
    assert (answer.mti, answer.text(39), answer.text(70)) == ("0810", "00", "001")


def test_a_foreign_card_leaves_no_trace(host: HostProcess) -> None:
    card = host.cards["credit"]
    foreign = "4" + "0" * 14 + "2"
    request = sale(card, 600)
    track2 = changed(sale(card, 600), de35=foreign + "=3912201")
    in_chip = changed(sale(card, 600), de55=bytes.fromhex("5A08" + foreign))
    before = len(host.events("request_refused"))
    with host.till() as till:
        for message in (changed(request, de2=foreign), track2, in_chip):
            assert till.ask(message).text(39) == "14"
        assert till.ask(sale(card, 100)).text(39) == "00"
    refused = host.events("request_refused")[before:]
    assert [event.data for event in refused] == [{"why": "a card outside the bench's test ranges"}] * 3
    assert not host.about("request_received", key(request))
    token = host.redactor.token(foreign)
    for path in host.root.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert foreign.encode() not in data, path
            assert bytes.fromhex(foreign) not in data, path
            assert token.encode() not in data, path


def test_the_benchs_own_cards_are_in_no_file_but_their_profiles(host: HostProcess) -> None:
    card = host.cards["credit"]
    with host.till() as till:
        till.ask(changed(sale(card, 600), de35=card.pan + "=" + card.expiry + "201"))
    needles = (card.pan.encode(), bytes.fromhex(card.pan))
    files = [path for path in host.root.rglob("*") if path.is_file()]
    found = [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]
    assert found == ["credit.yaml"]
