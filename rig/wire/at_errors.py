"""What a modem means by ``ERROR`` and ``+CME ERROR``, and what usually helps: pure, no I/O.

Source: 3GPP TS 27.007, 9.2.1 (general errors), 9.2.2 (errors of packet domains); 9.1 tells that ``+CMEE`` decides
between number, words and a plain ``ERROR``.
"""

from __future__ import annotations

import re

_CME = re.compile(r"\+CM[ES] ERROR: ?(.*)")
_UNKNOWN = "does this model know the command, and is the SIM in and its PIN off?"

_MEANING = {
    3: ("operation not allowed", "is the state right: registered, context active or not?"),
    4: ("operation not supported", "this model does not know it: see its AT manual"),
    10: ("SIM not inserted", "put the SIM in, or choose the other slot"),
    11: ("SIM PIN wanted", "switch the PIN off once, in a telephone: a bench never types PINs"),
    12: ("SIM PUK wanted", "the SIM is blocked: unblock it in a telephone with its PUK"),
    13: ("SIM failure", "take the SIM out, clean it, put it in"),
    14: ("SIM busy", "it is still starting: wait some seconds"),
    15: ("SIM wrong", "is it a SIM of this network, not locked to another device?"),
    21: ("invalid index", "is there such a context, or such a slot?"),
    30: ("no network service", "check the attenuator's value, the antenna path and the SIM"),
    31: ("network timeout", "check the attenuator's value and the antenna path"),
    32: ("network not allowed, emergency calls only", "is the SIM let into this network, and not blocked?"),
    50: ("incorrect parameters", "does this model take them? see its AT manual"),
    100: ("unknown error", _UNKNOWN),
    103: ("illegal subscriber", "the network does not know this SIM"),
    107: ("packet services not allowed", "has this SIM a contract for data?"),
    127: ("missing or unknown APN", "write the APN of the SIM's contract"),
    132: ("service option not supported", "has this SIM a contract for data by this APN?"),
    133: ("requested service option not subscribed", "has this SIM a contract for data by this APN?"),
    148: ("unspecified packet error", "is the APN that of the SIM's contract?"),
    149: ("PDP authentication failure", "user and password of the APN"),
}
_SIM = {10: "missing", 11: "SIM PIN", 12: "SIM PUK", 13: "failure", 14: "busy"}


def code(final: str) -> int | None:
    """The number of ``+CME ERROR: n``; None for a plain ``ERROR``. Errors in words are found by their words."""
    match = _CME.fullmatch(final.strip())
    if match is None:
        return None
    words = match[1].strip()
    if words.isascii() and words.isdigit():
        return int(words[:9])
    return next((number for number, (meaning, _) in _MEANING.items() if meaning.lower() == words.lower()), None)


def explained(final: str) -> tuple[str, str]:
    """What a final line says, its meaning added, and the usual cure."""
    number = code(final)
    if number not in _MEANING:
        return final, _UNKNOWN
    meaning, cure = _MEANING[number]
    return (final if meaning in final else f"{final}, {meaning}"), cure


def sim_state(final: str) -> str | None:
    """What an error tells of the SIM: "missing", "SIM PIN", "SIM PUK", "failure", "busy"; None: nothing."""
    number = code(final)
    return None if number is None else _SIM.get(number)
