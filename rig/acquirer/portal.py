"""Ledgers as CSV: ours written and read, and what a real acquirer's portal exports, by a table of its columns.

Ours has one line a row under the names of :data:`COLUMNS`; amounts are minor units, currencies ISO 4217 digits. A
portal's is read by a YAML file::

    delimiter: ";"
    columns: {tid: "Terminal ID", stan: "Trace", amount: "Betrag", operation: "Typ", state: "Status", rc: "Code"}
    amounts: {unit: major, decimal: ","}           # 12,34; or {unit: minor}
    operations: {Kauf: sale, Storno: void, Gutschrift: refund}
    states: {Gebucht: approved, Abgelehnt: declined, Storniert: reversed, Eingereicht: settled}
    constant: {currency: "978"}                    # what the portal does not say, the same for all

``tid``, ``stan``, ``operation``, ``amount``, ``currency`` and ``state`` must be told; the others may be missing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rig.acquirer.row import Operation, Row, State
from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC

COLUMNS = (
    "tid", "stan", "mti", "date", "time", "batch", "operation", "amount", "requested", "currency", "rc", "state",
    "masked", "token", "rrn", "auth", "atc", "bank", "requests", "reversals", "duplicates",
)  # fmt: skip
_NEEDED = ("tid", "stan", "operation", "amount", "currency", "state")
_NUMBERS = ("amount", "requested", "atc", "requests", "reversals", "duplicates")


class _Amounts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Literal["minor", "major"] = "minor"
    decimal: Literal[".", ","] = "."


class PortalFormat(BaseModel):
    """How a portal writes its export; ours where nothing is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    columns: dict[str, str] = Field(default_factory=lambda: {name: name for name in COLUMNS})
    amounts: _Amounts = _Amounts()
    operations: dict[str, Operation] = Field(default_factory=lambda: {name: name for name in get_args(Operation)})
    states: dict[str, State] = Field(default_factory=lambda: {name: name for name in get_args(State)})
    constant: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> PortalFormat:
        """Read a format. Raises CallerMistake that names file and field."""
        try:
            form = cls.model_validate(yaml.safe_load(path.read_text()) or {})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise CallerMistake(f"{path}: {where}", first["msg"], "see rig.acquirer.portal") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CallerMistake(str(path), f"cannot be read as YAML: {error}", "check the file") from None
        unknown = sorted((set(form.columns) | set(form.constant)) - set(COLUMNS))
        missing = sorted(set(_NEEDED) - set(form.columns) - set(form.constant))
        if unknown or missing:
            what = f"there is no column {unknown[0]}" if unknown else f"nothing says {', '.join(missing)}"
            raise CallerMistake(str(path), what, f"columns are {', '.join(COLUMNS)}")
        return form


OURS = PortalFormat()


def export(rows: Iterable[Row]) -> str:
    """Rows as CSV, with a head line; no card number is in it, but masked."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow("" if getattr(row, name) is None else getattr(row, name) for name in COLUMNS)
    return out.getvalue()


def write(rows: Iterable[Mapping[str, Any]]) -> str:
    """The same from rows as :func:`read` gives them."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows({name: value for name, value in row.items() if value is not None} for row in rows)
    return out.getvalue()


def read(path: Path, form: PortalFormat = OURS) -> list[dict[str, Any]]:
    """The rows of an export, each with ``key`` (``TID/STAN``) and the columns that are told.

    Raises:
        CallerMistake: the file cannot be read, or a line says something that the format does not know; it is named.
    """
    try:
        text = path.read_text(encoding=form.encoding)
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise CallerMistake(str(path), f"cannot be read: {error}", "is it CSV, and in this encoding?") from None
    lines = csv.DictReader(io.StringIO(text), delimiter=form.delimiter)
    missing = sorted(set(form.columns.values()) - set(lines.fieldnames or ()))
    needed = [name for name in _NEEDED if name in form.columns and form.columns[name] in missing]
    if needed:
        what = f"it has no column {form.columns[needed[0]]!r}"
        raise CallerMistake(str(path), what, "name the portal's own columns in a file for --columns")
    return [_row(line, form, f"{path} line {number}") for number, line in enumerate(lines, 2)]


def _row(line: Mapping[str, str | None], form: PortalFormat, where: str) -> dict[str, Any]:
    row: dict[str, Any] = dict(form.constant)
    row |= {name: (line.get(column) or "").strip() for name, column in form.columns.items()}
    empty = [name for name in _NEEDED if not row.get(name)]
    if empty:
        raise CallerMistake(where, f"{empty[0]} is empty", "every line needs " + ", ".join(_NEEDED))
    row["operation"] = _named(row["operation"], form.operations, "operation", where)
    row["state"] = _named(row["state"], form.states, "state", where)
    row["currency"] = CURRENCY_NUMERIC.get(row["currency"], row["currency"])
    row["amount"] = _minor(row["amount"], form.amounts, where)
    for name in _NUMBERS:
        value = row.get(name)
        if isinstance(value, str):
            row[name] = _minor(value, _Amounts(), where) if value else None
    row["stan"] = row["stan"].zfill(6)
    row["key"] = f"{row['tid']}/{row['stan']}"
    return {name: value for name, value in row.items() if value not in ("", None)}


def _named(told: str, names: Mapping[str, str], what: str, where: str) -> str:
    if told not in names:
        raise CallerMistake(
            where, f"{what} {told!r} is unknown", f"known are {', '.join(names)}; name it in the format"
        )
    return names[told]


def _minor(told: str, amounts: _Amounts, where: str) -> int:
    thousands = "," if amounts.decimal == "." else "."
    plain = told.replace(thousands, "").replace(" ", "").replace(amounts.decimal, ".")
    try:
        value = Decimal(plain) * (100 if amounts.unit == "major" else 1)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value != value.to_integral_value():
        raise CallerMistake(where, f"{told!r} is no amount", f"{amounts.unit} units with a decimal {amounts.decimal!r}")
    return int(value)
