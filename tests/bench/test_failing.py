"""The failures of a bench's bearers: begun, told, proven by what they met, and all ended whatever one of them does."""

from __future__ import annotations

from typing import Any

import pytest

from rig.bearers import failures
from rig.bearers.failures import Hits, Site
from rig.bench.failing import BearerFailures, Begun
from rig.errors import BenchTrouble, CallerMistake, DeviceGone
from rig.faults import Proof

SITE = Site("wifi", "wifi", ("10.64.0.10",), 5000)


class Scripted:
    """A failure that does what it is told."""

    sees = "nothing at all"

    def __init__(self, done: list[str], name: str, trouble: str = "") -> None:
        self._done, self._name, self._trouble = done, name, trouble
        self.met = 0

    def start(self, site: Site) -> dict[str, Any]:
        self._do("start")
        return {"rules": [site.interface]}

    def hits(self) -> Hits:
        return Hits(self.met, {"up": self.met})

    def stop(self) -> None:
        self._do("stop")

    def _do(self, what: str) -> None:
        self._done.append(f"{what} {self._name}")
        if self._trouble == what:
            raise DeviceGone(self._name, f"cannot {what}")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, Scripted]]:
    done: list[str] = []
    known = {
        name: Scripted(done, name, trouble) for name, trouble in {"a": "", "b": "stop", "c": "", "d": "start"}.items()
    }
    monkeypatch.setattr(failures, "CATALOGUE", {name: lambda each=each: each for name, each in known.items()})
    return done, known


def test_a_failure_is_proven_by_what_it_met(made: tuple[list[str], dict[str, Scripted]]) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    bearers = BearerFailures(lambda kind, data: told.append((kind, data)))
    proof = bearers.start(SITE, "a", {})
    assert not proof().proven
    made[1]["a"].met = 3
    assert proof().proven
    assert proof().evidence["hits"] == 3
    assert proof().evidence["sees"] == "nothing at all"
    bearers.clear()
    bearers.clear()
    assert [(kind, data["active"]) for kind, data in told] == [("network_failure", True), ("network_failure", False)]
    assert told[1][1]["hits"] == 3
    assert made[0] == ["start a", "stop a"]


def test_one_that_cannot_be_ended_does_not_keep_the_others(made: tuple[list[str], dict[str, Scripted]]) -> None:
    bearers = BearerFailures(lambda kind, data: None)
    for name in "abc":
        bearers.start(SITE, name, {})
    with pytest.raises(DeviceGone, match="cannot stop"):
        bearers.clear()
    assert made[0][3:] == ["stop c", "stop b", "stop a"]


def test_one_that_cannot_begin_is_cleaned_up_after(made: tuple[list[str], dict[str, Scripted]]) -> None:
    bearers = BearerFailures(lambda kind, data: None)
    with pytest.raises(DeviceGone, match="cannot start"):
        bearers.start(SITE, "d", {})
    assert made[0] == ["start d", "stop d"]


def test_a_case_can_ask_what_its_failure_met() -> None:
    class Stage:
        def fail_bearer(self, *_: object) -> Any:
            return lambda: Proof(True, {"hits": 2})

    begun = Begun("wifi", "rst", {})
    with pytest.raises(BenchTrouble, match="rst on it did not begin"):
        begun.proof()
    late = begun.action.run(Stage())  # type: ignore[arg-type]
    assert callable(late)
    assert begun.proof().evidence == {"hits": 2}
    with pytest.raises(CallerMistake, match="no failure of that name"):
        Begun("wifi", "bad-weather", {})


@pytest.mark.parametrize(("name", "lacks"), [("dns-timeout", "services"), ("captive-portal", "services")])
def test_a_bench_without_services_says_so(name: str, lacks: str) -> None:
    bearers = BearerFailures(lambda kind, data: None)
    with pytest.raises(BenchTrouble, match=lacks):
        bearers.start(SITE, name, {})
