"""The SNMP agent of a simulated switch: a few objects of IF-MIB and POWER-ETHERNET-MIB over its ports.

Sources: RFC 2863 (interfaces), RFC 3621 (power), RFC 3418 (system), RFC 3416, 4.2 (what is answered to what).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rig.virtual.switch_ports import Panel
from rig.wire.errors import WireError
from rig.wire.snmp import ERRORS, Kind, Missing, Oid, Packet, Value, oid

_DESCRIPTION = oid("1.3.6.1.2.1.1.1.0")
_NUMBER = oid("1.3.6.1.2.1.2.1.0")
_INTERFACE = oid("1.3.6.1.2.1.2.2.1")
_INDEX, _DESCR, _ADMIN, _OPER = 1, 2, 7, 8
_POE_ENABLE = oid("1.3.6.1.2.1.105.1.1.1.3")
_GROUP = 1
_YES, _NO = 1, 2

Write: TypeAlias = "Callable[[bool], None] | None"


class Agent:
    """Answers one message at a time. Its community may read and write, unless it is ``read_only``."""

    def __init__(self, panel: Panel, community: bytes) -> None:
        self.read_only = False
        self._panel = panel
        self._community = community

    def answer(self, data: bytes) -> bytes | None:
        """The answer to a datagram; None to what is no question of this community."""
        try:
            packet = Packet.decode(data)
        except WireError:
            return None
        if packet.community != self._community or packet.kind is Kind.RESPONSE:
            return None
        if packet.kind is Kind.SET:
            return self._set(packet).encode()
        table = self._table()
        if packet.kind is Kind.GET_NEXT:
            bindings = tuple(_next(table, each) for each, _ in packet.bindings)
        else:
            bindings = tuple((each, self._value(table, each)) for each, _ in packet.bindings)
        return Packet(Kind.RESPONSE, packet.community, packet.number, bindings).encode()

    def _set(self, packet: Packet) -> Packet:
        """All of it or nothing, as RFC 3416, 4.2.5 wants it."""
        table = self._table()
        writes = [table.get(each, (None, None))[1] for each, _ in packet.bindings]
        refused = [self._refusal(write, value) for write, (_, value) in zip(writes, packet.bindings, strict=True)]
        index = next((at for at, why in enumerate(refused, 1) if why is not None), 0)
        if index:
            error = ERRORS.index(refused[index - 1] or "genErr")
            return Packet(Kind.RESPONSE, packet.community, packet.number, packet.bindings, error, index)
        for write, (_, value) in zip(writes, packet.bindings, strict=True):
            assert write is not None
            write(value == _YES)
        return Packet(Kind.RESPONSE, packet.community, packet.number, packet.bindings)

    def _refusal(self, write: Write, value: Value) -> str | None:
        if self.read_only:
            return "noAccess"
        if write is None:
            return "notWritable"
        if not isinstance(value, int) or isinstance(value, Missing):
            return "wrongType"
        return None if value in (_YES, _NO) else "wrongValue"

    @staticmethod
    def _value(table: dict[Oid, tuple[Value, Write]], wanted: Oid) -> Value:
        if wanted in table:
            return table[wanted][0]
        column = any(each[: len(wanted) - 1] == wanted[:-1] for each in table)
        return Missing.NO_SUCH_INSTANCE if column else Missing.NO_SUCH_OBJECT

    def _table(self) -> dict[Oid, tuple[Value, Write]]:
        """Every object: what it reads, and what writes it."""
        panel = self._panel
        table: dict[Oid, tuple[Value, Write]] = {
            _DESCRIPTION: (b"pos-rig simulated switch", None),
            _NUMBER: (len(panel.numbers), None),
        }
        for number in panel.numbers:
            port = panel.read(number)
            table[*_INTERFACE, _INDEX, number] = (number, None)
            table[*_INTERFACE, _DESCR, number] = (f"port {number}".encode(), None)
            table[*_INTERFACE, _ADMIN, number] = (_YES if port.enabled else _NO, _enable(panel, number))
            table[*_INTERFACE, _OPER, number] = (_YES if port.link else _NO, None)
            if port.powered is not None:
                table[*_POE_ENABLE, _GROUP, number] = (_YES if port.powered else _NO, _power(panel, number))
        return table


def _enable(panel: Panel, number: int) -> Callable[[bool], None]:
    return lambda on: panel.enable(number, on)


def _power(panel: Panel, number: int) -> Callable[[bool], None]:
    return lambda on: panel.power(number, on)


def _next(table: dict[Oid, tuple[Value, Write]], after: Oid) -> tuple[Oid, Value]:
    later = min((each for each in table if each > after), default=None)
    return (after, Missing.END_OF_MIB_VIEW) if later is None else (later, table[later][0])
