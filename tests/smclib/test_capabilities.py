# SPDX-License-Identifier: Apache-2.0
"""What SmartcardUpdateCardCapabilities reads out of an ATR."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816 import Atr
from vreader.smclib.capabilities import SmartcardUpdateCardCapabilities, capabilities_of
from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.smclib.structs import RDF
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
def test_guard_time_255_adds_nothing():
    assert capabilities_of(Atr.build(protocols=(0,), tc1=255)).GT == 1116


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
def test_what_the_driver_cannot_parse_either_is_unrecognized(bench):
    bench.insert()
    bench.ext.ReaderFunction[RDF.ATR_PARSE] = lambda ext: NTSTATUS.UNRECOGNIZED_MEDIA
    bench.ext.CardCapabilities.ATR = b"\x00"
    assert SmartcardUpdateCardCapabilities(bench.ext) is NTSTATUS.UNRECOGNIZED_MEDIA
    assert bench.state is CardState.SWALLOWED


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
