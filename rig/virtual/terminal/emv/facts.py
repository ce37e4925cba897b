"""What the terminal is and what it is set to, as EMV sees it. No interface, no settings file: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.wire.oda import AuthorityKey


@dataclass(frozen=True)
class ActionCodes:
    """Terminal action codes, ten hex digits each, bits as in the TVR.

    The usual ones decline what the card is not made for, and ask the issuer about everything else that is wrong;
    where the issuer cannot be asked, they decline that too.
    """

    denial: str = "0010000000"
    online: str = "FC78FCF800"
    default: str = "FC78FCA000"


@dataclass(frozen=True)
class Limits:
    """Limits in minor units. Below ``transaction`` the interface may be used at all (``None``: always); from ``cvm``
    on the cardholder must be verified; above ``floor`` the issuer is asked."""

    transaction: int | None = None
    cvm: int = 5000
    floor: int = 0


@dataclass(frozen=True)
class PinPad:
    """The cardholder's answer to "enter your PIN", and the key that enciphers it (16 or 24 bytes; None: no DE52)."""

    pin: str = field(default="1234", repr=False)
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Facts:
    """One terminal at one interface.

    Attributes:
        country: ISO 3166 numeric, four digits (9F1A).
        terminal_type: 9F35, e.g. 22: attended, offline with online capability; 21 online only.
        capabilities: 9F33.
        additional: 9F40.
        limits: what the amount decides.
        offline_capable: whether it may approve without the host.
        action_codes: TAC.
        authorities: the keys of scheme authorities that it knows.
        pin_pad: where the cardholder enters a PIN.
    """

    country: str = "0276"
    terminal_type: str = "22"
    capabilities: str = "E068C8"
    additional: str = "6000F0A001"
    limits: Limits = Limits()
    offline_capable: bool = True
    action_codes: ActionCodes = ActionCodes()
    authorities: tuple[AuthorityKey, ...] = ()
    pin_pad: PinPad = PinPad()

    @property
    def online_pin(self) -> bool:
        """Whether a PIN can be entered for the issuer (9F33, byte 2, bit 7)."""
        return bool(bytes.fromhex(self.capabilities)[1] & 0x40)

    @property
    def signature(self) -> bool:
        """Whether a receipt can be signed (9F33, byte 2, bit 6)."""
        return bool(bytes.fromhex(self.capabilities)[1] & 0x20)

    @property
    def no_cvm(self) -> bool:
        """Whether it sells without any verification (9F33, byte 2, bit 4)."""
        return bool(bytes.fromhex(self.capabilities)[1] & 0x08)
