"""The named failures of the network path.

A failure is asked for by its name: ``fail("wifi", "rst")``. What the terminal sees of each stands in its docstring,
and in one sentence in ``sees``; ``rig failures`` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rig.bearers.failures.addresses import DhcpNak, DhcpNone, DhcpPoolEmpty, DhcpShortLease
from rig.bearers.failures.arp_spoofing import ArpInterception, ArpSpoofing
from rig.bearers.failures.base import BaseOff, PairingLost
from rig.bearers.failures.cable import CableFlap, PoeOff, PortDown
from rig.bearers.failures.failure import AccessPoint, Failure, Hits, Services, Site, UsualServer
from rig.bearers.failures.interception import CaptivePortal, EvilTwin
from rig.bearers.failures.mtu_black_hole import MtuBlackHole
from rig.bearers.failures.names import DnsNxdomain, DnsServfail, DnsTimeout, DnsWrongAddress
from rig.bearers.failures.nat_idle import NatIdleReset, NatIdleSilent
from rig.bearers.failures.open_network import OpenNetwork
from rig.bearers.failures.out_of_range import OutOfRange
from rig.bearers.failures.refusal import IcmpReject, Reset
from rig.bearers.failures.silent_drop import ArpLost, SilentDrop
from rig.bearers.failures.telephone import CallDropped, LineBusy, LineNoise, NoAnswer, NoCarrier, NoDialTone, SlowLine
from rig.bearers.failures.uplink_down import UplinkDown
from rig.bearers.failures.wrong_apn import WrongApn
from rig.bearers.failures.wrong_clock import WrongClock
from rig.errors import CallerMistake

__all__ = ["CATALOGUE", "AccessPoint", "Failure", "Hits", "Services", "Site", "UsualServer", "make_failure", "sees"]

CATALOGUE: Mapping[str, Callable[..., Failure]] = {
    "silent-drop": SilentDrop,
    "rst": Reset,
    "icmp-reject": IcmpReject,
    "arp-lost": ArpLost,
    "mtu-black-hole": MtuBlackHole,
    "nat-idle-silent": NatIdleSilent,
    "nat-idle-rst": NatIdleReset,
    "dns-timeout": DnsTimeout,
    "dns-servfail": DnsServfail,
    "dns-nxdomain": DnsNxdomain,
    "dns-wrong-address": DnsWrongAddress,
    "dhcp-none": DhcpNone,
    "dhcp-nak": DhcpNak,
    "dhcp-pool-empty": DhcpPoolEmpty,
    "dhcp-short-lease": DhcpShortLease,
    "wrong-clock": WrongClock,
    "captive-portal": CaptivePortal,
    "open-network": OpenNetwork,
    "evil-twin": EvilTwin,
    "arp-spoofing": ArpSpoofing,
    "arp-interception": ArpInterception,
    "line-busy": LineBusy,
    "no-dial-tone": NoDialTone,
    "no-answer": NoAnswer,
    "no-carrier": NoCarrier,
    "call-dropped": CallDropped,
    "line-noise": LineNoise,
    "slow-line": SlowLine,
    "port-down": PortDown,
    "poe-off": PoeOff,
    "cable-flap": CableFlap,
    "pairing-lost": PairingLost,
    "base-off": BaseOff,
    "out-of-range": OutOfRange,
    "uplink-down": UplinkDown,
    "wrong-apn": WrongApn,
}
"""Name → what makes one occurrence of it; its arguments are the failure's options."""


def make_failure(name: str, options: Mapping[str, Any]) -> Failure:
    """One occurrence of a failure, not started yet.

    Raises:
        CallerMistake: no such failure, or an option that it does not have or that is out of range.
    """
    if name not in CATALOGUE:
        raise CallerMistake(name, "no failure of that name", f"there are {', '.join(CATALOGUE)}")
    try:
        return CATALOGUE[name](**options)
    except (TypeError, ValueError) as error:
        raise CallerMistake(f"failure {name}", str(error), "rig failures lists the options") from error


def sees(name: str) -> str:
    """What the terminal sees of a failure, one sentence."""
    return make_failure(name, {}).sees
