# SPDX-License-Identifier: Apache-2.0
"""The messages between libpcsclite and a resource manager: tables and codecs, no sockets.

Protocol versions 4.4 (pcsc-lite 1.8.24 to 2.2.3), 4.5 (2.3.0 to 2.4.1) and 4.6 (2.5.0 and later).
One UNIX stream connection carries one context. A request is ``HEADER`` and the command's struct;
TRANSMIT and CONTROL append their data, which the header does not count. The reply is the same
struct without a header, filled in, with ``rv`` last; data follows only where ``rv`` is 0. Integers
are native-endian and naturally aligned, so ``=`` layouts serve 32- and 64-bit programs alike.

What the resource manager answers is decided in :mod:`vreader.winscard`, never here.
"""

from collections.abc import Iterable
from enum import IntEnum
from struct import Struct
from typing import NamedTuple, Self

from vreader.winscard.codes import MAX_APDU_BUFFER, SCARD

MAJOR = 4
MIN_MINOR, MAX_MINOR = 4, 6

MAX_READER_NAME = 127  # bytes of UTF-8; a NUL follows
MAX_ATR = 33
MAX_ATTRIBUTE = 264
MAX_DATA = MAX_APDU_BUFFER  # bytes of one APDU or control buffer, either way
READER_SLOTS = 16  # records of a state array; distributions patch it, see probe.py
READER_EVENTS_MAX = 32767  # the counter of GET_READER_EVENTS starts at 1 and returns to 1


class Command(IntEnum):
    """The second word of ``HEADER``. 0x03, 0x0C and 0x0E exist but no library sends them."""

    ESTABLISH_CONTEXT = 0x01
    RELEASE_CONTEXT = 0x02
    CONNECT = 0x04
    RECONNECT = 0x05
    DISCONNECT = 0x06
    BEGIN_TRANSACTION = 0x07
    END_TRANSACTION = 0x08
    TRANSMIT = 0x09
    CONTROL = 0x0A
    STATUS = 0x0B
    CANCEL = 0x0D
    GET_ATTRIB = 0x0F
    SET_ATTRIB = 0x10
    VERSION = 0x11
    GET_READERS_STATE = 0x12
    WAIT_READER_STATE_CHANGE = 0x13
    STOP_WAITING = 0x14
    GET_READER_EVENTS = 0x15  # since 4.5
    GET_READERS_STATE_SIZE = 0x16  # since 4.6
    GET_READERS_STATE_ARRAY = 0x17  # since 4.6


HEADER = Struct("=II")  # size of the struct that follows, command
ESTABLISH_CONTEXT = Struct("=III")  # scope, hContext, rv
RELEASE_CONTEXT = Struct("=II")  # hContext, rv
CONNECT = Struct("=I128sIIiII")  # hContext, reader, share, preferred, hCard, active, rv
RECONNECT = Struct("=iIIIII")  # hCard, share, preferred, initialization, active, rv
DISCONNECT = Struct("=iII")  # hCard, disposition, rv
BEGIN_TRANSACTION = Struct("=iI")  # hCard, rv
END_TRANSACTION = Struct("=iII")  # hCard, disposition, rv
# hCard, sendPciProtocol, sendPciLength, cbSendLength, recvPciProtocol, recvPciLength,
# pcbRecvLength, rv; cbSendLength bytes follow the request, pcbRecvLength the reply
TRANSMIT = Struct("=iIIIIIII")
# hCard, controlCode, cbSendLength, cbRecvLength, bytesReturned, rv; data likewise
CONTROL = Struct("=iIIIII")
STATUS = Struct("=iI")  # hCard, rv
CANCEL = Struct("=iI")  # hContext of another connection, rv
ATTRIB = Struct("=iI264sII")  # hCard, attribute, value, length, rv
VERSION = Struct("=iiI")  # major, minor, rv
SIGNAL = Struct("=II")  # readerEvents (ignored by the library), rv: the one message a WAIT gets
READER_EVENTS = Struct("=II")  # readerEvents, rv
READERS_STATE_SIZE = Struct("=i")  # number of records
# name, eventCounter, readerState, sharing, ATR, atrLength, activeProtocol
READER_STATE = Struct("=128sIIi33s3xII")
_EMPTY = Struct("=")

REQUEST: dict[Command, Struct] = {
    Command.ESTABLISH_CONTEXT: ESTABLISH_CONTEXT,
    Command.RELEASE_CONTEXT: RELEASE_CONTEXT,
    Command.CONNECT: CONNECT,
    Command.RECONNECT: RECONNECT,
    Command.DISCONNECT: DISCONNECT,
    Command.BEGIN_TRANSACTION: BEGIN_TRANSACTION,
    Command.END_TRANSACTION: END_TRANSACTION,
    Command.TRANSMIT: TRANSMIT,
    Command.CONTROL: CONTROL,
    Command.STATUS: STATUS,
    Command.CANCEL: CANCEL,
    Command.GET_ATTRIB: ATTRIB,
    Command.SET_ATTRIB: ATTRIB,
    Command.VERSION: VERSION,
    Command.GET_READERS_STATE: _EMPTY,
    Command.WAIT_READER_STATE_CHANGE: _EMPTY,
    Command.STOP_WAITING: _EMPTY,
    Command.GET_READER_EVENTS: _EMPTY,
    Command.GET_READERS_STATE_SIZE: _EMPTY,
    Command.GET_READERS_STATE_ARRAY: _EMPTY,
}
"""Struct of each command's request; ``.size`` is the only ``size`` its header may carry."""

SINCE_MINOR: dict[Command, int] = {
    Command.GET_READER_EVENTS: 5,
    Command.GET_READERS_STATE_SIZE: 6,
    Command.GET_READERS_STATE_ARRAY: 6,
}
"""First minor version of the commands that 4.4 does not have."""


def negotiate(major: int, minor: int) -> tuple[int, int]:
    """Answer a client's VERSION: return (minor to reply, rv).

    With rv 0 that minor governs the connection. Libraries since 2.4.1 retry a refusal once with
    the minor they were told; older ones look at rv alone.
    """
    if major != MAJOR or not MIN_MINOR <= minor <= MAX_MINOR:
        return MAX_MINOR, SCARD.E_SERVICE_STOPPED
    return minor, SCARD.S_SUCCESS


def encode_name(name: str) -> bytes:
    """Return a reader name as at most 127 bytes of UTF-8, cut between characters."""
    raw = name.encode("utf-8", "surrogateescape")
    if len(raw) <= MAX_READER_NAME:
        return raw
    return raw[:MAX_READER_NAME].decode("utf-8", "ignore").encode()


def decode_name(field: bytes) -> str:
    """Return the text before the first NUL; bytes that are not UTF-8 survive a round trip."""
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


class ReaderBits(IntEnum):
    """Bits of ``readerState``. pcscd never sets SPECIFIC."""

    UNKNOWN = 0x01
    ABSENT = 0x02
    PRESENT = 0x04
    SWALLOWED = 0x08
    POWERED = 0x10
    NEGOTIABLE = 0x20
    SPECIFIC = 0x40


class ReaderState(NamedTuple):
    """One record of the state array.

    Attributes:
        name: the reader's name; empty means a free slot.
        event_counter: insertions and removals so far, 16 bits.
        state: ``ReaderBits``.
        sharing: 0 not in use, n shared connections, -1 one exclusive connection.
        atr: raw ATR; empty where no card answers.
        protocol: active protocol in the library's numbers, 0 until one is chosen.
    """

    name: str
    event_counter: int = 0
    state: int = ReaderBits.ABSENT
    sharing: int = 0
    atr: bytes = b""
    protocol: int = 0

    def __bytes__(self) -> bytes:
        # A virtual card may send more than an ATR can be; the record has room for 33 bytes.
        atr = self.atr[:MAX_ATR]
        return READER_STATE.pack(
            encode_name(self.name),
            self.event_counter & 0xFFFF,
            self.state,
            self.sharing,
            atr,
            len(atr),
            self.protocol,
        )

    @classmethod
    def unpack(cls, record: bytes | memoryview) -> Self:
        """Read one record of 184 bytes; an impossible ATR length reads as 33 or fewer."""
        name, counter, state, sharing, atr, length, protocol = READER_STATE.unpack(record)
        return cls(decode_name(name), counter, state, sharing, atr[:length], protocol)


FREE_SLOT = bytes(READER_STATE.size)


def pack_states(slots: Iterable[ReaderState | None], count: int) -> bytes:
    """Return an array of exactly ``count`` records; None and missing ones are free slots."""
    records = [FREE_SLOT if slot is None else bytes(slot) for slot in slots][:count]
    return b"".join(records) + FREE_SLOT * (count - len(records))


def unpack_states(array: bytes) -> list[ReaderState]:
    """Read a state array; free slots come back with an empty name."""
    size = READER_STATE.size
    return [ReaderState.unpack(array[at : at + size]) for at in range(0, len(array), size)]


# What the door translates --------------------------------------------------------------------

# Reader state of winsmcrd.h (UNKNOWN 0 … SPECIFIC 6) → readerState. SPECIFIC stays NEGOTIABLE as
# in pcscd; SWALLOWED, a card in place without power, is how pcscd shows one that does not answer.
STATE_BITS: tuple[int, ...] = (0x01, 0x02, 0x04, 0x0C, 0x14, 0x34, 0x34)

# The highest bit decides; NEGOTIABLE with an active protocol is SPECIFIC.
_STATE_OF_BIT: tuple[tuple[int, int], ...] = (
    (ReaderBits.SPECIFIC, 6),
    (ReaderBits.NEGOTIABLE, 5),
    (ReaderBits.POWERED, 4),
    (ReaderBits.SWALLOWED, 3),
    (ReaderBits.PRESENT, 2),
    (ReaderBits.ABSENT, 1),
)


def state_from_bits(bits: int, protocol: int = 0) -> int:
    """Return the reader state 0…6 that a record's ``readerState`` and ``activeProtocol`` mean."""
    state = next((state for bit, state in _STATE_OF_BIT if bits & bit), 0)
    return 6 if state == 5 and protocol else state


PROTOCOL_T0, PROTOCOL_T1, PROTOCOL_RAW, PROTOCOL_T15 = 0x1, 0x2, 0x4, 0x8
PROTOCOL_ANY_OLD = 0x1000
WINDOWS_RAW = 0x10000


def protocols_from_wire(mask: int) -> int:
    """Turn a protocol mask of the library into one of winsmcrd.h: RAW 4 becomes 0x10000.

    Other bits pass, T=15 and the legacy ANY_OLD included: what they mean is the resource manager's
    to say. A 0x10000 on the wire means nothing and is dropped.
    """
    other = mask & ~(PROTOCOL_RAW | WINDOWS_RAW)
    return other | WINDOWS_RAW if mask & PROTOCOL_RAW else other


def protocols_to_wire(mask: int) -> int:
    """Turn a protocol mask of winsmcrd.h into one of the library: RAW 0x10000 becomes 4."""
    other = mask & ~(PROTOCOL_RAW | WINDOWS_RAW)
    return other | PROTOCOL_RAW if mask & WINDOWS_RAW else other


# winerror.h → pcsclite.h, which means both UNEXPECTED and UNSUPPORTED_FEATURE by one number.
RV_TO_WIRE: dict[int, int] = {SCARD.E_UNSUPPORTED_FEATURE: 0x8010001F}
RV_FROM_WIRE: dict[int, int] = {wire: ours for ours, wire in RV_TO_WIRE.items()}
