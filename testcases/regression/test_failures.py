"""The network path fails in a way that has a name, on Wi-Fi. Where another way is open the sale completes over it;
once the request has left, it fails safely. Nobody who plays the host is given anything.
"""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, fail, host_late
from rig.verdict import Verdict

WIFI = "wifi"

pytestmark = pytest.mark.needs("card", "network failures", WIFI)

names = pytest.mark.needs("names on wifi")
addresses = pytest.mark.needs("addresses on wifi", "power control")
only_wifi = pytest.mark.parametrize("bearer", [WIFI], indirect=True)

UNREACHABLE = ["silent-drop", "rst", "icmp-reject", "arp-lost", "mtu-black-hole"]


@pytest.mark.needs("cellular")
@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("failure", UNREACHABLE)
def test_before_the_request(bench: Bench, failure: str) -> None:
    """The host cannot be reached over Wi-Fi: the sale completes over the SIM card."""
    sale = bench.sale(12_01, "visa-credit", fail(WIFI, failure).at(Moment.BETWEEN_SALES))
    assert sale.approved


@only_wifi
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", ["silent-drop", "rst"])
def test_while_the_answer_is_held(bench: Bench, bearer: str, failure: str) -> None:
    """The path dies after the request has arrived: the terminal reverses."""
    sale = bench.sale(12_02, "visa-credit", fail(bearer, failure).at(Moment.REQUEST_RECEIVED))
    assert not sale.approved


@only_wifi
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", ["nat-idle-silent", "nat-idle-rst"])
def test_connection_forgotten_while_the_host_thinks(bench: Bench, bearer: str, failure: str) -> None:
    """The host takes longer than the address translator remembers: its answer never arrives."""
    idle_s = bench.response_timeout_s / 3
    bench.fail(bearer, failure, idle_s=idle_s)
    sale = bench.sale(12_03, "visa-credit", host_late(2 * idle_s))
    assert not sale.approved


@names
@pytest.mark.needs("cellular")
@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("failure", ["dns-timeout", "dns-servfail", "dns-nxdomain"])
def test_name_not_resolved(bench: Bench, failure: str) -> None:
    """The name server of Wi-Fi fails: the sale completes over the SIM card, whose own is right."""
    sale = bench.sale(12_04, "visa-credit", fail(WIFI, failure).at(Moment.BETWEEN_SALES))
    assert sale.approved


@names
@pytest.mark.needs("cellular")
@pytest.mark.requires(Verdict.COMPLETED)
def test_name_resolved_to_the_wrong_machine(bench: Bench) -> None:
    """The name server of Wi-Fi leads to a machine that is not the host: the sale completes over the SIM card."""
    gateway = bench.file.services[WIFI].address.split("/")[0]
    bench.fail(WIFI, "dns-wrong-address", address=gateway)
    sale = bench.sale(12_12, "visa-credit")
    assert sale.approved


@names
@only_wifi
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_name_not_resolved_and_no_other_way(bench: Bench, bearer: str) -> None:
    """The only name server denies the host's name: nothing is sent, nothing is charged."""
    sale = bench.sale(12_05, "visa-credit", fail(bearer, "dns-nxdomain").at(Moment.BETWEEN_SALES))
    assert not sale.approved


@addresses
@pytest.mark.needs("cellular")
@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("failure", ["dhcp-none", "dhcp-nak", "dhcp-pool-empty"])
def test_no_address_when_it_joins_again(bench: Bench, failure: str) -> None:
    """Wi-Fi goes and comes back, and gives no address: the sale completes over the SIM card."""
    bench.fail(WIFI, failure)
    bench.bearers[WIFI].off()
    bench.bearers[WIFI].on()
    sale = bench.sale(12_06, "visa-credit")
    assert sale.approved


@addresses
@only_wifi
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_address_lost_while_the_host_thinks(bench: Bench, bearer: str) -> None:
    """A short lease runs out while the terminal waits for its answer: it reverses."""
    bench.fail(bearer, "dhcp-short-lease", lease_s=1)
    bench.bearers[bearer].off()
    bench.bearers[bearer].on()
    sale = bench.sale(12_07, "visa-credit", host_late(bench.response_timeout_s + 0.5))
    assert not sale.approved


@pytest.mark.needs("time on wifi", "power control")
@only_wifi
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_wrong_clock(bench: Bench, bearer: str) -> None:
    """After a power cut the terminal is told a date years ahead: to it the host's certificate has expired."""
    bench.fail(bearer, "wrong-clock")
    bench.power_cycle()
    sale = bench.sale(12_08, "visa-credit")
    assert not sale.approved


@pytest.mark.needs("interception on wifi", "cellular")
@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("failure", ["captive-portal", "evil-twin", "arp-interception"])
def test_impostor(bench: Bench, failure: str) -> None:
    """Somebody else answers in the host's place on Wi-Fi: he gets nothing, and the sale completes over the SIM card."""
    caught = bench.fail(WIFI, failure)
    sale = bench.sale(12_09, "visa-credit")
    assert sale.approved
    assert caught().evidence["application_bytes"] == 0, "the terminal sent application data to an impostor"
    assert caught().evidence["clear_bytes"] == 0, "the terminal sent data in clear to an impostor"


@pytest.mark.needs("interception on wifi", "cellular")
@pytest.mark.requires(Verdict.COMPLETED)
def test_gateway_spoofed(bench: Bench) -> None:
    """A neighbour on Wi-Fi takes what is meant for the gateway, and drops it: the sale completes over the SIM card."""
    sale = bench.sale(12_10, "visa-credit", fail(WIFI, "arp-spoofing").at(Moment.BETWEEN_SALES))
    assert sale.approved


@pytest.mark.needs("access point on wifi")
@only_wifi
@pytest.mark.requires(Verdict.COMPLETED)
def test_open_network(bench: Bench, bearer: str) -> None:
    """Wi-Fi without a key: the sale completes, and nothing of it can be read in the air."""
    heard = bench.fail(bearer, "open-network")
    sale = bench.sale(12_11, "visa-credit")
    assert sale.approved
    assert heard().evidence["clear"] == 0, "a connection of the terminal was not encrypted"
    assert heard().evidence["datagrams"] == 0, "the terminal sent datagrams in clear"
