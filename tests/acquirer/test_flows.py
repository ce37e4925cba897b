"""Every flow in every dialect, asked of real hosts: money holds, moves, comes back, and is counted once."""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from rig.acquirer.terminal_keys import FILE, TerminalKeys, TerminalKeyStore
from rig.wire.iso8583 import Dialect, Message, Totals, Tpdu
from rig.wire.iso8583.registry import dialect_names, find_dialect
from rig.wire.keys import pin_block
from rig.wire.keys.session import SessionKeys
from tests.acquirer.speaker import Speaker
from tests.acquirer.till import ADDRESS, TID, HostProcess, key

MASTER = bytes(range(0x10, 0x20))
_batches = itertools.count(100)


@pytest.fixture(scope="module", params=dialect_names())
def spoken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host of each dialect, whose one terminal has a master key."""
    root = tmp_path_factory.mktemp("spoken")
    host = HostProcess(root / "host", tls=False, dialect=request.param)
    TerminalKeyStore(root / "host/state" / FILE).put(TID, TerminalKeys(MASTER))
    yield host
    assert host.end() == 0


@pytest.fixture
def dialect(spoken: HostProcess) -> Dialect:
    return find_dialect(spoken.dialect)


@pytest.fixture
def till(spoken: HostProcess, dialect: Dialect) -> Iterator[Speaker]:
    """A terminal that has signed on, with a batch of its own."""
    with Speaker(spoken.port, dialect, batch=f"{next(_batches):06d}") as till:
        code = next(code for code, wish in dialect.usage.codes.items() if wish == "sign-on")
        answer = till.ask(till.request("network", code=code))
        assert answer.text(39) == "00"
        keys = answer.data(62) if dialect.is_binary(62) else bytes.fromhex(answer.text(62))
        session = SessionKeys.unwrap(MASTER, keys)
        till.mac_key = session.mac if dialect.mac else None
        yield till


def _state(host: HostProcess, request: Message) -> str:
    return str(host.row(key(request))["state"])


def test_echo_and_an_unknown_code(till: Speaker, dialect: Dialect) -> None:
    assert till.code(till.request("network", code="301")) == "00"
    assert till.code(till.request("network", code="999")) == "12"


def test_a_sale_its_void_and_the_reversal_of_the_void(till: Speaker, spoken: HostProcess) -> None:
    sale = till.request("sale", spoken.cards["credit"], 1000)
    answer = till.ask(sale)
    assert (answer.text(39), len(answer.text(38)), len(answer.text(37))) == ("00", 6, 12)
    void = till.request("void", amount=1000, de37=answer.text(37), **till.pointing_at(sale))
    assert till.code(void) == "00"
    assert _state(spoken, sale) == "voided"
    assert till.code(till.reversal(void)) == "00"
    assert (_state(spoken, sale), _state(spoken, void)) == ("approved", "reversed")
    assert till.code(till.reversal(void)) == "00"
    assert spoken.row(key(void))["counts"]["reversals"] == 2


def test_a_repeat_gets_the_stored_answer_and_other_content_94(till: Speaker, spoken: HostProcess) -> None:
    sale = till.request("sale", spoken.cards["credit"], 700)
    first = till.ask(sale)
    assert till.ask(sale).text(37) == first.text(37)
    other = Message(sale.mti, {**sale.fields, 4: f"{701:012d}"})
    assert till.code(other) == "94"
    row = spoken.row(key(sale))
    assert (row["amount"], row["counts"]["requests"], row["counts"]["duplicates"]) == (700, 2, 1)
    assert till.code(till.reversal(sale)) == "00"
    assert till.code(sale) == "68"


def test_the_late_original_of_a_reversal_is_refused(till: Speaker, spoken: HostProcess) -> None:
    sale = till.request("sale", spoken.cards["credit"], 800)
    assert till.code(till.reversal(sale)) == "25"
    assert till.code(sale) == "68"
    assert spoken.row(key(sale))["state"] == "declined"


def test_an_authorisation_is_completed_once(till: Speaker, spoken: HostProcess) -> None:
    card = spoken.cards["credit"]
    hold = till.request("authorisation", card, 1000)
    answer = till.ask(hold)
    assert answer.text(39) == "00"
    named: dict[str, Any] = {"de38": answer.text(38)}
    assert till.code(till.request("completion", card, 1151, **named)) == "13"
    completion = till.request("completion", card, 1150, **named)
    assert till.code(completion) == "00"
    assert _state(spoken, hold) == "completed"
    assert till.code(till.request("completion", card, 500, **named)) == "12"
    assert till.code(till.request("cancel", card, 1000, **named)) == "12"
    assert till.code(till.reversal(completion)) == "00"
    assert (_state(spoken, hold), _state(spoken, completion)) == ("approved", "reversed")
    assert till.code(till.request("cancel", card, 1000, **named)) == "00"
    assert _state(spoken, hold) == "cancelled"


def test_an_authorisation_holds_the_balance_until_it_is_cancelled(till: Speaker, spoken: HostProcess) -> None:
    card = spoken.cards["debit"]
    hold = till.request("authorisation", card, 4000)
    assert till.code(hold) == "00"
    assert till.code(till.request("sale", card, 2000)) == "51"
    cancel = till.request("cancel", card, 4000, **till.pointing_at(hold))
    assert till.code(cancel) == "00"
    sale = till.request("sale", card, 2000)
    assert till.code(sale) == "00"
    assert till.code(till.reversal(sale)) == "00"


def test_a_refund_gives_back_no_more_than_was_paid(till: Speaker, spoken: HostProcess) -> None:
    card = spoken.cards["credit"]
    sale = till.request("sale", card, 1000)
    rrn = till.ask(sale).text(37)
    assert till.code(till.request("refund", card, 600, de37=rrn)) == "00"
    assert till.code(till.request("refund", card, 401, de37=rrn)) == "13"
    assert till.code(till.request("refund", card, 400, de37=rrn)) == "00"
    assert till.code(till.request("refund", card, 100, de37="999999999999")) == "25"
    free = till.request("refund", card, 100)
    assert till.code(free) == "00"
    assert till.code(till.reversal(free)) == "00"


def test_totals_agree_and_close_the_batch(till: Speaker, spoken: HostProcess, dialect: Dialect) -> None:
    card = spoken.cards["credit"]
    first, second = till.request("sale", card, 1000), till.request("sale", card, 500)
    rrn = till.ask(first).text(37)
    assert till.code(second) == "00"
    assert till.code(till.request("void", amount=1000, de37=rrn)) == "00"
    assert till.code(till.request("refund", card, 200)) == "00"
    gone = till.request("sale", card, 9900)
    assert till.code(gone) == "00"
    assert till.code(till.reversal(gone)) == "00"
    totals = Totals(sales=2, sales_sum=1500, voids=2, voids_sum=1200)
    wrong = till.ask(till.settlement(Totals(sales=1, sales_sum=1500)))
    assert dialect.usage.totals_of(wrong) == totals
    assert (wrong.text(39), wrong.text(48)[30:31]) == (("00", "2") if dialect.usage.unionpay_totals else ("95", "0"))
    assert till.code(till.settlement(totals)) == "00"
    assert till.code(till.request("sale", card, 100)) == "77"
    assert till.code(till.reversal(second)) == "12"
    assert _state(spoken, second) == "settled"


def test_after_unequal_totals_the_batch_is_uploaded(till: Speaker, spoken: HostProcess) -> None:
    card = spoken.cards["credit"]
    known = till.request("sale", card, 300)
    assert till.code(known) == "00"
    till.ask(till.settlement(Totals(sales=2, sales_sum=700)))
    same = till.request("upload", card, 300, de11=known.text(11), code="201")
    missing = till.request("upload", card, 400, code="201")
    other = till.request("upload", card, 301, de11=known.text(11), de13="0201", code="201")
    for upload in (same, missing, other):
        assert till.code(upload) == "00"
    found = [spoken.about("upload_compared", key(upload))[-1]["found"] for upload in (missing, other)]
    assert found == ["missing here", "another amount here"]
    assert spoken.about("upload_compared", key(same))[0]["found"] == "the same"
    assert till.code(till.settlement(Totals(sales=2, sales_sum=700), "upload_end", code="207")) == "00"
    assert till.code(till.request("sale", card, 100)) == "77"


def test_a_script_result_is_noted(till: Speaker, spoken: HostProcess) -> None:
    script = till.request("script", spoken.cards["credit"], 100, de55=bytes.fromhex("9F5B0520000000FF"))
    assert till.code(script) == "00"
    assert spoken.about("script_result", key(script))[0]["data"] == "9F5B0520000000FF"


def test_a_wrong_code_is_refused_and_nothing_booked(till: Speaker, spoken: HostProcess) -> None:
    if till.mac_key is None:
        assert spoken.events("request_refused") == []
        return
    request = till.request("sale", spoken.cards["credit"], 100)
    right, till.mac_key = till.mac_key, till.mac_key[::-1]
    assert till.code(request) == "A0"
    till.mac_key = right
    assert all(row["key"] != key(request) for row in spoken.control.ledger())
    assert till.code(request) == "00"


def test_what_this_dialect_does_not_ask_is_a_format_error(till: Speaker, spoken: HostProcess) -> None:
    strange = till.request("sale", spoken.cards["credit"], 100, de3="770000")
    assert till.code(strange) == "30"
    assert till.code(till.request("sale", spoken.cards["credit"], 100, de42=None)) == "30"
    assert till.code(Message("0100", {**strange.fields, 3: "990000"})) == "30"


def test_an_online_pin_is_compared(till: Speaker, spoken: HostProcess) -> None:
    card = spoken.cards["secret"]
    keys = TerminalKeyStore(spoken.root / "state" / FILE).of(TID)
    assert keys.pin is not None

    def ask(pin: str, form: int, pin_key: bytes) -> str:
        request = till.request("sale", card, 100, de52=pin_block.encrypt(pin, card.pan, pin_key, form))
        code = till.code(request)
        (told,) = spoken.about("request_received", key(request))
        assert told["pin_ok"] is (code == "00")
        return code

    assert [ask("4711", form, keys.pin) for form in (0, 3)] == ["00", "00"]
    assert ask("4712", 0, keys.pin) == "55"
    assert ask("4711", 0, keys.pin[::-1]) == "55"
    assert ask("4711", 0, keys.pin) == "00"
    assert [ask("1111", 0, keys.pin) for _ in range(3)] == ["55"] * 3
    code = till.code(till.request("sale", card, 100, de52=pin_block.encrypt("4711", card.pan, keys.pin)))
    assert code == "75"
    spoken.end()
    spoken.start()  # forgets the tries, and keeps the keys


def test_arbitrary_frames_end_in_a_refusal_or_the_connection_and_book_nothing(
    spoken: HostProcess, dialect: Dialect
) -> None:
    """Random payloads and damaged sales, in whole frames: the host lives on, and the ledger is as it was."""
    chance = random.Random(7)
    before = len(spoken.control.ledger())
    with Speaker(spoken.port, dialect) as till:
        sale = dialect.encode(till.request("sale", spoken.cards["credit"], 100, de41="99999999"))
    for number in range(300):
        data = chance.randbytes(chance.randrange(1, 200)) if number % 2 else _damaged(sale, chance)
        frame = dialect.framing.frame(Tpdu(1, 2), dialect.header + data)
        with socket.create_connection((ADDRESS, spoken.port), timeout=5) as connection:
            connection.sendall(frame)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert len(spoken.control.ledger()) == before
    assert spoken.process.poll() is None
    assert spoken.events("request_refused")


def _damaged(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + chance.randbytes(2) + data[place + chance.randrange(3) :]
