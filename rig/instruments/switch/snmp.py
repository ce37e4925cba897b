"""A port of a switch by SNMPv2c: up and down, and PoE where the switch has RFC 3621's tables.

.. code-block:: yaml

    switches:
      desk:
        driver: snmp
        address: 192.168.20.40            # or HOST:PORT; 161 is usual
        settings:
          community: private              # one that may write
          indices: {7: 10107}             # port → ifIndex, where that is not the port's number
          poe: {7: "1.7"}                 # port → group.port of its PoE, where that is not 1 and the port's number

Sources: RFC 2863 (IF-MIB: ``ifAdminStatus`` and ``ifOperStatus``, up is 1 and down 2), RFC 3621 (POWER-ETHERNET-MIB:
``pethPsePortAdminEnable``, true is 1 and false 2), RFC 3418 (``sysDescr``). A community goes over the wire in clear:
keep the switch's management in a network of its own.
"""

from __future__ import annotations

import itertools
import os
import select
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rig.errors import BenchTrouble, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.switch.port import PortState
from rig.instruments.transcript import Observe, unobserved
from rig.wire.errors import WireError
from rig.wire.snmp import ERRORS, Kind, Missing, Oid, Packet, Value, oid

_DESCRIPTION = oid("1.3.6.1.2.1.1.1")
_ADMIN = oid("1.3.6.1.2.1.2.2.1.7")
_OPER = oid("1.3.6.1.2.1.2.2.1.8")
_POE = oid("1.3.6.1.2.1.105.1.1.1.3")
_NAMES = {_DESCRIPTION: "sysDescr", _ADMIN: "ifAdminStatus", _OPER: "ifOperStatus", _POE: "pethPsePortAdminEnable"}
_YES, _NO = 1, 2
"""Up and down, true and false."""
_PORT = 161
_MAX_DATAGRAM = 65_535
_POLL_S = 0.05


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    community: str = "private"
    indices: dict[int, int] = {}
    poe: dict[int, str] = {}
    timeout_s: float = Field(1.0, gt=0)
    attempts: int = Field(3, ge=1)
    link_limit_s: float = Field(5.0, gt=0)


def check(settings: Mapping[str, Any]) -> _Settings:
    """The settings.

    Raises:
        CallerMistake: an unknown one, or a value that cannot be.
    """
    try:
        checked = _Settings.model_validate(dict(settings))
        for place in checked.poe.values():
            oid(place)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise CallerMistake("switch driver snmp", f"{field}: {first['msg']}", "see its documentation") from error
    except ValueError as error:
        raise CallerMistake("switch driver snmp", f"poe: {error}", 'write group.port, such as "1.7"') from error
    return checked


class SnmpPort:
    """One port.

    Args:
        address: ``HOST`` or ``HOST:PORT``.
        port: its number, from 1.
        settings: see above.
        name: what the bench calls it.
        observe: told every question and answer, without the community.

    Raises:
        CallerMistake: a setting or an address that cannot be.
        DeviceMute: nobody answers: also what a switch does to a wrong community.
        DeviceNonsense: it has no such port.
    """

    def __init__(
        self, address: str, port: int, settings: Mapping[str, Any], *, name: str, observe: Observe = unobserved
    ) -> None:
        self.name: Final = name
        self._settings = check(settings)
        self._observe = observe
        self._lock = threading.Lock()
        self._numbers = itertools.count(int.from_bytes(os.urandom(3), "big"))
        index = self._settings.indices.get(port, port)
        self._admin, self._oper = (*_ADMIN, index), (*_OPER, index)
        self._poe = (*_POE, *oid(self._settings.poe.get(port, f"1.{port}")))
        self._socket = _connected(address, name)
        try:
            self.identity: Final = f"{self._described()}, port {port}"
            self.read()
        except BaseException:
            self._socket.close()
            raise

    def down(self) -> PortState:
        """See `SwitchPort.down`."""
        self._set(self._admin, _NO)
        deadline = time.monotonic() + self._settings.link_limit_s
        while (state := self.read()).link:
            if time.monotonic() > deadline:
                raise BenchTrouble(self.name, "is down and still has a link", "is it the right port?")
            time.sleep(_POLL_S)
        return state

    def up(self) -> PortState:
        """See `SwitchPort.up`."""
        self._set(self._admin, _YES)
        return self.read()

    def power_off(self) -> PortState:
        """See `SwitchPort.power_off`."""
        self._set(self._poe, _NO)
        return self.read()

    def power_on(self) -> PortState:
        """See `SwitchPort.power_on`."""
        self._set(self._poe, _YES)
        return self.read()

    def read(self) -> PortState:
        """See `SwitchPort.read`."""
        admin, oper, poe = self._get(self._admin, self._oper, self._poe)
        if not isinstance(admin, int) or isinstance(admin, Missing):
            raise DeviceNonsense(self.name, f"has no {_told(self._admin)}", "which ifIndex is the port? see indices")
        says = isinstance(oper, int) and not isinstance(oper, Missing)
        gives = isinstance(poe, int) and not isinstance(poe, Missing)
        return PortState(admin == _YES, oper == _YES if says else None, poe == _YES if gives else None)

    def close(self) -> None:
        """See `SwitchPort.close`."""
        self._socket.close()

    def _described(self) -> str:
        (described,) = self._get((*_DESCRIPTION, 0))
        return described.decode("utf-8", "replace").split("\n")[0].strip() if isinstance(described, bytes) else "switch"

    def _get(self, *objects: Oid) -> list[Value]:
        answer = self._ask(Kind.GET, tuple((each, None) for each in objects))
        if tuple(each for each, _ in answer.bindings) != objects:
            raise DeviceNonsense(self.name, "answers about other objects than it was asked", "is it an SNMP agent?")
        return [value for _, value in answer.bindings]

    def _set(self, target: Oid, value: int) -> None:
        """Set, and read back."""
        self._ask(Kind.SET, ((target, value),))
        (read_back,) = self._get(target)
        if read_back != value:
            what = f"took {_told(target)} = {value} and reads back {read_back!r}"
            raise DeviceNonsense(self.name, what, "may this community write? is the port locked?")

    def _ask(self, kind: Kind, bindings: tuple[tuple[Oid, Value], ...]) -> Packet:
        """One question and its answer. Repeated, for datagrams get lost; to set a state twice is to set it."""
        with self._lock:
            packet = Packet(kind, self._settings.community.encode(), next(self._numbers) & 0x7FFFFFFF, bindings)
            told = ", ".join(_told(each) + (f" = {value!r}" if kind is Kind.SET else "") for each, value in bindings)
            for _ in range(self._settings.attempts):
                self._observe("instrument_tx", {"device": self.name, "line": f"{kind.name.lower()} {told}"})
                answer = self._exchange(packet)
                if answer is not None:
                    break
            else:
                raise DeviceMute(self.name, f"no answer to {told}", "its address, its community, its access list?")
        values = ", ".join(repr(value) for _, value in answer.bindings)
        self._observe("instrument_rx", {"device": self.name, "line": values})
        if answer.error:
            error = ERRORS[answer.error] if 0 < answer.error < len(ERRORS) else str(answer.error)
            raise DeviceNonsense(self.name, f"refuses {told}: {error}", "may this community write it?")
        return answer

    def _exchange(self, packet: Packet) -> Packet | None:
        try:
            self._socket.send(packet.encode())
            deadline = time.monotonic() + self._settings.timeout_s
            while select.select([self._socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
                answer = Packet.decode(self._socket.recv(_MAX_DATAGRAM))
                if answer.kind is Kind.RESPONSE and answer.number == packet.number:
                    return answer  # another is the late answer to a question before
        except WireError as error:
            raise DeviceNonsense(self.name, f"answers what is no SNMPv2c: {error}", "is v2c on?") from error
        except OSError as error:
            raise DeviceGone(self.name, f"is not reached: {error.strerror}", "is its SNMP agent on?") from error
        return None


def _connected(address: str, name: str) -> socket.socket:
    host, _, port = address.partition(":")
    if not host or not (port or str(_PORT)).isdigit():
        raise CallerMistake(name, f"{address!r} is no address", "write HOST or HOST:PORT")
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.connect((host, int(port or _PORT)))
    except (OSError, OverflowError) as error:
        made.close()
        raise DeviceGone(name, f"{address} is not reached: {error}", "its address in the bench file?") from error
    return made


def _told(identifier: Oid) -> str:
    for size in (len(identifier), len(identifier) - 1, len(identifier) - 2):
        if identifier[:size] in _NAMES:
            return ".".join([_NAMES[identifier[:size]], *map(str, identifier[size:])])
    return ".".join(map(str, identifier))
