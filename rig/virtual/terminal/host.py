"""The way to the acquirer: one TLS connection a message, over the first bearer that connects. A bearer may have another
way: without TLS on a private line, and a call by telephone, which carries several messages.

Before a connection stands nothing has left the terminal, so the next bearer may be tried. From :meth:`Exchange.send`
on the request may have left: it is never sent again elsewhere, and what comes of it is an answer or no answer.
"""

from __future__ import annotations

import socket
import ssl
import time

from rig.virtual.terminal.bearers import Attempt, Log, end
from rig.virtual.terminal.channel import Channel, StreamChannel
from rig.virtual.terminal.clock import Clock
from rig.virtual.terminal.defects import Defect
from rig.virtual.terminal.messages import answers
from rig.virtual.terminal.network import Network
from rig.virtual.terminal.protection import Protection, WrongCode
from rig.virtual.terminal.resolver import Resolver
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.telephone import Telephone
from rig.wire.errors import WireError
from rig.wire.iso8583 import Message, Tpdu

_TPDU = Tpdu(destination=0x0001, source=0x0000)


class NotReached(Exception):
    """No bearer reached the host. Not a byte of the request has left."""


class NoAnswer(Exception):
    """The request may have left, and no valid answer came in time.

    ``code_was_wrong``: an answer came whose message authentication code was wrong, or that said so of the request's.
    """

    code_was_wrong = False


class NotBelieved(NoAnswer):
    """What came was no answer to believe, for its code."""

    code_was_wrong = True


class Exchange:
    """One request and its answer on one connection."""

    def __init__(self, channel: Channel, bearer: str, request: Message, protection: Protection, log: Log) -> None:
        self._channel = channel
        self._protection = protection
        self._bearer = bearer
        self._request = request
        self._log = log
        self._answered = False

    def send(self, timeout_s: float) -> None:
        """Let the request leave.

        Raises:
            NoAnswer: the connection ended meanwhile; some of it may have left.
        """
        data = self._protection.write(self._request)
        self._log("terminal_host_tx", bearer=self._bearer, mti=self._request.mti, stan=self._request.text(11))
        try:
            self._channel.send(_TPDU, data, timeout_s)
        except (OSError, WireError) as error:
            raise NoAnswer(str(error)) from error

    def answer(self, timeout_s: float) -> Message:
        """The valid answer.

        Raises:
            NoAnswer: it did not come in time, the connection ended, or what came is no answer to this request.
        """
        deadline = time.monotonic() + timeout_s + self._channel.slowness_s
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise NoAnswer("response timer ran out")
            try:
                for payload in self._channel.receive(remaining):
                    message = self._protection.read(payload)
                    self._log("terminal_host_rx", mti=message.mti, stan=message.text(11), rc=message.text(39))
                    if answers(self._request, message):
                        self._answered = True
                        return message
            except WrongCode as error:
                self._log("terminal_code_wrong", why=str(error))
                raise NotBelieved(str(error)) from error
            except (OSError, WireError) as error:
                raise NoAnswer(str(error)) from error

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close(self._answered)


class Host:
    """Opens exchanges with the acquirer's host, whose certificate is verified: one CA, one name, one clock."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._tls: ssl.SSLContext | None = None
        self._session: ssl.SSLSession | None = None
        self._network = Network(settings, log)
        self._protection = Protection(settings, log)
        self._resolver = Resolver(log)
        self._telephones = {each.name: Telephone(each.line, log) for each in settings.bearers if each.line is not None}
        self._clock = Clock(self._network.attempts if settings.time_from_network else lambda: (), log)

    def start(self) -> None:
        """Begin to ask the network for addresses and for the time."""
        self._network.start()
        if self._settings.time_from_network:
            self._clock.start()

    def open(self, request: Message) -> Exchange:
        """A connection on which ``request`` can be sent.

        Raises:
            NotReached: no bearer has a carrier and connects and shows the right certificate, or the host gives no
                session keys.
        """
        if self._protection.must_sign_on:
            self._sign_on()
        return self._connected(request)

    def _sign_on(self) -> None:
        request = self._protection.sign_on()
        timeout_s = self._settings.host.response_timeout_s
        try:
            with self._connected(request) as exchange:
                exchange.send(timeout_s)
                self._protection.take(exchange.answer(timeout_s))
        except (NoAnswer, WireError) as error:
            raise NotReached(f"no session keys: {error}") from error

    def _connected(self, request: Message) -> Exchange:
        for attempt in self._network.attempts():
            try:
                channel = self._connect(attempt)
            except (OSError, ssl.CertificateError) as error:
                self._log("terminal_bearer_failed", bearer=attempt.bearer, why=str(error))
                continue
            self._log("terminal_bearer_up", bearer=attempt.bearer)
            return Exchange(channel, attempt.bearer, request, self._protection, self._log)
        raise NotReached("no bearer reaches the host")

    def ask(self, request: Message) -> Message:
        """Send a request that needs no journal, and return its answer.

        Raises:
            NotReached: no bearer reaches the host.
            NoAnswer: no valid answer came in time.
        """
        with self.open(request) as exchange:
            exchange.send(self._settings.host.response_timeout_s)
            return exchange.answer(self._settings.host.response_timeout_s)

    def _connect(self, attempt: Attempt) -> Channel:
        if attempt.line is not None:
            return self._telephones[attempt.bearer].call(attempt)
        host = self._settings.host
        address = self._resolver.address_of(attempt.address or host.address, attempt)
        connection = attempt.connect((address, attempt.port or host.port))
        secured = connection if attempt.plain else self._secure(connection, attempt)
        return StreamChannel(secured, self._protection.dialect.framing, self._remember)

    def _secure(self, plain: socket.socket, attempt: Attempt) -> ssl.SSLSocket:
        host = self._settings.host
        try:
            plain.settimeout(attempt.remaining())
            secured = self._context().wrap_socket(plain, server_hostname=host.server_name, session=self._session)
        except BaseException:
            end(plain)
            raise
        try:
            self._clock.require_valid(secured.getpeercert(), attempt)
        except BaseException:
            end(secured)
            raise
        return secured

    def _remember(self, connection: socket.socket) -> None:
        """Keep the session of a connection on which the host answered, in memory alone. A ticket of TLS 1.3 comes with
        the answer, not with the handshake (RFC 8446, 4.6.1).
        """
        if self._settings.resumes_sessions and isinstance(connection, ssl.SSLSocket):
            self._session = connection.session

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
            self._tls.load_verify_locations(cafile=self._settings.host.ca)
            if self._settings.host.client_certificate is not None:
                self._tls.load_cert_chain(self._settings.host.client_certificate)
            if Defect.TRUSTS_ANY_CERTIFICATE in self._settings.defects:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE
        return self._tls
