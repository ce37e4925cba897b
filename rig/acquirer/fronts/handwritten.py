"""The fronts that choose what no TLS library would: the first messages of a server, written by hand.

What a client does then is all that counts: it leaves, with an alert or without, or it goes on. What it sends in going
on is counted, and answered with nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.wire import tls_hello as tls
from rig.wire.tls_hello import ClientHello

_SUITES = {"null": tls.NULL, "rc4": tls.RC4, "3des": tls.TRIPLE_DES, "anonymous": tls.ANONYMOUS}
_VERSIONS = {"tls10": tls.TLS10, "tls11": tls.TLS11}
_OF_TLS13 = range(0x1301, 0x1306)
_USUAL = 0x002F
"""TLS_RSA_WITH_AES_128_CBC_SHA: what old servers chose."""


def first_flight(name: str, hello: ClientHello, chain: Sequence[bytes]) -> bytes:
    """What the server says to this client; ``chain`` is a certificate of the bench's authority, in DER."""
    version = _VERSIONS.get(name, tls.TLS12)
    ending = tls.DOWNGRADE_TO_12 if name == "downgrade" else b""
    suite = _SUITES.get(name, _USUAL if name in _VERSIONS else _offered(hello))
    messages = tls.server_hello(hello, version, suite, ending)
    messages += tls.anonymous_key_exchange() if name == "anonymous" else tls.certificate(chain)
    return tls.record(tls.HANDSHAKE, messages + tls.server_hello_done(), version)


def _offered(hello: ClientHello) -> int:
    """A suite of TLS 1.2 that the client offers, so that nothing but the front's own wrong can be objected to."""
    return next((suite for suite in hello.suites if suite not in _OF_TLS13 and suite != 0x00FF), _USUAL)
