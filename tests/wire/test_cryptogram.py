"""Cryptograms, the issuer's answer and its scripts: public vectors, pyemv called directly, and a few lines of DES."""

import contextlib
from dataclasses import fields, replace
from typing import get_args

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from hypothesis import given
from hypothesis import strategies as st
from pyemv import cvn

from rig.wire import tlv
from rig.wire.cryptogram import (
    TAGS,
    CryptogramData,
    CryptogramVersion,
    Decision,
    Scheme,
    application_cryptogram,
    check_issuer_authentication,
    check_script,
    covered_tags,
    issuer_authentication_data,
    issuer_data,
    read_issuer_data,
    scheme_of,
    script_command,
    script_template,
    version_of,
)
from rig.wire.errors import WireError

PAN = "1234567890123456"  # no test PAN: the vector's own
H = bytes.fromhex
MK_AC, MK_SMI, MK_SMC = b"\xaa" * 16, b"\xbb" * 16, b"\xcc" * 16
VECTOR = CryptogramData(
    tag_9f02=H("000000009999"), tag_9f03=H("000000000000"), tag_9f1a=H("0840"), tag_95=H("8000048000"),
    tag_5f2a=H("0840"), tag_9a=H("991231"), tag_9c=H("01"), tag_9f37=H("52BF4585"), tag_82=H("1800"),
    tag_9f36=H("0FFF"), tag_9f10=H("06011203A0B800"),
)  # fmt: skip
ARQC = H("769577B5ABE9FE62")
VERSIONS: tuple[CryptogramVersion, ...] = get_args(CryptogramVersion)
PYEMV = {
    "visa-10": cvn.VisaCVN10,
    "visa-18": cvn.VisaCVN18,
    "visa-22": cvn.VisaCVN22,
    "mastercard-16": cvn.MasterCardCVN16,
    "mastercard-17": cvn.MasterCardCVN17,
    "mastercard-20": cvn.MasterCardCVN20,
    "mastercard-21": cvn.MasterCardCVN21,
}
COUNTERS = H("00000000123403FF")


def of(version: CryptogramVersion, decision: Decision = "ARQC") -> CryptogramData:
    return replace(VECTOR, tag_9f10=issuer_data(version, decision, counters=COUNTERS, dynamic=H("A1B2")))


def foreign(version: str) -> object:
    return PYEMV[version](iss_mk_ac=MK_AC, iss_mk_smi=MK_SMI, iss_mk_smc=MK_SMC, pan=PAN, psn="01")


def single_des_mac(key: bytes, data: bytes) -> bytes:
    """ISO/IEC 9797-1 algorithm 3 over whole blocks, by hand: DES of one half is triple DES with equal thirds."""

    def des(half: bytes, block: bytes, *, back: bool = False) -> bytes:
        cipher = Cipher(TripleDES(half * 3), modes.ECB())
        step = cipher.decryptor() if back else cipher.encryptor()
        return step.update(block) + step.finalize()

    chained = bytes(8)
    for at in range(0, len(data), 8):
        chained = des(key[:8], bytes(a ^ b for a, b in zip(chained, data[at : at + 8], strict=True)))
    return des(key[:8], des(key[8:], chained, back=True))


def test_the_public_vector_of_cryptogram_version_18() -> None:
    assert application_cryptogram("visa-18", MK_AC, PAN, "00", VECTOR) == ARQC
    answer = issuer_authentication_data("visa-18", MK_AC, PAN, "00", VECTOR, ARQC, "05")
    assert answer == H("76503F48 00000000")
    unblock = script_command("visa-18", MK_SMI, PAN, "00", VECTOR.tag_9f36, ARQC, "application-unblock")
    assert unblock == H("8418000008 B5CB29759F9C3919")


@pytest.mark.parametrize("version", PYEMV)
def test_a_version_that_pyemv_knows_is_what_pyemv_computes(version: CryptogramVersion) -> None:
    data = of(version)
    values = {field.name: getattr(data, field.name) for field in fields(data)}
    if version not in ("visa-18", "visa-22"):
        told = values.pop("tag_9f10")
        values["cvr"] = told[2:8] if version.startswith("mastercard") else told[3:7]
    if version in ("mastercard-17", "mastercard-21"):
        values["counters"] = COUNTERS
    assert application_cryptogram(version, MK_AC, PAN, "01", data) == foreign(version).generate_ac(**values)  # type: ignore[attr-defined]


def test_version_17_by_hand() -> None:
    covered = H("000000009999 52BF4585 0FFF A0") + bytes(3)
    digits = H((PAN + "01")[-16:])  # option A: the rightmost 16 digits of PAN and sequence number, and their inversion
    cipher = Cipher(TripleDES(MK_AC), modes.ECB()).encryptor()
    card_key = cipher.update(digits + bytes(each ^ 0xFF for each in digits))
    assert application_cryptogram("visa-17", MK_AC, PAN, "01", of("visa-17")) == single_des_mac(card_key, covered)


def test_version_17_covers_nothing_else() -> None:
    few = {0x9F02: VECTOR.tag_9f02, 0x9F37: VECTOR.tag_9f37, 0x9F36: VECTOR.tag_9f36, 0x9F10: H("06011103A0FFFF")}
    bare = CryptogramData.from_tags(few, covered_tags("visa-17"))
    whole = application_cryptogram("visa-17", MK_AC, PAN, "01", of("visa-17"))
    assert application_cryptogram("visa-17", MK_AC, PAN, "01", bare) == whole


def test_unionpay_is_our_choice_of_version_18() -> None:
    data = of("unionpay-01")
    values = {field.name: getattr(data, field.name) for field in fields(data)}
    expected = cvn.VisaCVN18(iss_mk_ac=MK_AC, iss_mk_smi=MK_SMI, iss_mk_smc=MK_SMC, pan=PAN, psn="01")
    assert application_cryptogram("unionpay-01", MK_AC, PAN, "01", data) == expected.generate_ac(**values)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tag", TAGS)
def test_the_issuer_notices_when_a_covered_value_changed_and_only_then(version: CryptogramVersion, tag: int) -> None:
    data, name = of(version), f"tag_{tag:x}"
    value: bytearray = bytearray(getattr(data, name))
    at = {"visa": 4, "unio": 4, "mast": 2}[version[:4]] if tag == 0x9F10 else len(value) - 1
    value[3 if version == "visa-22" and tag == 0x9F10 else at] ^= 0x01
    before = application_cryptogram(version, MK_AC, PAN, "01", data)
    after = application_cryptogram(version, MK_AC, PAN, "01", replace(data, **{name: bytes(value)}))
    assert (before != after) == (tag in covered_tags(version))


def test_the_values_come_out_of_de55_and_a_missing_one_is_named() -> None:
    tags = {tag: getattr(VECTOR, f"tag_{tag:x}") for tag in TAGS}
    assert CryptogramData.from_tags(tags | {0x9F26: b"else"}) == VECTOR
    del tags[0x9F37]
    with pytest.raises(WireError, match="9F37"):
        CryptogramData.from_tags(tags)


def test_a_value_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(WireError, match="9F36 has 1 bytes"):
        replace(VECTOR, tag_9f36=b"\1")


# Tag 9F10 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("visa-10", "06010A03A00000"),
        ("visa-17", "06011103A00000"),
        ("visa-18", "06011203A00000"),
        ("visa-22", "1F2201A0" + "00" * 28),
        ("mastercard-17", "0111A0000000000000000000000000000000FF"[:20] + "00000000000000FF"),
        ("unionpay-01", "07010103A0000001"),
    ],
)
def test_issuer_data_byte_by_byte(version: CryptogramVersion, expected: str) -> None:
    assert issuer_data(version, "ARQC") == H(expected)


@given(
    version=st.sampled_from(VERSIONS),
    decision=st.sampled_from(["AAC", "TC", "ARQC"]),
    first=st.sampled_from([None, "ARQC"]),
    index=st.integers(0, 255),
)
def test_what_is_written_is_read(
    version: CryptogramVersion, decision: Decision, first: Decision | None, index: int
) -> None:
    if first and decision == "ARQC":
        with pytest.raises(WireError, match="second"):
            issuer_data(version, decision, first=first)
        return
    told = issuer_data(version, decision, first=first, key_index=index)
    read = read_issuer_data(version, told)
    assert (read.decision, read.first, read.key_index) == (decision, first, index)
    scheme: Scheme = version.split("-")[0]  # type: ignore[assignment]
    assert version_of(scheme, told) == version


@given(data=st.binary(max_size=40), version=st.sampled_from(VERSIONS))
def test_any_bytes_are_read_or_refused(data: bytes, version: CryptogramVersion) -> None:
    for read in (lambda: read_issuer_data(version, data), lambda: version_of("visa", data), lambda: scheme_of(data)):
        with contextlib.suppress(WireError):
            read()


def test_the_counters_of_m_chip_advance_are_read_whole() -> None:
    long = issuer_data("mastercard-21", "ARQC", counters=bytes(range(16)))
    assert read_issuer_data("mastercard-21", long).counters == bytes(range(16))
    assert read_issuer_data("mastercard-21", long + b"\0\1").counters == bytes(range(16))


def test_the_scheme_is_known_by_its_rid() -> None:
    assert scheme_of(H("A0000000031010")) == "visa"
    assert scheme_of(H("A000000333010103")) == "unionpay"
    with pytest.raises(WireError, match="A000000025"):
        scheme_of(H("A00000002501"))


# Tag 91 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", PYEMV)
@pytest.mark.parametrize("rc", ["00", "05"])
def test_the_answer_is_what_pyemv_computes(version: CryptogramVersion, rc: str) -> None:
    data, code = of(version), rc.encode()
    answer = issuer_authentication_data(version, MK_AC, PAN, "01", data, ARQC, rc)
    card = foreign(version)
    if version in ("visa-18", "visa-22"):
        status = H("00800000" if rc == "00" else "00000000")
        assert answer == card.generate_arpc(ARQC, data.tag_9f36, status) + status  # type: ignore[attr-defined]
    elif version in ("mastercard-20", "mastercard-21"):
        assert answer == card.generate_arpc(ARQC, data.tag_9f36, code) + code  # type: ignore[attr-defined]
    else:
        assert answer == card.generate_arpc(ARQC, code) + code  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_card_believes_its_issuer_and_nobody_else(version: CryptogramVersion) -> None:
    data = of(version)
    for rc in ("00", "05"):
        answer = issuer_authentication_data(version, MK_AC, PAN, "01", data, ARQC, rc)
        assert check_issuer_authentication(version, MK_AC, PAN, "01", data, ARQC, answer) == rc
        for at in range(len(answer)):
            wrong = answer[:at] + bytes([answer[at] ^ 0x80]) + answer[at + 1 :]
            assert check_issuer_authentication(version, MK_AC, PAN, "01", data, ARQC, wrong) is None
    for short in (b"", answer[:-1], answer + b"\0"):
        assert check_issuer_authentication(version, MK_AC, PAN, "01", data, ARQC, short) is None


# Scripts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_the_card_takes_its_issuers_commands_in_order(version: CryptogramVersion) -> None:
    card = (version, MK_SMI, PAN, "01", VECTOR.tag_9f36, ARQC)
    first = script_command(*card, "put-data", tag=0x9F58, value=b"\x05", number=0)
    second = script_command(*card, "application-block", number=1)
    assert (first[:6], second[:5]) == (H("84DA9F580905"), H("841E000008"))
    assert check_script(*card, first, 0)
    assert check_script(*card, second, 1)
    assert check_script(*card, second, 0) is not version.startswith("mastercard")
    assert not check_script(*card, first[:-1] + bytes([first[-1] ^ 1]))
    assert not check_script(*card, first[:5] + b"\x06" + first[6:])
    assert not check_script(*card, b"\x84\x1e\x00\x00")


@pytest.mark.parametrize("version", PYEMV)
def test_a_commands_mac_is_what_pyemv_computes(version: CryptogramVersion) -> None:
    command = script_command(version, MK_SMI, PAN, "01", H("0FFF"), ARQC, "put-data", tag=0x9F58, value=b"\x05")
    expected = foreign(version).generate_command_mac(H("84DA9F5809"), ARQC, H("0FFF"), b"\x05")  # type: ignore[attr-defined]
    assert command == H("84DA9F5809 05") + expected


def test_a_script_is_a_template_of_commands() -> None:
    assert script_template([b"\x84\x1e"], 0x71) == H("710B 9F1804 00000000 8602 841E")
    assert [each.tag for each in tlv.parse(script_template([]))] == [0x72]


def test_what_belongs_to_another_instruction_is_refused() -> None:
    card = ("visa-10", MK_SMI, PAN, "01", b"\0\1", ARQC)
    with pytest.raises(WireError, match="put-data"):
        script_command(*card, "application-block", tag=0x9F58)  # type: ignore[arg-type]
    with pytest.raises(WireError, match="put-data"):
        script_command(*card, "put-data")  # type: ignore[arg-type]


def test_a_key_index_that_is_the_number_of_another_version_misleads_nobody() -> None:
    for index in (0x0A, 0x11, 0x12):
        assert version_of("visa", issuer_data("visa-22", "ARQC", key_index=index)) == "visa-22"
