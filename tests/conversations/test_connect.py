# SPDX-License-Identifier: Apache-2.0
"""Connect, Reconnect, Disconnect: who may share a card, and in which protocol."""

import pytest
from conversation_programs import embedded_rungs_only, only_where

from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard.codes import SCARD, Disposition, ReaderFlag, ShareMode, Win32
from vreader.winscard.profile import Operation

SHARED, EXCLUSIVE, DIRECT = ShareMode.SHARED, ShareMode.EXCLUSIVE, ShareMode.DIRECT
T0, T1, RAW = Protocol.T0, Protocol.T1, Protocol.RAW


@pytest.mark.wdk("rm.state.status")
def test_lists_readers_and_talks_to_the_card(world):
    card = world.insert()
    program = world.program()
    assert program.readers()[0] == world.reader
    hcard = program.connect()
    assert program.active[hcard] == T1
    assert program.transmit(hcard, "00a40400") == "00a404009000"
    assert program.status(hcard) == (world.reader, CardState.SPECIFIC, T1, card.atr)
    program.disconnect(hcard)


def test_unknown_reader(world, refused):
    with refused(SCARD.E_UNKNOWN_READER):
        world.program().connect(reader="Nobody's Reader 00 00")


@only_where("names_ignore_case", True)
def test_the_case_of_a_name_does_not_matter(world, refused):
    world.insert()
    program = world.program()
    hcard = program.connect(reader=world.reader.upper())
    assert program.transmit(hcard, "00a40400") == "00a404009000"
    if world.rung == "libpcsclite-windows":  # which looks for the name it was given
        with refused(SCARD.E_READER_UNAVAILABLE):
            program.status(hcard)
    else:
        assert program.status(hcard)[0] == world.reader


@pytest.mark.parametrize("share", [SHARED, EXCLUSIVE])
def test_no_card(world, refused, share):
    program = world.program()
    with refused(SCARD.E_NO_SMARTCARD):
        program.connect(share)
    assert world.connections() == 0


@pytest.mark.wdk("rm.direct")
def test_direct_needs_no_card(world, refused):
    one, other = world.program(), world.program()
    hcard = one.connect(DIRECT, 0)
    assert one.active[hcard] == 0
    if world.rm.direct_is_exclusive:
        with refused(SCARD.E_SHARING_VIOLATION):
            other.connect(DIRECT, 0)
        assert world.connections() == -1
    else:
        other.connect(DIRECT, 0)
        assert world.connections() == 2
    with refused(world.rm.no_card.get("transmit", SCARD.E_NO_SMARTCARD)):
        one.transmit(hcard, "00a40400", T1)


@only_where("direct_is_exclusive", True)
def test_direct_beside_another_is_refused(world, refused):
    world.insert()
    one, other = world.program(), world.program()
    hcard = one.connect()
    with refused(SCARD.E_SHARING_VIOLATION):
        other.connect(DIRECT, 0)
    one.reconnect(hcard, DIRECT, 0)
    assert world.connections() == -1
    with refused(SCARD.E_SHARING_VIOLATION):
        other.connect()


@pytest.mark.wdk("rm.direct")
def test_direct_negotiates_nothing(world, refused):
    world.insert()
    program = world.program()
    hcard = program.connect(DIRECT, 0)
    assert program.active[hcard] == 0
    with refused(SCARD.E_PROTO_MISMATCH):
        program.transmit(hcard, "00a40400", T1)
    assert program.reconnect(hcard, SHARED) == T1
    assert program.transmit(hcard, "00a40400") == "00a404009000"


def test_share_mode_nobody_knows(world, refused):
    world.insert()
    with refused(SCARD.E_INVALID_VALUE):
        world.program().connect(7)


def test_no_protocol_at_all(world, refused):
    world.insert()
    with refused(SCARD.E_PROTO_MISMATCH):
        world.program().connect(SHARED, 0)


@only_where("raw_is_free", False)
def test_raw_is_a_protocol_like_others(world, refused):
    world.insert()
    program, other = world.program(), world.program()
    hcard = program.connect(SHARED, T1)
    with refused(SCARD.E_PROTO_MISMATCH):
        program.transmit(hcard, "00a40400", RAW)
    with refused(SCARD.E_PROTO_MISMATCH):
        other.connect(SHARED, RAW)
    program.disconnect(hcard, Disposition.RESET)
    hcard = program.connect(SHARED, RAW)
    assert program.active[hcard] == RAW
    assert program.transmit(hcard, "00a40400") == "00a404009000"
    program.disconnect(hcard, Disposition.RESET)
    hcard = program.connect(DIRECT, 0)
    with refused(world.rm.errors[Operation.TRANSMIT][Win32.BAD_COMMAND]):
        program.transmit(hcard, "00a40400", 0)


@only_where("raw_is_free", True)
def test_direct_can_talk_raw_before_anybody_has_negotiated(world):
    world.insert()
    program, other = world.program(), world.program()
    hcard = program.connect(DIRECT, 0)
    assert program.transmit(hcard, "00a40400", RAW) == "00a404009000"
    assert program.status(hcard)[2] == 0
    assert other.active[other.connect(SHARED, T0 | T1)] == T1


@pytest.mark.wdk("rm.sharing")
def test_many_share(world):
    world.insert()
    programs = [world.program() for _ in range(3)]
    handles = [program.connect() for program in programs]
    assert len(set(handles)) == 3
    assert world.connections() == 3
    for program, hcard in zip(programs, handles, strict=True):
        assert program.transmit(hcard, "00a40400") == "00a404009000"
        program.disconnect(hcard)
    assert world.connections() == 0


def test_one_program_connects_twice(world):
    world.insert()
    program = world.program()
    first, second = program.connect(), program.connect()
    assert first != second
    program.disconnect(first)
    assert program.transmit(second, "00a40400") == "00a404009000"


@pytest.mark.wdk("rm.sharing")
def test_exclusive_keeps_others_out(world, refused):
    world.insert()
    one, other = world.program(), world.program()
    hcard = one.connect(EXCLUSIVE)
    assert world.connections() == -1
    for share in (SHARED, EXCLUSIVE, DIRECT):
        with refused(SCARD.E_SHARING_VIOLATION):
            other.connect(share)
    one.disconnect(hcard)
    assert other.connect() != 0


@pytest.mark.wdk("rm.sharing")
def test_exclusive_needs_to_be_alone(world, refused):
    world.insert()
    one, other = world.program(), world.program()
    one.connect()
    with refused(SCARD.E_SHARING_VIOLATION):
        other.connect(EXCLUSIVE)
    assert world.connections() == 1


def test_reconnect_changes_the_share_mode(world, refused):
    world.insert()
    one, other = world.program(), world.program(blocking=False)
    hcard = one.connect()
    one.reconnect(hcard, EXCLUSIVE)
    assert world.connections() == -1
    with refused(SCARD.E_SHARING_VIOLATION):
        other.connect()
    one.reconnect(hcard, SHARED)
    assert world.connections() == 1
    if world.differs("exclusive-lock-stays"):
        return  # a second Connect would wait for ever
    second = other.connect()
    other.begin(second)
    other.end(second)
    with refused(SCARD.E_SHARING_VIOLATION):
        other.reconnect(second, EXCLUSIVE)


@pytest.mark.wdk("transition.reset.specific", "atr.td1-absent", "atr.ta2")
@pytest.mark.parametrize(
    ("atr", "active"),
    [
        ("3B00", T0),  # no TD1
        ("3B8000", T0),
        ("3B800181", T1),
        ("3B80800101", T1),  # both
        ("3B8090100101", T0),  # both, TA2 fixes T=0
        ("3B8090110100", T1),  # both, TA2 fixes T=1
    ],
)
def test_the_atr_says_which_protocol(world, atr, active):
    world.insert(atr=atr)
    program = world.program()
    assert program.active[program.connect(SHARED, T0 | T1)] == active


def test_a_program_that_connects_without_end(world, refused):
    world.insert()
    program, other = world.program(), world.program()
    for _ in range(200):
        hcard = program.connect()
    pcscd = world.differs("connection-limit")
    with refused(SCARD.F_INTERNAL_ERROR if pcscd else SCARD.E_NO_MEMORY):
        program.connect()
    if pcscd:
        with refused(SCARD.F_INTERNAL_ERROR):
            other.connect()
    else:
        assert other.transmit(other.connect(), "00a40400") == "00a404009000"
    program.disconnect(hcard)
    assert program.transmit(program.connect(), "00a40400") == "00a404009000"


def test_a_protocol_the_card_does_not_have(world, refused):
    world.insert(atr="3B00")
    program = world.program()
    with refused(SCARD.E_PROTO_MISMATCH):
        program.connect(SHARED, T1)
    assert program.active[program.connect(SHARED, T0)] == T0


def test_of_two_protocols_the_one_asked_for(world):
    world.insert()
    program = world.program()
    assert program.active[program.connect(SHARED, T0)] == T0


def test_a_negotiated_protocol_stays(world, refused):
    world.insert()
    one, other = world.program(), world.program()
    hcard = one.connect(SHARED, T1)
    with refused(SCARD.E_PROTO_MISMATCH):
        other.connect(SHARED, T0)
    assert other.active[other.connect(SHARED, T0 | T1)] == T1
    with refused(SCARD.E_PROTO_MISMATCH):
        one.transmit(hcard, "00a40400", T0)
    if world.rm.raw_is_free:
        assert one.transmit(hcard, "00a40400", RAW) == "00a404009000"


@only_where("raw_is_free", True)
def test_raw_is_given_whatever_is_in_force(world):
    world.insert()
    one, other = world.program(), world.program()
    one.connect(SHARED, T1)
    hcard = other.connect(SHARED, RAW)
    assert other.active[hcard] == RAW
    assert other.transmit(hcard, "00a40400") == "00a404009000"


def test_reset_lets_the_protocol_be_chosen_anew(world):
    world.insert()
    program = world.program()
    hcard = program.connect(SHARED, T1)
    assert program.reconnect(hcard, SHARED, RAW, Disposition.RESET) == RAW


def test_disposition_nobody_knows(world, refused):
    world.insert()
    program = world.program()
    hcard = program.connect()
    for call in (program.disconnect, program.end):
        with refused(SCARD.E_INVALID_VALUE):
            call(hcard, 4)
    with refused(SCARD.E_INVALID_VALUE):
        program.reconnect(hcard, SHARED, T1, Disposition.EJECT)
    assert program.transmit(hcard, "00a40400") == "00a404009000"


@embedded_rungs_only  # vpcd cannot express a card that is there and does not answer its reset
def test_a_mute_card(world, refused):
    card = world.card_type()
    card.mute = True
    world.insert(card)
    program = world.program()
    state, atr = program.look()
    assert state & ReaderFlag.PRESENT
    assert state & ReaderFlag.MUTE
    assert atr == b""
    with refused(world.rm.errors[Operation.POWER][Win32.SEM_TIMEOUT]):
        program.connect()
    direct = program.connect(DIRECT, 0)
    with refused(SCARD.W_UNRESPONSIVE_CARD):
        program.reconnect(direct, SHARED)
    with refused(SCARD.W_UNRESPONSIVE_CARD):
        program.reconnect(direct, SHARED, initialization=Disposition.RESET)
    card.mute = False
    assert program.reconnect(direct, SHARED, initialization=Disposition.RESET) == T1


@embedded_rungs_only  # a vpcd door dials with a card that has an ATR
def test_an_atr_nobody_can_read_is_a_mute_card(world, refused):
    world.insert(atr="0102030405")
    program = world.program()
    state, atr = program.look()
    assert state & ReaderFlag.MUTE
    assert atr == b""
    with refused(world.rm.errors[Operation.POWER][Win32.UNRECOGNIZED_MEDIA]):
        program.connect()
