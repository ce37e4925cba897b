"""How a modem codes what its radio hears: the indices of ``+CESQ`` and ``+CSQ``.

Source: 3GPP TS 27.007, 8.5 and 8.69. Coded by the standard's own tables, apart from the decoder that the rig's driver
uses, so that an error of one is not hidden by the same error of the other. The qualities are estimates.
"""

from __future__ import annotations

import math

_UNKNOWN_CESQ = "99,99,255,255,255,255"

_RSSI_ABOVE_DB = {"LTE": 28, "UTRAN": 10, "GSM": 0}
"""RSSI over the level: 10·log10(600 subcarriers of a loaded 10 MHz cell), the carrier over its pilot, the carrier."""


def csq(technology: str, level_dbm: float | None) -> str:
    """``rssi,ber``: steps of 2 dB, clipped at −51 dBm."""
    if level_dbm is None:
        return "99,99"
    return f"{_index((level_dbm + _RSSI_ABOVE_DB[technology] + 113) / 2 + 0.5, 31)},99"


def cesq(technology: str, level_dbm: float | None, sinr_db: float) -> str:
    """``rxlev,ber,rscp,ecno,rsrq,rsrp``; unknown is 99 for the first two, 255 for the rest."""
    if level_dbm is None:
        return _UNKNOWN_CESQ
    if technology == "GSM":  # 1 is −110 to −109 dBm; bit errors 0 to 7 as RXQUAL
        return f"{_index(level_dbm + 111, 63)},{_rxqual(sinr_db)},255,255,255,255"
    if technology == "UTRAN":  # 1 is −120 to −119 dBm; Ec/No 1 is −24 to −23.5 dB
        return f"99,99,{_index(level_dbm + 121, 96)},{_index((_ecno(sinr_db) + 24.5) * 2, 49)},255,255"
    rsrq_db = max(-20.0, min(-3.0, sinr_db / 3 - 14))
    return f"99,99,255,255,{_index((rsrq_db + 20) * 2, 34)},{_index(level_dbm + 141, 97)}"


def _index(value: float, maximum: int) -> int:
    return max(0, min(maximum, math.floor(value)))


def _ecno(sinr_db: float) -> float:
    """Pilot over all that is received: the own cell at half load is 7 dB above its pilot."""
    return -10 * math.log10(5 + 10 ** (-sinr_db / 10))


def _rxqual(sinr_db: float) -> int:
    """0 without errors, 7 beyond what any coding mends: a step every 2 dB below 20 dB."""
    return max(0, min(7, math.ceil((20 - sinr_db) / 2)))
