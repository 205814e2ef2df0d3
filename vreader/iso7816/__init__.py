# SPDX-License-Identifier: Apache-2.0
"""Values of ISO/IEC 7816: ATR, APDU, BER-TLV and status words; bytes in, bytes out."""

from vreader.iso7816.apdu import ApduError, CommandApdu, ResponseApdu
from vreader.iso7816.atr import Atr, AtrError, InterfaceByte
from vreader.iso7816.sw import SW
from vreader.iso7816.tlv import Tlv, TlvError

__all__ = [
    "SW",
    "ApduError",
    "Atr",
    "AtrError",
    "CommandApdu",
    "InterfaceByte",
    "ResponseApdu",
    "Tlv",
    "TlvError",
]
