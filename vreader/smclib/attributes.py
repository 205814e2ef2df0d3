# SPDX-License-Identifier: Apache-2.0
"""GET_ATTRIBUTE and SET_ATTRIBUTE: the library answers from the extension by itself.

Values of the tags: winsmcrd.h, SDK SCardGetAttrib, PC/SC part 3. Numbers are 32-bit little endian,
strings ASCII without NUL. Friendly and system names are the resource manager's, not the driver's.
"""

from collections.abc import Callable

from vreader.iso7816.atr import DI, FI
from vreader.smclib.ioctl import Attr, Protocol
from vreader.smclib.states import CardState
from vreader.smclib.structs import SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS

_Getter = Callable[[SMARTCARD_EXTENSION], bytes | NTSTATUS]


def _dword(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _version(ext: SMARTCARD_EXTENSION) -> bytes:
    major, minor, build = ext.VendorAttr.IfdVersion
    return _dword(major << 24 | minor << 16 | build)


def _serial(ext: SMARTCARD_EXTENSION) -> bytes | NTSTATUS:
    return ext.VendorAttr.IfdSerialNo or NTSTATUS.NOT_SUPPORTED


def _of_card(getter: Callable[[SMARTCARD_EXTENSION], int | bytes]) -> _Getter:
    """Answer only while a card has been reset; else what the profile says."""

    def get(ext: SMARTCARD_EXTENSION) -> bytes | NTSTATUS:
        if ext.ReaderCapabilities.CurrentState < CardState.NEGOTIABLE:
            return ext.Profile.no_card_attribute
        value = getter(ext)
        return value if isinstance(value, bytes) else _dword(value)

    return get


def _t0_only(getter: Callable[[SMARTCARD_EXTENSION], int]) -> _Getter:
    return _of_protocol(Protocol.T0, getter)


def _t1_only(getter: Callable[[SMARTCARD_EXTENSION], int]) -> _Getter:
    return _of_protocol(Protocol.T1, getter)


def _of_protocol(protocol: Protocol, getter: Callable[[SMARTCARD_EXTENSION], int]) -> _Getter:
    def get(ext: SMARTCARD_EXTENSION) -> bytes | NTSTATUS:
        if ext.ReaderCapabilities.CurrentState < CardState.NEGOTIABLE:
            return ext.Profile.no_card_attribute
        if not ext.CardCapabilities.Protocol.Supported & protocol:
            return NTSTATUS.NOT_SUPPORTED
        return _dword(getter(ext))

    return get


def _presence(ext: SMARTCARD_EXTENSION) -> bytes:
    """0 absent, 1 present, 2 in position, 4 confiscated (one byte)."""
    if ext.ReaderCapabilities.CardConfiscated:
        return b"\4"
    state = ext.ReaderCapabilities.CurrentState
    return bytes((0 if state <= CardState.ABSENT else 1 if state is CardState.PRESENT else 2,))


def _reader(getter: Callable[[SMARTCARD_EXTENSION], int]) -> _Getter:
    return lambda ext: _dword(getter(ext))


_GETTERS: dict[int, _Getter] = {
    Attr.VENDOR_NAME: lambda e: e.VendorAttr.VendorName,
    Attr.VENDOR_IFD_TYPE: lambda e: e.VendorAttr.IfdType,
    Attr.VENDOR_IFD_VERSION: _version,
    Attr.VENDOR_IFD_SERIAL_NO: _serial,
    Attr.CHANNEL_ID: _reader(
        lambda e: int(e.ReaderCapabilities.ReaderType) << 16 | e.ReaderCapabilities.Channel
    ),
    Attr.PROTOCOL_TYPES: _reader(lambda e: e.ReaderCapabilities.SupportedProtocols),
    Attr.DEFAULT_CLK: _reader(lambda e: e.ReaderCapabilities.CLKFrequency[0]),
    Attr.MAX_CLK: _reader(lambda e: e.ReaderCapabilities.CLKFrequency[1]),
    Attr.DEFAULT_DATA_RATE: _reader(lambda e: e.ReaderCapabilities.DataRate[0]),
    Attr.MAX_DATA_RATE: _reader(lambda e: e.ReaderCapabilities.DataRate[1]),
    Attr.MAX_IFSD: _reader(lambda e: e.ReaderCapabilities.MaxIFSD),
    Attr.POWER_MGMT_SUPPORT: _reader(lambda e: e.ReaderCapabilities.PowerMgmtSupport),
    Attr.CHARACTERISTICS: _reader(lambda e: e.ReaderCapabilities.MechProperties),
    Attr.CURRENT_PROTOCOL_TYPE: _of_card(lambda e: int(e.CardCapabilities.Protocol.Selected)),
    Attr.CURRENT_CLK: _of_card(lambda e: e.ReaderCapabilities.CLKFrequency[0]),
    Attr.CURRENT_F: _of_card(lambda e: FI[e.CardCapabilities.PtsData.Fl] or 372),
    Attr.CURRENT_D: _of_card(lambda e: DI[e.CardCapabilities.PtsData.Dl] or 1),
    Attr.CURRENT_N: _of_card(lambda e: e.CardCapabilities.N),
    Attr.CURRENT_W: _t0_only(lambda e: e.CardCapabilities.T0.WI),
    Attr.CURRENT_IFSC: _t1_only(lambda e: e.CardCapabilities.T1.IFSC),
    Attr.CURRENT_IFSD: _t1_only(lambda e: e.ReaderCapabilities.MaxIFSD),
    Attr.CURRENT_BWT: _t1_only(lambda e: e.CardCapabilities.T1.BWI),
    Attr.CURRENT_CWT: _t1_only(lambda e: e.CardCapabilities.T1.CWI),
    Attr.CURRENT_EBC_ENCODING: _t1_only(lambda e: e.CardCapabilities.T1.EDC),
    Attr.ICC_PRESENCE: _presence,
    Attr.ICC_INTERFACE_STATUS: lambda e: bytes(
        (e.ReaderCapabilities.CurrentState >= CardState.POWERED,)
    ),
    Attr.ATR_STRING: _of_card(lambda e: e.CardCapabilities.ATR),
    Attr.ICC_TYPE_PER_ATR: lambda e: bytes(
        (e.ReaderCapabilities.CurrentState >= CardState.NEGOTIABLE,)
    ),
    Attr.DEVICE_UNIT: _reader(lambda e: e.VendorAttr.UnitNo),
    Attr.DEVICE_IN_USE: _reader(lambda e: e.DeviceInUse),
    Attr.PERF_NUM_TRANSMISSIONS: _reader(lambda e: e.PerfInfo.NumTransmissions & 0xFFFFFFFF),
    Attr.PERF_BYTES_TRANSMITTED: _reader(
        lambda e: (e.PerfInfo.BytesSent + e.PerfInfo.BytesReceived) & 0xFFFFFFFF
    ),
    Attr.PERF_TRANSMISSION_TIME: _reader(lambda e: e.PerfInfo.IoMicroseconds & 0xFFFFFFFF),
}


def get_attribute(ext: SMARTCARD_EXTENSION, tag: int) -> bytes | NTSTATUS:
    """Return the value of ``tag``, or the status: NOT_SUPPORTED for a tag unknown or unset.

    What the driver says in ``VendorAttributes`` goes before the library's own answer.
    """
    if (value := ext.VendorAttributes.get(tag)) is not None:
        return value
    getter = _GETTERS.get(tag)
    known = ext.Profile.attributes
    if getter is None or (known is not None and tag not in known):
        return NTSTATUS.NOT_SUPPORTED
    return getter(ext)


def set_attribute(ext: SMARTCARD_EXTENSION, tag: int, value: bytes) -> NTSTATUS:
    """Set DEVICE_IN_USE, which the resource manager does; everything else is NOT_SUPPORTED."""
    if tag != Attr.DEVICE_IN_USE:
        return NTSTATUS.NOT_SUPPORTED
    if len(value) != 4:
        return NTSTATUS.INVALID_PARAMETER
    ext.DeviceInUse = int.from_bytes(value, "little")
    return NTSTATUS.SUCCESS
