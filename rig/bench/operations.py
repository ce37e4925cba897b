"""Sales, voids and ends of day: the intent first, then the operation, then what the cash register may believe of it."""

from __future__ import annotations

from dataclasses import dataclass

from rig.bench.carding import Carding
from rig.bench.description import BenchFile
from rig.bench.devices import Devices, require
from rig.cards.profile import Interface
from rig.errors import CallerMistake
from rig.faults import Fault, Injector
from rig.history import Journal
from rig.terminals.base import OperationResult, Outcome, Resolution
from rig.units import Money


@dataclass(repr=False)
class Operation:
    """One intent and how it ended.

    Attributes:
        intent: its number in the history.
        money: what was asked for.
        result: what the cash register saw.
        resolution: what a query found out, where the answer was lost.
    """

    intent: str
    money: Money
    result: OperationResult
    resolution: Resolution | None = None

    def __repr__(self) -> str:
        why = self.resolution.why if self.resolution is not None else self.result.why
        return f"<{self.intent} of {self.money}: {self.outcome}, {why}>"

    @property
    def outcome(self) -> Outcome:
        """What the cash register believes now."""
        return self.resolution.outcome if self.resolution is not None else self.result.outcome

    @property
    def approved(self) -> bool:
        """Whether the cash register may hand over the goods."""
        return self.outcome is Outcome.APPROVED

    @property
    def amount(self) -> int:
        """Minor units, as the terminal said."""
        return self.money.minor if self.result.amount is None else self.result.amount

    @property
    def receipt(self) -> int | None:
        """The receipt number, if the terminal told one."""
        told = self.resolution.receipt if self.resolution is not None else None
        return self.result.receipt or told


class Operations:
    """The operations of one bench, in the words of its history."""

    def __init__(
        self, bench: BenchFile, devices: Devices, carding: Carding, injector: Injector, journal: Journal
    ) -> None:
        self._bench = bench
        self._carding = carding
        self._devices = devices
        self._injector = injector
        self._journal = journal
        self._count = 0
        self.unresolved: list[Operation] = []
        """Sales whose answer was lost and that no query has settled yet."""

    def forget(self) -> None:
        """A new case begins."""
        self.unresolved.clear()

    def sale(self, amount: int, card: str, *faults: Fault, interface: Interface | None = None) -> Operation:
        """A sale with faults at their moments; ``interface`` says how the card is presented where it has several."""
        terminal = require(self._devices.terminal, "terminal")
        money = Money(amount, self._bench.terminal.currency)
        if amount <= 0:
            raise CallerMistake("amount", f"{amount} is no amount of a sale", "give minor units above zero")
        profile = self._carding.profile(card)
        presenter = self._carding.choose(profile, interface)
        intent = self._intent("sale", money, card=card)
        self._injector.arm(*faults)
        self._carding.present(profile, presenter)
        try:
            operation = Operation(intent, money, terminal.sale(money))
        finally:
            self._carding.remove()
        self._outcome(operation)
        self._injector.end_sale()
        if operation.outcome is Outcome.UNKNOWN:
            self.unresolved.append(operation)
        return operation

    def void(self, sale: Operation) -> Operation:
        """Take a sale back by its receipt number."""
        if sale.receipt is None:
            raise CallerMistake("void", "the sale has no receipt number", "only an approved sale can be voided")
        intent = self._intent("void", sale.money, of=sale.intent)
        result = require(self._devices.terminal, "terminal").void(sale.receipt, sale.money)
        return self._outcome(Operation(intent, sale.money, result))

    def end_of_day(self, *faults: Fault) -> Operation:
        """Settle the day between terminal and host; ``faults`` are the host's own."""
        nothing = Money(0, self._bench.terminal.currency)
        intent = self._intent("end_of_day", nothing)
        self._injector.arm(*faults)
        operation = Operation(intent, nothing, require(self._devices.terminal, "terminal").end_of_day())
        self._outcome(operation)
        self._injector.end_sale()
        return operation

    def resolve(self) -> None:
        """Ask the terminal what became of the sales whose answer was lost. Never sends one again."""
        terminal = require(self._devices.terminal, "terminal")
        for operation in self.unresolved:
            found: Resolution = terminal.resolve(operation.result.before, operation.money)
            operation.resolution = found
            self._journal.write(
                "resolution", intent=operation.intent, outcome=str(found.outcome), by=found.by, why=found.why,
                amount=found.amount, trace=found.trace, receipt=found.receipt, result_code=found.result_code,
            )  # fmt: skip
        self.unresolved = [each for each in self.unresolved if each.outcome is Outcome.UNKNOWN]

    def _intent(self, operation: str, money: Money, card: str | None = None, of: str | None = None) -> str:
        self._count += 1
        intent = f"{operation}-{self._count}"
        self._journal.write(
            "intent", durable=True, intent=intent, operation=operation, amount=money.minor, currency=money.currency,
            card=card, of=of,
        )  # fmt: skip
        return intent

    def _outcome(self, operation: Operation) -> Operation:
        result = operation.result
        self._journal.write(
            "outcome", intent=operation.intent, outcome=str(result.outcome), amount=result.amount,
            result_code=result.result_code, trace=result.trace, receipt=result.receipt, why=result.why,
            print_lines=len(result.print_lines),
        )  # fmt: skip
        return operation
