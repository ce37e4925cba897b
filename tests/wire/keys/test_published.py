"""Keys, codes and PIN blocks against published values, over and back, and with wrong keys."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.keys import des, dukpt, dukpt_aes, pin_block
from rig.wire.keys.components import check_value, combine
from rig.wire.keys.key_block import VERSIONS, KeyBlock
from rig.wire.keys.mac import MAC_ALGORITHMS, MacAlgorithm, key_lengths, mac, verify
from rig.wire.keys.session import SessionKeys

BDK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
PAN = "4012345678909"


def _ksn(counter: int) -> bytes:
    return (int("FFFF9876543210E00000", 16) | counter).to_bytes(10, "big")


def test_dukpt_with_triple_des_as_published() -> None:
    """ANSI X9.24-1:2009, annex A: initial key, PIN key of the first transaction, PIN blocks of 1234."""
    assert dukpt.initial_key(BDK, _ksn(0)).hex().upper() == "6AC292FAA1315B4D858AB3A3D7D5933A"
    first = dukpt.session_keys(BDK, _ksn(1))
    assert first.pin.hex().upper() == "042666B49184CF5C68DE9628D0397B36"
    blocks = {1: "1B9C1845EB993A7A", 2: "10A01C8D02C69107", 3: "18DC07B94797B466"}
    for counter, block in blocks.items():
        key = dukpt.session_keys(BDK, _ksn(counter)).pin
        assert pin_block.encrypt("1234", PAN, key).hex().upper() == block


def test_dukpt_with_aes_as_published() -> None:
    """ANSI X9.24-3:2017, annex B: AES-128."""
    bdk, ksn = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1"), bytes.fromhex("123456789012345600000001")
    initial = dukpt_aes.initial_key(bdk, ksn)
    assert initial.hex().upper() == "1273671EA26AC29AFA4D1084127652A1"
    assert dukpt_aes.derivation_key(initial, ksn).hex().upper() == "4F21B565BAD9835E112B6465635EAE44"
    assert dukpt_aes.session_keys(bdk, ksn).pin.hex().upper() == "AF8CB133A78F8DC2D1359F18527593FB"


@given(st.integers(0, (1 << 21) - 2))
def test_host_and_terminal_come_to_the_same_keys(counter: int) -> None:
    ksn = _ksn(counter)
    assert dukpt.session_keys(BDK, ksn) == dukpt.session_keys_of_terminal(dukpt.initial_key(BDK, ksn), ksn)
    with contextlib.suppress(WireError):
        following = dukpt.next_ksn(ksn)
        assert dukpt.counter(following) > counter
        assert dukpt.counter(following).bit_count() <= 10


@given(st.sampled_from([16, 24, 32]), st.integers(0, (1 << 32) - 2))
def test_with_aes_too_of_every_length(length: int, counter: int) -> None:
    bdk, ksn = bytes(range(length)), bytes(8) + counter.to_bytes(4, "big")
    keys = dukpt_aes.session_keys(bdk, ksn)
    assert keys == dukpt_aes.session_keys_of_terminal(dukpt_aes.initial_key(bdk, ksn), ksn)
    assert {len(keys.pin), len(keys.mac_request)} == {length}
    assert len({keys.pin, keys.mac_request, keys.mac_response, keys.data}) == 4
    with contextlib.suppress(WireError):
        assert dukpt_aes.counter(dukpt_aes.next_ksn(ksn)).bit_count() <= 16


def test_a_used_up_key_and_wrong_lengths_are_refused() -> None:
    with pytest.raises(WireError, match="used up"):
        dukpt.next_ksn(_ksn(0b111111111100000000000))
    with pytest.raises(WireError, match="used up"):
        dukpt_aes.next_ksn(bytes(8) + b"\xff\xff\0\0")
    for initial_key, ksn in ((dukpt.initial_key, _ksn(0)), (dukpt_aes.initial_key, bytes(12))):
        for bdk, told in ((BDK[:8], ksn), (BDK, b"1")):
            with pytest.raises(WireError, match="expecting"):
                initial_key(bdk, told)


@pytest.mark.parametrize(
    ("algorithm", "key", "data", "code"),
    [
        # FIPS PUB 113: "7654321 Now is the time for " under 0123456789ABCDEF; the data authentication code's 8 bytes.
        ("x9.9", "0123456789ABCDEF", b"7654321 Now is the time for ", "F1D30F6849312CA4"),
        # ISO/IEC 9797-1:1999, annex A: algorithm 3, padding 1.
        ("x9.19", "0123456789ABCDEFFEDCBA9876543210", b"Now is the time for all ", "A1C72E74EA3FA9B6"),
        # NIST SP 800-38B, example 2, the first eight bytes.
        ("aes-cmac", "2B7E151628AED2A6ABF7158809CF4F3C", bytes.fromhex("6BC1BEE22E409F96E93D7E117393172A"),
         "070A16B46B4D4144"),
    ],
)  # fmt: skip
def test_codes_as_published(algorithm: MacAlgorithm, key: str, data: bytes, code: str) -> None:
    assert mac(algorithm, bytes.fromhex(key), data).hex().upper() == code


@pytest.mark.parametrize("algorithm", MAC_ALGORITHMS)
def test_a_code_is_of_its_key_and_data(algorithm: MacAlgorithm) -> None:
    key = bytes(range(1, key_lengths(algorithm)[-1] + 1))
    code = mac(algorithm, key, b"some data")
    assert len(code) == 8
    assert verify(algorithm, key, b"some data", code)
    assert not verify(algorithm, key, b"some date", code)
    assert not verify(algorithm, key[::-1], b"some data", code)
    with pytest.raises(WireError, match="wants"):
        mac(algorithm, b"short", b"")


def test_the_unionpay_code_step_by_step() -> None:
    """Q/CUP 009.1: XOR of the blocks in hexadecimal, half encrypted, XORed with the other half, encrypted."""
    key, data = bytes.fromhex("1111111111111111"), b"12345678abcdefgh1"
    block = bytes(a ^ b ^ c for a, b, c in zip(b"12345678", b"abcdefgh", b"1" + bytes(7), strict=True))
    digits = block.hex().upper().encode()
    once = des.encrypt(key, digits[:8])
    twice = des.encrypt(key, bytes(a ^ b for a, b in zip(once, digits[8:], strict=True)))
    assert mac("unionpay-ecb", key, data) == twice.hex().upper().encode()[:8]


pins = st.text("0123456789", min_size=4, max_size=12)
pans = st.text("0123456789", min_size=13, max_size=19)


@given(pins, pans, st.sampled_from([0, 3, 4]))
def test_pin_blocks_over_and_back(pin: str, pan: str, form: int) -> None:
    key = bytes(range(16))
    assert pin_block.decrypt(pin_block.encrypt(pin, pan, key, form), pan, key) == pin


def test_pin_blocks_as_published_and_what_is_none() -> None:
    """ISO 9564-1, format 0, as in X9.24-1: PIN 1234 and PAN 4012345678909 give 041274EDCBA9876F."""
    assert pin_block.encode("1234", PAN).hex().upper() == "041274EDCBA9876F"
    assert pin_block.decode(bytes.fromhex("041274EDCBA9876F"), PAN) == "1234"
    wrong: list[Callable[[], object]] = [
        lambda: pin_block.encode("123", PAN),
        lambda: pin_block.encode("1234", "12"),
        lambda: pin_block.encode("1234", PAN, 1),
        lambda: pin_block.decode(bytes(8), PAN),
        lambda: pin_block.decode(bytes(7), PAN),
        lambda: pin_block.decrypt(bytes(16), PAN, bytes(16)),
        lambda: pin_block.decrypt(bytes(9), PAN, bytes(16)),
        lambda: pin_block.encrypt("1234", PAN, bytes(9), 4),
    ]
    for each in wrong:
        with pytest.raises(WireError):
            each()


@given(st.binary(min_size=8, max_size=8), pans)
def test_an_arbitrary_block_is_a_pin_or_refused(block: bytes, pan: str) -> None:
    with contextlib.suppress(WireError):
        assert pin_block.decode(block, pan).isdigit()


@pytest.mark.parametrize("version", VERSIONS)
def test_key_blocks_over_and_back_and_damaged(version: str) -> None:
    protection = bytes(range(32)) if version == "D" else BDK
    block = KeyBlock(BDK, "B0", "T", "X", version)
    text = block.wrap(protection)
    assert text[0] == version
    assert KeyBlock.unwrap(protection, text) == block
    damaged = text[:-1] + ("0" if text[-1] != "0" else "1")
    for wrong in (damaged, text[:-8], "", "D0", text.replace("B0", "M3", 1)):
        with pytest.raises(WireError, match="no key block"):
            KeyBlock.unwrap(protection, wrong)
    with pytest.raises(WireError, match="no key block"):
        KeyBlock(BDK, "B0", "T", "X", "Z").wrap(protection)


def test_a_key_block_as_published() -> None:
    """ASC X9 TR-31:2018, A.7.4: a DES key for PIN encryption under an AES key."""
    protection = bytes.fromhex("88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6")
    text = (
        "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A2"
        "7E8E31DA05F7425509593D03A457DC34"
    )
    block = KeyBlock.unwrap(protection, text)
    assert block.key.hex().upper() == "3F419E1CB7079442AA37474C2EFBF8B8"
    assert (block.usage, block.algorithm, block.mode, block.exportability) == ("P0", "A", "E", "E")


def test_components_come_together_and_the_wrong_one_is_named() -> None:
    one, two, three = bytes(range(16)), bytes(range(16, 32)), BDK
    key = bytes(a ^ b ^ c for a, b, c in zip(one, two, three, strict=True))
    parts = [(part, check_value(part)) for part in (one, two, three)]
    assert combine(parts, check_value(key)) == key
    with pytest.raises(WireError, match="component 2 is wrong"):
        combine([parts[0], (two, b"abc"), parts[2]], check_value(key))
    with pytest.raises(WireError, match="of the key is wrong"):
        combine(parts[:2], check_value(key))
    with pytest.raises(WireError, match="two components"):
        combine(parts[:1], check_value(one))
    with pytest.raises(WireError, match="component 2 has 8 bytes"):
        combine([parts[0], (bytes(8), b"")], b"")
    aes = [(part, check_value(part, "aes")) for part in (one, two)]
    whole = bytes(a ^ b for a, b in zip(one, two, strict=True))
    assert combine(aes, check_value(whole, "aes"), "aes") == whole
    assert check_value(bytes(16)).hex().upper() == "8CA64D"
    with pytest.raises(WireError, match="AES key"):
        check_value(bytes(8), "aes")


def test_session_keys_travel_under_a_master_key() -> None:
    keys = SessionKeys(pin=bytes(range(16)), mac=bytes(range(8)))
    wrapped = keys.wrap(BDK)
    assert SessionKeys.unwrap(BDK, wrapped) == keys
    with pytest.raises(WireError, match="check value of the PIN key"):
        SessionKeys.unwrap(BDK[::-1], wrapped)
    with pytest.raises(WireError, match="expecting 40"):
        SessionKeys.unwrap(BDK, wrapped[:-1])
    with pytest.raises(WireError, match="8 or 16"):
        SessionKeys(b"1", b"2").wrap(BDK)


def test_odd_parity() -> None:
    assert des.with_odd_parity(bytes([0, 1, 2, 3, 254, 255])) == bytes([1, 1, 2, 2, 254, 254])
