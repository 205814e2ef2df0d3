# SPDX-License-Identifier: Apache-2.0
"""The structures of smclib.h a reader driver shares with the driver library.

Member names are the documented ones. Pointers become values: ``IoRequest.Information`` is the
number itself, the request and reply buffers are the IRP's one system buffer.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, dataclass_transform

from vreader.smclib.ioctl import Characteristics, Protocol, ReaderType
from vreader.smclib.profile import CONTACT, DriverProfile
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS, BugCheck, DeviceObject, Irp

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


@dataclass_transform(kw_only_default=True)
class _Struct:
    """A C structure: members with defaults, set by keyword or by assignment.

    Not a dataclass, because generating nine of them takes longer than starting a reader.
    """

    def __init__(self, **members: Any) -> None:  # noqa: ANN401 - typed by the annotations
        for name, value in members.items():
            if name not in type(self).__annotations__:
                raise TypeError(f"{type(self).__name__} has no member {name}")
            setattr(self, name, value)


class VENDOR_ATTR(_Struct):
    """Who made the reader. Strings hold at most 32 bytes; IfdVersion is (major, minor, build)."""

    VendorName: bytes = b""
    IfdType: bytes = b""
    IfdSerialNo: bytes = b""
    UnitNo: int = 0
    IfdVersion: tuple[int, int, int] = (1, 0, 0)


class SCARD_READER_CAPABILITIES(_Struct):
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


class T0_CAPS(_Struct):
    """T=0: waiting integer and work waiting time in µs (ISO 7816-3 §10.2)."""

    WI: int = 10
    WT: int = 0


class T1_CAPS(_Struct):
    """T=1: field size, waiting integers, EDC (0 LRC, 1 CRC), times in µs (ISO 7816-3 §11.4)."""

    IFSC: int = 32
    CWI: int = 13
    BWI: int = 4
    EDC: int = 0
    CWT: int = 0
    BWT: int = 0
    BGT: int = 0


class CARD_PROTOCOL(_Struct):
    """Protocols the card offers, and the one in force."""

    Supported: Protocol = Protocol.UNDEFINED
    Selected: Protocol = Protocol.UNDEFINED


class SCARD_CARD_CAPABILITIES(_Struct):
    """What the ATR says; SmartcardUpdateCardCapabilities fills everything but ATR."""

    ATR: bytes = b""
    HistoricalChars: bytes = b""
    InversConvention: bool = False
    Fl: int = 1
    Dl: int = 1
    N: int = 0
    etu: int = 0
    GT: int = 0
    Protocol: CARD_PROTOCOL
    T0: T0_CAPS
    T1: T1_CAPS

    def __init__(self, **members: Any) -> None:  # noqa: ANN401
        self.Protocol = CARD_PROTOCOL()
        self.T0 = T0_CAPS()
        self.T1 = T1_CAPS()
        super().__init__(**members)


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


class PERF_INFO(_Struct):
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

    __slots__ = (
        "CurrentIrp",
        "DeviceObject",
        "InD0",
        "NotificationIrp",
        "RemoveLock",
        "StartedAt",
    )

    def __init__(self, device: DeviceObject) -> None:
        self.CurrentIrp: Irp | None = None
        self.NotificationIrp: Irp | None = None
        self.DeviceObject = device
        self.RemoveLock = REMOVE_LOCK()
        self.InD0 = False  # until the bus has started the device
        self.StartedAt = 0.0


class _NotInitialized:
    """Stands for OsData before SmartcardInitialize and after SmartcardExit."""

    def __getattr__(self, member: str) -> object:
        raise BugCheck(0xC9, f"OsData->{member} without SmartcardInitialize")


NOT_INITIALIZED: Any = _NotInitialized()

ReaderCallback = Callable[["SMARTCARD_EXTENSION"], NTSTATUS]


class SMARTCARD_EXTENSION(_Struct):
    """What a reader driver and the library know of one reader.

    The driver fills Version, VendorAttr, ReaderFunction, ReaderCapabilities and ReaderExtension in
    AddDevice and then calls SmartcardInitialize.
    """

    Version: int = 0
    VendorAttr: VENDOR_ATTR
    ReaderFunction: list[ReaderCallback | None]
    CardCapabilities: SCARD_CARD_CAPABILITIES
    LastError: int = 0
    IoRequest: IO_REQUEST
    MajorIoControlCode: int = 0
    MinorIoControlCode: int = 0
    OsData: POS_DEP_DATA = NOT_INITIALIZED
    ReaderCapabilities: SCARD_READER_CAPABILITIES
    # The driver's own structure: typed there, opaque here.
    ReaderExtension: Any = None
    SmartcardRequest: bytearray
    SmartcardReply: bytearray
    PerfInfo: PERF_INFO
    Profile: DriverProfile = CONTACT
    DeviceInUse: int = 0

    def __init__(self, **members: Any) -> None:  # noqa: ANN401
        self.VendorAttr = VENDOR_ATTR()
        self.ReaderFunction = [None] * 16
        self.CardCapabilities = SCARD_CARD_CAPABILITIES()
        self.IoRequest = IO_REQUEST()
        self.ReaderCapabilities = SCARD_READER_CAPABILITIES()
        self.SmartcardRequest = bytearray()
        self.SmartcardReply = bytearray()
        self.PerfInfo = PERF_INFO()
        super().__init__(**members)
