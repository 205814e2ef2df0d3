# SPDX-License-Identifier: Apache-2.0
"""PIN blocks: where and how typed digits go into a command (PC/SC part 10 §2.5, CCID 1.1 §6.1.11).

Pure: knows no reader and no person. A *template* is the command as the application wrote it, with
filler where the PIN belongs. A PIN is a string of decimal digits and stands in no error text.

The specifications leave two things open, decided here as the readers of the field have it (ACS
ACR83 reference manual §11-12; OpenSC; the Belgian eID middleware):

- A block size counts from the PIN position where that is given in bytes. Where it is given in bits
  the block begins with the data field, so that the position lies inside the block.
- Block size 0 means as many bytes as the PIN needs. The data field then grows where it is too
  short, and Lc with it; two PINs put into an empty one follow each other.
"""

from typing import NamedTuple

from vreader.iso7816.apdu import ApduError, CommandApdu

BINARY, BCD, ASCII = 0, 1, 2
_BITS_PER_DIGIT = {BINARY: 8, BCD: 4, ASCII: 8}
_HEADER_SIZE = 4


class PinBlockError(ValueError):
    """What the application asks for cannot be carried out; a reader answers it 6B80."""


class PinFormat(NamedTuple):
    """How digits become a PIN block. Positions are bits from the start of the data field.

    Attributes:
        coding: BINARY and ASCII take a byte for each digit, BCD half of one.
        right: justified at the end of the block instead of at the PIN position.
        position: where the digits begin, or where they may begin at the earliest.
        block_end: where the block ends; 0 for a block as long as the PIN.
        length_size: bits of a field that holds the number of digits; 0 for none.
        length_position: where that field begins.
    """

    coding: int
    right: bool
    position: int
    block_end: int
    length_size: int
    length_position: int

    @classmethod
    def decode(
        cls, bmFormatString: int, bmPINBlockString: int, bmPINLengthFormat: int
    ) -> "PinFormat":
        """Read the three bytes of PIN_VERIFY and PIN_MODIFY; bits reserved for use are ignored.

        Raises:
            PinBlockError: a reserved coding, or fields that overlap.
        """
        coding = bmFormatString & 3
        if coding not in _BITS_PER_DIGIT:
            raise PinBlockError(f"bmFormatString {bmFormatString:02X}: the coding is reserved")
        in_bytes = bmFormatString & 0x80
        position = (bmFormatString >> 3 & 0xF) * (8 if in_bytes else 1)
        block_end = 8 * (bmPINBlockString & 0xF)
        if block_end and in_bytes:
            block_end += position
        if block_end and position >= block_end:
            raise PinBlockError(f"bmPINBlockString {bmPINBlockString:02X}: no room in the block")
        length_size = bmPINBlockString >> 4
        length_position = (bmPINLengthFormat & 0xF) * (8 if bmPINLengthFormat & 0x10 else 1)
        if length_size and length_position + length_size > position:
            raise PinBlockError(
                f"bmPINLengthFormat {bmPINLengthFormat:02X}: the length does not end before the PIN"
            )
        right = bool(bmFormatString & 4)
        return cls(coding, right, position, block_end, length_size, length_position)

    @property
    def capacity(self) -> int | None:
        """The most digits that block and length field can hold; None where nothing limits them."""
        limits: list[int] = []
        if self.block_end:
            limits.append((self.block_end - self.position) // _BITS_PER_DIGIT[self.coding])
        if self.length_size:
            limits.append((1 << self.length_size) - 1)
        return min(limits, default=None)

    def check(self, size: int, offset: int = 0) -> None:
        """Refuse a data field of ``size`` bytes that has no room for the block at byte ``offset``.

        Raises:
            PinBlockError: the block ends behind the data field.
        """
        if self.block_end and offset + self.block_end // 8 > size:
            raise PinBlockError("the PIN block ends behind the command's data field")

    def span(self, digits: int, offset: int = 0) -> range:
        """Return the bytes of the data field a PIN of ``digits`` takes, with its length field."""
        end = self.block_end or self.position + digits * _BITS_PER_DIGIT[self.coding]
        return range(offset, offset + (end + 7) // 8)

    def insert(self, data: bytes, pin: str, offset: int = 0) -> bytes:
        """Return the data field with ``pin`` and its length written at byte ``offset``.

        Args:
            data: the data field; it grows, by zeros, only where the block is as long as the PIN.
            pin: decimal digits, at most :attr:`capacity`.
            offset: bytes before the block: 0 for PIN_VERIFY, bInsertionOffset… of PIN_MODIFY.

        Raises:
            PinBlockError: the block ends behind the data field, or cannot hold so many digits.
        """
        if self.capacity is not None and len(pin) > self.capacity:
            raise PinBlockError("the PIN block cannot hold so many digits")
        self.check(len(data), offset)
        coded = _coded(pin, self.coding)
        width = len(pin) * _BITS_PER_DIGIT[self.coding]
        start = self.block_end - width if self.right and self.block_end else self.position
        field = bytearray(data)
        missing = offset + (start + width + 7) // 8 - len(field)
        field += bytes(max(0, missing))
        _write(field, 8 * offset + start, width, coded)
        if self.length_size:
            _write(field, 8 * offset + self.length_position, self.length_size, len(pin))
        return bytes(field)


def _coded(pin: str, coding: int) -> int:
    """Return the digits side by side as one number."""
    if coding == BCD:
        return int(pin or "0", 16)
    return int.from_bytes(pin.encode() if coding == ASCII else bytes(map(int, pin)), "big")


def _write(field: bytearray, position: int, width: int, value: int) -> None:
    """Overwrite ``width`` bits from bit ``position`` on; the first bit is the most significant."""
    shift = 8 * len(field) - position - width
    mask = ((1 << width) - 1) << shift
    whole = int.from_bytes(field, "big") & ~mask | value << shift
    field[:] = whole.to_bytes(len(field), "big")


def parse_template(abData: bytes) -> CommandApdu:
    """Read the command an application wants the PIN in.

    Four bytes have no data field yet, nor have five that end with a zero Lc.

    Raises:
        PinBlockError: it is no command.
    """
    if len(abData) == _HEADER_SIZE + 1:
        if abData[_HEADER_SIZE]:
            raise PinBlockError("abData ends behind Lc")
        return CommandApdu(*abData[:_HEADER_SIZE])
    try:
        return CommandApdu.parse(abData)
    except ApduError as error:
        raise PinBlockError("abData is no command APDU") from error


def with_data(template: CommandApdu, data: bytes) -> bytes:
    """Return the command with another data field, Lc counted anew.

    Raises:
        PinBlockError: it has become too long.
    """
    try:
        return bytes(CommandApdu(*template[:4], data, template.ne, template.extended))
    except ValueError as error:
        raise PinBlockError("the command has become too long") from error
