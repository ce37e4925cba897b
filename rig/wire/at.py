"""AT answers of cellular modems: pure parsing, no I/O.

Source: 3GPP TS 27.007, clauses 7.2 (+CREG), 7.3 (+COPS), 8.3 (+CPIN), 8.5 (+CSQ), 8.69 (+CESQ), 10.1.1 (+CGDCONT),
10.1.10 (+CGACT), 10.1.14 (+CGPADDR), 10.1.20 (+CGREG), 10.1.22 (+CEREG); framing is ITU-T V.250. A reported index
stands for an interval; the values here are its upper edges. The errors: :mod:`rig.wire.at_errors`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rig.units import Dbm, Decibel
from rig.wire.errors import WireError

FINAL = re.compile(rb"(?:^|[\r\n])(OK|ERROR|\+CM[ES] ERROR: ?[^\r\n]*)\r?\n")
"""The line that ends an answer (V.250 5.7.1, TS 27.007 9.1)."""

_TECHNOLOGY = {
    0: "GSM", 1: "GSM", 2: "UTRAN", 3: "EDGE", 4: "HSPA", 5: "HSPA", 6: "HSPA", 7: "LTE", 8: "GSM",
    9: "NB-IoT", 10: "LTE", 11: "NR", 12: "NR", 13: "LTE",
}  # fmt: skip
_FAMILY = {"EDGE": "GSM", "HSPA": "UTRAN"}
_REGISTERED = {1, 5}  # home, roaming
_REGISTRATIONS = ("+CREG", "+CGREG", "+CEREG")
_NO_ADDRESS = {"", "0.0.0.0"}
_FIELD = re.compile(r'\s*(?:"([^"]*)"|([^",]*))\s*(,|$)')


@dataclass(frozen=True)
class Quality:
    """An answer to ``AT+CESQ``; None is "not known or not detectable".

    ``rsrp`` (LTE), ``rscp`` (UTRAN) and ``rxlev`` (GSM) in dBm; ``rsrq`` (LTE) and ``ecno`` (UTRAN) in dB.
    """

    rxlev: Dbm | None
    rscp: Dbm | None
    ecno: Decibel | None
    rsrq: Decibel | None
    rsrp: Dbm | None

    def of(self, technology: str | None) -> tuple[str | None, Dbm | None, Decibel | None]:
        """Level and quality of a technology, and its family; where it is None, of the best one that is heard."""
        heard = {"LTE": (self.rsrp, self.rsrq), "UTRAN": (self.rscp, self.ecno), "GSM": (self.rxlev, None)}
        name = technology or next((each for each, (level, _) in heard.items() if level is not None), None)
        level, quality = heard.get("LTE" if name == "NB-IoT" else name or "", (None, None))
        return name, level, quality


@dataclass(frozen=True)
class Registration:
    """An answer to ``AT+CEREG?`` and its like: registration status, and the cell where the modem tells it.

    ``area`` and ``cell`` are hexadecimal digits as they came; ``technology`` is the access technology of the cell,
    such as "HSPA", of which :func:`family` is the family.
    """

    status: int
    area: str | None = None
    cell: str | None = None
    technology: str | None = None

    @property
    def registered(self) -> bool:
        """Home or roaming."""
        return self.status in _REGISTERED

    @property
    def denied(self) -> bool:
        """The network knows the subscriber and does not let them in."""
        return self.status == 3


@dataclass(frozen=True)
class Context:
    """A packet data context as ``AT+CGDCONT?`` tells it."""

    number: int
    kind: str
    apn: str


def family(technology: str | None) -> str | None:
    """The technology whose level is measured: UTRAN for HSPA, GSM for EDGE."""
    return None if technology is None else _FAMILY.get(technology, technology)


def lines(answer: bytes) -> list[str]:
    """The lines of an answer, without blank ones."""
    text = answer.decode("ascii", "replace")
    return [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]


def fields(line: str, prefix: str) -> list[str]:
    """The comma-separated values behind ``prefix:``; quotes are removed.

    Raises:
        WireError: another prefix, or quotes that do not match.
    """
    head, colon, rest = line.partition(":")
    if not colon or head.strip() != prefix:
        raise WireError(f"{line!r} is no {prefix}")
    values: list[str] = []
    at = 0
    while True:
        match = _FIELD.match(rest, at)
        if not match:
            raise WireError(f"{line!r}: bad quotes")
        values.append(match[1] if match[1] is not None else match[2].strip())
        if not match[3]:
            return values
        at = match.end()


def parse_cesq(line: str) -> Quality:
    """``+CESQ: rxlev,ber,rscp,ecno,rsrq,rsrp``; what an NR modem adds behind them is left alone."""
    rxlev, _, rscp, ecno, rsrq, rsrp = _numbers(line, "+CESQ", 6, more=True)
    return Quality(
        rxlev=_dbm(_index(line, rxlev, 63, unknown=99), -110),
        rscp=_dbm(_index(line, rscp, 96, unknown=255), -120),
        ecno=_halves(_index(line, ecno, 49, unknown=255), -24.0),
        rsrq=_halves(_index(line, rsrq, 34, unknown=255), -19.5),
        rsrp=_dbm(_index(line, rsrp, 97, unknown=255), -140),
    )


def parse_csq(line: str) -> Dbm | None:
    """``+CSQ: rssi,ber`` as dBm: steps of 2 dB, at most −51. Too coarse to verify an attenuation."""
    index = _index(line, _numbers(line, "+CSQ", 2)[0], 31, unknown=99)
    return None if index is None else Dbm(-113 + 2 * index)


def is_registration_answer(line: str) -> bool:
    """Whether a ``+CEREG:``, ``+CGREG:`` or ``+CREG:`` line answers the question of its name; else it came unsolicited.

    An answer has the mode before the status, so its second value is a number; an unsolicited line has the area
    code there, in quotes, or nothing.
    """
    return re.match(r"\+C(?:E|G)?REG:\s*\d+\s*,\s*\d{1,2}\s*(,|$)", line) is not None


def is_unsolicited_registration(line: str) -> bool:
    """Whether a line tells by itself that the registration changed."""
    return line.partition(":")[0] in _REGISTRATIONS and not is_registration_answer(line)


def parse_registration(line: str) -> Registration:
    """``+CEREG: mode,status[,area,cell,technology]``, and ``+CGREG`` and ``+CREG`` of the same form."""
    values = fields(line, next((name for name in _REGISTRATIONS if line.startswith(f"{name}:")), "+CEREG"))
    if len(values) < 2:
        raise WireError(f"{line!r} has no status")
    technology = values[4] if len(values) > 4 else ""
    return Registration(
        status=_number(line, values[1]),
        area=(values[2] if len(values) > 2 else "") or None,
        cell=(values[3] if len(values) > 3 else "") or None,
        technology=_technology(line, technology) if technology else None,
    )


def parse_cops(line: str) -> tuple[str | None, str | None]:
    """``+COPS: mode[,format,operator[,technology]]`` as (operator, technology)."""
    values = fields(line, "+COPS")
    operator = values[2] if len(values) > 2 else None
    return operator, (_technology(line, values[3]) if len(values) > 3 else None)


def parse_cgact(line: str) -> tuple[int, bool]:
    """``+CGACT: context,state`` as (context, active)."""
    context, state = _numbers(line, "+CGACT", 2)
    return context, state == 1


def parse_cgdcont(line: str) -> Context:
    """``+CGDCONT: number,type,APN,…``."""
    values = fields(line, "+CGDCONT")
    if len(values) < 3:
        raise WireError(f"{line!r} has no APN")
    return Context(_number(line, values[0]), values[1], values[2])


def parse_cgpaddr(line: str) -> tuple[int, str | None]:
    """``+CGPADDR: number[,address]`` as (context, address); None where it has none."""
    values = fields(line, "+CGPADDR")
    address = values[1] if len(values) > 1 else ""
    return _number(line, values[0]), (None if address in _NO_ADDRESS else address)


def parse_cpin(line: str) -> str:
    """``+CPIN: READY`` and what else a SIM is or wants, such as ``SIM PIN``."""
    (state,) = fields(line, "+CPIN")[:1]
    if not state:
        raise WireError(f"{line!r} has no state")
    return state


def parse_csus(line: str) -> int:
    """``+CSUS: slot``: the slot in use, counted from 0."""
    return _numbers(line, "+CSUS", 1)[0]


def _numbers(line: str, prefix: str, count: int, *, more: bool = False) -> list[int]:
    values = fields(line, prefix)
    if len(values) != count and not (more and len(values) > count):
        raise WireError(f"{line!r} has {len(values)} values, not {count}")
    return [_number(line, value) for value in values[:count]]


def _halves(index: int | None, zero: float) -> Decibel | None:
    return None if index is None else Decibel(index / 2 + zero)


def _number(line: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise WireError(f"{line!r}: {value!r} is no number")
    return int(value)


def _index(line: str, value: int, maximum: int, *, unknown: int) -> int | None:
    if value == unknown:
        return None
    if value > maximum:
        raise WireError(f"{line!r}: {value} is above {maximum}")
    return value


def _dbm(index: int | None, zero: int) -> Dbm | None:
    return None if index is None else Dbm(zero + index)


def _technology(line: str, value: str) -> str:
    number = _number(line, value)
    return _TECHNOLOGY.get(number, f"AcT {number}")
