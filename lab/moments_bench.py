"""The small bench of the exact moments: a terminal's namespace, one cable, and the host that answers at once."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import select
import socket
import ssl
import struct
import subprocess
import sys
from pathlib import Path
from typing import IO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.instant_host import ANSWER, PROTOCOLS
from rig.bearers.kernel import kernel_session
from rig.bearers.netspace import in_namespace
from rig.bearers.topology import Segment, build_virtual_network

HOST = "10.64.0.10"
HOST_NAME = "host.bench"
INTERFACE = "wire"
TERMINALS = "10.65.0.0/16"
"""One address a trial; all of them live in the terminal's namespace."""
REQUEST = (247).to_bytes(2, "big") + bytes.fromhex("6000010000") + b"0200".ljust(242, b".")
"""Length, TPDU, and what begins like a sale."""
PATIENCE_S = 5.0
PROJECT = Path(__file__).resolve().parent.parent


class Client:
    """A terminal's connection; made, and past its handshake."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self) -> None:
        """Send the request."""
        self._connection.sendall(REQUEST)

    def heard_something(self) -> bool:
        """Whether anything of an answer is there to be read now, or the connection has ended."""
        self._connection.setblocking(False)
        try:
            self._connection.recv(4096)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        return True

    def wait_for_answer(self) -> bool:
        """Whether the whole answer comes."""
        self._connection.settimeout(PATIENCE_S)
        heard = b""
        with contextlib.suppress(OSError):
            while len(heard) < len(ANSWER) and (chunk := self._connection.recv(4096)):
                heard += chunk
        return heard == ANSWER

    def close(self) -> None:
        """End it with a reset: nothing is sent again later."""
        self._connection.close()


class MomentsBench:
    """A cable between this process's network and a terminal's, and the host at the near end. A context manager.

    Attributes:
        interface: the bench's end of the cable.
        terminal: descriptor of the terminal's namespace.
        ports: protocol → port of the host.
        folder: for what needs files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.interface = INTERFACE
        segment = Segment(INTERFACE, "wlan0", "10.64.1.2/24", "10.64.1.1/24")
        self.terminal = build_virtual_network([segment], "netem", [HOST]).terminal
        self._number = itertools.count()
        _route_terminals(self.terminal)
        certificate, key = make_certificate(folder)
        self._host = subprocess.Popen(
            [sys.executable, "-m", "lab.instant_host", str(certificate), str(key), HOST],
            cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        self.ports: dict[str, int] = json.loads(self._say().readline())
        self._trust = {name: _trust(certificate, version) for name, version in PROTOCOLS.items() if version is not None}

    def client(self, protocol: str) -> Client:
        """Another terminal, connected; for TLS, past the handshake with the host's certificate verified.

        Raises:
            OSError: no connection, or no handshake.
        """
        plain = in_namespace(self.terminal, socket.socket)
        number = next(self._number)
        plain.bind((f"10.65.{number // 250 % 250}.{number % 250 + 1}", 0))
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.settimeout(PATIENCE_S)
        plain.connect((HOST, self.ports[protocol]))
        trust = self._trust.get(protocol)
        return Client(plain if trust is None else trust.wrap_socket(plain, server_hostname=HOST_NAME))

    def answers(self, count: int) -> int:
        """Wait until the host has answered so many times more; returns how many it did in time."""
        for done in range(count):
            if not select.select([self._say()], [], [], PATIENCE_S)[0] or not self._say().read(1):
                return done
        return count

    def close(self) -> None:
        """End the host."""
        assert self._host.stdin is not None
        self._host.stdin.close()
        self._host.wait(PATIENCE_S)
        self._say().close()

    def __enter__(self) -> MomentsBench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _say(self) -> IO[bytes]:
        assert self._host.stdout is not None
        return self._host.stdout


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A host's own certificate and its key, on an elliptic curve, for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST_NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "host.pem", folder / "host.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


def _trust(certificate: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    context.minimum_version = context.maximum_version = version
    return context


def _route_terminals(terminal: int) -> None:
    """Give the terminal's namespace every address of :data:`TERMINALS`, and this one the way to them."""

    def local() -> None:
        with kernel_session("terminals") as kernel:
            loopback = kernel.link_lookup(ifname="lo")[0]
            kernel.route("add", dst=TERMINALS, oif=loopback, type="local", scope=254, table=255)  # of this host

    in_namespace(terminal, local)
    with kernel_session("terminals") as kernel:
        kernel.route("add", dst=TERMINALS, gateway="10.64.1.2")
