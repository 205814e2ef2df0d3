# SPDX-License-Identifier: Apache-2.0
"""The structures of smclib.h a reader driver shares with the driver library.

Member names are the documented ones. Pointers become values: ``IoRequest.Information`` is the
number itself, the request and reply buffers are the IRP's one system buffer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from vreader.smclib.ioctl import Characteristics, Protocol, ReaderType
from vreader.smclib.profile import CONTACT, DriverProfile
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS, DeviceObject, Irp

SMCLIB_VERSION = 0x150
SMCLIB_VERSION_REQUIRED = 0x100
MIN_BUFFER_SIZE = 288


class RDF(IntEnum):
    """Indices of SMARTCARD_EXTENSION.ReaderFunction."""

    CARD_POWER = 0
    TRANSMIT = 1
    CARD_EJECT = 2
    READER_SWALLOW = 3
    CARD_TRACKING = 4
    SET_PROTOCOL = 5
    DEBUG_LEVEL = 6
    CARD_CONFISCATE = 7
    IOCTL_VENDOR = 8
    ATR_PARSE = 9


@dataclass(eq=False, repr=False)
class VENDOR_ATTR:
    """Who made the reader. Strings hold at most 32 bytes; IfdVersion is (major, minor, build)."""

    VendorName: bytes = b""
    IfdType: bytes = b""
    IfdSerialNo: bytes = b""
    UnitNo: int = 0
    IfdVersion: tuple[int, int, int] = (1, 0, 0)


@dataclass(eq=False, repr=False)
class SCARD_READER_CAPABILITIES:
    """What the reader can do, and the state it is in. Frequencies in kHz, rates in bit/s."""

    SupportedProtocols: Protocol = Protocol.T0 | Protocol.T1
    ReaderType: ReaderType = ReaderType.USB
    MechProperties: Characteristics = Characteristics.NONE
    CurrentState: CardState = CardState.UNKNOWN
    Channel: int = 0
    CLKFrequency: tuple[int, int] = (4000, 4000)
    DataRate: tuple[int, int] = (10753, 344086)
    MaxIFSD: int = 254
    PowerMgmtSupport: int = 0
    CardConfiscated: bool = False


@dataclass(eq=False, repr=False)
class T0_CAPS:
    """T=0: waiting integer and work waiting time in µs (ISO 7816-3 §10.2)."""

    WI: int = 10
    WT: int = 0


@dataclass(eq=False, repr=False)
class T1_CAPS:
    """T=1: field size, waiting integers, EDC (0 LRC, 1 CRC), times in µs (ISO 7816-3 §11.4)."""

    IFSC: int = 32
    CWI: int = 13
    BWI: int = 4
    EDC: int = 0
    CWT: int = 0
    BWT: int = 0
    BGT: int = 0


@dataclass(eq=False, repr=False)
class CARD_PROTOCOL:
    """Protocols the card offers, and the one in force."""

    Supported: Protocol = Protocol.UNDEFINED
    Selected: Protocol = Protocol.UNDEFINED


@dataclass(eq=False, repr=False)
class SCARD_CARD_CAPABILITIES:
    """What the ATR says; SmartcardUpdateCardCapabilities fills everything but ATR."""

    ATR: bytes = b""
    HistoricalChars: bytes = b""
    InversConvention: bool = False
    Fl: int = 1
    Dl: int = 1
    N: int = 0
    etu: int = 0
    GT: int = 0
    Protocol: CARD_PROTOCOL = field(default_factory=CARD_PROTOCOL)
    T0: T0_CAPS = field(default_factory=T0_CAPS)
    T1: T1_CAPS = field(default_factory=T1_CAPS)


class IO_REQUEST:
    """The request in hand. Request and reply buffer are the same memory (METHOD_BUFFERED)."""

    __slots__ = (
        "Information",
        "ReplyBuffer",
        "ReplyBufferLength",
        "RequestBuffer",
        "RequestBufferLength",
    )

    def __init__(self) -> None:
        self.Information = 0
        self.RequestBuffer = self.ReplyBuffer = bytearray()
        self.RequestBufferLength = self.ReplyBufferLength = 0


@dataclass(eq=False, repr=False)
class PERF_INFO:
    """Counters of GET_PERF_CNTR and SCARD_PERF_*: commands, bytes both ways, time in µs."""

    NumTransmissions: int = 0
    BytesSent: int = 0
    BytesReceived: int = 0
    IoMicroseconds: int = 0


class REMOVE_LOCK:
    """Who is inside the driver; ``released`` is called when the last one leaves after removal."""

    __slots__ = ("count", "released", "removed")

    def __init__(self) -> None:
        self.count = 0
        self.removed = False
        self.released: Callable[[], None] | None = None


class POS_DEP_DATA:
    """OsData: the requests in hand, the device, the remove lock."""

    __slots__ = ("CurrentIrp", "DeviceObject", "NotificationIrp", "RemoveLock", "StartedAt")

    def __init__(self, device: DeviceObject) -> None:
        self.CurrentIrp: Irp | None = None
        self.NotificationIrp: Irp | None = None
        self.DeviceObject = device
        self.RemoveLock = REMOVE_LOCK()
        self.StartedAt = 0.0


ReaderCallback = Callable[["SMARTCARD_EXTENSION"], NTSTATUS]


@dataclass(eq=False, repr=False)
class SMARTCARD_EXTENSION:
    """What a reader driver and the library know of one reader.

    The driver fills Version, VendorAttr, ReaderFunction, ReaderCapabilities and ReaderExtension in
    AddDevice and then calls SmartcardInitialize.
    """

    Version: int = 0
    VendorAttr: VENDOR_ATTR = field(default_factory=VENDOR_ATTR)
    ReaderFunction: list[ReaderCallback | None] = field(default_factory=lambda: [None] * 16)
    CardCapabilities: SCARD_CARD_CAPABILITIES = field(default_factory=SCARD_CARD_CAPABILITIES)
    LastError: int = 0
    IoRequest: IO_REQUEST = field(default_factory=IO_REQUEST)
    MajorIoControlCode: int = 0
    MinorIoControlCode: int = 0
    OsData: POS_DEP_DATA | None = None
    ReaderCapabilities: SCARD_READER_CAPABILITIES = field(default_factory=SCARD_READER_CAPABILITIES)
    # The driver's own structure: typed there, opaque here.
    ReaderExtension: Any = None
    SmartcardRequest: bytearray = field(default_factory=bytearray)
    SmartcardReply: bytearray = field(default_factory=bytearray)
    PerfInfo: PERF_INFO = field(default_factory=PERF_INFO)
    Profile: DriverProfile = CONTACT
    DeviceInUse: int = 0
