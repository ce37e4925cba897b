"""What can be read of a TLS connection, against handshakes of a real TLS library."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.acquirer.authority import HOST_NAME, export_ca, host_identity
from rig.report.scorecard.tls import Region, Use, is_tls, view_tls

REQUEST, ANSWER = bytes(410), bytes(210)
Chunks = list[tuple[bool, bytes]]


def handshake(state: Path, newest: ssl.TLSVersion, answers: int = 1, suite: str = "") -> Chunks:
    """A whole connection, as its two ends put it on the wire: down or up, and the bytes."""
    server = host_identity(state, ["10.64.0.10"]).server_context()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=export_ca(state))
    client.maximum_version = newest
    if suite:
        client.set_ciphers(suite)
    terminal_in, terminal_out, host_in, host_out = (ssl.MemoryBIO() for _ in range(4))
    terminal = client.wrap_bio(terminal_in, terminal_out, server_hostname=HOST_NAME)
    host = server.wrap_bio(host_in, host_out, server_side=True)
    seen: Chunks = []

    def carry(down: bool) -> None:
        data = (host_out if down else terminal_out).read()
        (terminal_in if down else host_in).write(data)
        seen.append((down, data))

    for _ in range(2):
        for end, down in ((terminal, False), (host, True)):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
            carry(down)
    terminal.do_handshake()
    terminal.write(REQUEST)
    carry(False)
    assert host.read(4096) == REQUEST
    for _ in range(answers):
        host.write(ANSWER)
        carry(True)
        assert terminal.read(4096) == ANSWER
    with contextlib.suppress(ssl.SSLWantReadError):
        terminal.unwrap()
    carry(False)
    return [chunk for chunk in seen if chunk[1]]


def streams(chunks: Chunks) -> tuple[bytes, bytes]:
    """Both directions whole."""
    return b"".join(data for down, data in chunks if not down), b"".join(data for down, data in chunks if down)


@pytest.mark.parametrize("suite", ["", "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_tls_1_2_shows_its_certificate_and_its_records(tmp_path: Path, suite: str) -> None:
    up, down = streams(handshake(tmp_path, ssl.TLSVersion.TLSv1_2, suite=suite))
    view = view_tls(up, down)
    overhead = 5 + 16 if suite else 5 + 8 + 16  # header, explicit nonce of GCM, tag
    assert (view.version, view.server_name, view.certificate_visible) == ("TLS 1.2", HOST_NAME, True)
    assert view.suite == ("ECDHE_ECDSA_CHACHA20_POLY1305" if suite else "ECDHE_ECDSA_AES_256_GCM_SHA384")
    assert _bytes(view.up, Use.DATA) == len(REQUEST) + overhead
    assert _bytes(view.down, Use.DATA) == len(ANSWER) + overhead
    assert _bytes(view.up, Use.CLOSING) > 0


@pytest.mark.parametrize("answers", [1, 2, 0])
def test_tls_1_3_hides_its_certificate_and_its_tickets_are_no_answers(tmp_path: Path, answers: int) -> None:
    up, down = streams(handshake(tmp_path, ssl.TLSVersion.TLSv1_3, answers))
    view = view_tls(up, down, answers)
    assert (view.version, view.suite) == ("TLS 1.3", "AES_256_GCM_SHA384")
    assert (view.server_name, view.certificate_visible) == (HOST_NAME, False)
    assert _bytes(view.up, Use.DATA) == len(REQUEST) + 5 + 1 + 16
    assert _bytes(view.down, Use.DATA) == answers * (len(ANSWER) + 5 + 1 + 16)
    assert _bytes(view.up, Use.CLOSING) == 5 + 2 + 1 + 16


def test_without_a_host_that_tells_every_request_has_one_answer(tmp_path: Path) -> None:
    up, down = streams(handshake(tmp_path, ssl.TLSVersion.TLSv1_3))
    assert view_tls(up, down) == view_tls(up, down, 1)


def test_a_handshake_that_was_broken_off_is_all_handshake(tmp_path: Path) -> None:
    up, down = streams(handshake(tmp_path, ssl.TLSVersion.TLSv1_3))
    hello = up[: 5 + int.from_bytes(up[3:5])]
    view = view_tls(hello, b"")
    assert (view.version, view.suite, view.server_name) == ("", "", HOST_NAME)
    assert {region.use for region in view.up} == {Use.HANDSHAKE}
    assert {region.use for region in view_tls(hello, down[:200]).down} == {Use.HANDSHAKE}


def test_an_iso_8583_message_is_no_tls() -> None:
    assert not is_tls(b"\x00\x80\x60\x00\x00\x00\x000200")
    assert not is_tls(b"")


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(0, 4))
def test_whatever_comes_the_regions_follow_one_another_and_nothing_is_raised(
    up: bytes, down: bytes, count: int
) -> None:
    for regions in (view := view_tls(b"\x16\x03\x01" + up, down, count)).up, view.down:
        place = 0
        for region in regions:
            assert region.begin == place < region.end
            place = region.end


def _bytes(regions: tuple[Region, ...], use: Use) -> int:
    return sum(each.end - each.begin for each in regions if each.use is use)
