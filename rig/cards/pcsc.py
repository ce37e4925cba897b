"""A PC/SC reader, over pyscard (https://pyscard.sourceforge.io), which is an extra: ``pip install 'pos-rig[pcsc]'``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rig.cards.profile import Interface
from rig.errors import BenchBusy, BenchTrouble, CallerMistake, DeviceGone, RigError

GET_UID = bytes.fromhex("FFCA000000")
"""PC/SC part 3, 3.2.2.1.3: of a contactless card, answered by the reader itself."""
_CURE = "pip install 'pos-rig[pcsc]' (it needs gcc, swig, libpcsclite-dev), or apt install python3-pyscard"
_SHARING_VIOLATION, _NO_SMARTCARD, _REMOVED, _UNRESPONSIVE = 0x8010000B, 0x8010000C, 0x80100069, 0x80100066


class PcscReader:
    """A card in a PC/SC reader. `PcscReader.open` makes one.

    Attributes:
        name: of the reader.
        atr: the card's, as PC/SC tells it.
    """

    def __init__(self, name: str, connection: Any) -> None:
        self.name = name
        self._connection = connection
        self.atr: bytes | None = bytes(connection.getATR())
        self.uid: bytes | None = None
        if self.interface is Interface.CONTACTLESS:
            answer = self.transceive(GET_UID)
            self.uid = answer[:-2] if answer[-2:] == b"\x90\x00" else None

    @classmethod
    def open(cls, name: str = "") -> PcscReader:
        """The reader whose name contains `name`, whatever its case, with the card that is in it.

        Raises:
            CallerMistake: pyscard is not installed, or no reader, or more than one, has such a name.
            DeviceGone: pcscd does not run, there is no reader, or no card in it.
            BenchBusy: another program has the card to itself.
        """
        system = _pyscard()
        with _told_as_trouble("PC/SC"):
            found = {str(each): each for each in system.readers()}
        if not found:
            raise DeviceGone("PC/SC", "there is no reader", "plug one in; pcsc_scan lists them")
        fit = [each for each in found if name.casefold() in each.casefold()]
        if not fit:
            raise CallerMistake(f"reader {name}", "there is none", f"use one of {', '.join(found)}")
        with_card = fit if len(fit) == 1 else [each for each in fit if _has_card(found[each])]
        if len(with_card) > 1:
            raise CallerMistake(f"reader {name}", "there are several", f"name one: {', '.join(with_card)}")
        chosen = with_card[0] if with_card else fit[0]
        with _told_as_trouble(chosen):
            connection = found[chosen].createConnection()
            connection.connect()
            return cls(chosen, connection)

    @property
    def interface(self) -> Interface:
        """Contactless when the ATR is one that readers make up for such cards (PC/SC part 3, 3.1.3.2.3)."""
        atr = self.atr or b""
        made_up = len(atr) >= 4 and atr[0] == 0x3B and atr[1] & 0xF0 == 0x80 and atr[2:4] == b"\x80\x01"
        return Interface.CONTACTLESS if made_up else Interface.CONTACT

    def transceive(self, apdu: bytes) -> bytes:
        """See `rig.cards.reading.Reader`."""
        with _told_as_trouble(self.name):
            data, first, second = self._connection.transmit(list(apdu))
            return bytes([*data, first, second])

    def close(self) -> None:
        """Let go of the card."""
        self._connection.disconnect()


def _pyscard() -> Any:
    try:
        import smartcard.System
    except ImportError as error:
        raise CallerMistake("PC/SC", f"pyscard is not installed: {error}", _CURE) from error
    return smartcard.System


def _has_card(reader: Any) -> bool:
    connection = reader.createConnection()
    try:
        connection.connect()
    except Exception as error:
        if _is_pyscards(error):
            return False
        raise
    connection.disconnect()
    return True


@contextmanager
def _told_as_trouble(device: str) -> Iterator[None]:
    """pyscard's errors as the bench's trouble, with the usual cure."""
    try:
        yield
    except RigError:
        raise
    except Exception as error:
        if not _is_pyscards(error):
            raise
        raise _as_trouble(device, error) from error


def _is_pyscards(error: Exception) -> bool:
    return type(error).__module__.startswith("smartcard.")


def _as_trouble(device: str, error: Exception) -> BenchTrouble:
    kind = type(error).__name__
    code = getattr(error, "hresult", 0) & 0xFFFFFFFF
    if kind in ("EstablishContextException", "ListReadersException"):
        return DeviceGone(device, "pcscd does not answer", "start it: systemctl start pcscd.socket, or pcscd -f")
    if code == _SHARING_VIOLATION or "0x8010000B" in str(error):
        return BenchBusy(device, "another program has the card to itself", "end it")
    if kind == "NoCardException" or code in (_NO_SMARTCARD, _REMOVED, _UNRESPONSIVE):
        return DeviceGone(device, "no card answers there", "put one in, the chip first")
    return DeviceGone(device, f"the card or the reader is gone: {error}", "put the card in again; check the reader")
