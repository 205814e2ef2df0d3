# SPDX-License-Identifier: Apache-2.0
"""Features, control codes and properties, as libccid and Windows' readers have them."""

import pytest

from vreader.reader.finger import PinQueue
from vreader.smclib.ioctl import Attr, Ioctl
from vreader.wdm import NTSTATUS

WINDOWS, LITE = 0x00313520, 0x42000D48
PINPAD = {"pinpad": PinQueue(["123456"])}


def features(answer):
    """Parse PCSC_TLV_STRUCTUREs: tag → control code."""
    assert len(answer) % 6 == 0
    found = {}
    for at in range(0, len(answer), 6):
        tag, length = answer[at : at + 2]
        assert length == 4
        found[tag] = int.from_bytes(answer[at + 2 : at + 6], "big")
    return found


def properties(answer):
    found, at = {}, 0
    while at < len(answer):
        tag, length = answer[at : at + 2]
        found[tag] = answer[at + 2 : at + 2 + length]
        at += 2 + length
    assert at == len(answer)
    return found


@pytest.mark.wdk(
    "pinpad.feature-request",
    "ioctl.code.feature-request",
    "ioctl.code.pcsclite",
    "callback.ioctl-vendor",
)
@pytest.mark.parametrize(
    ("settings", "request_code", "codes"),
    [
        ({}, WINDOWS, {0x12: 0x00312048}),
        ({}, LITE, {0x12: 0x42330012}),
        (
            PINPAD,
            WINDOWS,
            {0x06: 0x00312018, 0x07: 0x0031201C, 0x0A: 0x00312028, 0x12: 0x00312048},
        ),
        (
            PINPAD,
            LITE,
            {0x06: 0x42330006, 0x07: 0x42330007, 0x0A: 0x4233000A, 0x12: 0x42330012},
        ),
    ],
)
def test_features(make_rig, settings, request_code, codes):
    rig = make_rig(**settings)
    status, answer = rig.ioctl(request_code, b"", 256)
    assert status is NTSTATUS.SUCCESS
    assert features(answer) == codes
    for code in codes.values():
        assert rig.ioctl(code, b"", 256)[0] is not NTSTATUS.INVALID_DEVICE_REQUEST


@pytest.mark.wdk("ioctl.code.vendor-range")
def test_windows_codes_are_vendor_codes(make_rig):
    found = features(make_rig(**PINPAD).ioctl(WINDOWS, b"", 256)[1])
    assert all(2048 <= (code & 0xFFFF) >> 2 <= 4095 for code in found.values())


@pytest.mark.wdk("callback.ioctl-vendor.unknown")
@pytest.mark.parametrize(
    "code", [0x42000001, 0x00312000, 0x42330006, 0x42330007, 0x4233000A, 0x00312018]
)
def test_what_a_reader_without_pinpad_does_not_know(rig, code):
    assert rig.ioctl(code, b"", 256) == (NTSTATUS.INVALID_DEVICE_REQUEST, b"")


@pytest.mark.wdk("pinpad.tlv-properties")
@pytest.mark.parametrize("code", [0x00312048, 0x42330012])
def test_properties(make_rig, code):
    assert properties(make_rig().ioctl(code, b"", 256)[1]) == {0x0A: b"\0\0\1\0"}
    assert properties(make_rig(**PINPAD).ioctl(code, b"", 256)[1]) == {
        0x01: b"\x10\x02",  # wLcdLayout: 2 lines of 16
        0x02: b"\x07",  # bEntryValidationCondition
        0x03: b"\x01",  # bTimeOut2
        0x04: b"\x10\0",  # wLcdMaxCharacters
        0x05: b"\x02\0",  # wLcdMaxLines
        0x06: b"\x01",  # bMinPINSize
        0x07: b"\x10",  # bMaxPINSize
        0x08: b"vreader 1.0.0",  # sFirmwareID
        0x09: b"\x00",  # bPPDUSupport
        0x0A: b"\0\0\1\0",  # dwMaxAPDUDataSize
        0x0B: b"\0\0",  # wIdVendor
        0x0C: b"\0\0",  # wIdProduct
    }


@pytest.mark.wdk("pinpad.ifd-pin-properties")
@pytest.mark.parametrize("code", [0x00312028, 0x4233000A])
def test_pin_properties(make_rig, code):
    rig = make_rig(**PINPAD)
    assert rig.ioctl(code, b"", 4) == (NTSTATUS.SUCCESS, b"\x10\x02\x07\x01")
    assert rig.ioctl(code, b"", 3) == (NTSTATUS.BUFFER_TOO_SMALL, b"")


@pytest.mark.wdk("attribute.user-to-card-auth-device", "attribute.user-auth-input-device")
@pytest.mark.parametrize("tag", [Attr.USER_TO_CARD_AUTH_DEVICE, Attr.USER_AUTH_INPUT_DEVICE])
def test_attributes(make_rig, tag):
    def ask(rig):
        return rig.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, tag.to_bytes(4, "little"), 4)

    assert ask(make_rig(**PINPAD)) == (NTSTATUS.SUCCESS, b"\2\0\0\0")  # a numeric keypad
    assert ask(make_rig()) == (NTSTATUS.NOT_SUPPORTED, b"")
