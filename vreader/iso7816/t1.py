# SPDX-License-Identifier: Apache-2.0
"""Blocks of the transmission protocol T=1 (ISO/IEC 7816-3:2006 §11.3): a value, bytes in and out.

A block is NAD, PCB, LEN, up to 254 bytes of information, and an error detection code: one byte LRC
or two bytes CRC. What the two ends do with blocks is in ``t1card`` and ``t1reader``.

CRC: ISO/IEC 13239 polynomial x16+x12+x5+1, bits reflected, preset FFFF, not complemented, the high
byte first. The standard leaves the last two open; this is how libccid and the cards tested with it
do it (Popovec, OsEID, "T1 protocol with CRC", 2021).
"""

from functools import reduce
from operator import xor
from typing import NamedTuple, Self

MAX_INF = 254
DEFAULT_IFS = 32  # §11.4.2: both directions, until an ATR or an S(IFS) block says otherwise
PROLOGUE = 3

NO_ERROR, EDC_ERROR, OTHER_ERROR = 0, 1, 2  # low half byte of an R-block's PCB

RESYNCH, IFS, ABORT, WTX = 0xC0, 0xC1, 0xC2, 0xC3  # PCB of the S(… request)
RESPONSE = 0x20  # added to it in the S(… response)
_S_NAMES = {RESYNCH: "RESYNCH", IFS: "IFS", ABORT: "ABORT", WTX: "WTX"}


class T1Error(ValueError):
    """The protocol T=1 has failed, or was used in a way it does not allow."""


class T1LostError(T1Error):
    """The card does not speak T=1 any more; only a reset helps.

    Attributes:
        mute: nothing at all has come since the command began.
    """

    def __init__(self, message: str, *, mute: bool) -> None:
        super().__init__(message)
        self.mute = mute


class T1AbortedError(T1Error):
    """One end has aborted a chain (rule 9); the next command may follow."""


class T1UncertainError(T1Error):
    """The ends are in step again, but the card may have executed the command, or not."""


class BlockError(T1Error):
    """Bytes that are no valid block; ``code`` is what an R-block says about it."""

    code = OTHER_ERROR


class BlockLengthError(BlockError):
    """Too few bytes, too many, or a length byte that is reserved."""


class BlockChecksumError(BlockError):
    """The error detection code is wrong."""

    code = EDC_ERROR


class BlockFormatError(BlockError):
    """A well-transmitted block that the standard does not know, or not at this moment."""


class Block(NamedTuple):
    """One block.

    Attributes:
        pcb: protocol control byte.
        inf: information field, at most 254 bytes.
        nad: node address byte, 00 where addressing is not used.
    """

    pcb: int
    inf: bytes = b""
    nad: int = 0

    @classmethod
    def i(cls, number: int, more: bool, inf: bytes, nad: int = 0) -> Self:
        """I(number, more): a piece of an APDU; ``more`` says that another follows."""
        return cls(number << 6 | more << 5, inf, nad)

    @classmethod
    def r(cls, number: int, error: int = NO_ERROR, nad: int = 0) -> Self:
        """R(number): ``number`` is that of the I-block expected next."""
        return cls(0x80 | number << 4 | error, b"", nad)

    @property
    def is_i(self) -> bool:
        """Whether it is an I-block."""
        return not self.pcb & 0x80

    @property
    def is_r(self) -> bool:
        """Whether it is an R-block."""
        return self.pcb & 0xC0 == 0x80

    @property
    def is_request(self) -> bool:
        """Whether it is an S(… request)."""
        return self.pcb & 0xE0 == 0xC0

    @property
    def number(self) -> int:
        """N(S) of an I-block or N(R) of an R-block."""
        return self.pcb >> (6 if self.is_i else 4) & 1

    @property
    def more(self) -> bool:
        """The more-data bit of an I-block."""
        return self.is_i and bool(self.pcb & 0x20)

    def answers(self, request: "Block") -> bool:
        """Whether it is the S(… response) that ``request`` asks for, with the same content."""
        return self.pcb == request.pcb | RESPONSE and self.inf == request.inf

    def response(self) -> "Block":
        """Return the S(… response) to this S(… request), towards where it came from."""
        return Block(self.pcb | RESPONSE, self.inf, swap_nad(self.nad))

    def encode(self, *, crc: bool = False) -> bytes:
        """Return the block's bytes; raises ValueError where INF is longer than 254 bytes."""
        if len(self.inf) > MAX_INF:
            raise ValueError(f"a block carries at most {MAX_INF} bytes, not {len(self.inf)}")
        body = bytes((self.nad, self.pcb, len(self.inf))) + self.inf
        return body + edc(body, crc=crc)

    @classmethod
    def parse(cls, raw: bytes, *, crc: bool = False) -> Self:
        """Read one block.

        Raises:
            BlockLengthError, BlockChecksumError, BlockFormatError.
        """
        epilogue = 2 if crc else 1
        if len(raw) < PROLOGUE + epilogue:
            raise BlockLengthError(f"a block of {len(raw)} bytes")
        length = raw[2]
        if length > MAX_INF:
            raise BlockLengthError("LEN=FF is reserved")
        if len(raw) != PROLOGUE + length + epilogue:
            raise BlockLengthError(f"LEN={length:02X} in a block of {len(raw)} bytes")
        if edc(raw[:-epilogue], crc=crc) != raw[-epilogue:]:
            raise BlockChecksumError("the error detection code is wrong")
        block = cls(raw[1], bytes(raw[PROLOGUE:-epilogue]), raw[0])
        block._check()
        return block

    def _check(self) -> None:
        sad, dad = self.nad & 7, self.nad >> 4 & 7
        if self.nad & 0x88 or (sad == dad and sad):
            raise BlockFormatError(f"NAD={self.nad:02X} is reserved")
        if self.is_i:
            good = not self.pcb & 0x1F
        elif self.is_r:
            good = not self.pcb & 0x2C and self.pcb & 3 != 3 and not self.inf
        elif (kind := self.pcb & ~RESPONSE) in (IFS, WTX):
            good = len(self.inf) == 1 and self.inf != b"\0" and (kind == WTX or self.inf != b"\xff")
        else:
            good = kind in (RESYNCH, ABORT) and not self.inf
        if not good:
            raise BlockFormatError(f"PCB={self.pcb:02X} with {len(self.inf)} bytes is reserved")

    def __str__(self) -> str:
        """Return the standard's own notation, e.g. ``I(0,1)`` or ``S(IFS request 254)``."""
        if self.is_i:
            return f"I({self.number},{self.more:d})"
        if self.is_r:
            why = {EDC_ERROR: " EDC error", OTHER_ERROR: " other error"}.get(self.pcb & 0xF, "")
            return f"R({self.number}){why}"
        name = _S_NAMES.get(self.pcb & ~RESPONSE, f"{self.pcb:02X}")
        value = f" {self.inf[0]}" if self.inf else ""
        return f"S({name} {'request' if self.is_request else 'response'}{value})"


def swap_nad(nad: int) -> int:
    """Return the NAD byte of the way back: source and destination exchanged."""
    return (nad & 0x0F) << 4 | nad >> 4


def edc(body: bytes, *, crc: bool) -> bytes:
    """Return the error detection code over prologue and information field."""
    if not crc:
        return bytes((reduce(xor, body, 0),))
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0x8408 if value & 1 else value >> 1
    return value.to_bytes(2, "big")
