# SPDX-License-Identifier: Apache-2.0
"""Control with the reader's own codes, attributes, and what a status says."""

import pytest
from winscard_desk import Card

from vreader.smclib.ioctl import Attr, Ioctl, Protocol
from vreader.smclib.states import CardState
from vreader.winscard import operations
from vreader.winscard.codes import SCARD, ScardError, ShareMode, Win32
from vreader.winscard.profile import WINDOWS_7

COLD, WARM, DOWN = b"\1\0\0\0", b"\2\0\0\0", b"\0\0\0\0"
T1 = Protocol.T1.to_bytes(4, "little")
DIRECT = ShareMode.DIRECT
APDU = b"\0\xa4\4\0"


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


@pytest.fixture
def direct(desk):
    """A desk with a card and a direct connection, with which nobody has negotiated."""
    desk.insert()
    return desk, desk.connect(share=DIRECT, protocols=0)


def control(desk, handle, code, data=b"", room=64):
    return desk.do("control", handle, code, data, room)


@pytest.mark.wdk("rm.direct")
def test_direct_mode_drives_the_card_itself(direct):
    desk, handle = direct
    reader = desk.reader
    assert reader.protocol is Protocol.UNDEFINED
    assert control(desk, handle, Ioctl.SMARTCARD_POWER, COLD) == bytes.fromhex("3B80800101")
    assert control(desk, handle, Ioctl.SMARTCARD_SET_PROTOCOL, T1) == T1
    assert reader.protocol is Protocol.T1
    assert desk.transmit(handle, APDU) == APDU + b"\x90\0"
    assert control(desk, handle, Ioctl.SMARTCARD_POWER, DOWN) == b""
    assert not reader.powered
    assert code_of(desk.transmit, handle, APDU) == Win32.BAD_COMMAND
    assert handle.event is None  # it has done so itself


def test_a_reset_by_control_is_told_to_the_others(desk):
    desk.insert()
    one, two = desk.connect(), desk.connect()
    control(desk, one, Ioctl.SMARTCARD_POWER, WARM)
    assert desk.reader.protocol is Protocol.UNDEFINED
    assert code_of(desk.transmit, two) == SCARD.W_RESET_CARD
    control(desk, one, Ioctl.SMARTCARD_SET_PROTOCOL, T1)
    assert desk.transmit(one, APDU) == APDU + b"\x90\0"
    control(desk, one, Ioctl.SMARTCARD_POWER, DOWN)
    assert code_of(desk.transmit, two) == SCARD.W_UNPOWERED_CARD
    desk.do("reconnect", two, 2, 3, 0)
    assert desk.transmit(two, APDU) == APDU + b"\x90\0"


def test_what_changes_nothing_is_told_to_nobody(desk):
    desk.insert()
    one, two = desk.connect(), desk.connect()
    state = control(desk, one, Ioctl.SMARTCARD_GET_STATE)
    assert int.from_bytes(state, "little") == CardState.SPECIFIC
    tag = Attr.VENDOR_NAME.to_bytes(4, "little")
    assert control(desk, one, Ioctl.SMARTCARD_GET_ATTRIBUTE, tag) == b"Desk"
    assert desk.transmit(two, APDU) == APDU + b"\x90\0"


@pytest.mark.parametrize("code", [Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT])
def test_tracking_is_the_managers_own(direct, code):
    desk, handle = direct
    assert code_of(control, desk, handle, code) == Win32.BUSY
    desk.slot.remove()
    assert desk.reader.state is CardState.ABSENT


def test_a_standard_code_that_the_driver_refuses(direct):
    desk, handle = direct
    assert code_of(control, desk, handle, Ioctl.SMARTCARD_EJECT) == Win32.NOT_SUPPORTED
    assert code_of(control, desk, handle, Ioctl.SMARTCARD_POWER, b"") == Win32.INVALID_PARAMETER
    desk.slot.remove()
    assert code_of(control, desk, handle, Ioctl.SMARTCARD_POWER, COLD) == Win32.NO_MEDIA_IN_DRIVE


def test_a_card_that_leaves_while_it_is_reset_by_control(direct):
    desk, handle = direct
    card = Card()

    def leave():
        desk.slot.remove()
        return card.atr

    desk.slot.card.power_on = leave
    assert code_of(control, desk, handle, Ioctl.SMARTCARD_POWER, COLD) == Win32.NO_MEDIA_IN_DRIVE
    assert desk.reader.state is CardState.ABSENT


@pytest.mark.wdk(
    "rm.friendly-name",
    "attribute.device-friendly-name-a",
    "attribute.device-friendly-name-w",
    "attribute.device-system-name-a",
    "attribute.device-system-name-w",
)
def test_names_are_answered_without_the_driver(direct):
    desk, handle = direct
    name = desk.slot.name
    narrow, wide = name.encode() + b"\0", (name + "\0").encode("utf-16-le")
    for tag, value in (
        (Attr.DEVICE_FRIENDLY_NAME_A, narrow),
        (Attr.DEVICE_SYSTEM_NAME_A, narrow),
        (Attr.DEVICE_FRIENDLY_NAME_W, wide),
        (Attr.DEVICE_SYSTEM_NAME_W, wide),
    ):
        assert desk.do("get_attribute", handle, tag) == value


def test_device_in_use_is_the_managers_own(direct):
    desk, handle = direct
    tag = Attr.DEVICE_IN_USE
    assert code_of(desk.do, "set_attribute", handle, tag, b"\0\0\0\0") == Win32.NOT_SUPPORTED
    assert desk.do("get_attribute", handle, tag) == b"\1\0\0\0"


def test_status_does_not_wait(make_desk):
    desk = make_desk(WINDOWS_7)
    desk.insert()
    one, two = desk.connect(), desk.connect()
    desk.do("begin_transaction", one)
    assert desk.host.run(operations.status, desk.rm, two).sharing == 2
