"""nftables through a long-lived ``nft -i``, whose tables die with it."""

from rig.bearers.nft.session import (
    PREFIX,
    Chain,
    Count,
    Counter,
    Family,
    NftProbe,
    NftSession,
    Part,
    Rule,
    Set,
    leftover_tables,
    nft_available,
)

__all__ = [
    "PREFIX",
    "Chain",
    "Count",
    "Counter",
    "Family",
    "NftProbe",
    "NftSession",
    "Part",
    "Rule",
    "Set",
    "leftover_tables",
    "nft_available",
]
