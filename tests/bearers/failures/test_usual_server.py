"""Where another server does the work, ours stands in for it while a failure lasts, and no longer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from rig.bearers.failures import Site, make_failure
from rig.errors import BenchTrouble

SITE = Site("wifi", "wifi", ("10.64.0.10",), 5000, "10.64.1.1", "acquirer.bench")


@dataclass
class Recorded:
    """Services and a usual server that write down in which order they are asked."""

    done: list[str] = field(default_factory=list)
    refuses: bool = False

    def set_rule(self, bearer: str, service: str, rule: Any) -> None:
        self.done.append(f"{service} {rule and rule['answer']}")
        if self.refuses:
            raise BenchTrouble("services", "no")

    def impersonate(self, bearer: str, settings: Any) -> int:
        raise NotImplementedError

    def clear(self, bearer: str) -> None:
        self.done.append("clear")

    def state(self, bearer: str) -> dict[str, Any]:
        return {"dns": {"rule": None, "asked": 5, "misled": 2}}

    def stop(self) -> None:
        self.done.append("usual stops")

    def start(self) -> None:
        self.done.append("usual starts")


@pytest.fixture
def both() -> tuple[Recorded, Site]:
    recorded = Recorded()
    return recorded, replace(SITE, services=recorded, usual=recorded)


def test_they_take_turns(both: tuple[Recorded, Site]) -> None:
    recorded, site = both
    failure = make_failure("dns-timeout", {})
    failure.start(site)
    assert failure.hits().count == 2
    failure.stop()
    failure.stop()
    assert recorded.done == ["usual stops", "dns timeout", "dns None", "clear", "usual starts"]


def test_the_usual_server_comes_back_after_a_start_that_failed(both: tuple[Recorded, Site]) -> None:
    recorded, site = both
    recorded.refuses = True
    failure = make_failure("dns-timeout", {})
    with pytest.raises(BenchTrouble):
        failure.start(site)
    with pytest.raises(BenchTrouble):
        failure.stop()
    assert recorded.done[-1] == "usual starts"
