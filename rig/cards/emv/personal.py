"""One application as it is personalised: its records with certificates, and the lists of what it asks the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from rig.cards.application import Application
from rig.cards.emv import contents
from rig.cards.emv.authority import CardAuthority, Credentials
from rig.cards.emv.records import CERTIFICATES, IDENTITY, STATIC, File, Records, pack
from rig.cards.emv.signing import ChipSecrets
from rig.cards.keys import MasterKeys
from rig.cards.profile import CardProfile, Interface
from rig.units import CURRENCY_NUMERIC
from rig.wire import tlv
from rig.wire.tlv import DolEntry

PDOL = tlv.parse_dol(bytes.fromhex("9F66049F02069F03069F1A0295055F2A029A039C019F3704"))
"""What a contactless Visa or UnionPay card wants to know: qualifiers, and what the cryptogram covers."""

_COVERED = "9F02069F03069F1A0295055F2A029A039C019F3704"
CDOL1 = {
    "visa": tlv.parse_dol(bytes.fromhex(_COVERED)),
    "mastercard": tlv.parse_dol(bytes.fromhex(_COVERED + "9F35019F45029F4C089F3403")),
    "unionpay": tlv.parse_dol(bytes.fromhex(_COVERED + "9F2103")),
}
CDOL2 = {
    "visa": tlv.parse_dol(bytes.fromhex("8A02" + _COVERED)),
    "mastercard": tlv.parse_dol(bytes.fromhex("910A8A0295059F37049F4C08")),
    "unionpay": tlv.parse_dol(bytes.fromhex("8A02" + _COVERED + "9F2103")),
}
"""For the second cryptogram; what it does not ask again stays as it was told for the first."""
DDOL = tlv.parse_dol(bytes.fromhex("9F3704"))
_IDENTITY_RECORD = {Interface.CONTACT: 1, Interface.CONTACTLESS: 2}
"""Over the air not the first: that one of SFI 1 is for magnetic stripe mode, and kernel 2 passes over an AFL entry
08010100 in EMV mode (Book C-2, its Active AFL)."""


@dataclass(frozen=True)
class Personal:
    """One application of one card on one interface.

    Attributes:
        profile: the card.
        application: the application.
        interface: where it is presented.
        interchange_profile: the AIP, as sent and as signed.
        records: its files, without what is made for one transaction.
        secrets: its keys.
        credentials: its certificates and key for offline data authentication, if it has any.
    """

    profile: CardProfile
    application: Application
    interface: Interface
    interchange_profile: bytes
    records: Records
    secrets: ChipSecrets
    credentials: Credentials | None

    @property
    def pdol(self) -> list[DolEntry]:
        """What it asks before GET PROCESSING OPTIONS; nothing where GENERATE AC asks."""
        return PDOL if contents.quick(self.application, self.interface) else []

    @property
    def cdol1(self) -> list[DolEntry]:
        """What it asks for the first GENERATE AC."""
        return CDOL1[self.application.scheme]

    @property
    def cdol2(self) -> list[DolEntry]:
        """What it asks for the second GENERATE AC."""
        return CDOL2[self.application.scheme]

    @property
    def home_currency(self) -> bytes:
        """The currency that its offline limit is in, as 9F42 and 5F2A have it."""
        return bytes.fromhex("0" + CURRENCY_NUMERIC[self.profile.account.currency])

    @property
    def authentication(self) -> contents.Authentication:
        """The offline data authentication that it can do here."""
        return contents.authentication(self.application, self.interface)


def personalise(
    profile: CardProfile,
    application: Application,
    interface: Interface,
    keys: MasterKeys,
    authority: CardAuthority,
) -> Personal:
    """Lay out the records of an application, and have them certified where it can authenticate itself."""
    aip = contents.interchange_profile(application, interface)
    files = _files(profile, application, interface)
    credentials = None
    if contents.authentication(application, interface) != "none":
        credentials = authority.credentials(profile, application, Records(files).signed + aip)
        files = (*files, _certificates(application, credentials))
    secrets = ChipSecrets(keys, application.cryptogram, profile.pan, profile.psn)
    return Personal(profile, application, interface, aip, Records(files), secrets, credentials)


def _files(profile: CardProfile, application: Application, interface: Interface) -> tuple[File, ...]:
    signed = contents.authentication(application, interface) != "none"
    static = contents.encode(contents.static_objects(profile, application, interface))
    if contents.quick(application, interface):
        return (pack(STATIC, static, signed),)
    lists = {0x8C: CDOL1[application.scheme], 0x8D: CDOL2[application.scheme]}
    static += [tlv.encode(tag, tlv.encode_dol(asked)) for tag, asked in lists.items()]
    identity = pack(IDENTITY, contents.encode(contents.identity(profile)), first=_IDENTITY_RECORD[interface])
    return identity, pack(STATIC, static, signed)


def _certificates(application: Application, credentials: Credentials) -> File:
    objects = contents.encode(dict(credentials.tags))
    if application.authentication in ("dda", "cda", "fdda"):
        objects.append(tlv.encode(0x9F49, tlv.encode_dol(DDOL)))
    return pack(CERTIFICATES, objects)
