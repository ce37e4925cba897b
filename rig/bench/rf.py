"""RF paths on paper: what the bench file says of them is checked, and reckoned, before anything radiates.

From the terminal on, a path is a pad, the attenuator and more: cables, splitters, another pad. ``loss_db`` is all of
it but the attenuator's own setting, the pad included. An attenuator's input bears less than a terminal can transmit
(RC4DAT-6G-95: 20 dBm; LTE power class 3: 23 ± 2 dBm, 3GPP TS 36.101 table 6.2.2-1), so the pad stands before it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from rig.bench.parts.base import WrongField
from rig.bench.parts.instruments import Attenuator, RfPath
from rig.errors import CallerMistake
from rig.units import Dbm, Decibel, attenuate

_ROUNDING_DB = 1e-9


@dataclass(frozen=True)
class PowerBudget:
    """What the terminal's power makes of the attenuator's input.

    Attributes:
        terminal: the greatest power that the terminal transmits into the path.
        pad: what stands between the two.
        limit: the greatest power that the input bears; None where the bench file does not say.
    """

    terminal: Dbm
    pad: Decibel
    limit: Dbm | None

    @property
    def at_input(self) -> Dbm:
        """What reaches the attenuator."""
        return attenuate(self.terminal, self.pad)

    @property
    def margin(self) -> Decibel | None:
        """How much more the input would bear; None where its limit is not known, negative where it is too much."""
        return None if self.limit is None else Decibel(self.limit - self.at_input)

    @property
    def reckoned(self) -> str:
        """The sum, for people."""
        return f"{self.terminal:g} dBm - {self.pad:g} dB of pad = {self.at_input:g} dBm"


def power_budget(path: RfPath, box: Attenuator) -> PowerBudget | None:
    """The budget of a path; None where nobody said what the terminal transmits."""
    if path.terminal_power_dbm is None:
        return None
    limit = None if box.max_input_dbm is None else Dbm(box.max_input_dbm)
    return PowerBudget(Dbm(path.terminal_power_dbm), Decibel(path.pad_db), limit)


def fixed_loss(path: RfPath, frequency_mhz: float, name: str = "loss_db") -> Decibel:
    """The path's fixed loss at a frequency, linear between the two frequencies of its table on either side.

    Args:
        path: with ``loss_db``.
        frequency_mhz: where the loss is asked for.
        name: of the path, for the message.

    Raises:
        CallerMistake: it has no table, or the table does not reach so far.
    """
    table = sorted(path.loss_db.items())
    if not table:
        raise CallerMistake(name, "its loss is not known", "write loss_db, or measure it: rig bench calibrate")
    for frequency, loss in table:
        if frequency == frequency_mhz:
            return Decibel(loss)
    for (below, loss_below), (above, loss_above) in itertools.pairwise(table):
        if below < frequency_mhz < above:
            share = (frequency_mhz - below) / (above - below)
            return Decibel(loss_below + share * (loss_above - loss_below))
    raise CallerMistake(
        name,
        f"its loss is known from {table[0][0]:g} to {table[-1][0]:g} MHz, and {frequency_mhz:g} MHz is outside",
        f"add {frequency_mhz:g} MHz to loss_db",
    )


def check_paths(attenuators: Mapping[str, Attenuator], paths: Mapping[str, RfPath]) -> None:
    """Refuse paths that cannot be, or that would break an attenuator.

    Raises:
        WrongField: the first of them, with the cure.
    """
    taken: dict[tuple[str, int], str] = {}
    for name, path in paths.items():
        for channel in path.all_channels:
            other = taken.setdefault((path.attenuator, channel), name)
            if other != name:
                field = "channel" if path.channel is not None else "channels"
                what = f"channel {channel} of {path.attenuator} is that of path {other} already: give it one of its own"
                raise WrongField(what, "paths", name, field)
        _check_losses(name, path)
        budget = power_budget(path, attenuators[path.attenuator])
        if budget is not None and budget.margin is not None and budget.margin < -_ROUNDING_DB:
            raise WrongField(
                f"path {name} would put {budget.reckoned} into attenuator {path.attenuator}, which bears"
                f" {budget.limit:g} dBm: a pad of {budget.pad - budget.margin:g} dB or more is needed",
                "paths", name, "pad_db",
            )  # fmt: skip


def _check_losses(name: str, path: RfPath) -> None:
    if path.loss_db and path.pad_db > (least := min(path.loss_db.values())):
        what = f"the pad is part of loss_db, and {path.pad_db:g} dB is more than the whole loss of {least:g} dB"
        raise WrongField(what, "paths", name, "pad_db")
    if path.loss_db and path.frequency_mhz is not None:
        try:
            fixed_loss(path, path.frequency_mhz, name)
        except CallerMistake as error:
            raise WrongField(f"{error.what}: {error.cure}", "paths", name, "frequency_mhz") from error
