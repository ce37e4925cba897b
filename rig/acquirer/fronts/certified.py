"""The fronts that differ in their certificate, or in what the TLS library is told to allow."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from rig.acquirer.authority import HOST_NAME, Identity, signer_of
from rig.acquirer.certificates import Signed, Wanted, issue, signed_with_sha1
from rig.acquirer.fronts import BY_HAND, SOUND

OLD = {"tls10": ssl.TLSVersion.TLSv1, "tls11": ssl.TLSVersion.TLSv1_1}
_LIBRARY_SUITES = {"null": "eNULL", "anonymous": "aNULL"}
_NO_LEVEL = "@SECLEVEL=0"
_WEAK_BITS = 1024
_OTHER_HOST = "somebody-else.example"


class CertifiedFronts:
    """Makes TLS settings for the fronts by name, each at first use.

    Args:
        state: the state directory with the bench's authority.
        identity: the host's own.
        addresses: where it listens.
    """

    def __init__(self, state: Path, identity: Identity, addresses: Sequence[str]) -> None:
        self._state = state
        self._identity = identity
        self._addresses = tuple(addresses)
        self._made: dict[str, ssl.SSLContext] = {}
        self._sound_chain: list[bytes] = []

    def prepare(self, name: str) -> None:
        """Make what a front needs now, for keys are not made in no time."""
        if name not in BY_HAND:
            self.context(name)
        if name not in SOUND:
            self.sound_chain()

    def context(self, name: str) -> ssl.SSLContext:
        """The TLS settings of a front; none for those that are written by hand alone."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> ssl.SSLContext:
        if name in ("good", "mutual"):
            context = self._identity.server_context()
            if name == "mutual":
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self._state / "pki/ca.pem")
            return context
        if name in OLD:
            return _old(_context(self._sound()), OLD[name])
        if name in _LIBRARY_SUITES:
            context = _context(self._sound())
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(f"{_LIBRARY_SUITES[name]}:{_NO_LEVEL}")
            return context
        return _context(*self._chain(name))

    def _chain(self, name: str) -> tuple[Signed, ...]:
        authority = signer_of(self._state)
        if name == "self-signed":
            return (issue(self._wanted()),)
        if name == "unknown-authority":
            stranger = issue(Wanted("Another authority", is_ca=True))
            return (issue(self._wanted(), stranger), stranger)
        if name == "expired":
            return (issue(self._wanted((-60, -30)), authority),)
        if name == "not-yet-valid":
            return (issue(self._wanted((30, 60)), authority),)
        if name == "wrong-name":
            return (issue(Wanted(_OTHER_HOST), authority),)
        if name == "no-ca":
            host = issue(Wanted(_OTHER_HOST), authority)
            return (issue(self._wanted(), host), host)
        if name == "weak-signature":
            return (signed_with_sha1(issue(self._wanted(), authority), authority),)
        weak = rsa.generate_private_key(public_exponent=65537, key_size=_WEAK_BITS)
        return (issue(self._wanted(), authority, weak),)

    def _sound(self) -> Signed:
        return issue(self._wanted(), signer_of(self._state))

    def sound_chain(self) -> list[bytes]:
        """A right certificate in DER, for a front that is wrong elsewhere; of an RSA key, which old suites want."""
        if not self._sound_chain:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self._sound_chain = [issue(self._wanted(), signer_of(self._state), key).der]
        return self._sound_chain

    def _wanted(self, days: tuple[int, int] = (-1, 397)) -> Wanted:
        return Wanted(HOST_NAME, self._addresses, days)


def _context(leaf: Signed, *chain: Signed) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"ALL:{_NO_LEVEL}")
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # the library loads from files alone
        file.write(leaf.pem(*chain))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _old(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context
