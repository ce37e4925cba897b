"""The user-space link: asks the relay process, for kernels without netem.

Reported as ``user-space link``, never as netem: the relay shares the processor with everything else, so that at
10,000 packets/s its p99 is some milliseconds at times, while a terminal's few packets are as exact as netem's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rig.bearers.impairment import Impairment
from rig.bearers.link import Backend, Counters, ReadBack
from rig.errors import BenchTrouble, DeviceClamped, DeviceNonsense
from rig.rpc import RpcClient

_STEPS_A_REQUEST = 16
"""So few go into one request that the relay, which carries packets meanwhile, is not held up by a millisecond."""


@dataclass(frozen=True, slots=True)
class PreparedSteps:
    """Steps that the relay holds ready; good until others are prepared for the same link.

    Attributes:
        link: the link's name.
        relay: whom to ask.
        plan: the relay's number for these steps.
    """

    link: str
    relay: RpcClient
    plan: int

    def put(self, number: int) -> None:
        """Put the numbered one in force, both directions, counted from 0.

        Raises:
            RpcError: there is no such step, or others were prepared since.
            BenchTrouble: the relay is gone.
        """
        self.relay.call("put", link=self.link, plan=self.plan, number=number)


class UserSpaceLink:
    """One link of the relay process.

    Args:
        name: the link's name in the relay's settings.
        relay: a client of the relay's ``link.sock``; several links may share it.
    """

    backend: Backend = "user-space link"

    def __init__(self, name: str, relay: RpcClient) -> None:
        self.name = name
        self._relay = relay

    def apply(self, up: Impairment, down: Impairment) -> ReadBack:
        """Put exactly this in force, and ask the relay again what is."""
        self._relay.call("set", link=self.name, up=up.to_dict(), down=down.to_dict())
        read_back = self.read()
        read_back.require(self.name, up, down)
        return read_back

    def prepare(self, steps: Sequence[tuple[Impairment, Impairment]]) -> PreparedSteps:
        """Tell the relay the steps of a timeline; they take the place of those that were told before."""
        pairs = [[up.to_dict(), down.to_dict()] for up, down in steps]
        plan = 0
        for first in range(0, max(len(pairs), 1), _STEPS_A_REQUEST):
            part = pairs[first : first + _STEPS_A_REQUEST]
            plan = self._relay.call("prepare", link=self.name, steps=part, plan=plan)["plan"]
        return PreparedSteps(self.name, self._relay, plan)

    def read(self) -> ReadBack:
        """What the relay says is in force."""
        answer = self._relay.call("get", link=self.name)
        try:
            return ReadBack(
                Impairment.from_dict(answer["up"]), Impairment.from_dict(answer["down"]), bool(answer["up_flag"])
            )
        except KeyError as missing:
            raise DeviceNonsense(f"link {self.name}", f"the relay's answer lacks {missing}") from None

    def clear(self) -> None:
        """No impairment, carrier on."""
        self._relay.call("clear", link=self.name)

    def counters(self) -> Counters:
        """What passed and what did not, since the relay started."""
        answer: Any = self._relay.call("counters", link=self.name)
        return {"up": answer["up"], "down": answer["down"]}

    def carrier(self, up: bool) -> bool:
        """Take the carrier from the terminal's end, or give it back."""
        read_back = bool(self._relay.call("carrier", link=self.name, up=up)["up_flag"])
        if read_back != up:
            raise DeviceClamped(
                f"link {self.name}", f"carrier was asked {_word(up)} and reads back {_word(read_back)}",
                "is the bench's own end of the link down?",
            )  # fmt: skip
        return read_back

    def close(self) -> None:
        """Nothing to let go of: the client belongs to whoever made it."""


def clear_all(relay: RpcClient) -> dict[str, ReadBack]:
    """Clear every link of a relay but the radio's, and read each back.

    Raises:
        BenchTrouble: a link is not clean after that.
    """
    answer = relay.call("clear", link="all")["links"]
    cleared = {}
    for name, state in answer.items():
        read = ReadBack(Impairment.from_dict(state["up"]), Impairment.from_dict(state["down"]), bool(state["up_flag"]))
        read.require(name, Impairment(), Impairment())
        if not read.carrier:
            raise BenchTrouble(f"link {name}", "has no carrier though it was cleared", "is the bench's end down?")
        cleared[name] = read
    return cleared


def _word(up: bool) -> str:
    return "on" if up else "off"
