"""What an eavesdropper sees, what false hosts got, and how far a bearer carries."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from rig.report.scorecard.figures import Security
from rig.wire.dns import Question, encode_question
from tests.report.scorecard.made import Story, Talk, udp
from tests.report.scorecard.test_tls import handshake


def security(story: Story, folder: Path) -> Security:
    """Of the first bearer."""
    return story.card(folder).bearers[0].security


def test_tls_shows_names_and_addresses_and_no_card(tmp_path: Path) -> None:
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        sale = case.sale()
        talk = Talk(story, "wifi")
        talk.datagram(17, False, udp(40_001, 53, encode_question(Question(1, "acquirer.bench"))))
        talk.opens()
        talk.says(handshake(tmp_path, ssl.TLSVersion.TLSv1_2))
        story.now_ms = talk.t // 1_000_000
        story.host("connection_open", peer="10.64.1.2", tls=True, why="TLSv1.2")
        case.answer(case.request(sale, peer="10.64.1.2"))
        case.ends(sale, "approved", 1234)
    story.note("ended", masked={"wifi": 1})
    found = security(story, tmp_path / "run")
    assert found.tls == {"TLS 1.2 ECDHE_ECDSA_AES_256_GCM_SHA384": 1}
    assert (found.encrypted, found.clear, found.certificates_visible) == (1, 0, 1)
    assert (found.server_names, found.dns_names) == (("acquirer.bench",), ("acquirer.bench",))
    assert found.peers == ("10.64.0.10:5000",)
    assert not found.card_data_in_clear, "one packet looked like a card by chance, and nothing was sent in clear"
    assert found.not_tested[0][0] == "no false host was tried in this run"


def test_a_plain_connection_with_masked_packets_told_card_data(tmp_path: Path) -> None:
    story = Story("private")
    with story.on("private", "ideal") as case:
        sale = case.sale()
        talk = Talk(story, "private")
        talk.opens()
        talk.says([(False, b"\x00\x800200 4761730000000011")])
        story.now_ms = talk.t // 1_000_000
        story.host("connection_open", peer="10.64.6.2", tls=False, why="plain TCP")
        case.answer(case.request(sale, peer="10.64.6.2"))
        case.ends(sale, "approved", 1234)
    story.note("ended", masked={"private": 1})
    found = security(story, tmp_path / "run")
    assert (found.encrypted, found.clear, found.clear_cards, found.masked_packets) == (0, 1, 1, 1)
    assert found.card_data_in_clear
    assert "no TLS" in found.not_tested[0][0]


def test_without_packets_the_host_tells_that_a_card_came_without_tls(tmp_path: Path) -> None:
    story = Story("dialup")
    with story.on("dialup", "ideal") as case:
        sale = case.sale()
        story.host("connection_open", peer="10.64.0.10", tls=False, why="plain TCP")
        case.answer(case.request(sale, peer="10.64.0.10"))
        case.ends(sale, "approved", 1234)
    found = security(story, tmp_path / "run")
    assert (found.captured, found.clear, found.masked_packets) == (False, 1, None)
    assert found.card_data_in_clear


@pytest.mark.parametrize(
    ("hits", "detail", "met", "refused", "harmed"),
    [
        (1, {"hellos": 1, "application_bytes": 0, "clear_bytes": 0}, 1, 1, 0),
        (1, {"hellos": 1, "application_bytes": 432, "clear_bytes": 0}, 1, 0, 1),
        (0, {}, 0, 0, 0),
    ],
)
def test_a_false_host_is_refused_only_if_it_was_met_and_given_nothing(
    tmp_path: Path, hits: int, detail: dict[str, Any], met: int, refused: int, harmed: int
) -> None:
    story = Story("wifi")
    failure: dict[str, Any] = {"bearer": "wifi", "failure": "evil-twin", "options": {"self_signed": True}}
    with story.on("wifi", "hostile network") as case:
        story.note("network_failure", **failure, active=True, evidence={})
        story.fails(case)
        story.note("network_failure", **failure, active=False, hits=hits, detail=detail)
    (front,) = security(story, tmp_path / "run").hostile
    assert front.front == "evil-twin self-signed"
    assert (front.attempts, front.met, front.refused, front.harmed) == (1, met, refused, harmed)


@pytest.mark.parametrize(("given", "told"), [(0, []), (7, [(1, 1, 0, 1)])])
def test_a_spoilt_case_proves_no_refusal_but_what_was_given_away_in_it_is_told(
    tmp_path: Path, given: int, told: list[tuple[int, int, int, int]]
) -> None:
    story = Story("wifi")
    failure: dict[str, Any] = {"bearer": "wifi", "failure": "evil-twin", "options": {}}
    with story.on("wifi", "hostile network") as case:
        story.note("network_failure", **failure, active=True, evidence={})
        story.fails(case)
        case.trouble()
        story.note("network_failure", **failure, active=False, hits=1, detail={"application_bytes": given})
    found = security(story, tmp_path / "run")
    assert [(each.attempts, each.met, each.refused, each.harmed) for each in found.hostile] == told
    assert bool(found.not_tested) is not bool(told), "what only a spoilt case tried is not tested"


def test_how_far_a_bearer_carries_and_the_levels_there(tmp_path: Path) -> None:
    story = Story("lte")
    with story.on("lte", "moving") as case:
        for loss, level in ((0, -70), (10, -80), (40, -110)):
            story.note("attenuation", path="lte-main", asked=loss, read_back=loss)
            story.note("signal", modem="lte", rsrp=level, registered=True)
            story.sells(case, "lte", 1)
        story.note("attenuation", path="lte-main", asked=50, read_back=50)
        story.note("signal", modem="lte", rsrp=None, registered=False)
        story.fails(case)
        story.note("attenuation", path="lte-main", asked=0, read_back=0)
        story.fails(case)  # on the way back: it tells nothing of how far the bearer carries
        story.sells(case, "lte", 1)
    found = story.card(tmp_path / "run").bearers[0].portability
    assert (found.completed_db, found.completed_dbm) == (40, -110)
    assert (found.failed_db, found.failed_dbm) == (50, None)
    assert (found.sales, found.completed, found.back.recovered) == (6, 4, 1)
