"""The capture process on a real interface, and the file that it leaves."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.interface import set_up
from rig.bearers.netspace import can_isolate, in_namespace, new_namespace
from rig.history.capture import payload_offset, redact_frame, slice_capture
from rig.history.events import read_history
from rig.history.pcapng import Packet, PcapngWriter, cut_out, read_packets
from rig.history.redaction import Redactor, TestRange, luhn_valid

HEAD = "476173000000001"
PAN = next(HEAD + digit for digit in "0123456789" if luhn_valid(HEAD + digit))
BCD = bytes.fromhex(PAN)
SHIFTED_BCD = bytes.fromhex("0" + PAN + "0")


@pytest.fixture(scope="module")
def capture_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the process wrote while three payloads with a PAN and one without went over a loopback."""
    if can_isolate().way != "root":
        pytest.skip("namespaces in the test process need root")
    folder = tmp_path_factory.mktemp("capture")
    namespace = new_namespace()
    in_namespace(namespace, lambda: set_up("lo", True))
    process = _start(folder, namespace)
    end = in_namespace(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    end.bind(("127.0.0.1", 0))
    for payload in (b"card " + PAN.encode() + b" sold", b"\x00" + BCD + b"\xff", SHIFTED_BCD, b"the end"):
        end.sendto(payload, end.getsockname())
    process.terminate()
    assert process.wait(5) == 0
    end.close()
    os.close(namespace)
    return folder / "wire.pcapng"


def _start(folder: Path, namespace: int) -> subprocess.Popen[bytes]:
    Redactor.with_new_key([TestRange("476173")]).save(folder / "redaction.json")
    config = folder / "capture.json"
    settings = {
        "name": "capture", "runtime": str(folder), "journals": str(folder / "journals"),
        "redaction": str(folder / "redaction.json"), "interfaces": ["lo"], "output": str(folder / "wire.pcapng"),
    }  # fmt: skip
    config.write_text(json.dumps(settings))
    told, tell = os.pipe()
    command = [sys.executable, "-m", "rig.history.capture", "--config", str(config), "--ready-fd", str(tell)]
    process = in_namespace(namespace, lambda: subprocess.Popen(command, pass_fds=[tell]))
    os.close(tell)
    with os.fdopen(told) as answer:
        ready = json.loads(answer.readline())
    assert abs(ready["wall_minus_monotonic_ns"] - (time.time_ns() - time.monotonic_ns())) < 1_000_000_000
    return process


def foreign_reading(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [bytes(frame) for _, frame in dpkt.pcapng.Reader(file)]  # type: ignore[no-untyped-call]


def test_no_form_of_the_pan_reaches_the_disk(capture_file: Path) -> None:
    content = capture_file.read_bytes()
    assert PAN.encode() not in content
    assert PAN not in content.hex()


def test_what_was_sent_is_there_masked_and_as_long(capture_file: Path) -> None:
    payloads = [p.data[42:] for p in read_packets(capture_file.read_bytes()) if p.outgoing]
    assert payloads[0] == b"card 476173******" + PAN[-4:].encode() + b" sold"
    assert [len(payload) for payload in payloads] == [26, 10, 9, 7]
    assert payloads[3] == b"the end"


def test_each_packet_of_a_loopback_is_seen_going_and_coming(capture_file: Path) -> None:
    assert [p.outgoing for p in read_packets(capture_file.read_bytes())] == [True, False] * 4


def test_a_foreign_reader_reads_it(capture_file: Path) -> None:
    assert foreign_reading(capture_file)[-1].endswith(b"the end")


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_it_with_the_name_of_the_interface(capture_file: Path) -> None:
    command = ["tshark", "-r", str(capture_file), "-T", "fields", "-e", "frame.interface_name", "-e", "udp.length"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "lo\t15"


def test_the_journal_says_how_the_clocks_relate(capture_file: Path) -> None:
    history = read_history(capture_file.parent / "journals")
    clock, ended = history.of("capture_clock")[0], history.of("ended")[0]
    assert clock.data["interfaces"] == ["lo"]
    first = next(read_packets(capture_file.read_bytes()))
    assert clock.t <= first.wall_ns - clock.data["wall_minus_monotonic_ns"] + 1_000_000 <= ended.t
    assert ended.data == {"packets": 8, "lost": 0, "masked": {"lo": 6}}, "a loopback shows each packet twice"


def test_a_span_of_time_can_be_cut_out(capture_file: Path, tmp_path: Path) -> None:
    packets = list(read_packets(capture_file.read_bytes()))
    part = tmp_path / "part.pcapng"
    part.write_bytes(slice_capture(capture_file, packets[2].wall_ns, packets[5].wall_ns))
    assert list(read_packets(part.read_bytes())) == packets[2:6]
    assert len(foreign_reading(part)) == 4


PACKETS = st.lists(
    st.builds(
        Packet,
        interface=st.integers(0, 1),
        wall_ns=st.integers(0, 2**63 - 1),
        data=st.binary(min_size=14, max_size=200),
        outgoing=st.booleans(),
    ),
    max_size=8,
)


@given(packets=PACKETS, torn=st.integers(0, 300))
def test_a_torn_tail_loses_only_the_last_packets(
    packets: list[Packet], torn: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("torn") / "wire.pcapng"
    with path.open("wb", buffering=0) as file:
        PcapngWriter(file, ["wifi", "cellular"]).write(packets)
    content = path.read_bytes()
    assert list(read_packets(content)) == packets
    kept = list(read_packets(cut_out(content[: len(content) - torn], 0, 2**63)))
    assert kept == packets[: len(kept)]


@given(st.binary(max_size=120))
def test_no_frame_is_too_odd_to_be_redacted(frame: bytes) -> None:
    redactor = Redactor(bytes(32), [TestRange("476173")])
    assert len(redact_frame(redactor, frame)) == len(frame)


def test_the_headers_stay_whatever_their_digits_are() -> None:
    headers = bytes.fromhex("020000000001020000000002" + "0800" + "4500003000000000400600000a4001020a40000a")
    tcp = bytes.fromhex("00001388" + "00000000" * 2 + "50180000" + "00000000")
    assert payload_offset(headers + tcp + b"x") == 54
    redactor = Redactor(bytes(32), [TestRange("476173")])
    assert redact_frame(redactor, headers + tcp + BCD)[:54] == headers + tcp
