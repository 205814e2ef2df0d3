# SPDX-License-Identifier: Apache-2.0
"""Numbers of winscard.h and winerror.h that cross the SCard* interface; no behaviour.

Windows' values throughout: a door that speaks pcsc-lite translates where the two differ.
"""

from enum import IntEnum, IntFlag


class SCARD(IntEnum):
    """SCARD_* return codes without the prefix."""

    S_SUCCESS = 0
    F_INTERNAL_ERROR = 0x80100001
    E_CANCELLED = 0x80100002
    E_INVALID_HANDLE = 0x80100003
    E_INVALID_PARAMETER = 0x80100004
    E_INVALID_TARGET = 0x80100005
    E_NO_MEMORY = 0x80100006
    F_WAITED_TOO_LONG = 0x80100007
    E_INSUFFICIENT_BUFFER = 0x80100008
    E_UNKNOWN_READER = 0x80100009
    E_TIMEOUT = 0x8010000A
    E_SHARING_VIOLATION = 0x8010000B
    E_NO_SMARTCARD = 0x8010000C
    E_UNKNOWN_CARD = 0x8010000D
    E_CANT_DISPOSE = 0x8010000E
    E_PROTO_MISMATCH = 0x8010000F
    E_NOT_READY = 0x80100010
    E_INVALID_VALUE = 0x80100011
    E_SYSTEM_CANCELLED = 0x80100012
    F_COMM_ERROR = 0x80100013
    F_UNKNOWN_ERROR = 0x80100014
    E_INVALID_ATR = 0x80100015
    E_NOT_TRANSACTED = 0x80100016
    E_READER_UNAVAILABLE = 0x80100017
    P_SHUTDOWN = 0x80100018
    E_PCI_TOO_SMALL = 0x80100019
    E_READER_UNSUPPORTED = 0x8010001A
    E_DUPLICATE_READER = 0x8010001B
    E_CARD_UNSUPPORTED = 0x8010001C
    E_NO_SERVICE = 0x8010001D
    E_SERVICE_STOPPED = 0x8010001E
    E_UNEXPECTED = 0x8010001F
    E_ICC_INSTALLATION = 0x80100020
    E_ICC_CREATEORDER = 0x80100021
    E_UNSUPPORTED_FEATURE = 0x80100022
    E_DIR_NOT_FOUND = 0x80100023
    E_FILE_NOT_FOUND = 0x80100024
    E_NO_DIR = 0x80100025
    E_NO_FILE = 0x80100026
    E_NO_ACCESS = 0x80100027
    E_WRITE_TOO_MANY = 0x80100028
    E_BAD_SEEK = 0x80100029
    E_INVALID_CHV = 0x8010002A
    E_UNKNOWN_RES_MNG = 0x8010002B
    E_NO_SUCH_CERTIFICATE = 0x8010002C
    E_CERTIFICATE_UNAVAILABLE = 0x8010002D
    E_NO_READERS_AVAILABLE = 0x8010002E
    E_COMM_DATA_LOST = 0x8010002F
    E_NO_KEY_CONTAINER = 0x80100030
    E_SERVER_TOO_BUSY = 0x80100031
    E_PIN_CACHE_EXPIRED = 0x80100032
    E_NO_PIN_CACHE = 0x80100033
    E_READ_ONLY_CARD = 0x80100034
    W_UNSUPPORTED_CARD = 0x80100065
    W_UNRESPONSIVE_CARD = 0x80100066
    W_UNPOWERED_CARD = 0x80100067
    W_RESET_CARD = 0x80100068
    W_REMOVED_CARD = 0x80100069
    W_SECURITY_VIOLATION = 0x8010006A
    W_WRONG_CHV = 0x8010006B
    W_CHV_BLOCKED = 0x8010006C
    W_EOF = 0x8010006D
    W_CANCELLED_BY_USER = 0x8010006E
    W_CARD_NOT_AUTHENTICATED = 0x8010006F
    W_CACHE_ITEM_NOT_FOUND = 0x80100070
    W_CACHE_ITEM_STALE = 0x80100071
    W_CACHE_ITEM_TOO_BIG = 0x80100072

    @property
    def text(self) -> str:
        """The code in words, e.g. ``Sharing violation``."""
        return self.name.split("_", 1)[1].replace("_", " ").capitalize()


class Win32(IntEnum):
    """ERROR_* of winerror.h that a driver's status can become (RtlNtStatusToDosError).

    Windows' resource manager hands them to applications as they are where it has no code of its
    own for them.
    """

    INVALID_FUNCTION = 1
    FILE_NOT_FOUND = 2
    ACCESS_DENIED = 5
    INVALID_HANDLE = 6
    NOT_READY = 21
    BAD_COMMAND = 22
    CRC = 23
    BAD_LENGTH = 24
    GEN_FAILURE = 31
    SHARING_VIOLATION = 32
    NOT_SUPPORTED = 50
    DEV_NOT_EXIST = 55
    INVALID_PARAMETER = 87
    SEM_TIMEOUT = 121
    INSUFFICIENT_BUFFER = 122
    BUSY = 170
    ALREADY_EXISTS = 183
    MORE_DATA = 234
    MR_MID_NOT_FOUND = 317
    OPERATION_ABORTED = 995
    MEDIA_CHANGED = 1110
    NO_MEDIA_IN_DRIVE = 1112
    IO_DEVICE = 1117
    DEVICE_NOT_CONNECTED = 1167
    NO_SYSTEM_RESOURCES = 1450
    TIMEOUT = 1460
    DEVICE_REMOVED = 1617
    INVALID_USER_BUFFER = 1784
    UNRECOGNIZED_MEDIA = 1785

    @property
    def text(self) -> str:
        """The error in words, e.g. ``Not supported``."""
        return self.name.replace("_", " ").capitalize()


Code = SCARD | Win32


class ScardError(Exception):
    """An SCard* call failed with ``code``: a SCARD_* code, or a Win32 error of the driver's."""

    def __init__(self, code: Code) -> None:
        super().__init__(f"{code.text} (0x{code:08X})")
        self.code = code


class ShareMode(IntEnum):
    """SCARD_SHARE_*."""

    EXCLUSIVE = 1
    SHARED = 2
    DIRECT = 3


class Disposition(IntEnum):
    """SCARD_LEAVE_CARD … SCARD_EJECT_CARD; also the initialization of Reconnect, EJECT aside."""

    LEAVE = 0
    RESET = 1
    UNPOWER = 2
    EJECT = 3


class ReaderFlag(IntFlag):
    """SCARD_STATE_*: what SCardGetStatusChange is told and tells."""

    UNAWARE = 0x0000
    IGNORE = 0x0001
    CHANGED = 0x0002
    UNKNOWN = 0x0004
    UNAVAILABLE = 0x0008
    EMPTY = 0x0010
    PRESENT = 0x0020
    ATRMATCH = 0x0040
    EXCLUSIVE = 0x0080
    INUSE = 0x0100
    MUTE = 0x0200
    UNPOWERED = 0x0400


INFINITE = 0xFFFFFFFF
PNP_NOTIFICATION = "\\\\?PnP?\\Notification"
MAX_APDU_BUFFER = 65548
