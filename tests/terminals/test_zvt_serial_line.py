"""The serial line over a real pseudo-terminal: frames, acknowledgements, repeats, T1 and T2."""

from __future__ import annotations

import pytest

from rig.errors import DeviceGone, DeviceMute
from rig.terminals.base import LastReceipt, Outcome
from rig.terminals.link import SerialLink
from rig.terminals.transport import NotSent, SerialTransport
from rig.terminals.zvt import ZvtTerminal
from rig.units import Money
from rig.wire.zvt import POSITIVE, Apdu, Command
from tests.terminals.conftest import QUICK, Witness
from tests.terminals.peer import PAY, REGISTER, UP, Script, SerialPeer, stored

AMOUNT = Money(1234)
END: Script = ["< 040F 02 2700", "> 800000", "< 060F 00", "> 800000"]
PAY_FRAME = "10 02 06 01 0A 04 00 00 00 00 12 34 49 09 78 10 03 B0 91"
ANSWER = "10 02 80 00 00 10 03 F5 1F"


def test_a_sale_over_a_serial_line(serial_peer: SerialPeer, serial_terminal: ZvtTerminal, witness: Witness) -> None:
    status = "040F 15 2700 04000000001234 0B000042 870007 8A2E 4909 78".replace(" ", "")
    serial_peer.plays(UP + PAY + ["< 04FF 01 0A", "> 800000", f"< {status}", "> 800000", *END[2:]])
    result = serial_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.APPROVED
    assert serial_terminal.last_receipt == LastReceipt(7, 42)
    assert witness.told().startswith(f"{serial_peer.path} opened")


def test_amounts_that_hold_the_byte_10_are_doubled_on_the_line(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal
) -> None:
    doubled = ">> 10 02 06 01 0A 04 00 00 00 01 10 10 00 49 09 78 10 03 F2 FF"  # as ecrterm sends it
    answer = ["<< 06", f"<< {ANSWER}", ">> 06"]
    status = ["< 040F 09 2700 04 000010101010", "> 800000", *END[2:]]
    serial_peer.plays([*UP, doubled, *answer, *status])
    result = serial_terminal.sale(Money(11000))
    assert (result.outcome, result.amount) == (Outcome.APPROVED, 10101010)


def test_a_frame_is_acknowledged_before_its_moment(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal, witness: Witness
) -> None:
    witness.held["print_line"] = serial_peer.released
    line = ["< 06D1 03 00 4F4B", "quiet", "release", "> 800000"]  # "<" expects the link's 06 at once
    serial_peer.plays(UP + PAY + line + END)
    assert serial_terminal.sale(AMOUNT).print_lines == ("OK",)


def test_a_nak_is_answered_by_the_frame_again(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal, witness: Witness
) -> None:
    serial_peer.plays([*UP, f">> {PAY_FRAME}", "<< 15", *PAY, *END])
    assert serial_terminal.sale(AMOUNT).outcome is Outcome.APPROVED
    assert "NAK received; frame repeated" in witness.told()


def test_no_acknowledgement_within_t2_is_answered_by_the_frame_again(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal, witness: Witness
) -> None:
    serial_peer.plays([*UP, f">> {PAY_FRAME}", "quiet", *PAY, *END])
    assert serial_terminal.sale(AMOUNT).outcome is Outcome.APPROVED
    assert "no acknowledgement within T2; frame repeated" in witness.told()


@pytest.mark.parametrize("nak", [[], ["<< 15"]])
def test_after_two_repeats_it_is_a_transmission_error_and_the_sale_unknown(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal, nak: Script
) -> None:
    serial_peer.plays(UP + [f">> {PAY_FRAME}", *nak] * 3 + ["quiet"])
    result = serial_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.UNKNOWN
    assert "transmission error: authorisation and 2 repeats unacknowledged" in result.why


def test_an_answer_stands_for_a_lost_acknowledgement_so_that_no_payment_is_repeated(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal, witness: Witness
) -> None:
    serial_peer.plays([*UP, f">> {PAY_FRAME}", "< 800000", *END])
    assert serial_terminal.sale(AMOUNT).outcome is Outcome.APPROVED
    assert "repeated" not in witness.told()


def test_a_frame_with_a_wrong_check_sum_is_asked_for_again(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal, witness: Witness
) -> None:
    garbled = ["<< 10 02 04 0F 02 27 00 10 03 00 00", ">> 15"]
    serial_peer.plays(UP + PAY + garbled + END)
    assert serial_terminal.sale(AMOUNT).outcome is Outcome.APPROVED
    assert "NAK sent: check sum 0000" in witness.told()


def test_a_frame_that_stops_for_longer_than_t1_is_asked_for_again(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal, witness: Witness
) -> None:
    serial_peer.plays([*UP, *PAY, "<< 10 02 04 0F 02", ">> 15", *END])
    assert serial_terminal.sale(AMOUNT).outcome is Outcome.APPROVED
    assert "NAK sent: a frame stopped for longer than T1" in witness.told()


def test_a_repeated_frame_of_the_terminal_is_taken_twice_without_harm(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal
) -> None:
    serial_peer.plays([*UP, *PAY, *END[:2], *END])
    assert serial_terminal.sale(AMOUNT).outcome is Outcome.APPROVED


def test_a_frame_without_a_message_in_it_leaves_the_sale_unknown(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal
) -> None:
    serial_peer.plays([*UP, *PAY, "< 040F 05 2700", "quiet"])
    result = serial_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.UNKNOWN
    assert "holds no ZVT message" in result.why


def test_without_an_answer_within_t3_the_sale_is_unknown_and_settled_later(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal
) -> None:
    serial_peer.plays([*UP, PAY[0]], REGISTER + stored(8, 43, 1234))
    result = serial_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.UNKNOWN
    assert serial_terminal.resolve(result.before, AMOUNT).outcome is Outcome.APPROVED


def test_a_line_that_is_unplugged_leaves_the_sale_unknown(
    serial_peer: SerialPeer, serial_terminal: ZvtTerminal
) -> None:
    serial_peer.plays([*UP, *PAY, "reset"])
    result = serial_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.UNKNOWN
    assert "the port is gone" in result.why


def test_an_extended_length_over_a_serial_line(serial_peer: SerialPeer, serial_terminal: ZvtTerminal) -> None:
    data = "06 82012C" + "25 820128 07 820124" + "10" * 0x124
    block = f"< 06D3 FF {len(bytes.fromhex(data)).to_bytes(2, 'little').hex()} {data}"
    serial_peer.plays([*UP, *PAY, *END[:2], block, "> 800000", *END[2:]])
    result = serial_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.APPROVED
    assert result.print_lines == ("\x10" * 0x124,)


def test_a_port_belongs_to_one_program(serial_peer: SerialPeer) -> None:
    first, second = SerialTransport(serial_peer.path), SerialTransport(serial_peer.path)
    first.open()
    with pytest.raises(DeviceGone, match="does not open"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_a_port_that_is_not_there_is_named(witness: Witness) -> None:
    link = SerialLink(SerialTransport("/dev/no-such-port"), witness.observe, QUICK)
    with pytest.raises(DeviceGone, match=r"/dev/no-such-port: the port does not open"):
        link.open()
    assert witness.events == []


def test_a_closed_port_sends_nothing(serial_peer: SerialPeer, witness: Witness) -> None:
    link = SerialLink(SerialTransport(serial_peer.path), witness.observe, QUICK)
    with pytest.raises(NotSent, match="closed"):
        link.send(POSITIVE)


def test_a_mute_line_is_a_transmission_error(serial_peer: SerialPeer, witness: Witness) -> None:
    link = SerialLink(SerialTransport(serial_peer.path), witness.observe, QUICK)
    link.open()
    with pytest.raises(DeviceMute, match="diagnosis and 2 repeats unacknowledged"):
        link.send(Apdu(Command.DIAGNOSIS))
    link.close()
