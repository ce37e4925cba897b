"""What a simulated Android prints for ``dumpsys telephony.registry``, in the words of several versions.

Written from ``toString`` of the classes of the Android Open Source Project (``ServiceState``,
``NetworkRegistrationInfo``, ``CellIdentity…``, ``CellSignalStrength…``, versions 10, 12, 14), apart from the
parser that the rig's driver uses, so that an error of one is not hidden by the same error of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NONE = 2147483647
VERSIONS = (10, 12, 14)
_RADIO = {"LTE": "14(LTE)", "UTRAN": "3(UMTS)", "GSM": "16(GSM)"}
_ACCESS = {"LTE": "LTE", "UTRAN": "UMTS", "GSM": "GSM"}
_PRIMARY = {"LTE": "Lte", "UTRAN": "Wcdma", "GSM": "Gsm"}
_CHANNEL = {"LTE": 1300, "UTRAN": 10588, "GSM": 62}


def dump(phones: int, states: Mapping[int, Mapping[str, Any]], version: int) -> str:
    """The whole print: ``states`` are what the radio's side door tells, by slot; slots without one have no service."""
    lines = ["last known state:"]
    for slot in range(phones):
        state = states.get(slot, {})
        service, strength = _service(state, version), _strength(state, version)
        lines += [f"  Phone Id={slot}", "    mCallState=0", "    mRingingCallState=0"]
        lines += [f"    mServiceState={service}", f"    mSignalStrength={strength}", "    mMessageWaiting=false"]
        lines += [f"    mDataConnectionState={2 if state.get('carries') else 0}"]
    lines += ["  mDefaultPhoneId=0", "local logs:"]
    lines += ["  2026-01-01T00:00:00 notifySignalStrengthForPhoneId", f"    mSignalStrength={_strength({}, version)}"]
    lines += ["registrations: count=0"]
    return "\n".join(lines) + "\n"


def _service(state: Mapping[str, Any], version: int) -> str:
    here = bool(state.get("registered"))
    technology = state.get("technology") or "LTE"
    reg = "0(IN_SERVICE)" if here else "1(OUT_OF_SERVICE)"
    channel = _CHANNEL[technology] if here else -1
    name = f"Bench {technology}" if here else "null"
    radio = _RADIO[technology] if here else "0(Unknown)"
    names = "mOperatorAlpha" if version > 10 else "mDataOperatorAlpha"
    wifi = _registration("PS", "WLAN", False, "IWLAN", "null", version)
    access, cell = (_ACCESS[technology], _identity(technology, state)) if here else ("UNKNOWN", "null")
    infos = [_registration(domain, "WWAN", here, access, cell, version) for domain in ("CS", "PS")]
    return (
        f"{{mVoiceRegState={reg}, mDataRegState={reg}, mChannelNumber={channel}, duplexMode()=1,"
        f" mCellBandwidths=[], {names}Long={name}, {names}Short={name}, isManualNetworkSelection=false(automatic),"
        f" getRilVoiceRadioTechnology={radio}, getRilDataRadioTechnology={radio}, mCssIndicator=unsupported,"
        f" mNetworkId=-1, mSystemId=-1, mIsEmergencyOnly=false,"
        f" mNetworkRegistrationInfos=[{', '.join([infos[0], wifi, infos[1]])}], mNrFrequencyRange=0}}"
    )


def _registration(domain: str, transport: str, here: bool, access: str, cell: str, version: int) -> str:
    state = "HOME" if here else "NOT_REG_OR_SEARCHING"
    twice = f" networkRegistrationState={state}" if version >= 14 else ""
    return (
        f"NetworkRegistrationInfo{{ domain={domain} transportType={transport} registrationState={state}{twice}"
        f" roamingType=NOT_ROAMING accessNetworkTechnology={access} rejectCause=0 emergencyEnabled=false"
        f" availableServices=[] cellIdentity={cell} voiceSpecificInfo=null dataSpecificInfo=null nrState=NONE}}"
    )


def _identity(technology: str, state: Mapping[str, Any]) -> str:
    cell = int(state["cell"], 16)
    names = "mMcc=001 mMnc=01 mAlphaLong=Bench mAlphaShort=Bench mAdditionalPlmns={} mCsgInfo=null"
    if technology == "LTE":
        return f"CellIdentityLte:{{ mCi={cell} mPci=96 mTac=6699 mEarfcn=1300 mBands=[3] mBandwidth={_NONE} {names}}}"
    if technology == "UTRAN":
        return f"CellIdentityWcdma:{{ mLac=11068 mCid={cell} mPsc=353 mUarfcn=10588 {names}}}"
    return f"CellIdentityGsm:{{ mLac=11068 mCid={cell} mArfcn=62 mBsic=0x12 {names}}}"


def _strength(state: Mapping[str, Any], version: int) -> str:
    technology = state.get("technology") if state.get("registered") else None
    heard = state.get("level_dbm")
    level = None if heard is None else round(heard)
    rsrp, rscp, rssi = (
        level if technology == each and level is not None else _NONE for each in ("LTE", "UTRAN", "GSM")
    )
    more = f" cqiTableIndex={_NONE}" if version >= 12 else ""
    last = " parametersUseForLevel=0" if version >= 12 else ""
    lte = f"rssi={_NONE} rsrp={rsrp} rsrq={_NONE} rssnr={_NONE}{more} cqi={_NONE} ta={_NONE} level=0{last}"
    nr = f"csiRsrp = {_NONE} csiRsrq = {_NONE} csiCqiReport = [1, 2] ssRsrp = {_NONE} ssRsrq = {_NONE} level = 0"
    return (
        f"SignalStrength:{{mCdma=CellSignalStrengthCdma: cdmaDbm={_NONE} level=0,"
        f"mGsm=CellSignalStrengthGsm: rssi={rssi} ber={_NONE} mTa={_NONE} mLevel=0,"
        f"mWcdma=CellSignalStrengthWcdma: ss={_NONE} ber={_NONE} rscp={rscp} ecno={_NONE} level=0,"
        f"mTdscdma=CellSignalStrengthTdscdma: rssi={_NONE} ber={_NONE} rscp={_NONE} level=0,"
        f"mLte=CellSignalStrengthLte: {lte},mNr=CellSignalStrengthNr:{{ {nr} }},"
        f"primary=CellSignalStrength{_PRIMARY[technology or 'LTE']}}}"
    )
