# SPDX-License-Identifier: Apache-2.0
"""APDUs of all sizes, control codes, attributes, and an idle card losing its power."""

import pytest
from conversation_programs import only_where

from vreader.smclib.ioctl import Protocol
from vreader.winscard.codes import SCARD, Disposition, ShareMode, Win32
from vreader.winscard.profile import Operation

ATR_STRING, VENDOR_NAME = 0x00090303, 0x00010100
FRIENDLY_NAME, SYSTEM_NAME, UNIT = 0x7FFF0003, 0x7FFF0004, 0x7FFF0001
FEATURES, UNKNOWN_CODE = 0x42000D48, 0x42000001
IOCTL_SMARTCARD_POWER, IOCTL_SMARTCARD_EJECT = 0x00310004, 0x00310018
ANY_OLD = 0x1000


@pytest.fixture
def talk(world):
    world.insert()
    program = world.program()
    return program, program.connect()


def test_replies_of_every_size(talk):
    program, hcard = talk
    for size in (0, 1, 254, 255, 256, 257, 4096, 65533):
        assert program.transmit(hcard, f"00c0{size:04x}") == "00" * size + "9000"


def test_commands_of_every_size(talk):
    program, hcard = talk
    for size in (2, 260, 261, 4096, 65533):
        command = "00a4" + "5a" * (size - 2)
        assert program.transmit(hcard, command) == command + "9000"


def test_a_reply_that_does_not_fit(talk, refused):
    program, hcard = talk
    assert program.transmit(hcard, "00c00100", room=258) == "00" * 256 + "9000"
    with refused(SCARD.E_INSUFFICIENT_BUFFER):
        program.transmit(hcard, "00c00100", room=257)
    assert program.transmit(hcard, "00a40400") == "00a404009000"


@only_where("legacy_any_protocol", ANY_OLD)
def test_the_legacy_any_protocol(talk):
    program, hcard = talk
    assert program.transmit(hcard, "00a40400", ANY_OLD) == "00a404009000"


def test_control_codes(world, talk, refused):
    program, hcard = talk
    if not world.differs("vpcd-features"):
        features = program.control(hcard, FEATURES)
        assert features[:2] == b"\x12\x04"  # tag GET_TLV_PROPERTIES, length
        code = int.from_bytes(features[2:6], "big")
        assert program.control(hcard, code)[:2] == b"\x0a\x04"  # dwMaxAPDUDataSize
        with refused(world.rm.errors[Operation.CONTROL][Win32.INSUFFICIENT_BUFFER]):
            program.control(hcard, FEATURES, room=5)
    with refused(world.rm.errors[Operation.CONTROL][Win32.INVALID_FUNCTION]):
        program.control(hcard, UNKNOWN_CODE, b"abc")


@pytest.mark.wdk("ioctl.code.pcsclite")
@only_where("standard_control", False)
def test_control_never_becomes_a_request_of_the_drivers_own(world, talk, refused):
    program, hcard = talk
    world.card.calls.clear()
    for code in (IOCTL_SMARTCARD_POWER, IOCTL_SMARTCARD_EJECT):
        with refused(SCARD.E_UNSUPPORTED_FEATURE):
            program.control(hcard, code, bytes(4))
    assert world.card.calls == []


def test_control_without_a_card(world, refused):
    program = world.program()
    hcard = program.connect(ShareMode.DIRECT, 0)
    with refused(world.rm.errors[Operation.CONTROL][Win32.INVALID_FUNCTION]):
        program.control(hcard, UNKNOWN_CODE)


def test_attributes(world, talk, refused):
    program, hcard = talk
    with refused(world.rm.errors[Operation.ATTRIBUTE][Win32.NOT_SUPPORTED]):
        program.get_attrib(hcard, 0x00FF1234)


@pytest.mark.wdk(
    "rm.friendly-name", "attribute.device-friendly-name-a", "attribute.device-system-name-a"
)
def test_attributes_of_the_driver(world, talk, refused):
    program, hcard = talk
    if not world.differs("vpcd-attributes"):
        with refused(world.rm.errors[Operation.ATTRIBUTE][Win32.NOT_SUPPORTED]):
            program.set_attrib(hcard, ATR_STRING, b"\0")
        for tag in (FRIENDLY_NAME, SYSTEM_NAME):
            assert program.get_attrib(hcard, tag) == world.reader.encode() + b"\0"
        assert program.get_attrib(hcard, ATR_STRING) == world.card.atr
        assert program.get_attrib(hcard, VENDOR_NAME) == b"Conversation"
        assert program.get_attrib(hcard, UNIT) == bytes(4)


@pytest.mark.wdk("rm.disconnect", "rm.auto-power-off")
def test_an_idle_card_loses_its_power_and_what_it_remembered(world):
    card = world.insert()
    program = world.program()
    hcard = program.connect()
    program.transmit(hcard, "00d0000001aa")
    program.disconnect(hcard)
    world.wait_for_power_off()
    assert world.state().atr == card.atr  # it is still published
    assert program.look()[1] == card.atr
    hcard = program.connect(protocols=Protocol.T0)  # the protocol is chosen anew
    assert program.active[hcard] == Protocol.T0
    assert program.transmit(hcard, "00b00000") == "9000"


@pytest.mark.wdk("rm.auto-power-off")
def test_a_card_in_use_keeps_its_power(world):
    card = world.insert()
    program, other = world.program(), world.program()
    hcard = program.connect()
    second = other.connect()
    card.calls.clear()
    program.transmit(hcard, "00d0000001aa")
    program.disconnect(hcard)
    world.let_time_pass()
    assert other.transmit(second, "00b00000") == "aa9000"
    assert "power off" not in card.calls


def test_a_card_nobody_wants_loses_its_power(world):
    card = world.insert()
    world.wait_for_power_off()
    program = world.program()
    hcard = program.connect()
    assert card.calls[-1] == "power on"
    program.disconnect(hcard, Disposition.UNPOWER)
    world.wait_for_power_down()
