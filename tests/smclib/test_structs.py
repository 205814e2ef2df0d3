# SPDX-License-Identifier: Apache-2.0
"""Members of smclib.h by their documented names, and its numbers."""

import pytest

from vreader.smclib.structs import (
    IO_REQUEST,
    MIN_BUFFER_SIZE,
    PERF_INFO,
    PTS_DATA,
    PTS_TYPE_DEFAULT,
    PTS_TYPE_OPTIMAL,
    PTS_TYPE_USER,
    RDF,
    SCARD_CARD_CAPABILITIES,
    SCARD_READER_CAPABILITIES,
    SMARTCARD_EXTENSION,
    SMARTCARD_REPLY,
    SMARTCARD_REQUEST,
    SMCLIB_VERSION,
    SMCLIB_VERSION_REQUIRED,
    T0_CAPS,
    T0_DATA,
    T1_CAPS,
    T1_DATA,
    VENDOR_ATTR,
)


@pytest.mark.wdk("callback.index")
def test_indices_of_the_callback_table():
    assert {index.name: index.value for index in RDF} == {
        "CARD_POWER": 0,
        "TRANSMIT": 1,
        "CARD_EJECT": 2,
        "READER_SWALLOW": 3,
        "CARD_TRACKING": 4,
        "SET_PROTOCOL": 5,
        "DEBUG_LEVEL": 6,
        "CARD_CONFISCATE": 7,
        "IOCTL_VENDOR": 8,
        "ATR_PARSE": 9,
    }
    assert SMARTCARD_EXTENSION().ReaderFunction == [None] * 16


@pytest.mark.wdk("struct.version", "struct.min-buffer-size")
def test_numbers():
    assert (SMCLIB_VERSION, SMCLIB_VERSION_REQUIRED, MIN_BUFFER_SIZE) == (0x150, 0x100, 288)


@pytest.mark.wdk("struct.pts-data")
def test_types_of_pts():
    assert (PTS_TYPE_DEFAULT, PTS_TYPE_OPTIMAL, PTS_TYPE_USER) == (0, 1, 2)


@pytest.mark.parametrize(
    ("struct", "members"),
    [
        pytest.param(
            SMARTCARD_EXTENSION,
            "Version VendorAttr ReaderFunction CardCapabilities LastError IoRequest "
            "MajorIoControlCode MinorIoControlCode OsData ReaderCapabilities "
            "ReaderExtension SmartcardReply SmartcardRequest T0 T1 PerfInfo",
            marks=pytest.mark.wdk("struct.smartcard-extension"),
        ),
        pytest.param(
            IO_REQUEST,
            "Information RequestBuffer RequestBufferLength ReplyBuffer ReplyBufferLength",
            marks=pytest.mark.wdk("struct.io-request"),
        ),
        pytest.param(
            VENDOR_ATTR,
            "VendorName IfdType IfdSerialNo UnitNo IfdVersion",
            marks=pytest.mark.wdk("struct.vendor-attr"),
        ),
        pytest.param(
            SCARD_READER_CAPABILITIES,
            "SupportedProtocols ReaderType MechProperties CurrentState Channel "
            "CLKFrequency DataRate MaxIFSD PowerMgmtSupport CardConfiscated "
            "DataRatesSupported CLKFrequenciesSupported",
            marks=pytest.mark.wdk("struct.reader-capabilities"),
        ),
        pytest.param(
            SCARD_CARD_CAPABILITIES,
            "InversConvention etu ATR HistoricalChars ClockRateConversion "
            "BitRateAdjustment Fl Dl II P N GT Protocol T0 T1 PtsData",
            marks=pytest.mark.wdk("struct.card-capabilities"),
        ),
        pytest.param(
            T0_CAPS,
            "WI WT",
            marks=pytest.mark.wdk("struct.card-capabilities"),
        ),
        pytest.param(
            T1_CAPS,
            "IFSC CWI BWI EDC CWT BWT BGT",
            marks=pytest.mark.wdk("struct.card-capabilities"),
        ),
        pytest.param(
            PTS_DATA,
            "Type Fl Dl CLKFrequency DataRate StopBits",
            marks=pytest.mark.wdk("struct.pts-data"),
        ),
        pytest.param(
            SMARTCARD_REQUEST,
            "Buffer BufferSize BufferLength",
            marks=pytest.mark.wdk("struct.smartcard-request"),
        ),
        pytest.param(
            SMARTCARD_REPLY,
            "Buffer BufferSize BufferLength",
            marks=pytest.mark.wdk("struct.smartcard-request"),
        ),
        pytest.param(
            T0_DATA,
            "Lc Le",
            marks=pytest.mark.wdk("struct.t0-data"),
        ),
        pytest.param(
            T1_DATA,
            "IFSC IFSD BytesReceived BytesSent BytesToSend LastError MoreData NAD "
            "OriginalState Resend Resynch RSN SSN State Wtx ReplyData WaitForReply "
            "InfBytesSent",
            marks=pytest.mark.wdk("struct.t1-data"),
        ),
        pytest.param(
            PERF_INFO,
            "NumTransmissions BytesSent BytesReceived IoMicroseconds",
            marks=pytest.mark.wdk("struct.perf-info"),
        ),
    ],
)
def test_members_have_their_documented_names(struct, members):
    made = struct()
    assert [name for name in members.split() if not hasattr(made, name)] == []


def test_a_member_nobody_documented_is_refused():
    with pytest.raises(TypeError, match="has no member Nonsense"):
        VENDOR_ATTR(Nonsense=1)
