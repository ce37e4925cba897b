"""What an Android tells of its networks by ``dumpsys telephony.registry``: pure parsing, no I/O.

The dump has a block for each SIM slot, ``Phone Id=n``, with ``mServiceState=…`` (registration, cell, channel) and
``mSignalStrength=…`` (levels by technology); log lines of the same names follow behind the blocks. It is made for
people and differs between versions and makers: what is not there is not known, 2147483647 is "not known", and some
makers mask identities with asterisks.

Source: the Android Open Source Project: ``TelephonyRegistry.dump``, and ``toString`` of ``ServiceState``,
``NetworkRegistrationInfo``, ``CellIdentity…``, ``CellSignalStrength…``, as they are in Android 10 to 14.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rig.units import Dbm, Decibel
from rig.wire.errors import WireError

_UNKNOWN = {"2147483647", "-2147483648", "9223372036854775807", "null", ""}
_CONNECTED = 2
_BLOCK = re.compile(r"^[ \t]*Phone Id=(\d{1,3})[ \t]*$", re.MULTILINE)
_LOGS = re.compile(r"^[ \t]*(?:local logs|listen logs|registrations: count)", re.MULTILINE)
_SECTION = re.compile(r"\bm(Cdma|Gsm|Wcdma|Tdscdma|Lte|Nr)=")
_PAIR = re.compile(r"\b([A-Za-z]\w*)\s*=\s*([^\s,{}\[\]]+)")

_FAMILY = {
    **dict.fromkeys(("LTE", "LTE_CA"), "LTE"),
    **dict.fromkeys(("UMTS", "HSDPA", "HSUPA", "HSPA", "HSPAP", "HSPA+", "TD_SCDMA"), "UTRAN"),
    **dict.fromkeys(("GSM", "GPRS", "EDGE"), "GSM"),
    "NR": "NR",
}
_LEVELS = {
    "NR": ("Nr", "ssRsrp", "ssRsrq"),
    "LTE": ("Lte", "rsrp", "rsrq"),
    "UTRAN": ("Wcdma", "rscp", "ecno"),
    "GSM": ("Gsm", "rssi", None),
}
"""By technology: section of mSignalStrength, its level in dBm, its quality in dB."""
_PRIMARY = {"Nr": "NR", "Lte": "LTE", "Wcdma": "UTRAN", "Tdscdma": "UTRAN", "Gsm": "GSM"}
_CELL = {"mCi": 8, "mCid": 8, "mNci": 9}
"""Identity of a cell, with how many hexadecimal digits it is written."""
_CHANNEL = ("mEarfcn", "mUarfcn", "mArfcn", "mNrArfcn")
_AREA = ("mTac", "mLac")


@dataclass(frozen=True)
class PhoneState:
    """One SIM slot of the dump; None is "not known". Fields as those of :class:`rig.instruments.signal.Signal`.

    ``connected`` says whether it has a data connection.
    """

    slot: int
    registered: bool
    connected: bool
    technology: str | None
    level: Dbm | None
    quality: Decibel | None
    cell: str | None
    area: str | None
    channel: int | None
    operator: str | None


def parse(dump: str) -> list[PhoneState]:
    """Every slot of a dump, in their order.

    Raises:
        WireError: nothing of the kind is in it.
    """
    ends = _LOGS.search(dump)
    blocks = list(_blocks(dump[: ends.start()] if ends else dump))
    phones = [_phone(slot, lines) for slot, lines in blocks if "mServiceState" in lines or "mSignalStrength" in lines]
    if not phones:
        raise WireError(f"no mServiceState in {dump.strip()[:80]!r}")
    return phones


def active(phones: list[PhoneState]) -> PhoneState:
    """The slot that carries the packets: connected, else registered, else the first."""
    return max(phones, key=lambda phone: (phone.connected, phone.registered, -phone.slot))


def _blocks(dump: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Slot, and its lines ``name=value`` by their names; a dump without blocks is one slot."""
    for slot, body in list(_cut(_BLOCK, dump)) or [("0", dump)]:
        lines: dict[str, str] = {}
        for line in body.splitlines():
            name, equals, value = line.strip().partition("=")
            if equals:
                lines.setdefault(name, value)
        yield int(slot), lines


def _phone(slot: int, lines: dict[str, str]) -> PhoneState:
    service = lines.get("mServiceState", "")
    registration = _packet_registration(service)
    identity = _pairs(registration.partition("cellIdentity=")[2])
    known = _pairs(service)
    state = _pairs(registration).get("registrationState")
    registered = state in ("HOME", "ROAMING") if state else known.get("mDataRegState", "").startswith("0")
    told = _pairs(registration).get("accessNetworkTechnology") or _bracketed(known.get("getRilDataRadioTechnology", ""))
    strength = _sections(lines.get("mSignalStrength", ""))
    technology = _FAMILY.get(told) if registered else None
    technology = technology or _heard(lines.get("mSignalStrength", ""), strength)
    section, level_name, quality_name = _LEVELS.get(technology or "", ("", "", None))
    values = strength.get(section, {})
    level, quality = _number(values.get(level_name)), _number(values.get(quality_name or ""))
    channel = next((_number(identity.get(name)) for name in _CHANNEL if name in identity), None)
    if channel is None and registered:
        channel = _number(known.get("mChannelNumber"))
    return PhoneState(
        slot=slot,
        registered=registered,
        connected=_number(lines.get("mDataConnectionState", "").partition("(")[0]) == _CONNECTED,
        technology=technology,
        level=None if level is None else Dbm(level),
        quality=None if quality is None else Decibel(quality),
        cell=_cell(identity, gsm="CellIdentityGsm" in registration),
        area=next((_hexadecimal(identity[name], 4) for name in _AREA if name in identity), None),
        channel=channel,
        operator=_operator(service) if registered else None,
    )


def _packet_registration(service: str) -> str:
    """The registration for packets over the air, not those for calls or over Wi-Fi."""
    for part in service.split("NetworkRegistrationInfo{")[1:]:
        pairs = _pairs(part.partition("cellIdentity=")[0])
        if pairs.get("domain") == "PS" and pairs.get("transportType") == "WWAN":
            return part
    return ""


def _pairs(text: str) -> dict[str, str]:
    """``name=value`` and ``name = value``; the first of a name counts."""
    pairs: dict[str, str] = {}
    for match in _PAIR.finditer(text):
        pairs.setdefault(match[1], match[2])
    return pairs


def _sections(strength: str) -> dict[str, dict[str, str]]:
    return {name: _pairs(body) for name, body in _cut(_SECTION, strength)}


def _cut(head: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    """What each head names, and the text from there to the next one."""
    heads = list(head.finditer(text))
    ends = [each.start() for each in heads[1:]] + [len(text)]
    return ((each[1], text[each.end() : end]) for each, end in zip(heads, ends, strict=False))


def _heard(strength: str, sections: dict[str, dict[str, str]]) -> str | None:
    """Without service: the technology that Android calls primary, where it has a level."""
    primary = re.search(r"primary=CellSignalStrength(\w+)", strength)
    technology = _PRIMARY.get(primary[1]) if primary else None
    if technology is None:
        return None
    section, level, _ = _LEVELS[technology]
    return technology if _number(sections.get(section, {}).get(level)) is not None else None


def _number(value: str | None) -> int | None:
    if value is None or value in _UNKNOWN or not re.fullmatch(r"-?\d{1,9}", value, re.ASCII):
        return None
    return int(value)


def _cell(identity: dict[str, str], *, gsm: bool) -> str | None:
    """Identity of the cell, in as many hexadecimal digits as a modem tells it."""
    known = ((name, 4 if gsm else digits) for name, digits in _CELL.items() if name in identity)
    return next((_hexadecimal(identity[name], digits) for name, digits in known), None)


def _hexadecimal(value: str, digits: int) -> str | None:
    """As a modem writes it; what a maker masks stays as it is, as it still tells two apart."""
    if value in _UNKNOWN or value == "-1":
        return None
    return f"{int(value):0{digits}X}" if re.fullmatch(r"\d{1,12}", value, re.ASCII) else value


def _bracketed(value: str) -> str:
    return value.partition("(")[2].partition(")")[0] or value


def _operator(service: str) -> str | None:
    for name in ("mOperatorAlphaLong", "mDataOperatorAlphaLong", "mVoiceOperatorAlphaLong"):
        match = re.search(rf"\b{name}=([^,}}]*)", service)
        if match and match[1].strip() not in _UNKNOWN:
            return match[1].strip()
    return None
