# SPDX-License-Identifier: Apache-2.0
"""Numbers of the GIDS specification and of Microsoft's profile of it: no behaviour.

Sources: the GIDS specification v2.0 and "Windows inbox smart card minidriver" in Microsoft's driver
documentation, which prints the commands that make a card.
"""

from enum import IntEnum

AID_PREFIX = bytes.fromhex("A00000039742544659")
AID = AID_PREFIX + b"\x02\x01"

# The application itself and EF.ATR; everything else is created.
DF, EF_ATR = 0x3FFF, 0x2F01
# The EFs of Microsoft's profile, named for the access they give to what is in them.
USER_CREATE_DELETE_DIR = 0xA000
EVERYONE_READ_USER_WRITE = 0xA010
USER_WRITE_EXECUTE = 0xA011
EVERYONE_READ_ADMIN_WRITE = 0xA012
USER_READ_WRITE = 0xA013
ADMIN_READ_WRITE = 0xA014
ADMIN_KEY_FILE = 0xB080
# Key reference 81 is in EF B081, and so on.
KEY_FILE_BASE = 0xB000
ADMIN_KEY, FIRST_KEY = 0x80, 0x81

# FCI, FCP and FMD of the application: capability bytes 40 01 C0 are selection by DF name, byte
# coding, command chaining and extended length; files are created and deleted by user or admin.
_CAPABILITIES = bytes.fromhex("4001C0")
DF_ACCESS = bytes.fromhex("033030")
DF_FCI = bytes.fromhex("61124F0B") + AID + bytes.fromhex("7303") + _CAPABILITIES
DF_FCP = bytes.fromhex("62088201388C03") + DF_ACCESS
DF_FMD = bytes.fromhex("64045F2F0140")
# EF.ATR (ISO/IEC 7816-4): I/O buffers are not told, capabilities as above, our name.
EF_ATR_OBJECTS = {
    0x43: b"\xf4",
    0x47: bytes.fromhex("0801C0"),
    0x46: b"vreader GIDS",
}

EF_ATR_FCP = bytes.fromhex("82013983022F01")

EF_WITH_OBJECTS, EF_WITH_KEY = 0x39, 0x18


class LifeCycle(IntEnum):
    """Life cycle of the application (ISO/IEC 7816-4)."""

    CREATION = 0x01
    OPERATIONAL = 0x05
    TERMINATED = 0x0C


class Right(IntEnum):
    """Bits of the access mode byte (ISO/IEC 7816-4) with their meaning for each file."""

    GET_DATA = 0x01
    PUT_DATA = 0x02
    DELETE_CHILD = 0x01
    CREATE_CHILD = 0x02
    GET_PUBLIC_KEY = 0x01
    PUT_KEY = 0x02
    USE_KEY = 0x04
    GENERATE_KEY = 0x08


class PinRef(IntEnum):
    """Reference data of VERIFY and its relatives."""

    PIN = 0x80
    PUK = 0x81


# Data objects of the application itself: what is left of PIN and PUK.
PIN_STATUS = {0x7F71: PinRef.PIN, 0x7F73: PinRef.PUK}

# Algorithm reference: the lower half is the key, the upper half the padding.
RSA_BITS = {0x06: 1024, 0x07: 2048, 0x08: 3072, 0x09: 4096}
EC_BITS = {0x0C: 256, 0x0D: 384, 0x0E: 521}
ALGORITHM_NAMES = {
    **{number: f"RSA-{bits}" for number, bits in RSA_BITS.items()},
    **{number: f"P-{bits}" for number, bits in EC_BITS.items()},
}
TRIPLE_DES = 0x02


class Padding(IntEnum):
    """The upper half of an algorithm reference."""

    NONE = 0x00
    RAW_SIGNATURE = 0x10
    PKCS1_DECIPHER = 0x40
    PKCS1_SIGNATURE = 0x50
    OAEP = 0x80


class Template(IntEnum):
    """Control reference templates (ISO/IEC 7816-4)."""

    AUTHENTICATION = 0xA4
    SIGNATURE = 0xB6
    CONFIDENTIALITY = 0xB8


SIGNING = (Padding.RAW_SIGNATURE, Padding.PKCS1_SIGNATURE)
DECIPHERING = (Padding.NONE, Padding.OAEP, Padding.PKCS1_DECIPHER)
