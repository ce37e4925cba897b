"""What an eavesdropper of a bearer saw, and what became of those who played the host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rig.errors import CallerMistake
from rig.history import Event, History
from rig.report.scorecard.cells import Case, number, text
from rig.report.scorecard.datagrams import RST, UDP, Datagram
from rig.report.scorecard.figures import Hostile, Security
from rig.report.scorecard.links import Link
from rig.report.scorecard.wire import Wire
from rig.verdict import Verdict
from rig.wire.dns import decode_question
from rig.wire.errors import WireError

HOSTILE = ("evil-twin", "captive-portal", "open-network", "arp-spoofing", "arp-interception", "dns-wrong-address")
"""The named failures in which somebody plays the host or listens."""

_NO_TLS = (
    "no false host was tried: there is no TLS on this bearer, so nothing would tell it from the true one",
    "未测试假主机：该承载没有 TLS，终端无从分辨真假主机",
)
_NO_HOSTILE = ("no false host was tried in this run", "本次未测试假主机")


def security_of(cases: Sequence[Case], link: Link, wire: Wire | None, history: History) -> Security:
    """What this run shows of one bearer's secrecy."""
    hostile = _hostile(cases, link)
    in_clear, without_tls, with_tls = _clear_requests(cases)
    not_tested = () if hostile else ((_NO_TLS,) if without_tls and not with_tls else (_NO_HOSTILE,))
    if wire is None or not link.has_packets:
        return Security(
            captured=False, encrypted=with_tls, clear=without_tls, clear_cards=in_clear,
            hostile=hostile, not_tested=not_tested,
        )  # fmt: skip
    spans = [(case.begun_t, case.ended_t) for case in cases]
    connections = [c for c in wire.connections if _is_of(c.datagrams[0], link, spans) and not c.by_bench]
    others = [each for each in wire.others if _is_of(each, link, spans) and not each.is_echo_of_bench]
    views = [view for each in connections if (view := each.tls()) is not None]
    hosts = {each.datagrams[0].host for each in connections if any(_talks(packet) for packet in each.datagrams)}
    return Security(
        captured=True,
        encrypted=len(views),
        clear=sum(each.sent_in_clear for each in connections),
        clear_cards=in_clear,
        masked_packets=_masked(history, link),
        tls=dict(sorted(Counter(f"{view.version} {view.suite}" for view in views if view.version).items())),
        certificates_visible=sum(view.certificate_visible for view in views),
        server_names=tuple(sorted({view.server_name for view in views if view.server_name})),
        dns_names=tuple(sorted(set(_asked_names(others)))),
        peers=tuple(sorted(f"{address}:{port}" for address, port in hosts)),
        hostile=hostile,
        not_tested=not_tested,
    )


def _is_of(datagram: Datagram, link: Link, spans: Iterable[tuple[int, int]]) -> bool:
    return datagram.bearer == link.name and any(begin <= datagram.t < end for begin, end in spans)


def _talks(datagram: Datagram) -> bool:
    """Whether the terminal sent something that is no refusal."""
    return not datagram.down and datagram.segment is not None and not datagram.segment.flags & RST


def _asked_names(datagrams: Iterable[Datagram]) -> Iterable[str]:
    for each in datagrams:
        if each.protocol == UDP and each.host[1] == 53 and not each.down:
            try:
                yield decode_question(each.payload).name
            except (WireError, CallerMistake):
                continue


def _masked(history: History, link: Link) -> int | None:
    """What the capture masked on this interface, if it tells."""
    told = [event.data["masked"] for event in history.of("ended") if isinstance(event.data.get("masked"), dict)]
    return sum(int(number(each, link.interface) or 0) for each in told) if told else None


def _clear_requests(cases: Iterable[Case]) -> tuple[int, int, int]:
    """Requests whose card the host read off a connection without TLS; connections without, and with TLS."""
    cards = without = secured = 0
    for case in cases:
        doors: dict[str, bool] = {}
        for event in case.of("connection_open", "request_received"):
            if not _over(event, case):
                continue
            peer = text(event.data, "peer")
            if event.kind == "connection_open":
                doors[peer] = _has_tls(event)
                secured += doors[peer]
                without += not doors[peer]
            elif doors.get(peer) is False and event.data.get("token") is not None:
                cards += 1
    return cards, without, secured


def _over(event: Event, case: Case) -> bool:
    """Whether an event of the host came in over the case's own bearer, as far as its address tells."""
    return case.peers.bearer_of(text(event.data, "peer")) in (None, case.bearer)


def _has_tls(opened: Event) -> bool:
    told = opened.data.get("tls")
    return told if isinstance(told, bool) else text(opened.data, "why").startswith("TLS")


def _hostile(cases: Iterable[Case], link: Link) -> tuple[Hostile, ...]:
    found: dict[str, list[tuple[bool, bool]]] = {}
    for case in cases:
        for event in case.of("network_failure"):
            data = event.data
            if text(data, "bearer") == link.name and text(data, "failure") in HOSTILE and data.get("active") is False:
                met = (number(data, "hits") or 0) > 0
                harmed = case.verdict is Verdict.UNSAFE or _gave_away(data.get("detail"))
                found.setdefault(_front(data), []).append((met, harmed))
    return tuple(
        Hostile(
            front,
            len(tried),
            sum(met for met, _ in tried),
            sum(met and not harmed for met, harmed in tried),
            sum(harmed for _, harmed in tried),
        )
        for front, tried in found.items()
    )


def _gave_away(detail: Any) -> bool:
    """Whether somebody who played the host was told anything: data inside a TLS connection of his, or in clear."""
    if not isinstance(detail, Mapping):
        return False
    return any((number(detail, name) or 0) > 0 for name in ("application_bytes", "clear_bytes"))


def _front(data: Mapping[str, Any]) -> str:
    options = data.get("options")
    chosen = [name.replace("_", "-") for name, value in options.items() if value is True] if options else []
    return " ".join([text(data, "failure"), *chosen])
