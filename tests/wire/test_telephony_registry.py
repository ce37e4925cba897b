"""Dumps as several versions of Android and several makers write them, and as nobody would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.units import Dbm, Decibel
from rig.virtual.telephony_dump import VERSIONS, dump
from rig.wire import telephony_registry
from rig.wire.errors import WireError
from rig.wire.telephony_registry import PhoneState

NONE = "2147483647"


def registration(domain: str, state: str, technology: str, cell: str, transport: str = "WWAN") -> str:
    return (
        f"NetworkRegistrationInfo{{ domain={domain} transportType={transport} registrationState={state} "
        f"roamingType=NOT_ROAMING accessNetworkTechnology={technology} rejectCause=0 cellIdentity={cell} nrState=NONE}}"
    )


def service(*registrations: str, state: str = "0(IN_SERVICE)", name: str = "mOperatorAlpha") -> str:
    return (
        f"mServiceState={{mVoiceRegState={state}, mDataRegState={state}, mChannelNumber=1850, duplexMode()=1, "
        f"{name}Long=Bench Net, {name}Short=BN, getRilVoiceRadioTechnology=14(LTE), "
        f"getRilDataRadioTechnology=14(LTE), mNetworkRegistrationInfos=[{', '.join(registrations)}]}}"
    )


LTE_CELL = f"CellIdentityLte:{{ mCi=12834021 mPci=96 mTac=6699 mEarfcn=1300 mBandwidth={NONE} mMcc=001 mMnc=01}}"
LTE = "mLte=CellSignalStrengthLte: rssi=-51 rsrp=-92 rsrq=-11 rssnr=6 cqi=1 ta=2 level=3"
NR_NONE = "mNr=CellSignalStrengthNr:{ csiRsrp = 2147483647 csiCqiReport = [1, 2] ssRsrp = 2147483647 level = 0 }"
IWLAN = registration("PS", "NOT_REG_OR_SEARCHING", "IWLAN", "null", "WLAN")


def parse_one(*lines: str) -> PhoneState:
    (phone,) = telephony_registry.parse("\n".join(["last known state:", "  Phone Id=0", *lines]))
    return phone


def test_lte() -> None:
    phone = parse_one(
        "    "
        + service(registration("CS", "HOME", "UMTS", "null"), IWLAN, registration("PS", "HOME", "LTE", LTE_CELL)),
        f"    mSignalStrength=SignalStrength:{{mCdma=Invalid,mGsm=Invalid,{LTE},{NR_NONE},"
        "primary=CellSignalStrengthLte}",
        "    mDataConnectionState=2",
    )
    assert phone == PhoneState(
        slot=0, registered=True, connected=True, technology="LTE", level=Dbm(-92), quality=Decibel(-11),
        cell="00C3D4E5", area="1A2B", channel=1300, operator="Bench Net",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("technology", "cell", "strength", "expected"),
    [
        (
            "HSPA",
            f"CellIdentityWcdma:{{ mLac=11068 mCid=187487461 mPsc={NONE} mUarfcn=10588}}",
            f"mWcdma=CellSignalStrengthWcdma: ss=-71 rscp=-84 ecno=-5 level=3,mLte=CellSignalStrengthLte: rsrp={NONE}",
            ("UTRAN", -84, -5, "0B2CD4E5", 10588),
        ),
        (
            "EDGE",
            "CellIdentityGsm:{ mLac=11068 mCid=54501 mArfcn=62 mBsic=0x12}",
            "mGsm=CellSignalStrengthGsm: rssi=-71 ber=0 mTa=1 mLevel=3",
            ("GSM", -71, None, "D4E5", 62),
        ),
        (
            "NR",
            "CellIdentityNr:{ mPci = 5 mTac = 6699 mNrArfcn = 632628 mBands = [78] mNci = 4295 }",
            "mNr=CellSignalStrengthNr:{ csiRsrp = 2147483647 csiCqiReport = [1, 2] ssRsrp = -98 ssRsrq = -11 }",
            ("NR", -98, -11, "0000010C7", 632628),
        ),
        (
            "LTE_CA",
            "CellIdentityLte:{ mCi=7*****68 mPci=423 mTac=3**4 mEarfcn=66536}",
            LTE,
            ("LTE", -92, -11, "7*****68", 66536),
        ),
    ],
)
def test_other_technologies_and_masked_cells(
    technology: str, cell: str, strength: str, expected: tuple[object, ...]
) -> None:
    phone = parse_one(
        service(registration("PS", "ROAMING", technology, cell), name="mDataOperatorAlpha"),
        f"mSignalStrength=SignalStrength:{{{strength},primary=CellSignalStrengthLte}}",
    )
    assert (phone.technology, phone.level, phone.quality, phone.cell, phone.channel) == expected
    assert phone.registered
    assert phone.operator == "Bench Net"


def test_without_service_the_primary_technology_is_what_is_heard() -> None:
    gone = service(registration("PS", "DENIED", "UNKNOWN", "null"), state="1(OUT_OF_SERVICE)")
    phone = parse_one(gone, f"mSignalStrength=SignalStrength:{{{LTE},primary=CellSignalStrengthLte}}")
    assert (phone.registered, phone.technology, phone.level, phone.operator) == (False, "LTE", Dbm(-92), None)
    deaf = parse_one(gone, f"mSignalStrength=SignalStrength:{{mLte=Invalid,{NR_NONE},primary=CellSignalStrengthLte}}")
    assert (deaf.technology, deaf.level, deaf.cell, deaf.channel) == (None, None, None, None)


def test_without_registrations_the_state_of_the_data_service_counts() -> None:
    phone = parse_one(service(), f"mSignalStrength=SignalStrength:{{{LTE},primary=CellSignalStrengthLte}}")
    assert (phone.registered, phone.technology, phone.channel) == (True, "LTE", 1850)


def test_of_two_slots_the_one_that_carries_the_packets_is_active() -> None:
    out = service(registration("PS", "NOT_REG_OR_SEARCHING", "UNKNOWN", "null"), state="1(OUT_OF_SERVICE)")
    here = service(registration("PS", "HOME", "LTE", LTE_CELL))

    def text(first: str, state: str) -> str:
        second = f"  Phone Id=1\n    {here}\n    mDataConnectionState=2\n"
        return f"  Phone Id=0\n    {first}\n    mDataConnectionState={state}\n{second}"

    for first in (out, here):
        phones = telephony_registry.parse(text(first, "0"))
        assert [phone.slot for phone in phones] == [0, 1]
        assert telephony_registry.active(phones).slot == 1
    both = telephony_registry.parse(text(here, "2(CONNECTED)"))
    assert telephony_registry.active(both).slot == 0


def test_log_lines_behind_the_blocks_are_no_state() -> None:
    here = service(registration("PS", "HOME", "LTE", LTE_CELL))
    text = f"Phone Id=0\n{here}\nlocal logs:\nPhone Id=1\nmServiceState={{}}"
    assert len(telephony_registry.parse(text)) == 1


@pytest.mark.parametrize("text", ["", "Can't find service: telephony.registry\n", "Phone Id=0\n  mCallState=0\n"])
def test_what_tells_nothing_is_refused(text: str) -> None:
    with pytest.raises(WireError, match="no mServiceState"):
        telephony_registry.parse(text)


@pytest.mark.parametrize("version", VERSIONS)
@given(level=st.integers(-140, -44), technology=st.sampled_from(["LTE", "UTRAN", "GSM"]), slot=st.integers(0, 1))
def test_what_the_simulated_android_prints_is_read(version: int, level: int, technology: str, slot: int) -> None:
    state = {
        "registered": True,
        "carries": True,
        "technology": technology,
        "cell": "0000D4E5",
        "level_dbm": level + 0.2,
    }
    phone = telephony_registry.active(telephony_registry.parse(dump(2, {slot: state}, version)))
    assert (phone.slot, phone.registered, phone.connected) == (slot, True, True)
    assert phone.level == Dbm(level)
    assert (phone.technology, phone.cell) == (technology, "D4E5" if technology == "GSM" else "0000D4E5")
    assert phone.operator == f"Bench {technology}"


@given(st.text(), st.sampled_from(["mServiceState", "mSignalStrength", "Phone Id", "x"]), st.text())
def test_any_text_is_parsed_or_refused(before: str, name: str, rest: str) -> None:
    for text in (before, f"{before}\n{name}={rest}", f"Phone Id=0\n{name}={rest}"):
        try:
            phones = telephony_registry.parse(text)
        except WireError:
            continue
        assert telephony_registry.active(phones) in phones


@given(st.data())
def test_a_dump_that_is_cut_short_is_parsed_or_refused(data: st.DataObject) -> None:
    whole = dump(2, {0: {"registered": True, "technology": "LTE", "cell": "00C3D4E5", "level_dbm": -80}}, 14)
    cut = data.draw(st.integers(0, len(whole)))
    try:
        telephony_registry.parse(whole[:cut])
    except WireError:
        return
