# SPDX-License-Identifier: Apache-2.0
"""A whole card in four methods. It counts; what it counted is gone with the power.

    INS 10   add one          9000
    INS 20   read the counter 2 bytes, 9000

Use it with  vreader run --card counter.py:Counter,start=41 -- PROGRAM
"""

ATR = bytes.fromhex("3B80800101")


class Counter:
    """A card; the keys of its SPEC arrive as keyword arguments, always text."""

    def __init__(self, start: str = "0"):
        self.start = int(start)
        self.value = self.start

    def power_on(self) -> bytes:
        """Cold reset: volatile state is gone; return the ATR."""
        self.value = self.start
        return ATR

    def reset(self) -> bytes:
        """Warm reset: as a cold one, for this card."""
        return self.power_on()

    def power_off(self) -> None:
        """The power is gone."""

    def transmit(self, c_apdu: bytes) -> bytes:
        """Answer one C-APDU; any bytes may come, at least SW1 and SW2 must go."""
        match c_apdu[1:2]:
            case b"\x10":
                self.value = (self.value + 1) % 0x10000
                return b"\x90\x00"
            case b"\x20":
                return self.value.to_bytes(2) + b"\x90\x00"
            case _:
                return b"\x6d\x00"
