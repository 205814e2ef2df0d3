# SPDX-License-Identifier: Apache-2.0
"""What SmartcardUpdateCardCapabilities reads out of an ATR."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816 import Atr
from vreader.smclib.capabilities import SmartcardUpdateCardCapabilities, capabilities_of
from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.smclib.structs import (
    PTS_DATA,
    PTS_TYPE_DEFAULT,
    PTS_TYPE_OPTIMAL,
    PTS_TYPE_USER,
    RDF,
    SCARD_CARD_CAPABILITIES,
    SCARD_READER_CAPABILITIES,
)
from vreader.wdm import NTSTATUS


@pytest.mark.wdk(
    "atr.defaults",
    "atr.td1-absent",
    "atr.etu",
    "atr.wt",
    "atr.guard-time",
    "atr.historical",
    "struct.card-capabilities.filled",
)
def test_defaults_of_a_plain_t0_card():
    card = capabilities_of(Atr.parse(bytes.fromhex("3B02ABCD")))
    assert card.Protocol.Supported == Protocol.T0
    assert card.Protocol.Selected == Protocol.UNDEFINED
    assert card.HistoricalChars == b"\xab\xcd"
    assert (card.Fl, card.Dl, card.N, card.InversConvention) == (1, 1, 0, False)
    assert (card.etu, card.GT) == (93, 1116)  # 372 / 4 MHz; 12 etu
    assert (card.T0.WI, card.T0.WT) == (10, 892800)  # 10 * 960 etu
    assert (card.T1.IFSC, card.T1.CWI, card.T1.BWI, card.T1.EDC) == (32, 13, 4, 0)


@pytest.mark.wdk("atr.cwt", "atr.bwt", "atr.bgt")
def test_t1_times():
    atr = Atr.build(protocols=(1,), specific=[(0xFE, 0x45, 1)], inverse=True)
    card = capabilities_of(atr)
    assert card.InversConvention
    assert (card.T1.IFSC, card.T1.BWI, card.T1.CWI, card.T1.EDC) == (254, 4, 5, 1)
    assert card.T1.CWT == (11 + 32) * 93
    assert card.T1.BWT == 11 * 93 + 16 * 960 * 93
    assert card.T1.BGT == 22 * 93


@pytest.mark.wdk("atr.guard-time")
@pytest.mark.parametrize(
    ("protocols", "etu", "stop_bits"),
    [((0,), 12, 2), ((1,), 11, 1), ((0, 1), 12, 2), ((1, 0), 11, 1)],
)
def test_guard_time_255_adds_nothing(protocols, etu, stop_bits):
    card = capabilities_of(Atr.build(protocols=protocols, tc1=255))
    assert (card.N, card.GT, card.PtsData.StopBits) == (255, etu * 93, stop_bits)


@pytest.mark.wdk("atr.protocols")
def test_other_protocols_are_ignored():
    card = capabilities_of(Atr.build(protocols=(1, 14)))
    assert card.Protocol.Supported == Protocol.T1


@pytest.mark.wdk("atr.ta2")
@pytest.mark.parametrize(("protocol", "bit"), [(0, Protocol.T0), (1, Protocol.T1)])
def test_ta2_leaves_one_protocol(protocol, bit):
    atr = Atr.build(protocols=(protocol, 1), ta2=protocol)
    assert capabilities_of(atr).Protocol.Supported == bit


@pytest.mark.wdk("callback.atr-parse")
def test_the_driver_may_parse_what_the_library_cannot(bench):
    bench.insert()
    bench.ext.ReaderFunction[RDF.ATR_PARSE] = lambda ext: NTSTATUS.SUCCESS
    bench.ext.CardCapabilities.ATR = b"\x00"
    assert SmartcardUpdateCardCapabilities(bench.ext) is NTSTATUS.SUCCESS
    assert bench.state is CardState.NEGOTIABLE


@pytest.mark.wdk("callback.atr-parse")
@pytest.mark.parametrize("status", [NTSTATUS.UNRECOGNIZED_MEDIA, NTSTATUS.IO_DEVICE_ERROR])
def test_where_the_driver_cannot_parse_it_either_its_status_is_the_result(bench, status):
    bench.insert()
    bench.ext.ReaderFunction[RDF.ATR_PARSE] = lambda ext: status
    bench.ext.CardCapabilities.ATR = b"\x00"
    assert SmartcardUpdateCardCapabilities(bench.ext) is status
    assert bench.state is CardState.SWALLOWED


@pytest.mark.wdk("callback.atr-parse", "check.power.protocol")
def test_a_driver_that_parses_starts_from_nothing(bench):
    bench.reach(CardState.SPECIFIC)
    bench.atr = b"\x00"
    seen = []
    bench.ext.ReaderFunction[RDF.ATR_PARSE] = lambda ext: (
        seen.append(ext.CardCapabilities.Protocol.Supported) or NTSTATUS.SUCCESS
    )
    assert bench.power(2)[0] is NTSTATUS.SUCCESS
    assert seen == [Protocol.UNDEFINED]
    assert bench.state is CardState.NEGOTIABLE
    assert bench.ext.CardCapabilities.Protocol.Selected is Protocol.UNDEFINED
    assert bench.ext.CardCapabilities.ATR == b"\x00"


@pytest.mark.wdk("helper.update-card-capabilities")
@given(raw=st.binary(max_size=40) | st.binary(max_size=36).map(lambda tail: b"\x3b" + tail))
def test_any_bytes_end_in_a_state_and_a_status(bench_class, raw):
    bench = bench_class()
    bench.insert()
    bench.ext.CardCapabilities.ATR = raw
    status = SmartcardUpdateCardCapabilities(bench.ext)
    if status is NTSTATUS.SUCCESS:
        assert bench.state in (CardState.NEGOTIABLE, CardState.SPECIFIC)
        assert raw == bench.ext.CardCapabilities.ATR
    else:
        assert status is NTSTATUS.UNRECOGNIZED_MEDIA
        assert bench.state is CardState.SWALLOWED


def build(**values):
    return Atr.build(protocols=(1,), **values)


@pytest.mark.wdk("atr.fi-table", "atr.di-table", "struct.card-capabilities")
def test_the_tables_of_the_standard_are_at_hand():
    card = capabilities_of(build())
    assert card.ClockRateConversion == (
        (372, 4_000_000), (372, 5_000_000), (558, 6_000_000), (744, 8_000_000),
        (1116, 12_000_000), (1488, 16_000_000), (1860, 20_000_000), (0, 0), (0, 0),
        (512, 5_000_000), (768, 7_500_000), (1024, 10_000_000), (1536, 15_000_000),
        (2048, 20_000_000), (0, 0), (0, 0),
    )  # fmt: skip
    numerators = [row.DNumerator for row in card.BitRateAdjustment]
    assert numerators == [0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0]
    assert [row.DDivisor for row in card.BitRateAdjustment] == [min(n, 1) for n in numerators]


@pytest.mark.wdk("struct.card-capabilities")
@pytest.mark.parametrize(
    ("tb1", "milliamperes", "tenths_of_volts"),
    [(None, 50, 50), (0x00, 25, 0), (0x25, 50, 50), (0x55, 100, 210)],
)
def test_programming_current_and_voltage(tb1, milliamperes, tenths_of_volts):
    card = capabilities_of(build(tb1=tb1))
    assert (milliamperes, tenths_of_volts) == (card.II, card.P)


def test_the_voltage_may_be_told_more_exactly():
    # TB1 says 5 V, TB2 says 12.5 V in tenths.
    assert capabilities_of(Atr.parse(bytes.fromhex("3BA025207D"))).P == 0x7D


@pytest.mark.parametrize("ifsc", [0x00, 0xFF])
def test_reserved_field_sizes_mean_the_default(ifsc):
    assert capabilities_of(build(specific=[(ifsc, None, None)])).T1.IFSC == 32


def test_a_reserved_waiting_integer_means_the_default():
    assert capabilities_of(Atr.parse(bytes.fromhex("3B804000"))).T0.WI == 10


# ------------------------------------------------------------------ parameters


def parameters(atr, kind=PTS_TYPE_OPTIMAL, **reader):
    card = capabilities_of(atr, SCARD_READER_CAPABILITIES(**reader), PTS_DATA(Type=kind))
    pts = card.PtsData
    return pts.Type, pts.Fl, pts.Dl, pts.CLKFrequency, pts.DataRate, card.etu


@pytest.mark.wdk("struct.pts-data", "atr.etu")
@pytest.mark.parametrize(
    ("ta1", "kind", "expected"),
    [
        (None, PTS_TYPE_OPTIMAL, (PTS_TYPE_DEFAULT, 1, 1, 4000, 10753, 93)),
        (0x95, PTS_TYPE_DEFAULT, (PTS_TYPE_DEFAULT, 1, 1, 4000, 10753, 93)),
        (0x95, PTS_TYPE_OPTIMAL, (PTS_TYPE_OPTIMAL, 9, 5, 4000, 125000, 8)),
        (0x13, PTS_TYPE_OPTIMAL, (PTS_TYPE_OPTIMAL, 1, 3, 4000, 43011, 23)),
    ],
)
def test_the_parameters_in_force(ta1, kind, expected):
    assert parameters(build(ta1=ta1), kind) == expected


def test_the_times_are_for_the_parameters_in_force():
    atr = Atr.build(protocols=(0, 1), ta1=0x95)
    card = capabilities_of(atr, None, PTS_DATA(Type=PTS_TYPE_OPTIMAL))
    assert card.T0.WT == 10 * 960 * 512 // 4
    assert card.T1.CWT == (11 + 2**13) * 8
    assert card.T1.BWT == 11 * 8 + 16 * 960 * 93  # BWT stays that of F=372
    assert (card.Fl, card.Dl) == (9, 5)


def test_a_reader_with_a_faster_clock_uses_what_the_card_bears():
    assert parameters(build(ta1=0x95), CLKFrequency=(4000, 8000))[3] == 4000
    assert parameters(build(ta1=0x95), CLKFrequenciesSupported=(4000, 5000, 8000))[3] == 5000


def test_a_slower_reader_asks_for_less():
    assert parameters(build(ta1=0x97), DataRate=(10753, 130000))[1:5] == (9, 5, 4000, 125000)
    rates = {"DataRatesSupported": (10753, 31250, 62500)}
    assert parameters(build(ta1=0x97), **rates)[1:5] == (9, 4, 4000, 62500)
    assert parameters(build(ta1=0x97), DataRatesSupported=(10753,))[:2] == (PTS_TYPE_DEFAULT, 1)


@pytest.mark.parametrize(("fl", "dl", "used"), [(9, 2, (9, 2)), (7, 2, (1, 1)), (1, 0, (1, 1))])
def test_the_driver_may_name_parameters(fl, dl, used):
    wish = PTS_DATA(Type=PTS_TYPE_USER, Fl=fl, Dl=dl)
    pts = capabilities_of(build(ta1=0x95), None, wish).PtsData
    assert (pts.Type, pts.Fl, pts.Dl) == (PTS_TYPE_USER, *used)


@pytest.mark.wdk("atr.ta2")
@pytest.mark.parametrize(("ta2", "used"), [(0x01, (9, 5)), (0x11, (1, 1))])
def test_in_specific_mode_ta1_holds_at_once_unless_it_is_implicit(ta2, used):
    pts = capabilities_of(build(ta1=0x95, ta2=ta2)).PtsData
    assert (pts.Fl, pts.Dl) == used


@pytest.mark.wdk("atr.pps-fallback")
def test_after_a_failed_pps_the_driver_asks_for_the_default(bench):
    bench.insert()
    bench.ext.CardCapabilities = SCARD_CARD_CAPABILITIES(
        ATR=build(ta1=0x95).raw, PtsData=PTS_DATA(Type=PTS_TYPE_OPTIMAL)
    )
    assert SmartcardUpdateCardCapabilities(bench.ext) is NTSTATUS.SUCCESS
    assert bench.ext.CardCapabilities.etu == 8
    bench.ext.CardCapabilities.PtsData.Type = PTS_TYPE_DEFAULT
    assert SmartcardUpdateCardCapabilities(bench.ext) is NTSTATUS.SUCCESS
    assert bench.ext.CardCapabilities.etu == 93
    assert bench.state is CardState.NEGOTIABLE


@pytest.mark.wdk("atr.ts", "atr.rfu-index", "atr.tck", "helper.update-card-capabilities")
@pytest.mark.parametrize(
    ("atr", "good"),
    [
        ("3B00", True),
        ("3F00", True),
        ("3C00", False),
        ("0300", False),  # inverse convention nobody has turned over
        ("3B1011", True),
        ("3B1071", False),  # Fi 7 is reserved
        ("3B1010", False),  # Di 0 is reserved
        ("3B101A", False),
        ("3B800181", True),  # T=1 alone, with its TCK
        ("3B800180", False),
        ("3B8001", False),
        ("3B80800101", True),
        ("3B80800100", False),
    ],
)
def test_what_is_no_card_this_library_knows(bench, atr, good):
    bench.insert()
    bench.ext.CardCapabilities.ATR = bytes.fromhex(atr)
    expected = NTSTATUS.SUCCESS if good else NTSTATUS.UNRECOGNIZED_MEDIA
    assert SmartcardUpdateCardCapabilities(bench.ext) is expected
