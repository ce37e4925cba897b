"""The cash register on a serial line: frames, link acknowledgements, and what happens without them."""

from __future__ import annotations

from typing import cast

from rig.wire.zvt import POSITIVE, Apdu, Bmp, Command
from tests.virtual.terminal.scripted_ecr import SerialCable
from tests.virtual.terminal.terminal_process import Bench


def test_a_sale_over_the_serial_line(bench: Bench) -> None:
    bench.settings["ecr"] = {"serial": "ecr.tty"}
    till = bench.registered()
    ended = till.sale(1016)  # 10 16: a DLE inside the amount
    assert ended.approved
    assert ended.status[Bmp.AMOUNT] == 1016
    assert till.repeat_receipt().approved


def test_a_frame_without_link_acknowledgement_is_sent_three_times_and_the_sale_reversed(bench: Bench) -> None:
    bench.settings |= {"ecr": {"serial": "ecr.tty", "link_ack_s": 0.1}, "ecr_ack_timeout_s": 1.0}
    till = bench.registered()
    cable = cast(SerialCable, till.cable)

    def cable_out(message: Apdu) -> Apdu:
        if message.command == Command.INTERMEDIATE_STATUS and message.data == b"\x04":
            cable.acknowledges, cable.frames = False, 0
        return POSITIVE

    assert till.command(Apdu(Command.AUTHORISATION, bytes.fromhex("04000000000100"))).positive
    try:
        till.follow(cable_out, timeout_s=1.5)
    except AssertionError:
        assert cable.frames == 3
    assert [bench.host.next().mti, bench.host.next().mti] == ["0200", "0400"]
    cable.acknowledges = True
    assert till.repeat_receipt().status[Bmp.RESULT] == 0x9A


def test_noise_and_a_bad_check_sum_do_no_harm(bench: Bench) -> None:
    bench.settings["ecr"] = {"serial": "ecr.tty"}
    till = bench.till()
    cable = cast(SerialCable, till.cable)
    cable.raw(b"\xff\x00\x10\x02\x06\x70\x00\x10\x03\x00\x00")
    assert cable.raw_answer() == b"\x15"
    assert till.register().last.command == Command.COMPLETION
