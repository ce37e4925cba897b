"""What the cash register believes of a sale, for each way in which the terminal may end it, over TCP."""

from __future__ import annotations

import pytest

from rig.errors import BenchTrouble, CallerMistake
from rig.terminals.base import LastReceipt, Outcome
from rig.terminals.zvt import ZvtTerminal
from rig.units import Money
from tests.terminals.conftest import Witness
from tests.terminals.peer import PAY, REGISTER, UP, Script, TcpPeer, stored

AMOUNT = Money(1234)
COMPLETED: Script = ["< 060F 00", "> 800000"]


def status(fields: str) -> Script:
    data = bytes.fromhex(fields)
    return [f"< 040F {len(data):02X} {fields}", "> 800000"]


FULL = status(
    "2700 04000000001234 0B000042 22F0F8476173EEEEEE0010 2952000001 3CF0F0F24F4B 490978 870007 8BF0F55669736100"
)
OK = status("2700 04000000001234 0B000042 870007")


def test_a_sale_is_approved_by_a_completion_behind_a_status_information_of_00(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, witness: Witness
) -> None:
    said = ["< 04FF 01 0A", "> 800000", "< 04FF 02 0401", "> 800000"]
    printed = ["< 06D1 06 0048656C6C6F", "> 800000"]
    tcp_peer.plays(UP + PAY + said + FULL + printed + COMPLETED)
    result = tcp_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.APPROVED
    assert (result.amount, result.currency, result.result_code) == (1234, "EUR", 0)
    assert (result.trace, result.receipt, result.terminal_id) == (42, 7, "52000001")
    assert (result.masked_pan, result.text, result.print_lines) == ("476173******0010", "OK", ("Hello",))
    assert result.before == LastReceipt()
    assert tcp_terminal.last_receipt == LastReceipt(7, 42)
    assert tcp_terminal.terminal_id == "52000001"
    assert [name for name, _ in witness.moments] == [
        "ecr_command_sent", "intermediate_status", "intermediate_status", "status_information", "print_line",
        "completion",
    ]  # fmt: skip
    assert witness.moments[1][1] == {"code": 0x0A, "text": "insert or present the card"}
    assert witness.events[0] == ("ecr_link", {"what": f"127.0.0.1:{tcp_peer.port} opened"})
    assert witness.events[1] == (
        "ecr_tx", {"data": bytes.fromhex("0600060000008E0978"), "name": "registration"}
    )  # fmt: skip
    assert witness.names("ecr_rx")[-1] == "completion"


@pytest.mark.parametrize(
    ("said", "outcome", "code", "why"),
    [
        (OK + COMPLETED, Outcome.APPROVED, 0, "result code 00"),
        (status("2700") + status("2700 870007") + COMPLETED, Outcome.APPROVED, 0, "result code 00"),
        (status("276C") + COMPLETED, Outcome.DECLINED, 0x6C, "6C aborted by key or time-out"),
        (status("2700") + status("279B") + COMPLETED, Outcome.DECLINED, 0x9B, "communication error"),
        (["< 061E 01 6C", "> 800000"], Outcome.DECLINED, 0x6C, "a reversal may be pending"),
        ([*OK, "< 061E 01 9B", "> 800000"], Outcome.DECLINED, 0x9B, "a reversal may be pending"),
        (["< 061E 00", "> 800000"], Outcome.DECLINED, None, "no code"),
        (COMPLETED, Outcome.UNKNOWN, None, "without a status information"),
        (status("870007") + COMPLETED, Outcome.UNKNOWN, None, "no result code"),
        ([*OK, "end"], Outcome.UNKNOWN, 0, "a status information came, the end was never heard"),
        ([*OK, "close"], Outcome.UNKNOWN, 0, "closed the connection"),
        ([*OK, "reset"], Outcome.UNKNOWN, 0, "the connection broke"),
        (["close"], Outcome.UNKNOWN, None, "closed the connection"),
        (["< 040F 03 77 0000", "end"], Outcome.UNKNOWN, None, "unreadable status info"),
        (["< 040F 04 2700", "quiet", "<< 8700", "end"], Outcome.UNKNOWN, None, "unreadable status info"),
        (["<< 040F 02", "end"], Outcome.UNKNOWN, None, "within T4"),
    ],
)
def test_the_end_of_a_sale_decides_what_is_believed(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, said: Script, outcome: Outcome, code: int | None, why: str
) -> None:
    tcp_peer.plays(UP + PAY + said)
    result = tcp_terminal.sale(AMOUNT)
    assert result.outcome is outcome
    assert result.result_code == code
    assert why in result.why
    assert result.amount == 1234
    assert (tcp_terminal.last_receipt is None) == (outcome is Outcome.UNKNOWN)


@pytest.mark.parametrize("code", [0x64, 0x9C, 0xFF])
def test_a_refused_command_has_certainly_charged_nothing(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, code: int
) -> None:
    tcp_peer.plays([*UP, PAY[0], f"< 84{code:02X}00"])
    result = tcp_terminal.sale(AMOUNT)
    assert (result.outcome, result.result_code) == (Outcome.FAILED, code)


def test_84_00_accepts_a_command_as_well(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays([*UP, PAY[0], "< 840000", *OK, *COMPLETED])
    assert tcp_terminal.sale(AMOUNT).outcome is Outcome.APPROVED


def test_a_terminal_that_is_not_there_has_certainly_charged_nothing(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    tcp_peer.close()
    result = tcp_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.FAILED
    assert "did not leave" in result.why
    assert "no connection" in result.why


def test_without_an_answer_within_t3_the_connection_is_closed_and_the_outcome_unknown(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    tcp_peer.plays([*UP, PAY[0], "end"])
    result = tcp_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.UNKNOWN
    assert "within T3, 0.4 s" in result.why


def test_without_an_end_within_t4_the_connection_is_closed_and_the_outcome_unknown(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    tcp_peer.plays(UP + PAY + ["< 04FF 01 04", "> 800000", "end"])
    result = tcp_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.UNKNOWN
    assert "within T4, 0.6 s" in result.why


def test_t4_begins_again_with_each_status_but_not_with_a_printed_line(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    slowly = [*["quiet"] * 7, "< 04FF 01 04", "> 800000"]  # 0.35 s of the 0.6
    printed = [*["quiet"] * 7, "< 06D1 01 00", "> 800000"]
    tcp_peer.plays(UP + PAY + slowly * 3 + [*["quiet"] * 7] + OK + printed + ["end"])
    result = tcp_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.UNKNOWN
    assert "a status information came" in result.why
    assert result.print_lines == ("",)


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        ("intermediate_status", "< 04FF 01 04"),
        ("status_information", "< 040F 02 2700"),
        ("print_line", "< 06D1 03 00 4F4B"),
        ("print_line", "< 06D3 08 06 06 25 04 07 02 4F4B"),
        ("completion", "< 060F 00"),
    ],
)
def test_the_acknowledgement_waits_for_its_moment(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, witness: Witness, moment: str, message: str
) -> None:
    end = [] if moment == "completion" else ["< 061E 00", "> 800000"]
    witness.held[moment] = tcp_peer.released
    tcp_peer.plays(UP + PAY + [message, "quiet", "release", "> 800000"] + end)
    tcp_terminal.sale(AMOUNT)
    assert [name for name, _ in witness.moments] == ["ecr_command_sent", moment]
    if moment == "print_line":
        assert witness.moments[-1][1] == {"lines": ["OK"]}


def test_a_moment_that_fails_is_not_taken_for_an_unknown_outcome(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, witness: Witness
) -> None:
    def fail() -> None:
        raise BenchTrouble("attenuator", "gone")

    witness.on_moment["status_information"] = fail
    tcp_peer.plays(UP + PAY + ["< 040F 02 2700", "end"])
    with pytest.raises(BenchTrouble, match="attenuator: gone"):
        tcp_terminal.sale(AMOUNT)
    assert tcp_terminal.last_receipt is None


def test_a_sale_inside_a_moment_is_the_callers_mistake(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, witness: Witness
) -> None:
    witness.on_moment["intermediate_status"] = lambda: tcp_terminal.sale(AMOUNT)
    tcp_peer.plays(UP + PAY + ["< 04FF 01 04", "end"])
    with pytest.raises(CallerMistake, match="in the middle of another"):
        tcp_terminal.sale(AMOUNT)


def test_an_abort_asked_for_in_a_moment_follows_the_acknowledgement(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, witness: Witness
) -> None:
    witness.on_moment["intermediate_status"] = tcp_terminal.abort
    aborted = ["< 04FF 01 0A", "> 800000", "> 06B000", "< 800000", "< 061E 01 6C", "> 800000"]
    tcp_peer.plays(UP + PAY + aborted)
    result = tcp_terminal.sale(AMOUNT)
    assert (result.outcome, result.result_code) == (Outcome.DECLINED, 0x6C)


def test_a_terminal_that_begins_without_an_answer_is_followed(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays([*UP, PAY[0], "< 04FF 01 0A", "> 800000", *OK, *COMPLETED])
    assert tcp_terminal.sale(AMOUNT).outcome is Outcome.APPROVED


def test_a_message_that_the_ecr_cannot_serve_is_refused_and_the_sale_goes_on(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    tcp_peer.plays(UP + PAY + ["< 06DB 00", "> 848300"] + OK + COMPLETED)
    assert tcp_terminal.sale(AMOUNT).outcome is Outcome.APPROVED


def test_messages_in_pieces_and_at_once_are_understood(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    long = "06 82012C" + "25 820128 07 820124" + "41" * 0x124
    data = bytes.fromhex(long)
    block = f"06D3 FF {len(data).to_bytes(2, 'little').hex()} {long}"
    pieces = ["<< 04", "quiet", "<< 0F02 27", "quiet", "<< 00", "> 800000"]
    tcp_peer.plays(UP + PAY + pieces + [f"<< {block} 06 0F 00", "> 800000", "> 800000"])
    result = tcp_terminal.sale(AMOUNT)
    assert result.outcome is Outcome.APPROVED
    assert result.print_lines == ("A" * 0x124,)


def test_a_completion_counts_although_its_acknowledgement_is_lost(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays(UP + PAY + OK + ["< 060F 00", "reset"])
    assert tcp_terminal.sale(AMOUNT).outcome is Outcome.APPROVED


def test_what_an_earlier_command_left_in_the_line_answers_no_later_one(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    left = ["< 060F 00", "> 800000", "<< 060F00 040F022700", "release"]
    tcp_peer.plays(UP + PAY + OK + left + PAY + ["< 061E 00", "> 800000"])
    assert tcp_terminal.sale(AMOUNT).outcome is Outcome.APPROVED
    assert tcp_peer.released.wait(5)
    assert tcp_terminal.sale(AMOUNT).outcome is Outcome.DECLINED


def test_a_terminal_that_restarted_is_registered_again_before_the_next_sale(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    tcp_peer.plays(UP + PAY + OK + COMPLETED, REGISTER + stored(7, 42, 1234) + PAY + OK + COMPLETED)
    assert tcp_terminal.sale(AMOUNT).outcome is Outcome.APPROVED
    second = tcp_terminal.sale(AMOUNT)
    assert second.outcome is Outcome.APPROVED
    assert second.before == LastReceipt(7, 42)


def test_a_clear_card_number_of_the_terminal_goes_no_further(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    digits = "12345678" * 2
    tcp_peer.plays(UP + PAY + status(f"2700 22F0F8{digits}") + COMPLETED)
    result = tcp_terminal.sale(AMOUNT)
    assert result.masked_pan == "123456******5678"
    assert digits not in repr(result)


@pytest.mark.parametrize("minor", [0, -1, 10**12])
def test_an_amount_that_is_none_is_the_callers_mistake(tcp_terminal: ZvtTerminal, minor: int) -> None:
    with pytest.raises(CallerMistake, match="no amount"):
        tcp_terminal.sale(Money(minor))


def test_other_currencies_are_asked_and_reported(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    pay = ["> 0601 0A 04 000000009900 49 0756", "< 800000"]
    tcp_peer.plays(UP + pay + status("2700 490756") + COMPLETED)
    assert tcp_terminal.sale(Money(9900, "CHF")).currency == "CHF"
