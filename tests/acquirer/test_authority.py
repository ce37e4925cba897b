"""The bench's certificate authority: made once, kept, private; the host's certificate is issued anew when it must."""

from __future__ import annotations

import datetime
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from rig.acquirer.authority import HOST_NAME, client_certificate, export_ca, host_identity, signer_of
from rig.acquirer.certificates import Wanted, issue, signed_with_sha1
from rig.errors import CallerMistake

DAY = datetime.timedelta(days=1)


def test_it_is_made_once_and_private(tmp_path: Path) -> None:
    first = export_ca(tmp_path)
    assert export_ca(tmp_path) == first
    assert x509.load_pem_x509_certificate(first.encode()).subject.rfc4514_string().startswith("CN=Bench test authority")
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "pki/ca.key").stat().st_mode & 0o777 == 0o600


def test_two_processes_at_once_make_one_authority(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: export_ca(tmp_path), range(8)))) == 1


def test_the_host_is_named_and_kept(tmp_path: Path) -> None:
    identity = host_identity(tmp_path, ["10.64.0.10", "::1"])
    names = identity.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [HOST_NAME]
    assert {str(address) for address in names.get_values_for_type(x509.IPAddress)} == {"10.64.0.10", "::1"}
    assert identity.key_path.stat().st_mode & 0o777 == 0o600
    assert host_identity(tmp_path, ["::1", "10.64.0.10"]).fingerprint == identity.fingerprint


def test_other_addresses_and_a_near_end_need_another_certificate(tmp_path: Path) -> None:
    first = host_identity(tmp_path, ["10.64.0.10"])
    authority = export_ca(tmp_path)
    moved = host_identity(tmp_path, ["10.64.0.11"])
    assert moved.fingerprint != first.fingerprint
    ends = moved.certificate.not_valid_after_utc
    assert host_identity(tmp_path, ["10.64.0.11"], ends - 31 * DAY).fingerprint == moved.fingerprint
    renewed = host_identity(tmp_path, ["10.64.0.11"], ends - 29 * DAY)
    assert renewed.certificate.not_valid_after_utc > ends
    assert export_ca(tmp_path) == authority


def test_a_certificate_of_another_key_is_replaced(tmp_path: Path) -> None:
    first = host_identity(tmp_path / "one", ["127.0.0.1"])
    other = host_identity(tmp_path / "other", ["127.0.0.1"])
    first.key_path.write_bytes(other.key_path.read_bytes())
    again = host_identity(tmp_path / "one", ["127.0.0.1"])
    assert again.fingerprint != first.fingerprint
    again.server_context()


def test_damage_is_named_and_never_papered_over(tmp_path: Path) -> None:
    export_ca(tmp_path)
    (tmp_path / "pki/ca.key").unlink()
    with pytest.raises(CallerMistake, match="key is missing"):
        export_ca(tmp_path)
    (tmp_path / "pki/ca.key").write_text("")
    (tmp_path / "pki/ca.pem").write_text("nonsense")
    with pytest.raises(CallerMistake, match="no certificate"):
        export_ca(tmp_path)
    with pytest.raises(CallerMistake, match="no IP address"):
        host_identity(tmp_path / "new", ["everywhere"])


def test_a_terminals_certificate_is_kept_while_it_lasts(tmp_path: Path) -> None:
    path = client_certificate(tmp_path, "52000001")
    kept = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert client_certificate(tmp_path, "52000001").read_bytes() == kept
    assert client_certificate(tmp_path, "52000002").read_bytes() != kept
    ending = issue(Wanted("52000001", days=(-300, 10), for_client=True), signer_of(tmp_path)).pem()
    strange = issue(Wanted("52000001", for_client=True)).pem()
    for unfit in (ending, strange, b"torn"):
        path.write_bytes(unfit)
        assert client_certificate(tmp_path, "52000001").read_bytes() != unfit
        renewed = x509.load_pem_x509_certificate(path.read_bytes())
        renewed.verify_directly_issued_by(signer_of(tmp_path).certificate)


def test_a_certificate_signed_over_sha1_is_the_same_but_for_that(tmp_path: Path) -> None:
    authority = signer_of(tmp_path)
    sound = issue(Wanted("acquirer.bench", ["10.64.0.10"]), authority)
    old = signed_with_sha1(sound, authority)
    authority_key = signer_of(tmp_path).certificate.public_key()
    assert isinstance(authority_key, ec.EllipticCurvePublicKey)
    authority_key.verify(old.certificate.signature, old.certificate.tbs_certificate_bytes, ec.ECDSA(hashes.SHA1()))
    assert old.certificate.signature_algorithm_oid.dotted_string == "1.2.840.10045.4.1"
    assert old.certificate.subject == sound.certificate.subject
    assert old.certificate.serial_number == sound.certificate.serial_number
    assert list(old.certificate.extensions) == list(sound.certificate.extensions)


def test_only_an_ec_key_signs_over_sha1(tmp_path: Path) -> None:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    stranger = issue(Wanted("stranger", is_ca=True), key=rsa_key)
    with pytest.raises(CallerMistake, match="EC key"):
        signed_with_sha1(issue(Wanted("host"), stranger), stranger)
