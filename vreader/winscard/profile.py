# SPDX-License-Identifier: Apache-2.0
"""The resource manager's semantics as a value: check orders and error tables, one per call.

A profile says in which order a call checks what, and which SCARD code a Win32 error becomes. The
functions that do the work hold no ``if profile``.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import NamedTuple

from vreader.winscard.codes import SCARD


class Check(Enum):
    """A precondition of a call on a card handle.

    SHARING: nobody else holds the transaction. EVENT: the card was not reset or removed since.
    READER: the reader is still there. CARD: a card is in.
    """

    SHARING = auto()
    EVENT = auto()
    READER = auto()
    CARD = auto()


class Operation(Enum):
    """A call that reaches the driver, for the error tables."""

    POWER = "power"
    RESET = "reset"
    SET_PROTOCOL = "set protocol"
    TRANSMIT = "transmit"
    CONTROL = "control"
    ATTRIBUTE = "attribute"


_S, _E, _R, _C = Check.SHARING, Check.EVENT, Check.READER, Check.CARD

# Win32 numbers as RtlNtStatusToDosError yields them.
(
    _INVALID_FUNCTION, _ACCESS_DENIED, _INVALID_HANDLE, _NOT_READY, _BAD_COMMAND, _GEN_FAILURE,
    _NOT_SUPPORTED, _DEV_NOT_EXIST, _INVALID_PARAMETER, _SEM_TIMEOUT, _INSUFFICIENT_BUFFER,
    _BUSY, _OPERATION_ABORTED, _NO_MEDIA, _IO_DEVICE, _NOT_CONNECTED, _DEVICE_REMOVED,
    _UNRECOGNIZED_MEDIA, _CRC, _NO_RESOURCES, _INVALID_USER_BUFFER,
) = (
    1, 5, 6, 21, 22, 31, 50, 55, 87, 121, 122, 170, 995, 1112, 1117, 1167, 1617, 1785, 23, 1450,
    1784,
)  # fmt: skip

_READER_GONE = {
    _ACCESS_DENIED: SCARD.E_READER_UNAVAILABLE,
    _INVALID_HANDLE: SCARD.E_READER_UNAVAILABLE,
    _NOT_READY: SCARD.E_READER_UNAVAILABLE,
    _DEV_NOT_EXIST: SCARD.E_READER_UNAVAILABLE,
    _NOT_CONNECTED: SCARD.E_READER_UNAVAILABLE,
    _DEVICE_REMOVED: SCARD.E_READER_UNAVAILABLE,
    _OPERATION_ABORTED: SCARD.E_READER_UNAVAILABLE,
}


def _errors(
    no_media: SCARD, timeout: SCARD, unusable: SCARD, unsupported: SCARD, other: SCARD
) -> dict[int, SCARD]:
    """Return one operation's row: all Win32 numbers a reader driver's status can become."""
    return {
        **_READER_GONE,
        _NO_MEDIA: no_media,
        _SEM_TIMEOUT: timeout,
        _UNRECOGNIZED_MEDIA: unusable,
        _NOT_SUPPORTED: unsupported,
        _INVALID_FUNCTION: unsupported,
        _INSUFFICIENT_BUFFER: SCARD.E_INSUFFICIENT_BUFFER,
        _INVALID_PARAMETER: other,
        _INVALID_USER_BUFFER: other,
        _BAD_COMMAND: other,
        _GEN_FAILURE: other,
        _IO_DEVICE: other,
        _CRC: other,
        _BUSY: other,
        _NO_RESOURCES: SCARD.E_NO_MEMORY,
    }


class RmProfile(NamedTuple):
    """One resource manager's semantics.

    Attributes:
        name: ``pcsclite``.
        checks: per call, the preconditions in the order they are looked at.
        errors: per operation, Win32 error → SCARD code.
        reader_name: (vendor, ifd type, index) → the name applications see.
        legacy_any_protocol: an extra protocol bit that stands for "any", or 0.
        auto_power_off_s: seconds without a connection after which the card loses power; None
            never takes it.
        dead_handle: what calls on a handle answer whose reader has left.
    """

    name: str
    checks: Mapping[str, tuple[Check, ...]]
    errors: Mapping[Operation, Mapping[int, SCARD]]
    reader_name: Callable[[str, str, int], str]
    legacy_any_protocol: int = 0
    auto_power_off_s: float | None = 5.0
    dead_handle: SCARD = SCARD.E_INVALID_VALUE


def pcsclite_name(vendor: str, ifd_type: str, index: int) -> str:
    """Return pcsc-lite's form: ``Vendor Type II SS``, index and slot in hex."""
    return " ".join(part for part in (vendor, ifd_type, f"{index:02X}", "00") if part)


PCSCLITE = RmProfile(
    name="pcsclite",
    # Read off pcsc-lite 1.9.9's behaviour. Control and Reconnect do not look at events.
    checks={
        "connect": (_R,),
        "reconnect": (_S, _R),
        "disconnect": (),
        "begin": (_R, _E),
        "end": (_E,),
        "transmit": (_S, _R, _E, _C),
        "status": (_S, _E, _R),
        "control": (_S, _R),
        "attribute": (_S, _R, _E),
    },
    errors={
        Operation.POWER: _errors(
            SCARD.E_NO_SMARTCARD,
            SCARD.W_UNPOWERED_CARD,
            SCARD.W_UNPOWERED_CARD,
            SCARD.W_UNPOWERED_CARD,
            SCARD.W_UNPOWERED_CARD,
        ),
        Operation.RESET: _errors(
            SCARD.E_NO_SMARTCARD,
            SCARD.W_UNRESPONSIVE_CARD,
            SCARD.W_UNRESPONSIVE_CARD,
            SCARD.W_UNRESPONSIVE_CARD,
            SCARD.W_UNRESPONSIVE_CARD,
        ),
        Operation.SET_PROTOCOL: _errors(
            SCARD.E_NO_SMARTCARD,
            SCARD.W_UNRESPONSIVE_CARD,
            SCARD.W_UNRESPONSIVE_CARD,
            SCARD.E_PROTO_MISMATCH,
            SCARD.E_PROTO_MISMATCH,
        ),
        Operation.TRANSMIT: _errors(
            SCARD.E_NO_SMARTCARD,
            SCARD.E_NOT_TRANSACTED,
            SCARD.E_NOT_TRANSACTED,
            SCARD.E_NOT_TRANSACTED,
            SCARD.E_NOT_TRANSACTED,
        ),
        Operation.CONTROL: _errors(
            SCARD.E_NO_SMARTCARD,
            SCARD.E_NOT_TRANSACTED,
            SCARD.E_NOT_TRANSACTED,
            SCARD.E_UNSUPPORTED_FEATURE,
            SCARD.E_NOT_TRANSACTED,
        ),
        Operation.ATTRIBUTE: _errors(
            SCARD.E_UNSUPPORTED_FEATURE,
            SCARD.E_NOT_TRANSACTED,
            SCARD.E_NOT_TRANSACTED,
            SCARD.E_UNSUPPORTED_FEATURE,
            SCARD.E_NOT_TRANSACTED,
        ),
    },
    reader_name=pcsclite_name,
    legacy_any_protocol=0x1000,
)
