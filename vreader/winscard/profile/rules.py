# SPDX-License-Identifier: Apache-2.0
"""The form of a profile: check orders, error tables and options, all of it data.

Nothing here says how Windows or pcsc-lite behave; each has a module of its own.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import NamedTuple

from vreader.winscard.codes import SCARD, Code, Win32
from vreader.winscard.status_change import LITE, StatusRules


class Check(Enum):
    """A precondition of a call on a reader.

    WAIT: nobody else holds a transaction, else the call waits for its turn. SHARING: the same, else
    it is refused. RESET: the card was not reset nor lost its power since this handle last looked.
    REMOVED: nor was it taken out. READER: the reader is still there. CARD: a card is in.
    """

    WAIT = auto()
    SHARING = auto()
    RESET = auto()
    REMOVED = auto()
    READER = auto()
    CARD = auto()


class Operation(Enum):
    """A request that reaches the driver, for the error tables.

    It also says in which state the caller's handle is: POWER is on the way of Connect, which has
    no handle yet, RESET is what a connected handle asks for.
    """

    POWER = "power"
    RESET = "reset"
    SET_PROTOCOL = "set protocol"
    TRANSMIT = "transmit"
    CONTROL = "control"
    ATTRIBUTE = "attribute"
    EJECT = "eject"


Errors = Mapping[int, Code]

_W = Win32
_GONE = (
    _W.ACCESS_DENIED, _W.INVALID_HANDLE, _W.FILE_NOT_FOUND, _W.NOT_READY, _W.DEV_NOT_EXIST,
    _W.DEVICE_NOT_CONNECTED, _W.DEVICE_REMOVED, _W.OPERATION_ABORTED,
)  # fmt: skip


def errors(
    *,
    no_media: Code,
    timeout: Code | None,
    unusable: Code,
    unsupported: Code | None,
    other: Code | None,
    gone: Code = SCARD.E_READER_UNAVAILABLE,
) -> Errors:
    """Return one operation's row, total over Win32; None stands for the Win32 error itself.

    Args:
        no_media: no card, or another one than before.
        timeout: the card does not answer.
        unusable: its ATR makes no sense.
        unsupported: the reader cannot do that.
        other: everything else that goes wrong.
        gone: the reader has left or cannot be reached.
    """
    row: dict[Win32, Code | None] = dict.fromkeys(Win32, other)
    row |= dict.fromkeys(_GONE, gone)
    row |= {
        _W.NO_MEDIA_IN_DRIVE: no_media,
        _W.MEDIA_CHANGED: no_media,
        _W.SEM_TIMEOUT: timeout,
        _W.TIMEOUT: timeout,
        _W.UNRECOGNIZED_MEDIA: unusable,
        _W.NOT_SUPPORTED: unsupported,
        _W.INVALID_FUNCTION: unsupported,
        _W.INSUFFICIENT_BUFFER: SCARD.E_INSUFFICIENT_BUFFER,
        _W.MORE_DATA: SCARD.E_INSUFFICIENT_BUFFER,
        _W.NO_SYSTEM_RESOURCES: SCARD.E_NO_MEMORY,
    }
    return {int(error): error if code is None else code for error, code in row.items()}


class RmProfile(NamedTuple):
    """One resource manager's semantics.

    Attributes:
        name: what ``--profile`` calls it.
        checks: per call, the preconditions in the order they are looked at. ``dispose`` is a
            Disconnect that does not leave the card alone.
        errors: per request to the driver, Win32 error → the code applications see.
        reader_name: (vendor, ifd type, index) → the name applications see.
        base_name: such a name → the same without its index.
        no_card: per call, the code where CARD fails, if it is not E_NO_SMARTCARD.
        scopes: how many values dwScope may have; pcsclite.h has a fourth, SCARD_SCOPE_GLOBAL.
        names_ignore_case: reader names are compared without regard to case (SDK
            SCardIntroduceReader: keys of the registry).
        max_readers: MAXIMUM_SMARTCARD_READERS of winsmcrd.h; a further reader is refused and stays
            usable as a device. None has no limit.
        legacy_any_protocol: an extra protocol bit that stands for "any", or 0.
        raw_is_free: RAW may be asked for, and transmitted with, whatever protocol is in force; a
            DIRECT connection can transmit before anybody has negotiated.
        direct_is_exclusive: nobody else may be connected beside a DIRECT connection (winscard.h:
            "not available to other applications").
        standard_control: SCardControl may send the reader's own IOCTL_SMARTCARD_* codes (SDK
            SCardConnect: IOCTL_SMARTCARD_SET_PROTOCOL on a DIRECT connection).
        transaction_idle_s: seconds without a call after which a transaction costs the card a reset
            (SDK SCardBeginTransaction: five); None waits for ever.
        reset_ends_transaction: a reset by that timer ends the transaction, and EndTransaction
            releases it where it answers W_RESET_CARD (SDK SCardEndTransaction; False is Windows
            Vista and Server 2008).
        reconnect_ends_transaction: Reconnect ends the handle's transaction (seen on Windows).
        end_unpower_cycles: after EndTransaction(UNPOWER) the card has its power again.
        unpower_code: what every handle of a card learns whose power another has taken.
        reset_hides_removal: a handle that has yet to learn of a removal learns of a later reset
            instead.
        exit_always_resets: the end of a program that is still connected resets the card (SDK
            SCardDisconnect); False does so only where it held a transaction or the card alone.
        caller_asks_again: the client library repeats calls that fail SHARING_VIOLATION.
        threads_share_contexts: several threads may be inside calls on one context, so a call may
            wait for a transaction of its own context.
        stops_without_readers: with the last reader the service stops: no context can be made, and
            those there were answer SERVICE_STOPPED for good (seen on Windows 8 and later).
        database: readers can be introduced under further names, and put into groups; card
            types can be introduced.
        cache_item_bytes: the longest item of the card data cache (undocumented); None has no cache.
        auto_power_off_s: seconds without a connection after which the card loses power; None
            never takes it. Not documented for Windows.
        tells_in_use: the driver is told SCARD_ATTR_DEVICE_IN_USE (DDI
            IOCTL_SMARTCARD_SET_ATTRIBUTE).
        dead_handle: what calls on a handle answer whose reader has left.
        status: what SCardGetStatusChange and SCardStatus tell.
    """

    name: str
    checks: Mapping[str, tuple[Check, ...]]
    errors: Mapping[Operation, Errors]
    reader_name: Callable[[str, str, int], str]
    base_name: Callable[[str], str]
    no_card: Mapping[str, SCARD] = {}
    scopes: int = 4
    names_ignore_case: bool = False
    max_readers: int | None = None
    legacy_any_protocol: int = 0
    raw_is_free: bool = True
    direct_is_exclusive: bool = False
    standard_control: bool = False
    transaction_idle_s: float | None = None
    reset_ends_transaction: bool = False
    reconnect_ends_transaction: bool = False
    end_unpower_cycles: bool = True
    unpower_code: SCARD = SCARD.W_RESET_CARD
    reset_hides_removal: bool = True
    exit_always_resets: bool = False
    caller_asks_again: bool = True
    threads_share_contexts: bool = False
    stops_without_readers: bool = False
    database: bool = False
    cache_item_bytes: int | None = None
    auto_power_off_s: float | None = 5.0
    tells_in_use: bool = False
    dead_handle: SCARD = SCARD.E_INVALID_VALUE
    status: StatusRules = LITE


def joined(*parts: str) -> str:
    """Join the parts of a reader name that are there."""
    return " ".join(part for part in parts if part)
