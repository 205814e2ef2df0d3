# SPDX-License-Identifier: Apache-2.0
"""Commands with holes in them, and what to say about a command that fits none.

What is said goes to logs: it has the header and lengths of any command, but data only of those
commands that carry none of value.
"""

from typing import NamedTuple, Self

_HEADER = ("CLA", "INS", "P1", "P2")
# SELECT, READ BINARY, READ RECORD, GET RESPONSE, GET DATA, MANAGE CHANNEL: no PIN, no key.
_PUBLIC_INS = frozenset((0xA4, 0xB0, 0xB1, 0xB2, 0xB3, 0xC0, 0xCA, 0xCB, 0x70))


class Pattern(NamedTuple):
    """Bytes of which some may be anything.

    Attributes:
        value: what the bytes are to be, zero where they do not matter.
        mask: the bits of each byte that matter.
        more: any further bytes may follow.
    """

    value: bytes
    mask: bytes
    more: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read hexadecimal in which ``.`` is any digit and ``*`` at the end any further bytes.

        Spaces and colons do not matter. Raises ValueError for anything else.
        """
        digits = "".join(text.split()).replace(":", "")
        more = digits.endswith("*")
        digits = digits.removesuffix("*")
        if len(digits) % 2:
            raise ValueError(f"it has {len(digits)} digits, half a byte too much or too little")
        for digit in digits:
            if digit not in "0123456789abcdefABCDEF.":
                raise ValueError(f"{digit!r} is not a hexadecimal digit, '.', or '*' at the end")
        value = bytes.fromhex(digits.replace(".", "0"))
        mask = bytes.fromhex("".join("0" if digit == "." else "F" for digit in digits))
        return cls(value, mask, more)

    @classmethod
    def masked(cls, value: bytes, mask: bytes) -> Self:
        """Return what matches ``value`` in the bits of ``mask``; bytes beyond the mask are free."""
        mask = mask.ljust(len(value), b"\0")
        return cls(bytes(a & b for a, b in zip(value, mask, strict=True)), mask)

    def fits(self, data: bytes) -> bool:
        """Tell whether ``data`` is what this describes."""
        return self._length_fits(data) and all(self._equal(data))

    def nearness(self, data: bytes) -> float:
        """Return how much of ``data`` fits: 1 for each byte of a header, 0.9 for all the rest."""
        equal = self._equal(data)
        rest = equal[4:]
        return sum(equal[:4]) + (sum(rest) / len(rest) if rest else 0) * 0.9

    def difference(self, command: bytes) -> str:
        """Say why ``command`` does not fit; nothing when it does."""
        for place, same in enumerate(self._equal(command)):
            if same:
                continue
            name = _HEADER[place] if place < 4 else f"byte {place}"
            # What is wanted is as secret as what was sent: a free INS may be that of a VERIFY.
            public = is_public(command) and self.mask[1] == 0xFF
            if place >= 4 and not public:
                return f"{name} differs"
            wanted, mask = self.value[place], self.mask[place]
            shown = f"{wanted:02X}" if mask == 0xFF else f"{wanted:02X} in the bits {mask:02X}"
            return f"{name} is {command[place]:02X}, not {shown}"
        if self._length_fits(command):
            return ""
        least = " or more" if self.more else ""
        return f"it has {len(command)} bytes, not {len(self.value)}{least}"

    def _length_fits(self, data: bytes) -> bool:
        return len(data) == len(self.value) or (self.more and len(data) > len(self.value))

    def _equal(self, data: bytes) -> list[bool]:
        return [a & m == v for a, v, m in zip(data, self.value, self.mask, strict=False)]


def is_public(command: bytes) -> bool:
    """Tell whether the data of ``command`` may be shown to anybody."""
    return command[0] < 0x80 and command[1] in _PUBLIC_INS


def shown(command: bytes) -> str:
    """Return ``command`` for a log: its header, and its data where it is public and short."""
    if len(command) <= 5 or (is_public(command) and len(command) <= 48):
        return command.hex(" ").upper()
    return f"{command[:4].hex(' ').upper()} … ({len(command)} bytes)"
