# SPDX-License-Identifier: Apache-2.0
"""Part B, the reader's interface: its name, its attributes, and codes it does not know."""

import re

from vreader.certify.bench import Bench
from vreader.certify.check import Failed, Part
from vreader.certify.request import told
from vreader.errors import VreaderError
from vreader.reader.base import GUID_DEVINTERFACE_SMARTCARD_READER
from vreader.smclib.ioctl import (
    MAXIMUM_ATTR_STRING_LENGTH,
    SCARD_CTL_CODE,
    Attr,
    Characteristics,
    Ioctl,
    Power,
    Protocol,
)
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

PART = Part("B", "Interface and attributes")
_SUCCESS = NTSTATUS.SUCCESS
_GET = "WDK IOCTL_SMARTCARD_GET_ATTRIBUTE"
_SET = "WDK IOCTL_SMARTCARD_SET_ATTRIBUTE"
_UNKNOWN_TAG = 0x0007FFFE
_UNKNOWN_CODE = SCARD_CTL_CODE(4095)


@PART.check("WDK WDM Device Names for Smart Card Readers")
def device_name(bench: Bench) -> None:
    r"""The device is called \\.\SCReaderN and answers by that name."""
    if not re.fullmatch(r"\\\\\.\\SCReader\d+", bench.reader.link):
        raise Failed(f"the device is called {bench.reader.link}")
    bench.state_must_be(CardState.ABSENT, "of an empty reader")


@PART.check("WDK Smart Card Reader Devices Design Guide")
def interface(bench: Bench) -> None:
    """A started reader announces its device interface, and withdraws it when it is pulled out."""
    seen: list[tuple[str, bool]] = []
    bench.host.run(
        bench.host.io.register_interface_notification,
        GUID_DEVINTERFACE_SMARTCARD_READER,
        lambda link, here: seen.append((link, here)),
    )
    link = bench.reader.link
    if seen != [(link, True)]:
        raise Failed("the reader announced no device interface")
    bench.reader.unplug()
    if seen[1:] != [(link, False)]:
        raise Failed("the reader that was pulled out did not withdraw its device interface")


@PART.check("WDK Specifying Exclusive Access to Device Objects")
def exclusive(bench: Bench) -> None:
    """A reader that is open cannot be opened again: STATUS_ACCESS_DENIED."""
    status, handle = bench.host.run(bench.host.io.create_file, bench.reader.link)
    if handle is not None:
        bench.host.run(bench.host.io.close_handle, handle)
    if status is not NTSTATUS.ACCESS_DENIED:
        raise Failed(f"a second open: {status!s}, expected STATUS_ACCESS_DENIED")


@PART.check("WDK DispatchCreate and DispatchClose Routines")
def opens_again(bench: Bench) -> None:
    """A reader that was closed can be opened again and is as it was."""
    for _ in range(3):
        bench.device.close()
        try:
            bench.reopen()
        except VreaderError as error:
            raise Failed(str(error)) from error
        bench.state_must_be(CardState.ABSENT, "of an empty reader")


def _text(bench: Bench, tag: Attr) -> None:
    value = bench.attribute(tag)
    if not 0 < len(value) <= MAXIMUM_ATTR_STRING_LENGTH:
        raise Failed(f"{tag.name} has {len(value)} bytes, should have 1 to 32")
    if not all(0x20 <= byte < 0x7F for byte in value):
        raise Failed(f"{tag.name} is {told(value)}, not printable ASCII without a NUL")


@PART.check(_GET)
def vendor_name(bench: Bench) -> None:
    """VENDOR_NAME is ASCII text of 1 to 32 bytes without a NUL."""
    _text(bench, Attr.VENDOR_NAME)


@PART.check(_GET)
def ifd_type(bench: Bench) -> None:
    """VENDOR_IFD_TYPE is ASCII text of 1 to 32 bytes without a NUL."""
    _text(bench, Attr.VENDOR_IFD_TYPE)


@PART.check(_GET)
def device_unit(bench: Bench) -> None:
    """DEVICE_UNIT is a number, and differs between readers of one driver."""
    unit = bench.number(Attr.DEVICE_UNIT)
    bench.device.close()
    other = bench.host.add_reader(driver=bench.driver, **bench.options)
    bench.device = bench.host.open_device(other.link)
    if bench.number(Attr.DEVICE_UNIT) == unit:
        raise Failed(f"two readers of the driver are both unit {unit}")


@PART.check(_GET)
def characteristics(bench: Bench) -> None:
    """CHARACTERISTICS is a number of known bits."""
    value = bench.number(Attr.CHARACTERISTICS)
    known = (
        Characteristics.SWALLOWS
        | Characteristics.EJECTS
        | Characteristics.CONFISCATES
        | Characteristics.CONTACTLESS
    )
    if value & ~int(known):
        raise Failed(f"CHARACTERISTICS is {value:X}, of which only 1, 2, 4 and 8 are known")


@PART.check(_GET)
def protocol_types(bench: Bench) -> None:
    """PROTOCOL_TYPES names at least one protocol, and none that is unknown."""
    value = bench.number(Attr.PROTOCOL_TYPES)
    known = Protocol.T0 | Protocol.T1 | Protocol.RAW
    if not value or value & ~int(known):
        raise Failed(f"PROTOCOL_TYPES is {value:X}")


@PART.check(_GET)
def without_buffer(bench: Bench) -> None:
    """GET_ATTRIBUTE without a buffer fails as the driver profile says and returns nothing."""
    bench.ask_attribute(Attr.VENDOR_NAME, 0).must_be(bench.profile.short_buffer, b"")


@PART.check(_GET)
def short_buffer(bench: Bench) -> None:
    """GET_ATTRIBUTE with a buffer one byte short gets STATUS_BUFFER_TOO_SMALL and no bytes."""
    length = len(bench.attribute(Attr.VENDOR_NAME))
    bench.needs(length > 1, "the reader's vendor name is too short to try")
    bench.ask_attribute(Attr.VENDOR_NAME, length - 1).must_be(NTSTATUS.BUFFER_TOO_SMALL, b"")


@PART.check(_GET)
def malformed_tag(bench: Bench) -> None:
    """GET_ATTRIBUTE whose tag has not four bytes gets STATUS_INVALID_PARAMETER."""
    for data in (b"", bytes(3), bytes(5)):
        sent = bench.send(Ioctl.SMARTCARD_GET_ATTRIBUTE, data, 256)
        sent.must_be(NTSTATUS.INVALID_PARAMETER)


@PART.check(_GET)
def unknown_attribute(bench: Bench) -> None:
    """An attribute nobody knows gets STATUS_NOT_SUPPORTED."""
    bench.ask_attribute(_UNKNOWN_TAG).must_be(NTSTATUS.NOT_SUPPORTED)


@PART.check(_GET)
def atr_without_card(bench: Bench) -> None:
    """ATR_STRING without a card fails as the driver profile says."""
    bench.ask_attribute(Attr.ATR_STRING).must_be(bench.profile.no_card_attribute)


@PART.check(_GET)
def atr_of_card(bench: Bench) -> None:
    """ATR_STRING is what the reset has returned, to the byte."""
    bench.insert()
    atr = bench.cold_reset()
    bench.ask_attribute(Attr.ATR_STRING).must_be(_SUCCESS, atr)


def _presence_must_fit(bench: Bench, when: str) -> None:
    state = bench.state()
    expected = 0 if state <= CardState.ABSENT else 1 if state is CardState.PRESENT else 2
    value = bench.attribute(Attr.ICC_PRESENCE)
    if value != bytes((expected,)):
        raise Failed(f"ICC_PRESENCE is {told(value)} {when} ({state.name}), not {expected:02X}")


@PART.check(_GET)
def presence(bench: Bench) -> None:
    """ICC_PRESENCE is one byte: 0 without a card, 1 for one in the slot, 2 for one in position."""
    _presence_must_fit(bench, "without a card")
    bench.insert()
    _presence_must_fit(bench, "with a card")
    bench.connect()
    _presence_must_fit(bench, "with a card that has power")


@PART.check(_GET)
def interface_status(bench: Bench) -> None:
    """ICC_INTERFACE_STATUS is one byte, 0 until the card has power."""
    bench.insert()
    before = bench.attribute(Attr.ICC_INTERFACE_STATUS)
    bench.connect()
    after = bench.attribute(Attr.ICC_INTERFACE_STATUS)
    if before != b"\0" or len(after) != 1 or after == b"\0":
        raise Failed(f"it is {told(before)} before power and {told(after)} after")


@PART.check(_GET)
def current_protocol(bench: Bench) -> None:
    """CURRENT_PROTOCOL_TYPE is the protocol that SET_PROTOCOL has answered."""
    bench.ready()
    if (value := bench.number(Attr.CURRENT_PROTOCOL_TYPE)) != bench.protocol:
        raise Failed(f"CURRENT_PROTOCOL_TYPE is {value:X}, not {bench.protocol:X}")


@PART.check("WDK NFC Smart Card Attributes")
def contactless_minimum(bench: Bench) -> None:
    """A reader of the NFC profile has the minimum attribute set, and nothing beyond it."""
    allowed = bench.profile.attributes
    bench.needs(allowed is not None, "the driver profile names no attribute set")
    assert allowed is not None
    bench.ready()
    for tag, value in (
        (Attr.CURRENT_CLK, 13560),
        (Attr.DEFAULT_CLK, 13560),
        (Attr.MAX_CLK, 13560),
        (Attr.DEFAULT_DATA_RATE, 1),
        (Attr.MAX_DATA_RATE, 1),
        (Attr.MAX_IFSD, 254),
        (Attr.CURRENT_D, 1),
        (Attr.CURRENT_IFSC, 32),
        (Attr.CURRENT_IFSD, 254),
        (Attr.CURRENT_BWT, 4),
        (Attr.CHARACTERISTICS, Characteristics.CONTACTLESS),
        (Attr.PROTOCOL_TYPES, Protocol.T1),
        (Attr.DEVICE_UNIT, 0),
    ):
        if (found := bench.number(tag)) != value:
            raise Failed(f"{tag.name} is {found}, should be {value}")
    for tag in (Attr.CURRENT_F, Attr.CURRENT_CWT, Attr.PERF_NUM_TRANSMISSIONS):
        bench.ask_attribute(tag).must_be(NTSTATUS.NOT_SUPPORTED)


@PART.check(_SET)
def device_in_use(bench: Bench) -> None:
    """SET_ATTRIBUTE takes DEVICE_IN_USE, which the resource manager sets."""
    tag = Attr.DEVICE_IN_USE.to_bytes(4, "little")
    sent = bench.send(Ioctl.SMARTCARD_SET_ATTRIBUTE, tag + b"\1\0\0\0", 4)
    sent.must_be(_SUCCESS)


@PART.check(_SET)
def read_only(bench: Bench) -> None:
    """SET_ATTRIBUTE takes no other attribute: STATUS_NOT_SUPPORTED; less than a tag is refused."""
    tag = Attr.VENDOR_NAME.to_bytes(4, "little")
    bench.send(Ioctl.SMARTCARD_SET_ATTRIBUTE, tag + b"X", 4).must_be(NTSTATUS.NOT_SUPPORTED)
    bench.send(Ioctl.SMARTCARD_SET_ATTRIBUTE, tag[:3], 4).must_be(NTSTATUS.INVALID_PARAMETER)


@PART.check("WDK RDF_IOCTL_VENDOR")
def unknown_code(bench: Bench) -> None:
    """A code the driver does not know is refused, with a card and without."""
    for _ in range(2):
        sent = bench.send(_UNKNOWN_CODE, bytes(8), 8, what="an unknown I/O control code")
        sent.must_be_one_of(NTSTATUS.INVALID_DEVICE_REQUEST, NTSTATUS.NOT_SUPPORTED)
        if bench.reader.card is None:
            bench.ready()


@PART.check("WDK IOCTL_SMARTCARD_GET_LAST_ERROR")
def last_error(bench: Bench) -> None:
    """GET_LAST_ERROR returns a ULONG, whatever came before."""
    bench.power(Power.COLD_RESET).must_fail()
    data = bench.send(Ioctl.SMARTCARD_GET_LAST_ERROR, b"", 4).must_be(_SUCCESS)
    if len(data) != 4:
        raise Failed(f"GET_LAST_ERROR returned {told(data)}, not a ULONG")
