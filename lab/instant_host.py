"""A host that answers the very moment a request is there: the hardest one to cut between request and answer.

``python -m lab.instant_host CERTIFICATE KEY ADDRESS`` prints one JSON line, the port of each protocol, then a dot for
each answer that has left it, and lives until its input ends.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import sys
import threading
from pathlib import Path

PROTOCOLS: dict[str, ssl.TLSVersion | None] = {
    "plain": None,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}
ANSWER = (118).to_bytes(2, "big") + b"0210".ljust(118, b".")


def read_message(connection: socket.socket) -> bytes:
    """One message after its two bytes of length; empty where the connection ended.

    Raises:
        OSError: the connection broke.
    """
    data = b""
    while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
        chunk = connection.recv(4096)
        if not chunk:
            return b""
        data += chunk
    return data


def context_for(version: ssl.TLSVersion, certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's settings for exactly one version of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(certificate, key)
    return context


def serve(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    """Answer one connection after another."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection, context), daemon=True).start()


def _answer(connection: socket.socket, context: ssl.SSLContext | None) -> None:
    try:
        with connection if context is None else context.wrap_socket(connection, server_side=True) as session:
            session.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while read_message(session):
                session.sendall(ANSWER)
                os.write(sys.stdout.fileno(), b".")
    except OSError:
        pass  # the client has what it wanted: it ends connections with a reset


def main() -> None:
    """Listen on a port a protocol."""
    certificate, key, address = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    ports = {}
    for name, version in PROTOCOLS.items():
        listener = socket.create_server((address, 0), backlog=64)
        context = None if version is None else context_for(version, certificate, key)
        threading.Thread(target=serve, args=(listener, context), daemon=True).start()
        ports[name] = listener.getsockname()[1]
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
