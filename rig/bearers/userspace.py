"""The user-space link: asks the relay process, for kernels without netem.

Reported as ``user-space link``, never as netem: the relay shares the processor with everything else, so that at
10,000 packets/s its p99 is tens of milliseconds, while a terminal's few packets are as exact as netem's.
"""

from __future__ import annotations

from typing import Any

from rig.bearers.impairment import Impairment
from rig.bearers.link import Backend, Counters, ReadBack
from rig.errors import BenchTrouble, DeviceClamped, DeviceNonsense
from rig.rpc import RpcClient


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
