"""Histories written as stories, with a host that books as a host does.

``with run.case() as case:`` begins a case and, at its end, settles it; in between things happen in the order in which
they are written: ``sale = case.sale()``, ``key = case.request(sale)``, ``case.answer(key)``,
``case.ends(sale, "approved")``. Then ``run.judge()``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from rig.history import Event, History
from rig.verdict import CaseVerdict, judge

TID, MID = "70000001", "M00000000000001"
RESPONSE_TIMEOUT_S, IDLE_LIMIT_S = 3.0, 8.0
VIEWS = ("host ledger", "ecr", "card")

_MILLISECOND = 1_000_000
_STEP_MS = 10
_PIDS = {"rig": 100, "acquirer": 200}


@dataclass
class Run:
    """A run in the making. Each event comes ten milliseconds after the one before."""

    views: tuple[str, ...] = VIEWS
    planned: tuple[str, ...] = ()
    events: list[Event] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    now_ms: int = 1_000
    stan: int = 0
    intents: int = 0

    def __post_init__(self) -> None:
        terminal = {"response_timeout_s": RESPONSE_TIMEOUT_S, "idle_limit_s": IDLE_LIMIT_S}
        self.note("run_begin", capabilities=list(self.views), planned=list(self.planned), terminal=terminal)

    def note(self, kind: str, process: str = "rig", **data: Any) -> Event:
        self.now_ms += _STEP_MS
        event = Event("boot", self.now_ms * _MILLISECOND, process, _PIDS[process], 0, kind, data)
        self.events.append(event)
        return event

    def host(self, kind: str, **data: Any) -> Event:
        return self.note(kind, "acquirer", **data)

    def waits(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)

    @contextmanager
    def case(self, name: str = "case", *requires: str, settles: bool = True, ends: bool = True) -> Iterator[Case]:
        required = list(requires or ("completed", "failed safely"))
        self.note("case_begin", case=name, title=name.capitalize(), bearer="wifi", requires=required)
        case = Case(self)
        yield case
        if settles and not case.settled:
            case.settle()
        if ends:
            self.note("case_end", case=name)

    def history(self, without: Callable[[Event], bool] = lambda event: False) -> History:
        """The run as it would be read, without some events that were never written."""
        last = dict.fromkeys(_PIDS, 0)
        numbered = []
        for event in self.events:
            if not without(event):
                last[event.process] += 1
                numbered.append(replace(event, sequence=last[event.process]))
        return History(tuple(numbered))

    def judge(self) -> CaseVerdict:
        """The verdict of the last case."""
        return judge(self.history()).cases[-1]


@dataclass
class Case:
    """What can happen in a case."""

    run: Run
    settled: bool = False

    # The cash register and the terminal

    def sale(self, minor: int = 1234) -> str:
        return self._intent("sale", amount=minor, currency="EUR", card="visa")

    def void(self, sale: str, minor: int = 1234) -> str:
        return self._intent("void", amount=minor, currency="EUR", of=sale)

    def end_of_day(self) -> str:
        return self._intent("end_of_day", amount=0, currency="EUR")

    def ends(self, intent: str, outcome: str, minor: int | None = None, code: str = "") -> None:
        code = code or {"approved": "00", "declined": "6C"}.get(outcome, "")
        self.run.note("outcome", intent=intent, outcome=outcome, amount=minor, result_code=code)

    def resolves(self, intent: str, outcome: str) -> None:
        self.run.note("resolution", intent=intent, outcome=outcome, by="repeat receipt")

    def hears(self, data: str) -> None:
        self.run.note("ecr_rx", data=data, name="frame")

    # The host

    def request(self, intent: str, key: str = "", minor: int = 0, **other: Any) -> str:
        """A sale's request reaches the host, which approves it in its books."""
        begun = self._begun(intent)
        self.run.stan += 1
        key = key or f"{TID}/{self.run.stan:06d}"
        data = self._message("0200", key, minor or begun["amount"], "000000") | other
        row = {"key": key, "operation": "sale", "amount": data["amount"], "currency": "978", "state": "approved"}
        self.run.rows.setdefault(key, row)
        self.run.host("request_received", **data)
        return key

    def advice(self, intent: str, minor: int = 0, **other: Any) -> str:
        """The host learns of a sale that was approved offline, and books it."""
        return self.request(intent, minor=minor, mti="0220", **other)

    def void_request(self, intent: str, sale_key: str) -> str:
        self.run.stan += 1
        key = f"{TID}/{self.run.stan:06d}"
        data = self._message("0200", key, self._begun(intent)["amount"], "200000")
        self.run.host("request_received", **data | {"original": _original(sale_key)})
        self.run.rows[key] = {"key": key, "operation": "void", "amount": data["amount"], "state": "approved"}
        self.run.rows[sale_key]["state"] = "voided"
        return key

    def repeats(self, key: str) -> None:
        """The terminal sends the same request again; the host answers from its store."""
        first = next(e for e in self.run.events if e.kind == "request_received" and e.data["key"] == key)
        self.run.host("request_received", **first.data | {"repeat": True})

    def answer(self, key: str, rc: str = "00", mti: str = "0210") -> None:
        if rc != "00":
            self.run.rows[key]["state"] = "declined"
        self.run.host("answer_sent", key=key, mti=mti, rc=rc, auth="", rrn="", late=False)

    def withhold(self, key: str) -> None:
        self.run.host("answer_withheld", key=key, why="silent")

    def reversal(self, key: str, **wrong: Any) -> None:
        """A reversal that names this original, and its answer."""
        self.run.stan += 1
        own = f"{TID}/{self.run.stan:06d}"
        row = self.run.rows.get(key)
        message = self._message("0400", own, row["amount"] if row else 1234, "000000")
        self.run.host("request_received", **message | {"original": _original(key)} | wrong)
        if row and not wrong:
            row["state"] = "reversed"
        self.run.host("answer_sent", key=own, mti="0410", rc="00" if row else "25")

    def settlement(self, agreed: bool = True) -> None:
        self.run.host("settlement", tid=TID, batch="000001", agreed=agreed, host={}, terminal={})

    # The bench

    def fault(self, action: str, proven: bool | None = True) -> None:
        self.run.note("fault_asked", fault=action, action=action, target="", moment="request_received")
        if proven is not None:
            self.run.note("fault_proof", fault=action, proven=proven, evidence={})

    def power(self, on: bool) -> None:
        self.run.note("power", device="terminal", on=on, read_back=on)

    def arms(self, token: str = "t", **more: Any) -> None:
        self.run.note("card_armed", card="visa", token=token, masked=f"476173******{token}", **more)

    def gives(self, token: str = "t", atc: int = 1, cryptogram: str = "AB", **other: Any) -> dict[str, Any]:
        """The card signs; returns what a request by chip then says."""
        self.run.note("card_cryptogram", token=token, atc=atc, cryptogram=cryptogram, **other)
        return {"token": token, "atc": atc, "cryptogram": cryptogram, "entry_mode": "071", "masked": "476173******9"}

    def card_leaves(self) -> None:
        self.run.note("card_cryptogram", token="t", atc=1, cryptogram="00")
        self.run.note("card_removed", why="pulled")

    def trouble(self) -> None:
        self.run.note("bench_fault", device="acquirer", what="gone", cure="start it")

    def settle(self, quiet: bool = True, waiting_for: str = "", idle_ms: float = 100) -> None:
        self.run.note("settle_begin")
        for row in self.run.rows.values():
            self.run.note("ledger_row", **row)
        self.run.note("settled", quiet=quiet, waiting_for=waiting_for, idle_ms=idle_ms)
        self.settled = True

    # Whole passages

    def approved_sale(self, minor: int = 1234) -> tuple[str, str]:
        sale = self.sale(minor)
        key = self.request(sale)
        self.answer(key)
        self.ends(sale, "approved", minor)
        return sale, key

    def unanswered_sale(self, reverses: bool = True) -> tuple[str, str]:
        sale = self.sale()
        key = self.request(sale)
        self.withhold(key)
        self.run.waits(RESPONSE_TIMEOUT_S)
        if reverses:
            self.reversal(key)
        self.ends(sale, "declined")
        return sale, key

    def _intent(self, operation: str, **data: Any) -> str:
        self.run.intents += 1
        name = f"i{self.run.intents}"
        self.run.note("intent", intent=name, operation=operation, bearer="wifi", **data)
        return name

    def _begun(self, intent: str) -> dict[str, Any]:
        return next(e.data for e in reversed(self.run.events) if e.kind == "intent" and e.data["intent"] == intent)

    @staticmethod
    def _message(mti: str, key: str, minor: int, processing: str) -> dict[str, Any]:
        tid, stan = key.split("/")
        return {
            "key": key, "mti": mti, "stan": stan, "tid": tid, "mid": MID, "amount": minor, "currency": "978",
            "processing": processing, "batch": "000001", "token": "t", "original": None, "repeat": False,
        }  # fmt: skip


def _original(key: str) -> dict[str, str]:
    return {"mti": "0200", "stan": key.split("/")[1], "time": "0101120000"}


def broken(verdict: CaseVerdict) -> set[str]:
    """The invariants that were broken."""
    return {breach.invariant for breach in verdict.breaches}
