"""Key blocks of ANSI X9.143 (TR-31), versions A to D: a key with what it may be used for, under another key.

The work is psec's; here its refusals become WireError, and what a block says of its key is a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from psec import tr31

from rig.wire.errors import WireError

VERSIONS = ("A", "B", "C", "D")


@dataclass(frozen=True)
class KeyBlock:
    """A key and its attributes.

    Attributes:
        key: in the clear.
        usage: two characters, such as ``B0`` (base derivation key), ``M3`` (retail MAC), ``P0`` (PIN encryption).
        algorithm: ``T`` triple DES, ``A`` AES, ``D`` DES.
        mode: what may be done, such as ``E`` encrypt, ``G`` generate a MAC, ``X`` derive.
        version: of the block: D is AES, the others triple DES.
        exportability: ``E`` under any trusted key, ``N`` not at all, ``S`` sensitive.
        number: the key's own version, two characters.
    """

    key: bytes = field(repr=False)
    usage: str
    algorithm: str
    mode: str
    version: str = "D"
    exportability: str = "E"
    number: str = "00"

    def wrap(self, protection: bytes) -> str:
        """The block as text, under a key block protection key. Raises WireError for what cannot be."""
        try:
            head = tr31.Header(self.version, self.usage, self.algorithm, self.mode, self.number, self.exportability)
            return str(tr31.wrap(protection, head, self.key))
        except (tr31.HeaderError, tr31.KeyBlockError, ValueError) as error:
            raise WireError(f"no key block: {error}") from None

    @classmethod
    def unwrap(cls, protection: bytes, block: str) -> KeyBlock:
        """Read a block. Raises WireError where its form or its code is wrong."""
        try:
            head, key = tr31.unwrap(protection, block.strip())
        except (tr31.HeaderError, tr31.KeyBlockError, ValueError, IndexError) as error:
            raise WireError(f"no key block under this key: {error}") from None
        return cls(
            key, head.key_usage, head.algorithm, head.mode_of_use, head.version_id, head.exportability, head.version_num
        )
