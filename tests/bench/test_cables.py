"""Who degrades the links: netem where the kernel has it, else the user-space link, unless the bench file insists."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bearers.netem import NetemProbe
from rig.bench import cables
from rig.bench.cables import choose_backend, lay_cables
from rig.bench.description import BenchFile, load_bench
from rig.errors import CallerMistake, DeviceGone

VIRTUAL_WIFI = Path(__file__).parents[2] / "fixtures/benches/virtual-wifi.yaml"


def wanting(bench: BenchFile, backend: str) -> BenchFile:
    return bench.model_copy(update={"network": bench.network.model_copy(update={"backend": backend})})


@pytest.mark.parametrize(
    ("wanted", "in_kernel", "chosen"),
    [
        ("auto", True, "netem"),
        ("auto", False, "user-space link"),
        ("netem", True, "netem"),
        ("user-space link", True, "user-space link"),
        ("user-space link", False, "user-space link"),
    ],
)
def test_the_backend_that_is_chosen(
    monkeypatch: pytest.MonkeyPatch, virtual: BenchFile, wanted: str, in_kernel: bool, chosen: str
) -> None:
    monkeypatch.setattr(cables, "netem_available", lambda: NetemProbe("" if in_kernel else "no sch_netem"))
    assert choose_backend(wanting(virtual, wanted)) == chosen


def test_netem_that_is_asked_for_and_absent_is_the_callers_mistake(
    monkeypatch: pytest.MonkeyPatch, real: BenchFile
) -> None:
    monkeypatch.setattr(cables, "netem_available", lambda: NetemProbe("no sch_netem"))
    for wanted in ("netem", "auto"):
        with pytest.raises(CallerMistake, match=r"network\.backend: .* need netem: no sch_netem \(modprobe sch_netem"):
            choose_backend(wanting(real, wanted))


def test_the_user_space_link_is_for_simulated_cables(real: BenchFile) -> None:
    with pytest.raises(CallerMistake, match="simulated cables alone"):
        choose_backend(wanting(real, "user-space link"))


def test_a_real_bench_has_its_own_cables(monkeypatch: pytest.MonkeyPatch, real: BenchFile) -> None:
    monkeypatch.setattr(cables, "netem_available", lambda: NetemProbe())
    laid = lay_cables(real)
    assert (laid.captured, laid.relays, laid.terminal) == (["wlan-bench"], {}, None)
    laid.enter_terminal()
    laid.remove()


def test_cables_that_cannot_be_laid_leave_no_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever fails to lay them has nothing in hand that could be removed."""
    laid: list[str] = []

    def no_network(*_: object) -> None:
        assert laid == ["br-wifi"]
        raise DeviceGone("interface", "there is none", "")

    monkeypatch.setattr(cables, "netem_available", lambda: NetemProbe())
    monkeypatch.setattr(cables, "make_bridge", lambda bridge, _: laid.append(bridge))
    monkeypatch.setattr(cables, "remove_bridge", laid.remove)
    monkeypatch.setattr(cables, "build_virtual_network", no_network)
    with pytest.raises(DeviceGone):
        lay_cables(load_bench(VIRTUAL_WIFI))
    assert laid == []
