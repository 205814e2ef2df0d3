# SPDX-License-Identifier: Apache-2.0
"""GET_ATTRIBUTE and SET_ATTRIBUTE, tag by tag."""

import pytest

from vreader.iso7816 import Atr
from vreader.smclib.ioctl import Attr, Characteristics, Ioctl, Protocol, ReaderType
from vreader.smclib.profile import NFC
from vreader.smclib.states import CardState
from vreader.smclib.structs import PTS_TYPE_DEFAULT, PTS_TYPE_OPTIMAL
from vreader.wdm import NTSTATUS

GET, SET = Ioctl.SMARTCARD_GET_ATTRIBUTE, Ioctl.SMARTCARD_SET_ATTRIBUTE


def u32(value):
    return value.to_bytes(4, "little")


# T=0 and T=1 offered; TA1=18, TC1=5, T=1: IFSC 254, BWI 4 CWI 5, CRC.
RICH = bytes(
    Atr.build(
        protocols=(0, 1),
        ta1=0x18,
        tc1=5,
        specific=[(None, None, None), (0xFE, 0x45, 1)],
        historical=b"abc",
    )
)

# tag: (value without a card, value with a card that was reset); None is NOT_SUPPORTED.
VALUES = {
    Attr.VENDOR_NAME: (b"Bench", b"Bench"),
    Attr.VENDOR_IFD_TYPE: (b"Slot", b"Slot"),
    Attr.VENDOR_IFD_VERSION: (u32(0x01020005), u32(0x01020005)),
    Attr.VENDOR_IFD_SERIAL_NO: (b"0815", b"0815"),
    Attr.CHANNEL_ID: (u32(0x00200007), u32(0x00200007)),
    Attr.PROTOCOL_TYPES: (u32(3), u32(3)),
    Attr.DEFAULT_CLK: (u32(4000), u32(4000)),
    Attr.MAX_CLK: (u32(8000), u32(8000)),
    Attr.DEFAULT_DATA_RATE: (u32(10753), u32(10753)),
    Attr.MAX_DATA_RATE: (u32(344086), u32(344086)),
    Attr.MAX_IFSD: (u32(254), u32(254)),
    Attr.POWER_MGMT_SUPPORT: (u32(0), u32(0)),
    Attr.CHARACTERISTICS: (u32(1), u32(1)),
    Attr.CURRENT_PROTOCOL_TYPE: (None, u32(2)),
    Attr.CURRENT_CLK: (None, u32(4000)),
    Attr.CURRENT_F: (None, u32(372)),
    Attr.CURRENT_D: (None, u32(12)),
    Attr.CURRENT_N: (None, u32(5)),
    Attr.CURRENT_W: (None, u32(10)),
    Attr.CURRENT_IFSC: (None, u32(254)),
    Attr.CURRENT_IFSD: (None, u32(254)),
    Attr.CURRENT_BWT: (None, u32(4)),
    Attr.CURRENT_CWT: (None, u32(5)),
    Attr.CURRENT_EBC_ENCODING: (None, u32(1)),
    Attr.ICC_PRESENCE: (b"\0", b"\2"),
    Attr.ICC_INTERFACE_STATUS: (b"\0", b"\1"),
    Attr.ATR_STRING: (None, RICH),
    Attr.ICC_TYPE_PER_ATR: (b"\0", b"\1"),
    Attr.DEVICE_UNIT: (u32(3), u32(3)),
    Attr.DEVICE_IN_USE: (u32(0), u32(0)),
    Attr.PERF_NUM_TRANSMISSIONS: (u32(0), u32(0)),
    Attr.PERF_BYTES_TRANSMITTED: (u32(0), u32(0)),
    Attr.PERF_TRANSMISSION_TIME: (u32(0), u32(0)),
}


@pytest.fixture
def rich(bench):
    capabilities = bench.ext.ReaderCapabilities
    capabilities.Channel = 7
    capabilities.ReaderType = ReaderType.USB
    capabilities.CLKFrequency = (4000, 8000)
    capabilities.MechProperties = Characteristics.SWALLOWS
    capabilities.SupportedProtocols = Protocol.T0 | Protocol.T1
    bench.atr = RICH
    bench.ext.CardCapabilities.PtsData.Type = PTS_TYPE_OPTIMAL
    return bench


@pytest.mark.wdk(
    "attribute.vendor-name",
    "attribute.vendor-ifd-type",
    "attribute.vendor-ifd-version",
    "attribute.vendor-ifd-serial-no",
    "attribute.channel-id",
    "attribute.protocol-types",
    "attribute.default-clk",
    "attribute.max-clk",
    "attribute.default-data-rate",
    "attribute.max-data-rate",
    "attribute.max-ifsd",
    "attribute.power-mgmt-support",
    "attribute.characteristics",
    "attribute.current-protocol-type",
    "attribute.current-clk",
    "attribute.current-f",
    "attribute.current-d",
    "attribute.current-n",
    "attribute.current-w",
    "attribute.current-ifsc",
    "attribute.current-ifsd",
    "attribute.current-bwt",
    "attribute.current-cwt",
    "attribute.current-ebc-encoding",
    "attribute.icc-presence",
    "attribute.icc-interface-status",
    "attribute.atr-string",
    "attribute.icc-type-per-atr",
    "attribute.device-unit",
    "attribute.device-in-use",
    "attribute.perf-num-transmissions",
    "attribute.perf-bytes-transmitted",
    "attribute.perf-transmission-time",
    "attribute.current-io-state",
    "attribute.esc-reset",
    "attribute.esc-cancel",
    "attribute.esc-authrequest",
    "attribute.maxinput",
)
@pytest.mark.parametrize("tag", Attr)
@pytest.mark.parametrize("state", [CardState.ABSENT, CardState.SPECIFIC])
def test_each_attribute(rich, tag, state):
    rich.reach(state)
    value = VALUES.get(tag, (None, None))[state is CardState.SPECIFIC]
    expected = (NTSTATUS.NOT_SUPPORTED, b"") if value is None else (NTSTATUS.SUCCESS, value)
    assert rich.ioctl(GET, u32(tag), 64) == expected


@pytest.mark.wdk("ioctl.get-attribute.short-buffer", "check.get-attribute.order")
@pytest.mark.parametrize("tag", VALUES)
def test_one_byte_less_is_too_small(rich, tag):
    rich.reach(CardState.SPECIFIC)
    size = len(VALUES[tag][1])
    assert rich.ioctl(GET, u32(tag), size)[0] is NTSTATUS.SUCCESS
    assert rich.ioctl(GET, u32(tag), size - 1) == (NTSTATUS.BUFFER_TOO_SMALL, b"")


@pytest.mark.wdk(
    "example.get-attribute-atr",
    "example.get-attribute-vendor",
    "example.set-attribute",
    "ioctl.get-attribute.value",
    "ioctl.set-attribute.device-in-use",
)
def test_byte_examples(rich):
    rich.reach(CardState.SPECIFIC)
    assert rich.ioctl(GET, bytes.fromhex("03030900"), 33) == (NTSTATUS.SUCCESS, RICH)
    assert rich.ioctl(GET, bytes.fromhex("00010100"), 32) == (NTSTATUS.SUCCESS, b"Bench")
    in_use = bytes.fromhex("0200FF7F 01000000")
    assert rich.ioctl(SET, in_use) == (NTSTATUS.SUCCESS, b"")
    assert rich.ioctl(GET, in_use[:4], 4) == (NTSTATUS.SUCCESS, u32(1))


@pytest.mark.wdk("ioctl.get-attribute.not-supported", "check.get-attribute.order")
@pytest.mark.parametrize("tag", [0, 1, 0x00090305, 0xFFFFFFFF], ids=hex)
def test_an_unknown_tag_is_not_supported_however_little_room_there_is(bench, tag):
    for size in (64, 0):
        assert bench.ioctl(GET, u32(tag), size) == (NTSTATUS.NOT_SUPPORTED, b"")


@pytest.mark.wdk("attribute.set-others", "ioctl.set-attribute.not-supported")
@pytest.mark.parametrize("tag", [tag for tag in Attr if tag is not Attr.DEVICE_IN_USE])
def test_nothing_else_can_be_set(bench, tag):
    assert bench.ioctl(SET, u32(tag) + u32(1)) == (NTSTATUS.NOT_SUPPORTED, b"")


@pytest.mark.wdk("ioctl.set-attribute.input")
@pytest.mark.parametrize("value", [b"", b"\1", b"\1\0\0\0\0"])
def test_device_in_use_is_a_ulong(bench, value):
    assert bench.ioctl(SET, u32(Attr.DEVICE_IN_USE) + value)[0] is NTSTATUS.INVALID_PARAMETER
    assert bench.ext.DeviceInUse == 0


@pytest.mark.wdk("attribute.channel-id.nfc", "attribute.channel-id")
@pytest.mark.parametrize(
    ("reader_type", "value"),
    [
        (ReaderType.SERIAL, 0x00010007),
        (ReaderType.NFC, 0x01000007),
        (ReaderType.UICC, 0x02000007),
        (ReaderType.EMBEDDEDSE, 0x08000007),
        (ReaderType.VENDOR, 0x00F00007),
    ],
)
def test_the_channel_id_names_the_kind_of_connection(bench, reader_type, value):
    bench.ext.ReaderCapabilities.ReaderType = reader_type
    bench.ext.ReaderCapabilities.Channel = 7
    assert bench.ioctl(GET, u32(Attr.CHANNEL_ID), 4) == (NTSTATUS.SUCCESS, u32(value))


@pytest.mark.wdk("attribute.extended-bwt")
def test_the_extended_block_waiting_time_is_the_drivers_to_say(bench):
    bench.reach(CardState.SPECIFIC)
    assert bench.ioctl(GET, u32(Attr.EXTENDED_BWT), 4) == (NTSTATUS.NOT_SUPPORTED, b"")
    bench.ext.VendorAttributes[Attr.EXTENDED_BWT] = u32(5)
    assert bench.ioctl(GET, u32(0x0008020C), 4) == (NTSTATUS.SUCCESS, u32(5))


@pytest.mark.wdk("ioctl.set-attribute.information")
def test_setting_an_attribute_answers_no_bytes(bench):
    answer = bench.send(SET, u32(Attr.DEVICE_IN_USE) + u32(1), 4)
    assert (answer.status, answer.data) == (NTSTATUS.SUCCESS, b"")
    assert answer.irp.IoStatus.Information == 0


@pytest.mark.wdk("attribute.vendor-ifd-serial-no")
def test_a_reader_without_a_serial_number_does_not_support_it(bench):
    bench.ext.VendorAttr.IfdSerialNo = b""
    answer = bench.ioctl(GET, u32(Attr.VENDOR_IFD_SERIAL_NO), 32)
    assert answer == (NTSTATUS.NOT_SUPPORTED, b"")


@pytest.mark.wdk("attribute.current-ifsc", "attribute.current-w")
def test_values_of_a_protocol_the_card_does_not_offer_are_not_supported(bench):
    bench.atr = bytes(Atr.build(protocols=(0,)))
    bench.reach(CardState.NEGOTIABLE)
    assert bench.ioctl(GET, u32(Attr.CURRENT_IFSC), 4)[0] is NTSTATUS.NOT_SUPPORTED
    assert bench.ioctl(GET, u32(Attr.CURRENT_W), 4) == (NTSTATUS.SUCCESS, u32(10))


@pytest.mark.wdk("ioctl.get-attribute.no-card")
@pytest.mark.parametrize("tag", [Attr.ATR_STRING, Attr.CURRENT_PROTOCOL_TYPE])
def test_nfc_readers_speak_of_the_state_where_the_card_is_missing(make_bench, tag):
    answer = make_bench(NFC).ioctl(GET, u32(tag), 64)
    assert answer == (NTSTATUS.INVALID_DEVICE_STATE, b"")


@pytest.mark.wdk("attribute.icc-presence")
@pytest.mark.parametrize(
    ("state", "value"),
    [(CardState.ABSENT, 0), (CardState.PRESENT, 1), (CardState.SWALLOWED, 2),
     (CardState.NEGOTIABLE, 2)],
)  # fmt: skip
def test_icc_presence_follows_the_state(bench, state, value):
    bench.reach(state)
    assert bench.ioctl(GET, u32(Attr.ICC_PRESENCE), 1) == (NTSTATUS.SUCCESS, bytes((value,)))


@pytest.mark.wdk("attribute.icc-presence")
def test_a_confiscated_card_is_present_no_more(bench):
    bench.ext.ReaderCapabilities.CardConfiscated = True
    assert bench.ioctl(GET, u32(Attr.ICC_PRESENCE), 1) == (NTSTATUS.SUCCESS, b"\4")


@pytest.mark.wdk("ioctl.get-attribute.no-card")
def test_the_atr_is_gone_with_the_power(bench):
    bench.reach(CardState.SPECIFIC)
    bench.power(0)
    assert bench.ioctl(GET, u32(Attr.ATR_STRING), 33)[0] is NTSTATUS.NOT_SUPPORTED


@pytest.mark.wdk("attribute.current-f", "attribute.current-d")
def test_the_factors_are_those_in_force_not_those_the_card_offers(rich):
    rich.ext.CardCapabilities.PtsData.Type = PTS_TYPE_DEFAULT
    rich.insert()
    rich.power()
    assert rich.ioctl(GET, u32(Attr.CURRENT_F), 4) == (NTSTATUS.SUCCESS, u32(372))
    assert rich.ioctl(GET, u32(Attr.CURRENT_D), 4) == (NTSTATUS.SUCCESS, u32(1))
