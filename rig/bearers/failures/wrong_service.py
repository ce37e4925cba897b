"""Failures of the servers on a bearer: one rule for one service, counted by the service itself."""

from __future__ import annotations

from typing import Any

from rig.bearers.failures.failure import Hits, Services, Site


class WrongService:
    """One service misbehaves by one rule. A subclass says which.

    Where another server normally does this job on the bearer, such as an access point's dnsmasq, it steps aside for as
    long as the failure lasts.
    """

    service = ""
    sees = ""

    def __init__(self) -> None:
        self._site: Site | None = None
        self._services: Services | None = None

    def rule(self, site: Site) -> dict[str, Any]:
        """The rule, as :class:`rig.bearers.services.rules.Rule` has it."""
        raise NotImplementedError

    def start(self, site: Site) -> dict[str, Any]:
        """Put the rule in force; the evidence is how the service reads back."""
        services = site.served()
        rule = self.rule(site)
        self._site, self._services = site, services
        if site.usual is not None:
            site.usual.stop()
        services.set_rule(site.bearer, self.service, rule)
        return {"service": self.service, **services.state(site.bearer)[self.service]}

    def hits(self) -> Hits:
        """The questions that the rule decided."""
        if self._site is None or self._services is None:
            return Hits(0)
        state = self._services.state(self._site.bearer)[self.service]
        return Hits(state["misled"], {"asked": state["asked"], "misled": state["misled"]})

    def stop(self) -> None:
        """Take the rule away, and let the usual server serve again."""
        site, services, self._site, self._services = self._site, self._services, None, None
        if site is None or services is None:
            return
        try:
            services.set_rule(site.bearer, self.service, None)
            if site.usual is not None:
                services.clear(site.bearer)  # its ports too
        finally:
            if site.usual is not None:
                site.usual.start()
