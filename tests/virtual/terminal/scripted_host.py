"""An ISO 8583 host over TLS that does what a test scripts: the acquirer as the terminal sees it."""

from __future__ import annotations

import contextlib
import datetime
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rig.wire.iso8583 import ASCII87, FrameReader, Message, frame, response_mti

SERVER_NAME = "host.test"


@dataclass(frozen=True)
class Authority:
    """Files of a certificate authority and of one server under it."""

    ca: Path
    certificate: Path
    key: Path


def make_authority(folder: Path, server_name: str = SERVER_NAME) -> Authority:
    """A new authority with one server certificate."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    ca = _certificate(ca_name, ca_name, ca_key, ca_key, x509.BasicConstraints(ca=True, path_length=0))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, server_name)])
    alternative = x509.SubjectAlternativeName([x509.DNSName(server_name)])
    server = _certificate(subject, ca_name, server_key, ca_key, alternative)
    files = Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    files.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    files.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files.key.write_bytes(server_key.private_bytes(encoding, form, serialization.NoEncryption()))
    return files


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(extension, critical=False)
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    return builder.not_valid_after(now + datetime.timedelta(days=1)).sign(signer, hashes.SHA256())


Reply = Callable[[], Message | None]
"""What the host sends, when it is called: ``None`` is silence. It may block, to hold the answer."""

Script = Callable[[Message], Reply | None]
"""Chooses a reply; ``None`` means the ordinary approval."""


def approval(request: Message, rc: str = "00", **extra: str) -> Message:
    """The ordinary answer: what was asked, with a reference, an authorisation and a response code."""
    repeated = {number: request.fields[number] for number in (3, 4, 7, 11, 41, 42, 49) if number in request.fields}
    fields = {**repeated, 37: f"{int(request.text(11)):012d}", 39: rc}
    if rc == "00" and request.mti == "0200":
        fields[38] = "A12345"
    return Message(response_mti(request.mti), dict(sorted(fields.items())))


class ScriptedHost:
    """Serves on loopback; every request it has read is in :attr:`requests` and, in order, in :attr:`seen`.

    :attr:`resumed` says of each connection whether its TLS session was one from before.
    """

    def __init__(self, authority: Authority) -> None:
        self.certify(authority)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: queue.Queue[Message] = queue.Queue()
        self.seen: list[Message] = []
        self.resumed: list[bool] = []
        self.script: Script = lambda request: None
        threading.Thread(target=self._accept, daemon=True).start()

    def certify(self, authority: Authority) -> None:
        """Show this certificate from the next connection on."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(authority.certificate, authority.key)

    def next(self, timeout_s: float = 5.0) -> Message:
        """The next request."""
        return self.requests.get(timeout=timeout_s)

    def mtis(self) -> list[str]:
        """The types of all requests so far."""
        return [message.mti for message in self.seen]

    def close(self) -> None:
        """Stop serving."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), plain, self._context.wrap_socket(plain, server_side=True) as connection:
            self.resumed.append(bool(connection.session_reused))
            reader = FrameReader()
            while data := connection.recv(4096):
                for tpdu, payload in reader.feed(data):
                    request = ASCII87.decode(payload)
                    self.seen.append(request)
                    reply = self.script(request)
                    self.requests.put(request)
                    answer = approval(request) if reply is None else reply()
                    if answer is not None:
                        connection.sendall(frame(tpdu.swapped(), ASCII87.encode(answer)))


@contextlib.contextmanager
def serving(authority: Authority) -> Iterator[ScriptedHost]:
    """A host for the length of a block."""
    host = ScriptedHost(authority)
    try:
        yield host
    finally:
        host.close()
