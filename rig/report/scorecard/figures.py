"""The figures of one bearer. They follow from a run's stored files alone.

Times in milliseconds, sizes in bytes of IPv4 packets, levels in dBm, losses in dB, money as decimal text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.report.scorecard.statistics import Interval


@dataclass(frozen=True, slots=True)
class Times:
    """How long completed sales took, ms; ``median`` with the interval of the true median."""

    count: int
    shortest: float
    median: Interval
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """From the end of each disturbance to the first sale that completed, or reversal that was answered.

    Attributes:
        disturbances: how often the bearer was disturbed and restored, and then tried.
        recovered: how often that was followed by either.
        median_ms: of those.
        longest_ms: of those.
    """

    disturbances: int
    recovered: int
    median_ms: float | None
    longest_ms: float | None


@dataclass(frozen=True, slots=True)
class Stability:
    """A bearer under one condition.

    Attributes:
        condition: its name.
        cases: how many.
        sales: that were begun.
        completed: of them, those that were approved over this bearer.
        share: of those completed.
        times: of those completed; None where none was.
        unsafe: cases in which money went wrong.
        undecided: cases that the judge could not decide.
        bench_faults: cases that the bench spoilt.
        recovery: after disturbances.
        stimulus: what was done to the bearer under it, pairs English, Chinese; the same name is another thing on
            another kind of bearer.
    """

    condition: str
    cases: int
    sales: int
    completed: int
    share: Interval | None
    times: Times | None
    unsafe: int
    undecided: int
    bench_faults: int
    recovery: Recovery
    stimulus: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a month is reckoned for.

    Attributes:
        sales_a_day: how many.
        days: of a month.
        keepalive_s: seconds between two keep-alives of a connection that stays up beside the sales, which open their
            own; None: there is none.
        keepalive_bytes: of one, with its answer; 104 is a TCP keep-alive with timestamps (RFC 9293, 3.8.4).
    """

    sales_a_day: int = 100
    days: int = 30
    keepalive_s: float | None = None
    keepalive_bytes: int = 104


@dataclass(frozen=True, slots=True)
class Volume:
    """What one condition put on the wire of a bearer.

    Attributes:
        condition: its name.
        sales: in it.
        completed: of them.
        bytes: kind → bytes, without the rig's own probes.
        up: of these, terminal → host.
        down: host → terminal.
        a_sale: bytes of one sale, whatever its outcome.
        probes: bytes of the rig's own probes, charged to nobody.
        settling: bytes after the case, when the bench makes the terminal ask its host; charged to nobody.
    """

    condition: str
    sales: int
    completed: int
    bytes: dict[str, int]
    up: int
    down: int
    a_sale: Interval | None
    probes: int
    settling: int

    @property
    def total(self) -> int:
        """All that is charged."""
        return sum(self.bytes.values())


@dataclass(frozen=True, slots=True)
class Calls:
    """Of a dial-up bearer under one condition: the calls, their minutes, and the octets on the line.

    Attributes:
        condition: its name.
        sales: in it.
        completed: of them.
        calls: that began in them.
        seconds: of a call, however many sales shared it.
        up: octets, terminal → host.
        down: host → terminal.
        lone_s: of a sale that had to set its call up, set-up included; None where none completed.
        idle_s: that the line stood after its last sale until the terminal hung up; None where the bench ended the call.
    """

    condition: str
    sales: int
    completed: int
    calls: int
    seconds: Interval | None
    up: int
    down: int
    lone_s: float | None = None
    idle_s: float | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """A month by a tariff.

    Attributes:
        condition: whose sizes were used.
        megabytes: on the wire, of a million bytes; None for calls.
        calls: a month; None for packets.
        money: decimal text, with the interval of the measured sizes; None without a tariff for this bearer.
        low: its lower end; of calls, where sales share them as in the run.
        high: its upper end; of calls, where each sale has its own; None beside a ``low``: it was not seen whole.
        currency: ISO 4217.
    """

    condition: str
    megabytes: float | None
    calls: int | None
    money: str | None = None
    low: str | None = None
    high: str | None = None
    currency: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it may cost more than is told: how long a call of one sale lasts was not seen whole."""
        return self.low is not None and self.high is None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a bearer costs."""

    volumes: tuple[Volume, ...] = ()
    calls: tuple[Calls, ...] = ()
    month: Month | None = None


@dataclass(frozen=True, slots=True)
class Hostile:
    """Attempts to lead the terminal to a false host.

    Attributes:
        front: the failure, such as ``evil-twin``, with its options.
        attempts: how often it was in force.
        met: how often the terminal really met it.
        refused: of those met, how often it gave away nothing.
        harmed: how often it gave away something, or a case became unsafe.
    """

    front: str
    attempts: int
    met: int
    refused: int
    harmed: int


@dataclass(frozen=True, slots=True)
class Security:
    """What an eavesdropper of this bearer saw, and what false hosts got.

    Attributes:
        captured: whether there are packets to judge by.
        encrypted: connections that spoke TLS.
        clear: connections that carried data without.
        clear_cards: requests whose card the host read off a connection without TLS.
        masked_packets: packets of the run in which card data stood in clear, and was masked before it was stored; None
            where the history does not tell.
        tls: version and cipher suite → connections.
        certificates_visible: connections whose certificate could be read on the way (TLS 1.2 and before).
        server_names: names that were told in clear by ClientHello.
        dns_names: names that were asked for.
        peers: the addresses and ports that the terminal talked to.
        hostile: what became of each false host.
        not_tested: what could not be tested here, and why: pairs English, Chinese.
    """

    captured: bool
    encrypted: int = 0
    clear: int = 0
    clear_cards: int = 0
    masked_packets: int | None = None
    tls: dict[str, int] = field(default_factory=dict)
    certificates_visible: int = 0
    server_names: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    hostile: tuple[Hostile, ...] = ()
    not_tested: tuple[tuple[str, str], ...] = ()

    @property
    def card_data_in_clear(self) -> bool:
        """Whether card data could be read on the way. Encrypted bytes can look like a card number by chance: what the
        capture masked counts only where something was sent in clear at all."""
        return self.clear_cards > 0 or (self.clear > 0 and bool(self.masked_packets))

    @property
    def harmed(self) -> bool:
        """Whether a false host was given anything."""
        return any(each.harmed for each in self.hostile)


@dataclass(frozen=True, slots=True)
class Portability:
    """How far a terminal can be moved on this bearer.

    Attributes:
        attenuated: whether an attenuator could carry it away step by step.
        completed_db: the greatest loss at which a sale completed.
        completed_dbm: the level that the modem told then.
        failed_db: the least loss at which a sale failed.
        failed_dbm: the level that the modem told then.
        sales: while moving.
        completed: of them.
        back: after it was brought back.
        failover: sales that were approved over another bearer while this one was under test.
        failover_to: those bearers.
    """

    attenuated: bool
    completed_db: float | None
    completed_dbm: float | None
    failed_db: float | None
    failed_dbm: float | None
    sales: int
    completed: int
    back: Recovery
    failover: int
    failover_to: tuple[str, ...]
