# SPDX-License-Identifier: Apache-2.0
"""The structures of smclib.h a reader driver shares with the driver library.

Member names are the documented ones. Pointers become values: ``IoRequest.Information`` is the
number itself, the request and reply buffers are the IRP's one system buffer.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple, dataclass_transform

from vreader.smclib.ioctl import Characteristics, Protocol, ReaderType
from vreader.smclib.osdata import NOT_INITIALIZED, POS_DEP_DATA
from vreader.smclib.profile import CONTACT, DriverProfile
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

SMCLIB_VERSION = 0x150
SMCLIB_VERSION_REQUIRED = 0x100
MIN_BUFFER_SIZE = 288
PTS_TYPE_DEFAULT, PTS_TYPE_OPTIMAL, PTS_TYPE_USER = 0, 1, 2


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
    DataRatesSupported: tuple[int, ...] = ()
    CLKFrequenciesSupported: tuple[int, ...] = ()


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


class CLOCK_RATE_CONVERSION(NamedTuple):
    """One row of the table by Fi: F, and the highest clock in Hz; both 0 where reserved."""

    F: int
    fs: int


class BIT_RATE_ADJUSTMENT(NamedTuple):
    """One row of the table by Di: D as a fraction; both 0 where reserved."""

    DNumerator: int
    DDivisor: int


class PTS_DATA(_Struct):
    """What is in force, or to be asked for by PPS. The driver sets Type, the library the rest.

    Type is a PTS_TYPE_*: with USER the driver sets Fl and Dl too. CLKFrequency in kHz, DataRate in
    bit/s.
    """

    Type: int = PTS_TYPE_DEFAULT
    Fl: int = 1
    Dl: int = 1
    CLKFrequency: int = 0
    DataRate: int = 0
    StopBits: int = 2


class SCARD_CARD_CAPABILITIES(_Struct):
    """What the ATR says; SmartcardUpdateCardCapabilities fills everything but ATR.

    Times in µs; II, the greatest programming current, in mA; P, its voltage, in 0.1 V.
    """

    ATR: bytes = b""
    HistoricalChars: bytes = b""
    InversConvention: bool = False
    ClockRateConversion: tuple[CLOCK_RATE_CONVERSION, ...] = ()
    BitRateAdjustment: tuple[BIT_RATE_ADJUSTMENT, ...] = ()
    Fl: int = 1
    Dl: int = 1
    II: int = 50
    P: int = 50
    N: int = 0
    etu: int = 0
    GT: int = 0
    PtsData: PTS_DATA
    Protocol: CARD_PROTOCOL
    T0: T0_CAPS
    T1: T1_CAPS

    def __init__(self, **members: Any) -> None:  # noqa: ANN401
        self.PtsData = PTS_DATA()
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


class SMARTCARD_REQUEST(_Struct):
    """Bytes on their way to the card, or from it: ``BufferLength`` of ``BufferSize`` are used."""

    Buffer: bytearray
    BufferSize: int = 0
    BufferLength: int = 0

    def __init__(self, **members: Any) -> None:  # noqa: ANN401
        self.Buffer = bytearray()
        super().__init__(**members)


SMARTCARD_REPLY = SMARTCARD_REQUEST


class T0_DATA(_Struct):
    """T=0: the length of the command data, and of the response data asked for (0 to 256)."""

    Lc: int = 0
    Le: int = 0


class T1_DATA(_Struct):
    """T=1: the engine's state, as smclib.h shows it; the driver may set NAD alone.

    ``Engine`` is the state machine itself.
    """

    IFSC: int = 0
    IFSD: int = 0
    BytesReceived: int = 0
    BytesSent: int = 0
    BytesToSend: int = 0
    LastError: int = 0
    MoreData: bool = False
    NAD: int = 0
    OriginalState: int = 0
    Resend: int = 0
    Resynch: int = 0
    RSN: int = 0
    SSN: int = 0
    State: int = 0
    Wtx: int = 0
    ReplyData: bytes = b""
    WaitForReply: bool = False
    InfBytesSent: int = 0
    Engine: Any = None


class PERF_INFO(_Struct):
    """Counters of GET_PERF_CNTR and SCARD_PERF_*: commands, bytes both ways, time in µs."""

    NumTransmissions: int = 0
    BytesSent: int = 0
    BytesReceived: int = 0
    IoMicroseconds: int = 0


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
    SmartcardRequest: SMARTCARD_REQUEST
    SmartcardReply: SMARTCARD_REQUEST
    T0: T0_DATA
    T1: T1_DATA
    PerfInfo: PERF_INFO
    Profile: DriverProfile = CONTACT
    DeviceInUse: int = 0
    # Attributes only this driver knows the value of: tag → bytes; vendor tags are among them.
    VendorAttributes: dict[int, bytes]

    def __init__(self, **members: Any) -> None:  # noqa: ANN401
        self.VendorAttr = VENDOR_ATTR()
        self.ReaderFunction = [None] * 16
        self.CardCapabilities = SCARD_CARD_CAPABILITIES()
        self.IoRequest = IO_REQUEST()
        self.ReaderCapabilities = SCARD_READER_CAPABILITIES()
        self.SmartcardRequest = SMARTCARD_REQUEST()
        self.SmartcardReply = SMARTCARD_REPLY()
        self.T0 = T0_DATA()
        self.T1 = T1_DATA()
        self.PerfInfo = PERF_INFO()
        self.VendorAttributes = {}
        super().__init__(**members)
