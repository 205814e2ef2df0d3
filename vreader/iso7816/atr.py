# SPDX-License-Identifier: Apache-2.0
"""The answer to reset (ISO/IEC 7816-3:2006 §8, historical bytes ISO/IEC 7816-4:2020 §12.1.1).

``Atr.parse`` refuses what a reader cannot use and says at which byte; a card that is to send a
garbled ATR hands out raw bytes and never builds an :class:`Atr`.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import xor
from typing import NamedTuple, Self

MAX_ATR_LENGTH = 33
DIRECT, INVERSE = 0x3B, 0x3F

# ISO/IEC 7816-3 tables 7 and 8; None is reserved for future use. fmax in kHz.
FI: tuple[int | None, ...] = (
    372, 372, 558, 744, 1116, 1488, 1860, None, None, 512, 768, 1024, 1536, 2048, None, None,
)  # fmt: skip
FMAX_KHZ: tuple[int | None, ...] = (
    4000, 5000, 6000, 8000, 12000, 16000, 20000, None, None,
    5000, 7500, 10000, 15000, 20000, None, None,
)  # fmt: skip
DI: tuple[int | None, ...] = (
    None, 1, 2, 4, 8, 16, 32, 64, 12, 20, None, None, None, None, None, None,
)  # fmt: skip


_Triple = tuple[int | None, int | None, int | None]


class AtrError(ValueError):
    """An ATR no reader can use; ``position`` is the offset of the byte that cannot be right."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at byte {position})")
        self.position = position


class InterfaceByte(NamedTuple):
    """One of TA1 … TDn: ``kind`` is "TA", "TB", "TC" or "TD", ``number`` counts from 1.

    ``protocol`` is the T of the TD byte that announced it (0 for the bytes that T0 announces).
    """

    kind: str
    number: int
    value: int
    protocol: int

    def __str__(self) -> str:
        return f"{self.kind}{self.number}={self.value:02X}"


class Atr(NamedTuple):
    """A well-formed ATR.

    Attributes:
        raw: all bytes, TS first, TCK last where there is one; inverse convention already decoded
            (TS stays 3F).
        interface_bytes: TA1 … in the order they stand.
        historical: the historical bytes, without TCK (§8.1).
        protocols: the T values offered, in the order of the TD bytes, T=15 left out (§8.2.3).
        tck: the check byte, or None (absent when T=0 alone is offered).
    """

    raw: bytes
    interface_bytes: tuple[InterfaceByte, ...]
    historical: bytes
    protocols: tuple[int, ...]
    tck: int | None

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read an ATR; raises AtrError naming the first byte that cannot be right."""
        raw = bytes(raw)
        if len(raw) < 2:
            raise AtrError(f"an ATR has at least two bytes, this one {len(raw)}", len(raw))
        if len(raw) > MAX_ATR_LENGTH:
            raise AtrError(f"an ATR has at most {MAX_ATR_LENGTH} bytes", MAX_ATR_LENGTH)
        if raw[0] not in (DIRECT, INVERSE):
            raise AtrError(f"TS must be 3B or 3F, not {raw[0]:02X}", 0)
        interface, announced, at = _read_interface(raw)
        historical_count = raw[1] & 0xF
        end = at + historical_count
        if end > len(raw):
            raise AtrError(f"{historical_count} historical bytes announced, too few left", len(raw))
        needs_tck = any(t != 0 for t in announced)
        expected = end + needs_tck
        if len(raw) < expected:
            raise AtrError("the check byte TCK is missing", len(raw))
        if len(raw) > expected:
            raise AtrError("bytes after the end of the ATR", expected)
        if needs_tck and reduce(xor, raw[1:]):
            raise AtrError(f"TCK is {raw[-1]:02X}, should be {reduce(xor, raw[1:-1]):02X}", end)
        atr = cls(
            raw,
            interface,
            raw[at:end],
            tuple(dict.fromkeys(t for t in announced if t != 15)) or (0,),
            raw[end] if needs_tck else None,
        )
        if (ta1 := atr.find("TA", 1)) is not None and (
            FI[ta1 >> 4] is None or DI[ta1 & 15] is None
        ):
            raise AtrError(f"TA1={ta1:02X} names reserved Fi or Di", 2)
        return atr

    @classmethod
    def build(
        cls,
        *,
        protocols: Sequence[int] = (1,),
        historical: bytes = b"",
        ta1: int | None = None,
        tb1: int | None = None,
        tc1: int | None = None,
        ta2: int | None = None,
        specific: "Iterable[_Triple]" = (),
        inverse: bool = False,
    ) -> Self:
        """Make an ATR that offers ``protocols`` and carries ``historical``.

        Args:
            protocols: T values in the order offered, at most seven; (0,) needs no TD1.
            historical: at most 15 bytes.
            ta1: global interface byte; None leaves the byte out.
            tb1: likewise.
            tc1: likewise.
            ta2: specific mode byte; its low half byte should be the first protocol.
            specific: (TA, TB, TC) of each protocol's own group, first protocol first. A protocol's
                group stands behind the second TD byte that names it (i > 2, §8.2.3).
            inverse: TS is 3F instead of 3B.

        Raises:
            AtrError: the wish cannot be said in an ATR.
        """
        if len(historical) > 15:
            raise AtrError("an ATR carries at most 15 historical bytes", 1)
        own = list(specific)
        # (protocol, (TA, TB, TC)) of each TD byte: TD1 announces the global second group.
        groups: list[tuple[int, _Triple]] = []
        if tuple(protocols) != (0,) or ta2 is not None or own:
            groups.append((protocols[0] if protocols else 0, (ta2, None, None)))
        for index, protocol in enumerate(protocols):
            if index or own:
                triple = own[index] if index < len(own) else (None, None, None)
                groups.append((protocol, triple))
        body = bytearray()
        low, present = len(historical), (ta1, tb1, tc1)
        for index in range(len(groups) + 1):
            flags = sum(
                bit for bit, value in zip((1, 2, 4), present, strict=True) if value is not None
            )
            more = index < len(groups)
            body.append((flags | (8 if more else 0)) << 4 | low)
            body += bytes(value for value in present if value is not None)
            if more:
                low, present = groups[index]
        body += historical
        if any(protocol != 0 for protocol, _ in groups):
            body.append(reduce(xor, body))
        return cls.parse(bytes((INVERSE if inverse else DIRECT,)) + bytes(body))

    def with_historical(self, historical: bytes) -> Self:
        """Return the same ATR with other historical bytes, T0 and TCK set right.

        Raises:
            AtrError: more than 15 historical bytes, or the ATR gets longer than 33 bytes.
        """
        if len(historical) > 15:
            raise AtrError("an ATR carries at most 15 historical bytes", 1)
        end = len(self.raw) - len(self.historical) - (self.tck is not None)
        body = bytes((self.raw[1] & 0xF0 | len(historical),)) + self.raw[2:end] + historical
        if self.tck is not None:
            body += bytes((reduce(xor, body),))
        return self.parse(self.raw[:1] + body)

    def __bytes__(self) -> bytes:
        return self.raw

    def find(self, kind: str, number: int) -> int | None:
        """Return the value of interface byte ``kind``+``number``, e.g. ("TA", 1), or None."""
        return next(
            (b.value for b in self.interface_bytes if b.kind == kind and b.number == number), None
        )

    @property
    def inverse(self) -> bool:
        """Whether the card uses the inverse convention (§8.1)."""
        return self.raw[0] == INVERSE

    @property
    def default_protocol(self) -> int:
        """The first protocol offered, used when nothing is negotiated (§6.3.1)."""
        return self.protocols[0]

    @property
    def specific_mode(self) -> int | None:
        """The protocol that TA2 fixes, or None: the card is in negotiable mode (§6.3.1)."""
        ta2 = self.find("TA", 2)
        return None if ta2 is None else ta2 & 0xF

    @property
    def fi(self) -> int:
        """Clock rate conversion factor F offered by TA1, 372 without it (§8.3)."""
        return FI[(self.find("TA", 1) or 0x11) >> 4] or 372

    @property
    def di(self) -> int:
        """Bit rate adjustment factor D offered by TA1, 1 without it (§8.3)."""
        ta1 = self.find("TA", 1)
        return 1 if ta1 is None else DI[ta1 & 0xF] or 1

    @property
    def fmax_khz(self) -> int:
        """Highest clock frequency in kHz that TA1 allows, 5000 without it."""
        ta1 = self.find("TA", 1)
        return 5000 if ta1 is None else FMAX_KHZ[ta1 >> 4] or 5000

    @property
    def compact_tlv(self) -> dict[int, bytes] | None:
        """The historical bytes as COMPACT-TLV, tag (one half byte) → value (ISO 7816-4 §12.1.1).

        None where the category indicator is neither 00 nor 80 or the lengths do not add up. With
        category 00 the last three bytes are the status indicator and appear as tag 8.
        """
        if not self.historical or self.historical[0] not in (0x00, 0x80):
            return None
        body = self.historical[1:]
        found: dict[int, bytes] = {}
        if self.historical[0] == 0x00:
            if len(body) < 3:
                return None
            body, found[8] = body[:-3], body[-3:]
        at = 0
        while at < len(body):
            tag, length = body[at] >> 4, body[at] & 0xF
            at += 1
            if at + length > len(body):
                return None
            found[tag] = body[at : at + length]
            at += length
        return found


def byte_names(raw: bytes) -> list[str]:
    """Return what each byte of an ATR is: TS, T0, TA1, historical byte 3, TCK and so on.

    Bytes of one that is cut short, too long or has a wrong TCK are named as far as they announce
    each other.
    """
    # Zeros behind the end make every chain of interface bytes end.
    interface, announced, _ = _read_interface(raw + bytes(8 + len(raw)))
    names = ["TS", "T0", *(f"{byte.kind}{byte.number}" for byte in interface)]
    historical = raw[1] & 0xF if len(raw) > 1 else 0
    names += [f"historical byte {number}" for number in range(1, historical + 1)]
    if any(t != 0 for t in announced):
        names.append("TCK")
    names += [f"byte {at}, behind the end" for at in range(len(names), len(raw))]
    return names[: len(raw)]


def _read_interface(raw: bytes) -> tuple[tuple[InterfaceByte, ...], list[int], int]:
    """Walk T0, TA1 … TDn; return the bytes, the T values in order, and the offset behind them."""
    found: list[InterfaceByte] = []
    announced: list[int] = []
    flags, protocol, index, at = raw[1] >> 4, 0, 1, 2
    while True:
        for bit, kind in ((1, "TA"), (2, "TB"), (4, "TC")):
            if flags & bit:
                if at >= len(raw):
                    raise AtrError(f"{kind}{index} is missing", at)
                found.append(InterfaceByte(kind, index, raw[at], protocol))
                at += 1
        if not flags & 8:
            return tuple(found), announced, at
        if at >= len(raw):
            raise AtrError(f"TD{index} is missing", at)
        found.append(InterfaceByte("TD", index, raw[at], protocol))
        protocol, flags = raw[at] & 0xF, raw[at] >> 4
        announced.append(protocol)
        index, at = index + 1, at + 1
