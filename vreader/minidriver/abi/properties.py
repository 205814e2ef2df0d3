# SPDX-License-Identifier: Apache-2.0
"""The properties of a card and of a container: names, values, who may set them, since when.

From "CardGetProperty", "CardSetProperty", "CardGetContainerProperty" and
"CardSetContainerProperty" of the Smart Card Minidriver Specification.
"""

from enum import Enum, StrEnum
from typing import NamedTuple


class CardProperty(StrEnum):
    """CP_*: properties of the card."""

    FREE_SPACE = "Free Space"
    CAPABILITIES = "Capabilities"
    KEY_SIZES = "Key Sizes"
    READ_ONLY = "Read Only Mode"
    CACHE_MODE = "Cache Mode"
    X509_ENROLLMENT = "Supports Windows x.509 Enrollment"
    GUID = "Card Identifier"
    SERIAL_NO = "Card Serial Number"
    PIN_INFO = "PIN Information"
    LIST_PINS = "PIN List"
    AUTHENTICATED_STATE = "Authenticated State"
    PIN_STRENGTH_VERIFY = "PIN Strength Verify"
    PIN_STRENGTH_CHANGE = "PIN Strength Change"
    PIN_STRENGTH_UNBLOCK = "PIN Strength Unblock"
    PARENT_WINDOW = "Parent Window"
    PIN_CONTEXT_STRING = "PIN Context String"
    KEY_IMPORT_SUPPORT = "Key Import Support"
    ENUM_ALGORITHMS = "Algorithms"
    PADDING_SCHEMES = "Padding Schemes"
    CHAINING_MODES = "Chaining Modes"


class ContainerProperty(StrEnum):
    """CCP_*: properties of a container."""

    INFO = "Container Info"
    PIN_IDENTIFIER = "PIN Identifier"
    ASSOCIATED_ECDH_KEY = "Associated ECDH Key"


class Flags(Enum):
    """What dwFlags says with a property; where it says nothing it must be 0."""

    ZERO = "0"
    KEY_SPEC = "a key specification"
    PIN_ID = "a PIN identifier"
    OPERATION = "kinds of operation"


class Property(NamedTuple):
    """What is documented of one property.

    Attributes:
        value: the form of its value: a structure's name, DWORD, BOOL, BYTE, PIN_ID, PIN_SET, bytes,
            HWND or WCHAR.
        readable, writable: whether it can be got and set. Most cards let nobody set a writable one.
        flags: what dwFlags says.
        since: version of CARD_DATA.
    """

    value: str
    readable: bool = True
    writable: bool = False
    flags: Flags = Flags.ZERO
    since: int = 6


_C = CardProperty
CARD_PROPERTIES: dict[str, Property] = {
    _C.FREE_SPACE: Property("CARD_FREE_SPACE_INFO"),
    _C.CAPABILITIES: Property("CARD_CAPABILITIES"),
    _C.KEY_SIZES: Property("CARD_KEY_SIZES", flags=Flags.KEY_SPEC),
    _C.READ_ONLY: Property("BOOL", writable=True),
    _C.CACHE_MODE: Property("DWORD", writable=True),
    _C.X509_ENROLLMENT: Property("BOOL", writable=True),
    _C.GUID: Property("bytes", writable=True),
    _C.SERIAL_NO: Property("bytes", writable=True),
    _C.PIN_INFO: Property("PIN_INFO", writable=True, flags=Flags.PIN_ID),
    _C.LIST_PINS: Property("PIN_SET"),
    _C.AUTHENTICATED_STATE: Property("PIN_SET"),
    _C.PIN_STRENGTH_VERIFY: Property("DWORD", flags=Flags.PIN_ID),
    _C.PIN_STRENGTH_CHANGE: Property("DWORD", flags=Flags.PIN_ID),
    _C.PIN_STRENGTH_UNBLOCK: Property("DWORD", flags=Flags.PIN_ID),
    _C.PARENT_WINDOW: Property("HWND", readable=False, writable=True),
    _C.PIN_CONTEXT_STRING: Property("WCHAR", readable=False, writable=True),
    _C.KEY_IMPORT_SUPPORT: Property("DWORD", since=7),
    _C.ENUM_ALGORITHMS: Property("bytes", flags=Flags.OPERATION, since=7),
    _C.PADDING_SCHEMES: Property("bytes", flags=Flags.OPERATION, since=7),
    _C.CHAINING_MODES: Property("bytes", since=7),
}

CONTAINER_PROPERTIES: dict[str, Property] = {
    ContainerProperty.INFO: Property("CONTAINER_INFO"),
    ContainerProperty.PIN_IDENTIFIER: Property("PIN_ID", writable=True),
    ContainerProperty.ASSOCIATED_ECDH_KEY: Property("BYTE", writable=True, since=7),
}
