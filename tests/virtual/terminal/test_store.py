"""The terminal's journal: what is true after a power cut at any byte of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import DeviceNonsense
from rig.virtual.terminal.reversals import _after_power_cut
from rig.virtual.terminal.store import Store
from rig.virtual.terminal.transaction import CardFace, Operation, State, Transaction
from rig.virtual.terminal.vault import Vault

WHEN = datetime(2024, 2, 29, 23, 59, 58)
FACE = CardFace("476173EEEEEE0010", "0010", 1, "VISA", 10)


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A journal is opened again for each byte of it; a process has room for a thousand files."""
    made: list[Store] = []
    begin = Store.__init__

    def begin_and_note(store: Store, folder: Path) -> None:
        begin(store, folder)
        made.append(store)

    monkeypatch.setattr(Store, "__init__", begin_and_note)
    yield
    for store in made:
        store.close()


def sell(store: Store, amount: int = 100) -> Transaction:
    """An approved sale up to the host's answer."""
    transaction = store.begin(Operation.SALE, amount, WHEN)
    store.show_card(transaction, FACE)
    store.sending(transaction, {11: f"{transaction.trace:06d}", 7: "0229225958"}, "sealed")
    store.answered(transaction, "00", "A12345", "000000000001")
    return transaction


def one_of_each(folder: Path) -> Store:
    """A journal with a committed sale, a declined one, and a reversed one."""
    store = Store(folder)
    store.register(0x08)
    store.committed(sell(store))
    declined = store.begin(Operation.SALE, 200, WHEN)
    store.sending(declined, {11: "000002"}, "sealed")
    store.answered(declined, "51", "", "")
    store.failed(declined, 51)
    undone = sell(store, 300)
    store.failed(undone, 0x9A, "06")
    store.reversing(undone)
    store.reversed(undone, "00")
    return store


def test_what_was_written_is_there_again(tmp_path: Path) -> None:
    written = one_of_each(tmp_path)
    read = Store(tmp_path)
    assert read.transactions == written.transactions
    assert (read.trace, read.receipt, read.batch, read.registration) == (3, 3, 1, 0x08)
    assert read.last_final() == read.transactions[3]
    assert read.pending_reversals() == []


def test_after_a_cut_anywhere_exactly_what_is_not_committed_is_reversed(tmp_path: Path) -> None:
    whole = one_of_each(tmp_path / "whole").path.read_bytes()
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    cuts = {end + step for end in ends for step in (-1, 0, 1)} | set(range(0, len(whole), 11)) | {len(whole)}
    for cut in sorted(cuts):
        folder = tmp_path / "cut"
        folder.mkdir(exist_ok=True)
        (folder / "journal.jsonl").write_bytes(whole[:cut])
        store = Store(folder)
        lines = whole[:cut].split(b"\n")[:-1]
        for transaction in list(store.transactions.values()):
            mine = [line for line in lines if b'"trace":%d,' % transaction.trace in line or line.endswith(
                b'"trace":%d}' % transaction.trace)]  # fmt: skip
            records = {line.split(b'"')[3].decode() for line in mine}
            if not transaction.final:
                store.failed(transaction, *_after_power_cut(transaction))
            may_have_left = "sending" in records
            refused = transaction.rc == "51"
            safe = "committed" in records or "reversed" in records or refused
            assert (transaction in store.pending_reversals()) == (may_have_left and not safe), (cut, records)
        store.begin(Operation.SALE, 1, WHEN)  # a torn line never spoils the next one
        assert Store(folder).trace == store.trace


def test_numbers_are_never_used_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.begin(Operation.SALE, 1, WHEN)
    assert store.number("echo") == 2
    again = Store(tmp_path)
    third = again.begin(Operation.SALE, 1, WHEN)
    assert (third.trace, third.receipt) == (3, 2)


def test_a_void_marks_the_sale(tmp_path: Path) -> None:
    store = Store(tmp_path)
    sold = sell(store)
    store.committed(sold)
    void = store.begin(Operation.VOID, 100, WHEN, original=sold.trace)
    assert not sold.voided
    store.committed(void)
    assert Store(tmp_path).transactions[sold.trace].voided


def test_a_closed_batch_begins_another(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.committed(sell(store))
    assert len(store.committed_in_batch()) == 1
    settlement = store.settle("1" * 32, WHEN)
    assert Store(tmp_path).settling == settlement
    store.settled(agreed=True)
    again = Store(tmp_path)
    assert again.settling is None
    assert (again.batch, again.committed_in_batch()) == (2, [])


def test_a_long_journal_is_made_short_at_boot_and_nothing_of_use_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = one_of_each(tmp_path)
    store.committed(sell(store, 11))
    pending = sell(store, 12)
    store.failed(pending, 0x9A, "06")
    store.settle("0" * 32, WHEN)
    store.settled(agreed=True)
    open_sale, last = sell(store, 13), sell(store, 14)
    store.committed(open_sale)
    store.committed(store.begin(Operation.VOID, 13, WHEN, original=open_sale.trace))
    store.failed(last, 0x9A)
    waiting = store.settle("1" * 32, WHEN)
    store.number("echo")
    monkeypatch.setattr("rig.virtual.terminal.store._LONG", 0)
    before = store.path.stat().st_size
    for _ in range(2):  # what was made short can be made short again
        short = Store(tmp_path)
        assert set(short.transactions) == {pending.trace, open_sale.trace, last.trace, last.trace + 1}
        assert short.pending_reversals() == [pending]
        assert short.committed_in_batch() == store.committed_in_batch()
        assert short.last_final() == store.last_final()
        assert (short.trace, short.receipt, short.batch) == (store.trace, store.receipt, store.batch)
        assert (short.registration, short.settling) == (0x08, waiting)
    assert short.path.stat().st_size < before
    assert short.begin(Operation.SALE, 1, WHEN).trace == store.trace + 1
    assert Store(tmp_path).trace == store.trace + 1


def test_after_a_cut_anywhere_an_advice_is_due_exactly_when_the_sale_is_final(tmp_path: Path) -> None:
    store = Store(tmp_path / "whole")
    told = store.begin(Operation.SALE, 100, WHEN)
    store.show_card(told, FACE)
    store.offline(told, "Y1", {11: "000001", 7: "0229225958"}, "sealed")
    store.committed(told)
    store.advising(told)
    store.advised(told, "00", "000000000001")
    journal = store.path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(journal) if byte == 0x0A]
    for length in range(len(journal) + 1):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / "journal.jsonl").write_bytes(journal[:length])
        read = Store(folder)
        records = sum(end <= length for end in ends)
        assert len(read.pending_advices()) == (records in (4, 5))
        assert [_after_power_cut(each)[1] for each in read.undecided()] == ([None] if 1 <= records <= 3 else [])
    assert read.transactions[told.trace].rrn == "000000000001"


def test_an_advice_that_is_due_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    due = store.begin(Operation.SALE, 100, WHEN)
    store.offline(due, "Y1", {11: "000001"}, "sealed")
    store.committed(due)
    store.settle("0" * 32, WHEN)
    store.settled(agreed=True)
    store.committed(sell(store))
    monkeypatch.setattr("rig.virtual.terminal.store._LONG", 0)
    assert Store(tmp_path).pending_advices() == [due]


def test_damage_inside_the_journal_is_named(tmp_path: Path) -> None:
    store = one_of_each(tmp_path)
    lines = store.path.read_bytes().split(b"\n")
    lines[2] = lines[2][:10]
    store.path.write_bytes(b"\n".join(lines))
    with pytest.raises(DeviceNonsense, match="line 3 is damaged"):
        Store(tmp_path)


@pytest.mark.parametrize("line", [b"[]", b'{"record":"explodes"}', b'{"record":"committed","trace":9}'])
def test_a_record_that_cannot_be_is_damage(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "journal.jsonl").write_bytes(line + b"\n")
    with pytest.raises(DeviceNonsense):
        Store(tmp_path)


def test_an_undecided_transaction_is_seen_after_a_boot(tmp_path: Path) -> None:
    sell(Store(tmp_path))
    found = Store(tmp_path).undecided()
    assert [t.state for t in found] == [State.ANSWERED]


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from([2, 14, 35]), st.text("0123456789=", max_size=37)), st.integers(1, 999_999))
def test_the_vault_gives_back_what_it_sealed(
    tmp_path_factory: pytest.TempPathFactory, elements: dict[int, str], trace: int
) -> None:
    folder = tmp_path_factory.mktemp("vault")
    sealed = Vault(folder).seal(trace, elements)
    assert Vault(folder).open(trace, sealed) == elements
    assert all(len(value) < 4 or value not in sealed for value in elements.values())


def test_the_key_is_the_owners_alone_and_a_seal_is_bound_to_its_transaction(tmp_path: Path) -> None:
    from cryptography.exceptions import InvalidTag

    vault = Vault(tmp_path)
    assert (tmp_path / "card.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidTag):
        vault.open(2, vault.seal(1, {2: "0"}))
