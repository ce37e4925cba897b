"""The doors of boxes that speak no bare lines: a web server, and a websocket. Both hand text on, and take text back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import unquote

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from rig.virtual.attenuators.box import Reply

Hear = Callable[[str], Reply]
"""Told a line, returns what goes back; waits itself where that is late."""

_PAGE = "<html><head><title>Mini-Circuits</title></head><body>Programmable attenuator</body></html>"
"""What the web server of such a box answers to whatever it does not know."""


class Door(Protocol):
    """A listening server in a thread of its own."""

    port: int

    def close(self) -> None:
        """Listen no longer."""


class HttpDoor:
    """A command is the path of a GET, its answer the body; what the box does not know is answered with its page."""

    def __init__(self, host: str, port: int, hear: Hear) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1  # header and body in one packet, as a small server sends them

            def do_GET(self) -> None:
                reply = hear(unquote(self.path).removeprefix("/"))
                if reply.lines is None:
                    if not reply.drop:
                        self.connection.settimeout(None)
                        self.connection.recv(1)  # mute until the client gives up
                    self.close_connection = True
                    return
                body = ("\r\n".join(reply.lines) if reply.lines not in (("0",), ()) else _PAGE).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """The journal has it."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="http", daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()


class WebsocketDoor:
    """Each message is a line, and so is its answer; the box greets first."""

    def __init__(self, host: str, port: int, hear: Hear, greet: Callable[[], str]) -> None:
        def talk(connection: ServerConnection) -> None:
            try:
                connection.send(greet())
                for message in connection:
                    reply = hear(message if isinstance(message, str) else message.decode("utf-8", "replace"))
                    if reply.drop:
                        return
                    for line in reply.lines or ():
                        connection.send(line)
            except ConnectionClosed:
                return

        self._server = serve(talk, host, port, compression=None)
        self.port = int(self._server.socket.getsockname()[1])
        threading.Thread(target=self._server.serve_forever, name="websocket", daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
