"""A wrong bench file is told with the line and the field, before anything is touched."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.bench.description import BenchFile, load_bench
from rig.bench.inventory import capabilities
from rig.errors import CallerMistake
from tests.bench.conftest import REAL, VIRTUAL

Write = Callable[[str], Path]


def line_of(text: str, part: str) -> int:
    """The number of the one line that holds ``part``."""
    (number,) = (number for number, line in enumerate(text.splitlines(), 1) if part in line)
    return number


def refusal(path: Path) -> CallerMistake:
    with pytest.raises(CallerMistake) as caught:
        load_bench(path)
    return caught.value


def test_the_virtual_bench_is_a_bench(virtual: BenchFile) -> None:
    assert virtual.name == "virtual"
    assert virtual.simulation is not None
    assert set(virtual.bearers) == {"wifi", "cellular"}


def test_a_real_bench_differs_in_the_file_alone(real: BenchFile) -> None:
    assert real.simulation is None
    assert real.network.isolation == "host"
    assert real.attenuators["rf"].safe_db == 10


def test_a_bench_file_cannot_be_changed_afterwards(real: BenchFile) -> None:
    with pytest.raises(ValueError, match="frozen"):
        real.name = "other"


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("name: lab-3", "name: Lab 3!", "name", "String should match pattern"),
        ("name: lab-3", "nmae: lab-3", "nmae", "Extra inputs are not permitted"),
        ("  merchant_id", "  merchantid", "terminal.merchantid", "Extra inputs"),
        ('  terminal_id: "52000001"', "  terminal_id: 52000001", "terminal.terminal_id", "valid string"),
        ('  terminal_id: "52000001"', '  terminal_id: "5200"', "terminal.terminal_id", "match pattern"),
        ("monitor: {port: ", "monitor: {baud: fast, port: ", "modems.monitor.baud", "valid integer"),
        ("channel: 2", "channel: 0", "paths.wifi-main.channel", "greater than or equal to 1"),
        ("kind: wifi", "kind: pigeon", "bearers.wifi.kind", "'wifi', 'cellular', 'ethernet'"),
        ("safe_db: 10", "safe_db: -1", "attenuators.rf.safe_db", "greater than or equal to 0"),
        ("attenuator: rf", "attenuator: fr", "paths.wifi-main.attenuator", "'fr' is not among attenuators (rf)"),
        ("path: wifi-main", "path: lte-main", "bearers.wifi.path", "'lte-main' is not among paths (wifi-main)"),
        ("listen: [192.0.2.10]", "listen: []", "acquirer.listen", "at least 1 item"),
        ("listen: [192.0.2.10]", "listen: [192.0.2.10], port: 70000", "acquirer.port", "less than or equal to 65535"),
        ('prefix: "476173"', 'prefix: "4"', "test_pans.0.prefix", "match pattern"),
        ('"POSRIG000000001"', '"POSRIG000000001"\n  currency: XXX', "terminal.currency", "'XXX' is unknown"),
        ('"POSRIG000000001"', '"POSRIG000000001"\n  t3_s: 0', "terminal.t3_s", "greater than 0"),
        ('"POSRIG000000001"', '"POSRIG000000001"\n  t3_s: .nan', "terminal.t3_s", "less than or equal to 3600"),
        ("safe_db: 10", "safe_db: .inf", "attenuators.rf.safe_db", "finite number"),
        ("  wifi: {kind", "  Wi_Fi: {kind", "bearers.Wi_Fi.[key]", "match pattern"),
        ("channel: 2}", "channel: 2}\n  wifi-main: {attenuator: rf, channel: 3}", "paths.wifi-main", "written twice"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_field(
    write_bench: Write, old: str, new: str, field: str, message: str
) -> None:
    text = REAL.replace(old, new)
    assert text != REAL
    path = write_bench(text)
    error = refusal(path)
    key = field.removesuffix(".[key]").rsplit(".", 1)[-1]
    lines = [n for n, line in enumerate(text.splitlines(), 1) if re.search(rf"\b{key}\b:", line)] or [
        line_of(text, new)
    ]
    assert error.device == str(path)
    assert any(f"line {line}, {field}: " in error.what for line in lines), error.what
    assert message in error.what
    assert error.cure
    assert "\n" not in str(error)


def test_a_key_that_is_missing_is_told_with_the_line_of_its_part(write_bench: Write) -> None:
    text = REAL.replace('  terminal_id: "52000001"\n', "")
    assert f"line {line_of(text, 'terminal:')}, terminal.terminal_id: Field required" in refusal(write_bench(text)).what


def test_a_part_that_is_missing_is_named(write_bench: Write) -> None:
    text = REAL.replace("acquirer: {listen: [192.0.2.10]}\n", "")
    assert "line 1, acquirer: Field required" in refusal(write_bench(text)).what


def test_the_right_line_is_told_where_a_name_comes_more_than_once(write_bench: Write) -> None:
    text = REAL + "power: {port: /dev/relay, channel: 64}\n"
    assert f"line {line_of(text, 'power:')}, power.channel: " in refusal(write_bench(text)).what


def test_all_mistakes_are_told_at_once(write_bench: Write) -> None:
    what = refusal(write_bench(REAL.replace("channel: 2", "channel: 0").replace("kind: wifi", "kind: x"))).what
    assert "bearers.wifi.kind" in what
    assert "paths.wifi-main.channel" in what


@pytest.mark.parametrize(
    ("services", "field", "message"),
    [
        ("air: {address: 10.0.0.1/24}", "services.air", "is not among bearers (wifi"),
        ("wifi: {address: here}", "services.wifi.address", "write such as 10.64.1.1/24"),
        ("wifi: {address: 10.0.0.1/24, dhcp: {first: 10.0.0.2, last: 10.0.1.9}}", "services.wifi.dhcp.last", "not in"),
        ("wifi: {address: 10.0.0.1/24, dhcp: {first: x, last: 10.0.0.9}}", "services.wifi.dhcp.first", "'x'"),
        ("wifi: {address: 10.0.0.1/24, smtp: true}", "services.wifi.smtp", "Extra inputs"),
    ],
)
def test_services_that_cannot_be_are_refused(write_bench: Write, services: str, field: str, message: str) -> None:
    error = str(refusal(write_bench(f"{REAL}\nservices:\n  {services}\n")))
    assert field in error
    assert message in error


@pytest.mark.parametrize("line", ["", "  tcp: {host: 192.0.2.5, port: 20007}\n  serial: {port: /dev/terminal}\n"])
def test_the_cash_register_has_exactly_one_line(write_bench: Write, line: str) -> None:
    text = REAL.replace("  serial: {port: /dev/serial/by-id/terminal}\n", line)
    what = refusal(write_bench(text)).what
    assert f"line {line_of(text, 'terminal:')}, terminal: exactly one of tcp and serial" in what


def test_a_simulation_on_the_machines_own_network_is_refused(write_bench: Write) -> None:
    text = VIRTUAL.read_text().replace("isolation: private", "isolation: host")
    what = refusal(write_bench(text)).what
    assert f"line {line_of(text, 'isolation: host')}, network.isolation: simulated devices need" in what


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: a\n  about: b\n", 2),
        ("name: [a\n", 2),
        ('name: "a\n', 2),
        ("name: a\n\tabout: b\n", 2),
        ("name: a\n---\nname: b\n", 2),
        ("name: !!python/object/apply:os.system [id]\n", 1),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(write_bench: Write, text: str, line: int) -> None:
    error = refusal(write_bench(text))
    assert error.device.endswith(f"bench.yaml line {line}")
    assert error.what.startswith("not YAML: ")


@pytest.mark.parametrize("text", ["name: 2026-99-99\n", "name: \x00\n", "[" * 3000])
def test_yaml_that_chokes_its_reader_is_refused_all_the_same(write_bench: Write, text: str) -> None:
    assert refusal(write_bench(text)).what.startswith("not YAML: ")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "bench\n", "42\n"])
def test_a_file_that_is_no_mapping_is_told_how_to_begin(write_bench: Write, text: str) -> None:
    error = refusal(write_bench(text))
    assert error.what == "a bench file is a mapping of keys"
    assert error.cure == "begin with: name: my-bench"


def test_a_file_that_is_not_there_is_answered_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(VIRTUAL.parents[2])
    error = refusal(tmp_path / "absent.yaml")
    assert error.what.startswith("no bench file: ")
    assert "fixtures/benches/virtual.yaml" in error.cure
    monkeypatch.chdir(tmp_path)
    assert refusal(tmp_path / "absent.yaml").cure == "there are: none here"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_what_cannot_be_read_as_text_is_no_bench_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bench.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    assert refusal(path).what.startswith("no bench file: ")


GANTRY = "grbl, port: gantry.tty, settings: {cards: {visa-credit: {park: [0, 0], field: [1, 1]}}"


@pytest.mark.parametrize(
    ("presenters", "message"),
    [
        ("{contact: {driver: vpcd, address: a.sock, settings: {loses_pwer: true}}}",
         "presenters.contact.settings.loses_pwer: there is no such setting; use interface, loses_power"),
        ("{contact: {driver: vpcd, address: a.sock, settings: {loses_power: 1}}}",
         "presenters.contact.settings.loses_power: is not true or false"),
        ("{contact: {driver: vpcd, address: a.sock, settings: {interface: stripe}}}",
         "presenters.contact.settings.interface: is not contactless or contact"),
        ("{contactless: {driver: pn532, port: a.tty, settings: {mode: raw}}}",
         "presenters.contactless.settings.mode: there is no such setting; this driver has none"),
        (f"{{contactless: {{driver: {GANTRY}, move_s: fast}}}}}}",
         "presenters.contactless.settings.move_s: is not a number"),
        (f"{{contactless: {{driver: {GANTRY}, reader: {{driver: acr122, port: a.tty}}}}}}}}",
         "presenters.contactless.settings.reader: write {driver: pn532"),
        ("{contactless: {driver: grbl, port: a.tty}}", "presenters.contactless.settings.cards: no card has a slot"),
        ("{contactless: {driver: relay, port: a.tty, settings: {cards: {visa-credit: {realy: 0}}}}}",
         "presenters.contactless.settings.cards.visa-credit: needs relay and nothing else"),
    ],
)  # fmt: skip
def test_a_presenters_settings_are_checked_before_anything_is_opened(
    write_bench: Write, presenters: str, message: str
) -> None:
    error = refusal(write_bench(f"{REAL}\npresenters: {presenters}\n"))
    assert message in error.what


def test_a_good_gantry_is_taken(write_bench: Write) -> None:
    reader = "home: false, move_s: 9.5, interface: contact, reader: {driver: pn532, port: a.tty}"
    bench = load_bench(write_bench(f"{REAL}\npresenters: {{contact: {{driver: {GANTRY}, {reader}}}}}}}\n"))
    assert bench.presenters["contact"].interface == "contact"


def test_the_old_name_of_the_presenters_is_told_the_new_one(write_bench: Write) -> None:
    error = refusal(write_bench(REAL + "\npresenter: {driver: pn532, port: a.tty}\n"))
    assert "presenter: there may be several: write presenters: {contactless: {driver:" in error.what


def test_a_chip_that_makes_each_checksum_itself_is_known_by_its_bench(write_bench: Write) -> None:
    bench = load_bench(write_bench(REAL + "\npresenters: {contactless: {driver: rcs380, port: usb}}\n"))
    able = set(capabilities(bench))
    assert "card: protocol-faults" in able
    assert "card: wrong-checksums" not in able


@pytest.mark.parametrize(
    ("bearer", "field", "message"),
    [
        ("{kind: dial-up, interface: /dev/modem}", "bearers.more.answering", "required for kind dial-up"),
        ("{kind: dial-up, interface: /dev/modem, answering: {}}", "acquirer.plain_port", "speaks without TLS"),
        ("{kind: private, interface: e, plain: true}", "acquirer.plain_port", "speaks without TLS"),
        ("{kind: wifi, interface: e, base: {}}", "bearers.more.base", "is for kind bluetooth"),
        ("{kind: bluetooth, interface: e, base: {power: x}}", "bearers.more.base.power", "not among relays"),
        ("{kind: ethernet, interface: e, plugged: {switch: x, port: 1}}", "plugged.switch", "not among switches"),
        ("{kind: ethernet, interface: e, plugged: {switch: x, port: 0}}", "plugged.port", "greater than or equal to 1"),
    ],
)
def test_bearers_that_cannot_be_are_refused(write_bench: Write, bearer: str, field: str, message: str) -> None:
    error = str(refusal(write_bench(REAL.replace("bearers:\n", f"bearers:\n  more: {bearer}\n", 1))))
    assert field in error
    assert message in error


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{attenuator: rf}", "write channel: 1, or channels"),
        ("{attenuator: rf, channel: 1, channels: [1, 2]}", "write channel: 1, or channels"),
        ("{attenuator: rf, channels: [1, 1]}", "names one twice"),
    ],
)
def test_a_path_has_channels(write_bench: Write, path: str, message: str) -> None:
    assert message in str(refusal(write_bench(REAL.replace("paths:\n", f"paths:\n  more: {path}\n", 1))))


def test_the_old_name_modem_is_told_the_new_one(write_bench: Write) -> None:
    assert "write modems:" in str(refusal(write_bench(REAL + "modem: {port: /dev/m}\n")))
