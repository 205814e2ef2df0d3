# SPDX-License-Identifier: Apache-2.0
"""What a PC/SC server answers where it refuses, as an exception."""

from vreader.bridge.pcsclite import wire
from vreader.errors import VreaderError
from vreader.winscard.codes import SCARD


class PcscError(VreaderError):
    """The server answered with an error; ``code`` is its SCARD_* number as pcsclite.h has it."""

    def __init__(self, code: int) -> None:
        try:
            text = SCARD(wire.RV_FROM_WIRE.get(code, code)).text
        except ValueError:
            text = "Unknown error"
        super().__init__(f"PC/SC: {text} (0x{code:08X})")
        self.code = code


def check(rv: int) -> None:
    """Raise PcscError unless a server's return value is success."""
    if rv:
        raise PcscError(rv)
