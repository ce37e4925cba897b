"""The records of one application, their locator (AFL) and what of them is signed (EMV Book 3, 5.3 and 10.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rig.wire import tlv

IDENTITY, STATIC, CERTIFICATES, DYNAMIC = 1, 2, 3, 4
"""Short file identifiers (SFI): who, what is signed, the certificates, what is made for one transaction."""
_ROOM = 252  # what 70 may hold, so that the record and its status word fit 256 bytes


@dataclass(frozen=True)
class File:
    """One elementary file: the content of its records, templates 70 not included; `first` is the first one's number."""

    identifier: int
    bodies: tuple[bytes, ...]
    signed: bool = False
    first: int = 1

    @property
    def locator(self) -> bytes:
        """Its entry of the AFL: SFI, first and last record, how many of them are signed from the first on."""
        count = len(self.bodies)
        return bytes([self.identifier << 3, self.first, self.first + count - 1, count if self.signed else 0])


def pack(identifier: int, objects: Sequence[bytes], signed: bool = False, first: int = 1) -> File:
    """Encoded data objects as a file, as many in a record as go in."""
    bodies = [b""]
    for each in objects:
        if bodies[-1] and len(bodies[-1]) + len(each) > _ROOM:
            bodies.append(b"")
        bodies[-1] += each
    return File(identifier, tuple(body for body in bodies if body), signed, first)


@dataclass(frozen=True)
class Records:
    """Files as READ RECORD finds them."""

    files: tuple[File, ...]

    @property
    def locator(self) -> bytes:
        """The AFL (94)."""
        return b"".join(file.locator for file in self.files)

    @property
    def contents(self) -> Mapping[tuple[int, int], bytes]:
        """Whole records by SFI and number."""
        return {
            (file.identifier, number): tlv.encode(0x70, body)
            for file in self.files
            for number, body in enumerate(file.bodies, file.first)
        }

    @property
    def signed(self) -> bytes:
        """The static data to be authenticated, without what 9F4A adds (EMV Book 3, 10.3; SFI 1 to 10: no template)."""
        return b"".join(body for file in self.files if file.signed for body in file.bodies)
