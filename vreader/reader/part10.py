# SPDX-License-Identifier: Apache-2.0
"""PC/SC part 10 (revision 2.02): features of a reader, their control codes, its properties.

The two resource managers number control codes differently. Where a feature is asked for under
Windows' code, its own code is Windows' too; pcsc-lite's is that of its CCID driver.
"""

from vreader.reader.pinstruct import (
    KEY_PRESSED,
    MAX_PIN_SIZE,
    MAX_REACHED,
    MIN_PIN_SIZE,
    TIME_OUT,
    parse_modify,
    parse_verify,
)
from vreader.reader.slot import Slot
from vreader.smclib.ioctl import CM_IOCTL_GET_FEATURE_REQUEST, SCARD_CTL_CODE
from vreader.smclib.structs import SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS

FEATURE_VERIFY_PIN_DIRECT = 0x06
FEATURE_MODIFY_PIN_DIRECT = 0x07
FEATURE_IFD_PIN_PROPERTIES = 0x0A
FEATURE_GET_TLV_PROPERTIES = 0x12

MAX_APDU_DATA_SIZE = 65536

_FEATURES = (FEATURE_GET_TLV_PROPERTIES,)
_PINPAD_FEATURES = (
    FEATURE_VERIFY_PIN_DIRECT,
    FEATURE_MODIFY_PIN_DIRECT,
    FEATURE_IFD_PIN_PROPERTIES,
    FEATURE_GET_TLV_PROPERTIES,
)

# pcsc-lite's SCARD_CTL_CODE is 0x42000000 and the number.
_LITE_GET_FEATURE_REQUEST = 0x42000D48
_CODES = {
    CM_IOCTL_GET_FEATURE_REQUEST: {tag: SCARD_CTL_CODE(2048 + tag) for tag in _PINPAD_FEATURES},
    _LITE_GET_FEATURE_REQUEST: {tag: 0x42330000 + tag for tag in _PINPAD_FEATURES},
}
_FEATURE_OF = {code: tag for codes in _CODES.values() for tag, code in codes.items()}

# wLcdLayout: lines in the high byte, characters of a line in the low one.
_LCD_LINES, _LCD_CHARACTERS = 2, 16
_CONDITIONS = MAX_REACHED | KEY_PRESSED | TIME_OUT
_KNOWS_TIME_OUT_2 = 1


def control(ext: SMARTCARD_EXTENSION) -> bytes | NTSTATUS:
    """Serve the vendor request in hand: return the reply, or the status for RDF_IOCTL_VENDOR."""
    slot: Slot = ext.ReaderExtension
    code, pinpad = ext.MajorIoControlCode, slot.pinpad
    features = feature_list(code, pinpad is not None)
    if features is not None:
        return features
    feature = feature_of(code)
    if feature == FEATURE_GET_TLV_PROPERTIES:
        return tlv_properties(pinpad is not None, ext.VendorAttr.IfdVersion)
    if pinpad is not None:
        if feature == FEATURE_IFD_PIN_PROPERTIES:
            return pin_properties()
        if feature == FEATURE_VERIFY_PIN_DIRECT:
            return pinpad.start(ext, parse_verify)
        if feature == FEATURE_MODIFY_PIN_DIRECT:
            return pinpad.start(ext, parse_modify)
    return NTSTATUS.INVALID_DEVICE_REQUEST


def feature_list(code: int, pinpad: bool) -> bytes | None:
    """Answer GET_FEATURE_REQUEST: tag, length 4 and control code (big endian) of each feature.

    Returns:
        None where ``code`` is no such request.
    """
    codes = _CODES.get(code)
    if codes is None:
        return None
    tags = _PINPAD_FEATURES if pinpad else _FEATURES
    return b"".join(bytes((tag, 4)) + codes[tag].to_bytes(4, "big") for tag in tags)


def feature_of(code: int) -> int | None:
    """Return the feature a control code asks for; None for a code that is no feature's."""
    return _FEATURE_OF.get(code)


def pin_properties() -> bytes:
    """Answer IFD_PIN_PROPERTIES: PIN_PROPERTIES_STRUCTURE, little endian."""
    return bytes((_LCD_CHARACTERS, _LCD_LINES, _CONDITIONS, _KNOWS_TIME_OUT_2))


def tlv_properties(pinpad: bool, version: tuple[int, int, int]) -> bytes:
    """Answer GET_TLV_PROPERTIES: tag, length and value of each property, numbers little endian.

    A reader without a keypad tells the greatest APDU alone. wIdVendor and wIdProduct are zero, for
    the reader is no USB device.
    """
    size = (0x0A, MAX_APDU_DATA_SIZE.to_bytes(4, "little"))
    properties: tuple[tuple[int, bytes], ...] = (size,)
    if pinpad:
        firmware = "vreader " + ".".join(map(str, version))
        properties = (
            (0x01, bytes((_LCD_CHARACTERS, _LCD_LINES))),  # wLcdLayout
            (0x02, bytes((_CONDITIONS,))),  # bEntryValidationCondition
            (0x03, bytes((_KNOWS_TIME_OUT_2,))),  # bTimeOut2
            (0x04, _LCD_CHARACTERS.to_bytes(2, "little")),  # wLcdMaxCharacters
            (0x05, _LCD_LINES.to_bytes(2, "little")),  # wLcdMaxLines
            (0x06, bytes((MIN_PIN_SIZE,))),  # bMinPINSize
            (0x07, bytes((MAX_PIN_SIZE,))),  # bMaxPINSize
            (0x08, firmware.encode()),  # sFirmwareID
            (0x09, b"\0"),  # bPPDUSupport: no pseudo APDUs
            size,  # dwMaxAPDUDataSize
            (0x0B, b"\0\0"),  # wIdVendor
            (0x0C, b"\0\0"),  # wIdProduct
        )
    return b"".join(bytes((tag, len(value))) + value for tag, value in properties)
