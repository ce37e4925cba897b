"""Faults with the very packet of the request, for hosts that are not ours and cannot hold an answer.

cut_on_wire("wifi")
lose_request_on_wire("cellular", TlsRecord(2))
reset_on_wire("wifi", Payload(7, bytes.fromhex("0200")), port=5001)

They are armed before the sale, act in the kernel, and are proven after it by what was counted there. A trigger that no
packet met is the bench's fault, never the terminal's. They need the capability "exact moments on the wire".
"""

from __future__ import annotations

from rig.bearers.wire_cut import Cut, Effect
from rig.bearers.wire_trigger import Trigger
from rig.faults.actions import Fault
from rig.faults.moments import Moment


def cut_on_wire(
    bearer: str,
    trigger: Trigger | None = None,
    *,
    port: int | None = None,
    heals_after_s: float | None = None,
    standing_line: bool = False,
) -> Fault:
    """The request arrives, and nothing from the host reaches the terminal any more: the answer is lost.

    Args:
        bearer: its name.
        trigger: the packet of the terminal; the first request where left out, by TLS or plain as the bench's host
            speaks.
        port: the host's TCP port; that of the bench's acquirer where left out.
        heals_after_s: the wire is whole again by itself after so many seconds; else when the bench settles.
        standing_line: the terminal keeps its connection to the host open between sales.
    """
    return _fault("cut", bearer, Cut(Effect.ANSWER_LOST, trigger, port, heals_after_s, standing_line))


def lose_request_on_wire(
    bearer: str,
    trigger: Trigger | None = None,
    *,
    port: int | None = None,
    heals_after_s: float | None = None,
    standing_line: bool = False,
) -> Fault:
    """The request does not arrive, nor anything after it; late, where the wire heals by itself.

    Arguments as :func:`cut_on_wire` has them.
    """
    return _fault("lose the request on", bearer, Cut(Effect.REQUEST_LOST, trigger, port, heals_after_s, standing_line))


def reset_on_wire(
    bearer: str, trigger: Trigger | None = None, *, port: int | None = None, standing_line: bool = False
) -> Fault:
    """The request arrives, and in place of the answer comes RST, as from a NAT or firewall that lost its memory.

    Only that connection is touched. Arguments as :func:`cut_on_wire` has them.
    """
    return _fault("reset", bearer, Cut(Effect.ANSWER_RESET, trigger, port, None, standing_line))


def _fault(action: str, bearer: str, cut: Cut) -> Fault:
    return Fault(action, bearer, Moment.REQUEST_ON_WIRE, arm=lambda stage: stage.arm_wire(bearer, cut))
