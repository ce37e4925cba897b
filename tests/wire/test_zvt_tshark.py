"""Wireshark's ZVT dissector reads what our codec writes: a foreign decoder against our own symmetric errors."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import dpkt as untyped_dpkt
import pytest

from rig.wire.zvt import (
    POSITIVE,
    Apdu,
    Bmp,
    Command,
    PrintedLine,
    encode_fields,
    encode_print_block,
    encode_print_line,
    encode_with_password,
    negative,
)

dpkt: Any = untyped_dpkt

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

ECR, TERMINAL = ("10.64.9.1", 40000), ("10.64.9.2", 20007)
NOT_IN_THE_DISSECTOR = (Command.REPEAT_RECEIPT, Command.STATUS_ENQUIRY, Command.ECR_ABORT, Command.LOG_OFF)
"""Commands that packet-zvt.c (Wireshark 4.0) does not list; it leaves them alone."""

STATUS = encode_fields(
    {
        Bmp.RESULT: 0,
        Bmp.AMOUNT: 101010,
        Bmp.TRACE: 42,
        Bmp.TIME: 235959,
        Bmp.DATE: 1231,
        Bmp.EXPIRY: 3012,
        Bmp.CARD_SEQUENCE: 1,
        Bmp.PAYMENT_TYPE: 0x70,
        Bmp.PAN: "476173EEEEEE0010",
        Bmp.TERMINAL_ID: 52000001,
        Bmp.VU_NUMBER: "POSRIG000000001",
        Bmp.AUTHORISATION: b"123456\0\0",
        Bmp.TEXT: "GENEHMIGT",
        Bmp.CURRENCY: 978,
        Bmp.RECEIPT: 7,
        Bmp.CARD_TYPE: 10,
        Bmp.CARD_NAME: "Visa test",
        Bmp.TLV: bytes.fromhex("1F12 01 02 1F10 01 00".replace(" ", "")),
        Bmp.TURNOVER: 7,
        Bmp.HOST_RESULT: 0,
        Bmp.AID_PARAMETER: bytes(5),
    }
)
ANSWERED: list[tuple[str, Apdu]] = [
    ("ecr", Apdu(Command.REGISTRATION, encode_with_password("000000", bytes.fromhex("8E0978")))),
    ("terminal", Apdu(Command.COMPLETION, encode_fields({0x19: 0, 0x29: 52000001, 0x49: 978}))),
    ("ecr", Apdu(Command.REPEAT_RECEIPT, encode_with_password("000000", encode_fields({0x03: 3})))),
    ("terminal", Apdu(Command.ABORT, b"\x83")),
    ("ecr", Apdu(Command.AUTHORISATION, encode_fields({Bmp.AMOUNT: 101010, Bmp.CURRENCY: 978}))),
    ("terminal", Apdu(Command.INTERMEDIATE_STATUS, b"\x0a")),
    ("terminal", Apdu(Command.STATUS_INFO, STATUS)),
    ("terminal", encode_print_line(PrintedLine("Gesamt  1010,10 EUR", 0x40))),
    ("terminal", encode_print_block([PrintedLine(f"Zeile {n:03d} Größe") for n in range(30)])),
    ("terminal", Apdu(Command.COMPLETION)),
    ("ecr", Apdu(Command.REVERSAL, encode_with_password("000000", encode_fields({Bmp.RECEIPT: 7})))),
    ("terminal", Apdu(Command.ABORT, b"\xb4")),
    ("ecr", Apdu(Command.END_OF_DAY, encode_with_password("000000"))),
    ("terminal", Apdu(Command.COMPLETION)),
    ("ecr", Apdu(Command.STATUS_ENQUIRY, encode_with_password("000000"))),
    ("terminal", Apdu(Command.COMPLETION, b"\0")),
    ("ecr", Apdu(Command.DIAGNOSIS)),
    ("terminal", Apdu(Command.COMPLETION)),
    ("ecr", Apdu(Command.ECR_ABORT)),
    ("ecr", Apdu(Command.LOG_OFF)),
]


def dialogue() -> list[tuple[str, Apdu]]:
    """Each message and the other side's answer to it; one answer is negative."""
    other = {"ecr": "terminal", "terminal": "ecr"}
    messages = [each for who, apdu in ANSWERED for each in ((who, apdu), (other[who], POSITIVE))]
    return [*messages, ("ecr", Apdu(Command.DIAGNOSIS)), ("terminal", negative(0x9C))]


def write_capture(path: Path, messages: list[tuple[str, Apdu]]) -> None:
    sequence = {"ecr": 1, "terminal": 1}
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for number, (who, apdu) in enumerate(messages):
            here, there = (ECR, TERMINAL) if who == "ecr" else (TERMINAL, ECR)
            peer = "terminal" if who == "ecr" else "ecr"
            segment = dpkt.tcp.TCP(
                sport=here[1], dport=there[1], seq=sequence[who], ack=sequence[peer],
                flags=dpkt.tcp.TH_ACK | dpkt.tcp.TH_PUSH, data=apdu.encode(),
            )  # fmt: skip
            sequence[who] += len(segment.data)
            packet = dpkt.ip.IP(
                src=socket.inet_aton(here[0]), dst=socket.inet_aton(there[0]), p=dpkt.ip.IP_PROTO_TCP, data=segment
            )
            packet.len = len(packet)
            writer.writepkt(bytes(dpkt.ethernet.Ethernet(data=packet)), ts=1 + number / 1000)


def tshark(capture: Path, *options: str) -> str:
    command = ["tshark", "-r", str(capture), "-d", "tcp.port==20007,zvt", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zvt") / "dialogue.pcap"
    write_capture(path, dialogue())
    return path


def layers(capture: Path) -> list[dict[str, Any]]:
    packets = json.loads(tshark(capture, "-T", "json", "--no-duplicate-keys", "-J", "zvt"))
    return [packet["_source"]["layers"] for packet in packets]


def test_every_message_is_decoded_to_its_end(capture: Path) -> None:
    messages = dialogue()
    decoded = layers(capture)
    assert len(decoded) == len(messages)
    for layer, (_, apdu) in zip(decoded, messages, strict=True):
        if apdu.command in NOT_IN_THE_DISSECTOR and "zvt" not in layer:
            continue
        tree = layer["zvt"]["ZVT APDU"]
        assert int(tree["zvt.length_field"]) == len(apdu.data), apdu.name
        if apdu.answers:
            assert int(tree["zvt.ccrc"], 16) == apdu.command >> 8
        else:
            assert int(tree["zvt.control_field"], 16) == apdu.command


def complaints(capture: Path) -> str:
    warning = 0x600000
    return tshark(capture, "-Y", f"_ws.malformed || _ws.expert.severity >= {warning}")


def test_no_message_is_malformed_or_suspicious(capture: Path) -> None:
    assert complaints(capture) == ""


def test_the_dissector_would_complain_of_a_message_that_is_too_short(tmp_path: Path) -> None:
    short = tmp_path / "short.pcap"
    write_capture(short, [("ecr", Apdu(Command.REGISTRATION, b"\0"))])
    assert "ZVT" in complaints(short)


def test_the_fields_of_a_status_information_are_what_we_wrote(capture: Path) -> None:
    names = (
        "zvt.result_code", "zvt.amount", "zvt.trace_number", "zvt.time", "zvt.date", "zvt.expiry_date",
        "zvt.card_number", "zvt.terminal_id", "zvt.additional_data", "zvt.cc", "zvt.card_type", "zvt.card_name",
    )  # fmt: skip
    options = [option for name in names for option in ("-e", name)]
    line = tshark(capture, "-Y", "zvt.control_field == 0x040f", "-T", "fields", *options)
    result, amount, trace, time, date, expiry, pan, tid, text, currency, kind, card = line.rstrip("\n").split("\t")
    assert (int(result, 16), int(amount), trace, time, date, expiry) == (
        0, 101010, "000042", "23:59:59", "12/31", "30/12",
    )  # fmt: skip
    assert pan[:6] + pan[-4:] == "4761730010"
    assert (tid, text, int(currency, 16), int(kind), card) == ("52000001", "GENEHMIGT", 0x978, 10, "Visa test")


def test_the_registration_and_the_printed_block_are_what_we_wrote(capture: Path) -> None:
    fields = ("-T", "fields", "-e", "zvt.password", "-e", "zvt.reg.config_byte", "-e", "zvt.cc")
    assert tshark(capture, "-Y", "zvt.control_field == 0x0600", *fields) == "000000\t0x8e\t0x0978\n"
    lines = tshark(capture, "-Y", "zvt.control_field == 0x06d3", "-T", "fields", "-e", "zvt.tlv.text_lines.line")
    assert lines.strip().split(",") == [f"Zeile {n:03d} Größe" for n in range(30)]
