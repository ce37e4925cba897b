"""Certificates that nobody should believe: the right name, by an authority that the terminal does not know, or by none.

Keys are EC P-256 and live in memory and in a temporary file of this process, for as long as it takes to load them.
"""

from __future__ import annotations

import datetime
import ssl
import tempfile
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Forgery = Literal["foreign-authority", "self-signed"]
_LIFE = datetime.timedelta(days=90)


def forged_context(name: str, forgery: Forgery) -> ssl.SSLContext:
    """The TLS settings of a server with a forged certificate for ``name``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    if forgery == "self-signed":
        chain = [_certificate(subject, key, subject, key, name)]
    else:
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _named("Free Public Wi-Fi Root")
        chain = [
            _certificate(subject, key, authority, authority_key, name),
            _certificate(authority, authority_key, authority, authority_key, None),
        ]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile() as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        for certificate in chain:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    host: str | None,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    )
    if host is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return builder.sign(signer, hashes.SHA256())
