"""The bench's own certificate authority and the host's certificate.

Made at first use in the folder ``pki`` of the bench's state directory (0700, keys 0600) and kept, so that a terminal
is made to trust the bench once. The host's certificate names ``acquirer.bench`` and the addresses it listens on
(RFC 5280, RFC 9525); it is issued anew when the addresses change or when it nears its end. Keys are EC P-256.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import ipaddress
import os
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rig.acquirer.certificates import Signed, Wanted, issue
from rig.errors import CallerMistake

HOST_NAME = "acquirer.bench"
"""The name in the host's certificate, for terminals that check one."""

_CA_LIFE = datetime.timedelta(days=3650)
_HOST_LIFE = datetime.timedelta(days=397)
_RENEW_BEFORE = datetime.timedelta(days=30)
_CLOCK_SKEW = datetime.timedelta(days=1)  # a terminal's clock may be behind ours

Extension = tuple[x509.ExtensionType, bool]


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key, as files and as the certificate itself."""

    certificate_path: Path
    key_path: Path
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the certificate, lower-case hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def server_context(self) -> ssl.SSLContext:
        """The TLS settings of a host with this identity: TLS 1.2 or newer, no client certificate asked for.

        Where ``SSLKEYLOGFILE`` is set, as browsers have it, session keys are written there, so that a foreign
        decoder can read a capture. Such a file belongs in a temporary folder, never into a run's.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate_path, self.key_path)
        if key_log := os.environ.get("SSLKEYLOGFILE"):
            context.keylog_filename = key_log
        return context


def export_ca(state: Path) -> str:
    """The authority's certificate as PEM text, made now if this bench had none; ``state`` is the state directory."""
    with _locked(state / "pki") as folder:
        return _authority(folder).certificate_path.read_text()


def host_identity(state: Path, addresses: Sequence[str], now: datetime.datetime | None = None) -> Identity:
    """The host's certificate for these IP addresses, issued by the bench's authority where there is no fit one yet.

    Raises:
        CallerMistake: an address is none, or the state directory holds an authority without its key.
    """
    now = now or datetime.datetime.now(datetime.UTC)
    wanted = {_address(text) for text in addresses}
    with _locked(state / "pki") as folder:
        authority = _authority(folder)
        kept = _load(folder, "server")
        if kept is not None and _fits(kept, authority.certificate, wanted, now):
            return kept
        return _issue_host(folder, authority, wanted, now)


def signer_of(state: Path) -> Signed:
    """The bench's authority with its key, for certificates that are not the host's own."""
    with _locked(state / "pki") as folder:
        authority = _authority(folder)
    return Signed(authority.certificate, _signing_key(authority))


def client_certificate(state: Path, name: str) -> Path:
    """A file with a terminal's certificate and key under the bench's authority (PEM), made anew where none lasts."""
    signer = signer_of(state)
    with _locked(state / "pki") as folder:
        path = folder / f"client-{name}.pem"
        if not (path.exists() and _lasts(path, signer.certificate)):
            _write(path, issue(Wanted(name, for_client=True), signer).pem())
    return path


def _lasts(path: Path, authority: x509.Certificate) -> bool:
    """Whether a client's certificate is of this authority and ends in more than a month."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return certificate.not_valid_after_utc > datetime.datetime.now(datetime.UTC) + _RENEW_BEFORE


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise CallerMistake("acquirer", f"{text!r} is no IP address to listen on", "write it as 10.64.0.10") from None


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    """One process at a time makes keys; the folder is its owner's alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _load(folder: Path, stem: str) -> Identity | None:
    certificate, key = folder / f"{stem}.pem", folder / f"{stem}.key"
    if not (certificate.exists() and key.exists()):
        return None
    try:
        return Identity(certificate, key, x509.load_pem_x509_certificate(certificate.read_bytes()))
    except ValueError as error:
        raise CallerMistake(str(certificate), f"no certificate: {error}", "restore it, or remove it") from error


def _authority(folder: Path) -> Identity:
    if kept := _load(folder, "ca"):
        return kept
    if (folder / "ca.pem").exists():
        raise CallerMistake(str(folder / "ca.key"), "the authority's key is missing", "restore it, or remove ca.pem")
    now = datetime.datetime.now(datetime.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Bench test authority {os.urandom(4).hex()}")])
    extensions: list[Extension] = [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_usage(signs_certificates=True), True),
    ]
    certificate = _certify(name, name, key.public_key(), key, (now - _CLOCK_SKEW, now + _CA_LIFE), extensions)
    return _store(folder, "ca", key, certificate)


def _issue_host(
    folder: Path,
    authority: Identity,
    addresses: set[ipaddress.IPv4Address | ipaddress.IPv6Address],
    now: datetime.datetime,
) -> Identity:
    signer = _signing_key(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(HOST_NAME)]
    names += [x509.IPAddress(address) for address in sorted(addresses, key=str)]
    extensions: list[Extension] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(names), False),
    ]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST_NAME)])
    until = min(now + _HOST_LIFE, authority.certificate.not_valid_after_utc)
    issuer = authority.certificate.subject
    certificate = _certify(subject, issuer, key.public_key(), signer, (now - _CLOCK_SKEW, until), extensions)
    return _store(folder, "server", key, certificate)


def _signing_key(authority: Identity) -> ec.EllipticCurvePrivateKey:
    signer = serialization.load_pem_private_key(authority.key_path.read_bytes(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise CallerMistake(str(authority.key_path), "not an EC key", "restore the authority's own key")
    return signer


def _certify(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    valid: tuple[datetime.datetime, datetime.datetime],
    extensions: Sequence[Extension],
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _fits(
    kept: Identity,
    authority: x509.Certificate,
    addresses: set[ipaddress.IPv4Address | ipaddress.IPv6Address],
    now: datetime.datetime,
) -> bool:
    certificate = kept.certificate
    try:
        key = serialization.load_pem_private_key(kept.key_path.read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    same_addresses = set(names.get_values_for_type(x509.IPAddress)) == addresses
    lasts = certificate.not_valid_after_utc > now + _RENEW_BEFORE
    return same_addresses and lasts and key.public_key() == certificate.public_key()


def _store(folder: Path, stem: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Identity:
    """Key first: a certificate on the disk means that its key is there too."""
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(folder / f"{stem}.key", secret)
    _write(folder / f"{stem}.pem", certificate.public_bytes(serialization.Encoding.PEM))
    return Identity(folder / f"{stem}.pem", folder / f"{stem}.key", certificate)


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
