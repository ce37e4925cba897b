"""The services of one bearer and their sockets, bound to its interface, so that each bearer has servers of its own."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rig.bearers.services.addresses import AddressService, Pool
from rig.bearers.services.clock import TimeService
from rig.bearers.services.names import NameService
from rig.bearers.services.rules import Counts, Rule
from rig.errors import BenchTrouble, CallerMistake
from rig.wire import dhcp, dns, sntp
from rig.wire.errors import WireError

if TYPE_CHECKING:
    from rig.bearers.services.impostor import Impostor

Note = Callable[..., object]
Reply = Callable[[bytes], bytes | None]
_LARGEST = 4096


class BearerServices:
    """Names, time, and addresses where there is a pool, on one interface.

    Args:
        name: of the bearer.
        settings: ``interface``, ``address`` (the bench's own, with prefix length), ``names`` (name → addresses),
            ``dhcp`` (``first``, ``last``, ``lease_s``; or None), ``standby`` (whether to wait until a failure begins).
        note: gets ``service_rule`` and ``impostor_connection``.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], note: Note) -> None:
        self._name = name
        self._interface: str = settings["interface"]
        self._address = str(ipaddress.IPv4Interface(settings["address"]).ip)
        self._standby: bool = settings.get("standby", False)
        self._note = note
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._impostor: Impostor | None = None
        self.dns = NameService(settings.get("names", {}))
        self.ntp = TimeService()
        pool = settings.get("dhcp")
        self.dhcp = AddressService(Pool.read(settings["address"], **pool)) if pool else None
        if not self._standby:
            self._open()

    def set_rule(self, service: str, raw: Mapping[str, Any] | None) -> dict[str, Any]:
        """Put a rule in force or take it away; its counts begin anew."""
        target = self._services().get(service)
        if target is None:
            known = ", ".join(self._services())
            raise CallerMistake(f"services {self._name}", f"no {service!r} here", f"there are {known}")
        rule = None if raw is None else Rule.read(service, raw)
        with self._lock:
            target.counts = Counts()
            target.rule = rule
            self._note("service_rule", bearer=self._name, service=service, rule=asdict(rule) if rule else None)
            if rule is not None:
                self._open()
        return self.state()

    def impersonate(self, settings: Mapping[str, Any]) -> int:
        """Begin to be the host; returns the TCP port. ``portal``: the URI that DHCP tells of, if any."""
        from rig.bearers.services.impostor import Impostor  # cryptography: not needed until then, and slow to come

        with self._lock:
            if self._impostor is not None:
                self._impostor.close()
            self._impostor = Impostor(self._address, settings, self._note)
            if self.dhcp is not None:
                self.dhcp.portal = settings.get("portal")
            self._note("impostor", bearer=self._name, port=self._impostor.port)
            return self._impostor.port

    def clear(self) -> dict[str, Any]:
        """Everything right again; sockets that are only for failures are closed."""
        with self._lock:
            for service in self._services().values():
                service.rule = None
            if self._impostor is not None:
                self._impostor.close()
                self._impostor = None
            if self.dhcp is not None:
                self.dhcp.portal = None
            if self._standby:
                self.close()
        return self.state()

    def state(self) -> dict[str, Any]:
        """Rule and counts of every service, and what the impostor caught."""
        told: dict[str, Any] = {
            name: {"rule": asdict(service.rule) if service.rule else None, **asdict(service.counts)}
            for name, service in self._services().items()
        }
        impostor = self._impostor
        return {**told, "impostor": impostor.state() if impostor is not None else None, "serves": bool(self._sockets)}

    def close(self) -> None:
        """Serve nobody any more."""
        while self._sockets:
            closing = self._sockets.pop()
            with contextlib.suppress(OSError):
                closing.shutdown(socket.SHUT_RDWR)
            closing.close()

    def _services(self) -> dict[str, NameService | TimeService | AddressService]:
        return {"dns": self.dns, "ntp": self.ntp, **({"dhcp": self.dhcp} if self.dhcp is not None else {})}

    def _open(self) -> None:
        if self._sockets:
            return
        try:
            self._serve(self._address, dns.PORT, self.dns.reply)
            self._serve(self._address, sntp.PORT, self.ntp.reply)
            if self.dhcp is not None:
                self._serve("", dhcp.SERVER_PORT, self._answer_client, reply_to=("255.255.255.255", dhcp.CLIENT_PORT))
        except OSError as error:
            self.close()
            raise BenchTrouble(
                f"services {self._name}", f"cannot serve on {self._interface}: {error.strerror}",
                "does another server, such as dnsmasq, run there?",
            ) from error  # fmt: skip

    def _serve(self, address: str, port: int, reply: Reply, reply_to: tuple[str, int] | None = None) -> None:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sockets.append(server)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode())
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        server.bind((address, port))
        threading.Thread(target=_loop, args=(server, reply, reply_to), name=f"port {port}", daemon=True).start()

    def _answer_client(self, data: bytes) -> bytes | None:
        assert self.dhcp is not None
        answer = self.dhcp.reply(dhcp.decode_dhcp(data))
        return None if answer is None else dhcp.encode_dhcp(answer)


def _loop(server: socket.socket, reply: Reply, reply_to: tuple[str, int] | None) -> None:
    """Answer until the socket is closed. A client without an address is answered by broadcast, as RFC 2131 allows."""
    while True:
        try:
            data, peer = server.recvfrom(_LARGEST)
        except OSError:
            return
        if not peer:
            return  # shut down
        with contextlib.suppress(WireError, OSError):  # nonsense, or a failure on the path: a datagram is lost
            answer = reply(data)
            if answer is not None:
                server.sendto(answer, reply_to or peer)
