"""What an application cryptogram covers: data objects of the terminal and of the card."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields

from rig.wire.errors import WireError


@dataclass(frozen=True)
class CryptogramData:
    """What the cryptogram covers, raw tag values; the issuer finds the same in DE55.

    Lengths in bytes: amounts 6, countries, currency, AIP and ATC 2, TVR 5, date 3, type 1, number 4, 9F10 7 to 32.
    """

    tag_9f02: bytes
    tag_9f03: bytes
    tag_9f1a: bytes
    tag_95: bytes
    tag_5f2a: bytes
    tag_9a: bytes
    tag_9c: bytes
    tag_9f37: bytes
    tag_82: bytes
    tag_9f36: bytes
    tag_9f10: bytes

    def __post_init__(self) -> None:
        for tag, length in _LENGTHS.items():
            value: bytes = getattr(self, f"tag_{tag:x}")
            if len(value) != length:
                raise WireError(f"tag {tag:X} has {len(value)} bytes, the cryptogram needs {length}")
        if not 7 <= len(self.tag_9f10) <= 32:
            raise WireError(f"tag 9F10 has {len(self.tag_9f10)} bytes, 7 to 32 are allowed")

    @classmethod
    def from_tags(cls, values: Mapping[int, bytes], needed: Collection[int] | None = None) -> CryptogramData:
        """Take the eleven values out of decoded TLV data.

        Args:
            values: data objects by tag.
            needed: the tags that must be there, as `covered_tags` gives them for a version; any other may be missing,
                and is taken for zeros. Without it every one must be there.

        Raises:
            WireError: a value is missing, named, or has the wrong length.
        """
        wanted = TAGS if needed is None else needed
        missing = [f"{tag:X}" for tag in TAGS if tag in wanted and tag not in values]
        if missing:
            raise WireError(f"the cryptogram needs {', '.join(missing)}")
        return cls(**{f"tag_{tag:x}": values[tag] if tag in values else bytes(_LENGTHS[tag]) for tag in TAGS})


_LENGTHS = {
    0x9F02: 6, 0x9F03: 6, 0x9F1A: 2, 0x95: 5, 0x5F2A: 2, 0x9A: 3, 0x9C: 1, 0x9F37: 4, 0x82: 2, 0x9F36: 2,
}  # fmt: skip
TAGS = tuple(int(field.name.removeprefix("tag_"), 16) for field in fields(CryptogramData))
"""The tags of CryptogramData, in the order in which the MAC covers them."""
