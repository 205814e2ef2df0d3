# SPDX-License-Identifier: Apache-2.0
"""A minidriver of one's own: for Fabrikam's PIV cards, which have a serial number to tell."""

from vreader.minidriver.abi.codes import NO_CARD_MODE
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.drivers.piv import PivMinidriver
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import Module
from vreader.minidriver.rules.base import acquire, negotiate
from vreader.winscard.codes import SCARD, Win32

SERIAL_NUMBER = "Card Serial Number"
SERIAL = b"FABRIKAM-1"


class FabrikamMinidriver(PivMinidriver):
    """What differs from any PIV card."""

    def CardGetProperty(self, name: str | None, buffer: bytes | None, flags: int) -> bytes:
        if name == SERIAL_NUMBER and flags == 0:
            if buffer is None or len(buffer) < len(SERIAL):
                raise MinidriverError(Win32.INSUFFICIENT_BUFFER, length=len(SERIAL))
            return SERIAL
        return super().CardGetProperty(name, buffer, flags)


class Mine(Module):
    """The module, as its DLL would be loaded."""

    def CardAcquireContext(self, data: CardData | None, flags: int) -> Minidriver:
        given = acquire(data, flags)  # parameters are right, or it raises what the pages say
        if flags & NO_CARD_MODE:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        return FabrikamMinidriver(self.api, given, negotiate(given.version, self.VERSION))
