"""Making certificates, sound and unsound, from what is said of one (RFC 5280)."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rig.errors import CallerMistake
from rig.wire import tlv

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_DAY = datetime.timedelta(days=1)
_SEQUENCE, _BIT_STRING = 0x30, 0x03
_ECDSA_WITH_SHA1 = tlv.encode(_SEQUENCE, bytes.fromhex("06072A8648CE3D0401"))
"""1.2.840.10045.4.1 (RFC 3279, 2.2.3)."""


@dataclass(frozen=True)
class Signed:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Key = field(repr=False)

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def pem(self, *others: Signed) -> bytes:
        """Certificate chain and key in one file, as OpenSSL loads it."""
        chain = b"".join(each.certificate.public_bytes(serialization.Encoding.PEM) for each in (self, *others))
        form = serialization.PrivateFormat.PKCS8
        return chain + self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@dataclass(frozen=True)
class Wanted:
    """What is said of a certificate; what is left out is as it should be.

    Attributes:
        name: its subject, and the DNS name that it is for.
        addresses: the IP addresses that it is for.
        days: from how many days after now until how many.
        is_ca: whether it may sign others.
        for_client: it is a client's, not a server's.
    """

    name: str
    addresses: Sequence[str] = ()
    days: tuple[int, int] = (-1, 397)
    is_ca: bool = False
    for_client: bool = False


def issue(wanted: Wanted, issuer: Signed | None = None, key: Key | None = None) -> Signed:
    """A certificate, signed by ``issuer``, or by itself; an EC P-256 key is drawn where none is given."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + wanted.days[0] * _DAY)
        .not_valid_after(now + wanted.days[1] * _DAY)
        .add_extension(x509.BasicConstraints(ca=wanted.is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not wanted.is_ca:
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if wanted.for_client else ExtendedKeyUsageOID.SERVER_AUTH
        names: list[x509.GeneralName] = [x509.DNSName(wanted.name)]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in wanted.addresses]
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Signed(builder.sign(signer, hashes.SHA256()), key)


def signed_with_sha1(signed: Signed, issuer: Signed) -> Signed:
    """The same certificate, signed over SHA-1, as the library that makes certificates does not any more.

    ``issuer`` has an EC key; CallerMistake else.
    """
    if not isinstance(issuer.key, ec.EllipticCurvePrivateKey):
        raise CallerMistake("certificate", "SHA-1 is signed with an EC key here", "issue it by the bench's authority")
    (whole,) = tlv.parse(signed.der)
    version, serial, _, *others = tlv.parse(tlv.parse(whole.value)[0].value)
    to_sign = tlv.encode(_SEQUENCE, version.encode(), serial.encode(), _ECDSA_WITH_SHA1, tlv.encode_all(others))
    signature = issuer.key.sign(to_sign, ec.ECDSA(hashes.SHA1()))
    written = tlv.encode(_SEQUENCE, to_sign, _ECDSA_WITH_SHA1, tlv.encode(_BIT_STRING, b"\0", signature))
    return Signed(x509.load_der_x509_certificate(written), signed.key)
