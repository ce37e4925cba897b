"""The acquirer in the hands of faults: rules that are armed, and what is done to the host as a whole."""

from __future__ import annotations

from typing import Any

from rig.acquirer.client import AcquirerClient
from rig.bench.devices import Devices, require
from rig.errors import CallerMistake
from rig.faults import Facts, LateProof, Proof


class Hosting:
    """Each act reads back what it did; all is undone by the host's own ``clear``."""

    _devices: Devices

    @property
    def _host(self) -> AcquirerClient:
        host: AcquirerClient = require(self._devices.acquirer, "acquirer")
        return host

    def arm_host(self, behaviour: str, options: Facts) -> int:
        """The host will behave so for the next sale request, or for what ``match`` among the options says."""
        return self._host.arm({"action": behaviour, "match": "sale", **options})

    def host_proof(self, rule: int) -> Proof:
        """Whether the host's rule was applied: a rule for one request is gone once it was."""
        armed = self._host.state().rules
        return Proof(all(each["number"] != rule for each in armed), {"rule": rule, "still_armed": armed})

    def host_down(self) -> Proof:
        """The host refuses connections."""
        state = self._host.down()
        return Proof(not state.up, {"listening": state.up})

    def host_up(self) -> None:
        """The host accepts connections again."""
        self._host.up()

    def show_front(self, name: str) -> LateProof:
        """The host shows another TLS front, until it is cleared."""
        self._host.front(name)

        def prove() -> Proof:
            seen = (self._host.state().front or {}).get("seen", {})
            return Proof(seen.get("front") == name and seen["met"] > 0, seen)

        return prove

    def do_at_host(self, act: str, options: Facts) -> Proof:
        """Something happens to the host as a whole: ``hang``, ``restart``, ``issuer out``, ``change keys``."""
        host = self._host
        if act == "hang":
            state = host.hang()
            return Proof(state.hangs, {"hangs": state.hangs})
        if act == "restart":
            state = host.restart(int(options["ms"]))
            return Proof(not state.up, {"listening": state.up, "comes back after_ms": options["ms"]})
        if act == "issuer out":
            out: list[Any] = host.issuer_out(str(options["bank"])).network["out"]
            return Proof(options["bank"] in out, {"out": out})
        if act == "change keys":
            changed = host.change_keys(str(options["tid"]))
            return Proof(changed, {"terminal": options["tid"]})
        raise CallerMistake("acquirer", f"{act!r} cannot be done to a host", "see rig.faults.host")
