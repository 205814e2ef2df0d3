# SPDX-License-Identifier: Apache-2.0
"""The test cards: what they answer can be worked out from what they are asked.

===============  ==========================================================================
SELECT (A4)      9000; 6700 where Lc does not fit the data
READ (B0)        as many bytes as Le asks for: :func:`pattern`
RECORD (B2)      a record of P1 bytes; another Le gets 6Cxx, as on a T=0 card
WRITE (D6)       9000, and keeps the data in ``written``
ECHO (88)        the command's data
STATUS (04)      P1 P2 as its status word
===============  ==========================================================================
"""

from collections.abc import Callable

from vreader.card import CardMute
from vreader.iso7816 import Atr, CommandApdu
from vreader.iso7816.apdu import ApduError
from vreader.iso7816.atr import DIRECT, INVERSE

SELECT, READ, RECORD, WRITE, ECHO, STATUS = 0xA4, 0xB0, 0xB2, 0xD6, 0x88, 0x04
_OK = b"\x90\x00"


def t0_atr(*, inverse: bool = False, specific: bool = False) -> bytes:
    """Return the ATR of a card that speaks T=0 alone.

    TC2=01: the shortest waiting time, so that silence is soon noticed.
    """
    ts = INVERSE if inverse else DIRECT
    group = (0x50, 0x00, 0x01) if specific else (0x40, 0x01)
    return bytes((ts, 0x83, *group)) + b"T=0"


def t1_atr(*, inverse: bool = False, specific: bool = False, crc: bool = False) -> bytes:
    """Return the ATR of a card that speaks T=1 alone, with an LRC or a CRC.

    TA3=FE: blocks of 254 bytes. TB3=00: the shortest waiting times.
    """
    return bytes(
        Atr.build(
            protocols=(1,),
            historical=b"T=1",
            inverse=inverse,
            ta2=0x01 if specific else None,
            specific=((0xFE, 0x00, 1 if crc else None),),
        )
    )


# Both protocols; what contactless readers make up for their cards looks alike.
BOTH = bytes(Atr.build(protocols=(0, 1)))
# The same card after a warm reset.
BOTH_WARM = bytes(Atr.build(protocols=(0, 1), historical=b"W"))
# Cards named in the prerequisites of Microsoft's reader test.
E_GATE = bytes.fromhex("3B951840FF6201020104")
SICRYPT = bytes.fromhex("3BDF18008131FE67005C49434DD49147D276000038330058")


def pattern(length: int) -> bytes:
    """Return bytes no two neighbours of which are alike; all values are among 256 of them."""
    return bytes(index * 37 + 11 & 0xFF for index in range(length))


class TestCard:
    """A card that notes what is done to it.

    Attributes:
        atr, warm_atr: what it answers to a cold and to a warm reset.
        log: the methods called, in order; commands are in ``commands``.
        commands: every C-APDU that came.
        written: what WRITE has brought last.
        mute: names of methods it does not answer.
        meanwhile: method name → what happens once, while it is at work; no lock is held then.
        powered: it has power.
    """

    __test__ = False  # not pytest's

    def __init__(self, atr: bytes = BOTH, warm_atr: bytes | None = None) -> None:
        self.atr = atr
        self.warm_atr = atr if warm_atr is None else warm_atr
        self.log: list[str] = []
        self.commands: list[bytes] = []
        self.written = b""
        self.mute: set[str] = set()
        self.meanwhile: dict[str, Callable[[], object]] = {}
        self.powered = False

    def power_on(self) -> bytes:
        """See Card."""
        self._called("power_on")
        self.powered = True
        return self.atr

    def reset(self) -> bytes:
        """See Card."""
        self._called("reset")
        return self.warm_atr

    def power_off(self) -> None:
        """See Card."""
        self._called("power_off")
        self.powered = False

    def transmit(self, c_apdu: bytes) -> bytes:
        """See Card."""
        self.commands.append(c_apdu)
        self._called("transmit")
        try:
            apdu = CommandApdu.parse(c_apdu)
        except ApduError:
            return b"\x67\x00"
        return self._answer(apdu)

    def _called(self, name: str) -> None:
        self.log.append(name)
        if (happen := self.meanwhile.pop(name, None)) is not None:
            happen()
        if name in self.mute:
            raise CardMute

    def _answer(self, apdu: CommandApdu) -> bytes:
        if apdu.ins == SELECT:
            return _OK
        if apdu.ins == READ:
            return pattern(apdu.ne) + _OK
        if apdu.ins == RECORD:
            return pattern(apdu.p1) + _OK if apdu.ne == apdu.p1 else bytes((0x6C, apdu.p1))
        if apdu.ins == WRITE:
            self.written = apdu.data
            return _OK
        if apdu.ins == ECHO:
            return apdu.data + _OK
        if apdu.ins == STATUS:
            return bytes((apdu.p1, apdu.p2))
        return b"\x6d\x00"
