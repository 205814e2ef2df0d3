# SPDX-License-Identifier: Apache-2.0
"""Command and response APDUs (ISO/IEC 7816-4:2020 §5.1-5.2, ISO/IEC 7816-3:2006 §12.1).

Both directions are exact: ``bytes(CommandApdu.parse(raw)) == raw`` for every well-formed ``raw``.
"""

from typing import NamedTuple, Self

from vreader.iso7816.sw import SW

MAX_NC = 65535
MAX_NE = 65536


class ApduError(ValueError):
    """A malformed APDU; ``position`` is the offset of the byte that cannot be right."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at byte {position})")
        self.position = position


class _Command(NamedTuple):
    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    ne: int
    extended: bool


class CommandApdu(_Command):
    """A C-APDU.

    Attributes:
        cla, ins, p1, p2: the header, one byte each.
        data: the command data field, ``len(data)`` is Nc (0…65535).
        ne: the greatest number of response data bytes expected, 0…65536; 0 means no Le field.
        extended: the lengths are coded in three/two bytes. Forced where short form cannot say it.
    """

    __slots__ = ()

    def __new__(
        cls,
        cla: int,
        ins: int,
        p1: int = 0,
        p2: int = 0,
        data: bytes = b"",
        ne: int = 0,
        extended: bool = False,
    ) -> Self:
        """Make one; raises ValueError for a field out of range."""
        for name, value in (("cla", cla), ("ins", ins), ("p1", p1), ("p2", p2)):
            if not 0 <= value <= 255:
                raise ValueError(f"{name} must be one byte, not {value}")
        if len(data) > MAX_NC:
            raise ValueError(f"an APDU carries at most {MAX_NC} data bytes, not {len(data)}")
        if not 0 <= ne <= MAX_NE:
            raise ValueError(f"ne must be 0 to {MAX_NE}, not {ne}")
        if len(data) > 255 or ne > 256:
            extended = True
        elif not data and not ne:
            extended = False
        return super().__new__(cls, cla, ins, p1, p2, data, ne, extended)

    @property
    def case(self) -> int:
        """The case 1…4 of ISO 7816-3 table 12: which of Lc and Le are there."""
        if self.data:
            return 4 if self.ne else 3
        return 2 if self.ne else 1

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    def __bytes__(self) -> bytes:
        out = bytearray((self.cla, self.ins, self.p1, self.p2))
        nc, ne = len(self.data), self.ne
        if not self.extended:
            if nc:
                out.append(nc)
                out += self.data
            if ne:
                out.append(ne & 0xFF)
            return bytes(out)
        out.append(0)
        if nc:
            out += nc.to_bytes(2, "big") + self.data
        if ne:
            out += (ne & 0xFFFF).to_bytes(2, "big")
        return bytes(out)

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a C-APDU of case 1…4, short or extended.

        Raises:
            ApduError: fewer than four bytes, or the lengths do not add up.
        """
        n = len(raw)
        if n < 4:
            raise ApduError(f"an APDU has at least four bytes, this one {n}", n)
        data, ne, extended = b"", 0, False
        if n > 5:
            data, ne, extended = _extended_body(raw) if not raw[4] else _short_body(raw)
        elif n == 5:
            ne = raw[4] or 256
        # What was read is in range: no need to check it as the constructor does.
        return tuple.__new__(cls, (*raw[:4], data, ne, extended))


def _short_body(raw: bytes) -> tuple[bytes, int, bool]:
    nc = raw[4]
    end = 5 + nc
    if len(raw) == end:
        return bytes(raw[5:]), 0, False
    if len(raw) == end + 1:
        return bytes(raw[5:end]), raw[end] or 256, False
    raise ApduError(f"Lc says {nc} data bytes, {len(raw) - 5} bytes follow", 4)


def _extended_body(raw: bytes) -> tuple[bytes, int, bool]:
    n = len(raw)
    if n < 7:
        raise ApduError("a zero Lc starts an extended length of three bytes", 4)
    length = int.from_bytes(raw[5:7], "big")
    if n == 7:
        return b"", length or MAX_NE, True
    end = 7 + length
    if not length:
        raise ApduError("an extended Lc must not be zero", 5)
    if n == end:
        return bytes(raw[7:]), 0, True
    if n == end + 2:
        return bytes(raw[7:end]), int.from_bytes(raw[end:], "big") or MAX_NE, True
    raise ApduError(f"extended Lc says {length} data bytes, {n - 7} bytes follow", 5)


class _Response(NamedTuple):
    data: bytes
    sw: SW


class ResponseApdu(_Response):
    """An R-APDU: up to 65536 data bytes and a status word."""

    __slots__ = ()

    def __new__(cls, data: bytes, sw: SW) -> Self:
        """Make one; raises ValueError for too much data."""
        if len(data) > MAX_NE:
            raise ValueError(f"an R-APDU carries at most {MAX_NE} data bytes")
        return super().__new__(cls, data, sw)

    def __bytes__(self) -> bytes:
        return self.data + self.sw.to_bytes2()

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read an R-APDU.

        Raises:
            ApduError: fewer than two bytes, or more data than 65536 bytes.
        """
        if len(raw) < 2:
            raise ApduError(f"an R-APDU has at least two bytes, this one {len(raw)}", len(raw))
        if len(raw) > MAX_NE + 2:
            raise ApduError("an R-APDU carries at most 65536 data bytes", MAX_NE + 2)
        return cls(bytes(raw[:-2]), SW(int.from_bytes(raw[-2:], "big")))
