# SPDX-License-Identifier: Apache-2.0
"""Ends of connections, mechanics, and who is told that a reader is in use."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from winscard_desk import Recorder

from vreader.smclib.ioctl import Ioctl
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS
from vreader.winscard.codes import SCARD, Disposition, ScardError, ShareMode
from vreader.winscard.profile import PCSCLITE, WINDOWS

SET_PROTOCOL = Ioctl.SMARTCARD_SET_PROTOCOL
RESET, UNPOWER, EJECT = Disposition.RESET, Disposition.UNPOWER, Disposition.EJECT
PROFILES = pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda p: p.name)


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


@pytest.fixture(scope="module")
def motorised():
    path = Path(__file__).parents[2] / "docs" / "examples" / "drivers" / "motorised.py"
    spec = spec_from_file_location("motorised_for_winscard", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.MotorisedReader


def in_use(desk):
    return desk.slot._extension.SmartcardExtension.DeviceInUse


@pytest.mark.wdk("rm.device-in-use")
@PROFILES
def test_the_driver_is_told_that_it_is_in_use(make_desk, profile):
    desk = make_desk(profile)
    desk.insert()
    assert in_use(desk) == 0
    one = desk.connect()
    assert in_use(desk) == profile.tells_in_use
    two = desk.connect()
    desk.do("disconnect", one, 0)
    assert in_use(desk) == profile.tells_in_use
    desk.do("disconnect", two, 0)
    assert in_use(desk) == 0
    direct = desk.connect(share=ShareMode.DIRECT, protocols=0)
    assert in_use(desk) == profile.tells_in_use
    desk.do("release_context", direct.context)
    assert in_use(desk) == 0


@PROFILES
def test_a_motorised_reader_swallows_and_ejects(make_desk, motorised, profile):
    desk = make_desk(profile, driver=motorised)
    card = desk.insert()
    assert desk.reader.state is CardState.NEGOTIABLE  # it was swallowed and powered up
    one, two = desk.connect(), desk.connect()
    desk.do("disconnect", one, EJECT)
    assert card.log[-1] == "off"
    assert (desk.reader.state, desk.reader.powered) == (CardState.PRESENT, False)
    assert code_of(desk.transmit, two) == profile.unpower_code
    desk.do("reconnect", two, 2, 3, 0)  # swallowed again
    assert card.log[-1] == "on"
    assert desk.transmit(two) == b"\0\xa4\4\0\x90\0"


@pytest.mark.wdk("rm.other-handles.unpowered")
def test_unpower_by_another(desk):
    card = desk.insert()
    one, two = desk.connect(), desk.connect()
    desk.do("disconnect", one, UNPOWER)
    assert card.log[-1] == "off"
    assert code_of(desk.transmit, two) == SCARD.W_UNPOWERED_CARD
    assert code_of(desk.do, "begin_transaction", two) == SCARD.W_UNPOWERED_CARD
    desk.do("reconnect", two, 2, 3, 0)
    assert desk.transmit(two) == b"\0\xa4\4\0\x90\0"


@pytest.mark.wdk("rm.reconnect")
def test_reconnect_ends_the_transaction_also_where_it_fails(desk):
    desk.insert()
    one, two = desk.connect(), desk.connect()
    desk.do("begin_transaction", one)
    waiting = desk.start("begin_transaction", two)
    assert code_of(desk.do, "reconnect", one, ShareMode.EXCLUSIVE, 3, 0) == (
        SCARD.E_SHARING_VIOLATION
    )
    assert waiting.done
    assert code_of(desk.do, "end_transaction", one, 0) == SCARD.E_SHARING_VIOLATION


@pytest.mark.wdk("rm.process-exit")
def test_the_end_of_a_program_waits_for_the_transaction_of_another(desk):
    card = desk.insert()
    one, two = desk.connect(), desk.connect()
    desk.do("begin_transaction", one)
    gone = desk.start("release_context", two.context)
    assert not gone.done
    assert card.log == ["on"]
    desk.do("end_transaction", one, 0)
    assert gone.done
    assert card.log == ["on", "reset"]
    assert code_of(desk.transmit, one) == SCARD.W_RESET_CARD


@PROFILES
def test_the_end_of_a_program_whose_card_has_no_power(make_desk, profile):
    desk = make_desk(profile)
    card = desk.insert()
    desk.pass_time(5)
    direct = desk.connect(share=ShareMode.DIRECT, protocols=0)
    desk.do("release_context", direct.context)
    assert card.log == ["on", "off"]


@PROFILES
def test_the_end_of_a_program_that_holds_a_lock_and_another_connection(make_desk, profile):
    desk = make_desk(profile)
    card = desk.insert()
    context = desk.context(serial=True)
    desk.connect(context)
    holder = desk.connect(context)
    desk.do("begin_transaction", holder)
    desk.do("release_context", context)
    assert card.log == ["on", "reset"]
    assert desk.reader.handles == {}
    assert code_of(desk.do, "release_context", context) == SCARD.E_INVALID_HANDLE


@PROFILES
def test_the_end_of_a_program_that_disconnects_at_the_same_time(make_desk, profile):
    desk = make_desk(profile)
    card, context = desk.insert(), desk.context()
    one, two = desk.connect(context), desk.connect(context)
    calls = []

    def work(c_apdu):  # another thread disconnects, and a third one releases the context
        calls.append(desk.start("disconnect", one, 0))
        calls.append(desk.start("release_context", context))
        return b"\x90\0"

    card.transmit = work
    assert desk.transmit(two) == b"\x90\0"
    for call in calls:
        call.result()
    assert desk.rm.handles == desk.rm.contexts == {}
    assert desk.reader.sharing == 0


@pytest.mark.wdk("rm.errors.no-media")
@PROFILES
@pytest.mark.parametrize("protocols", [3, 0x10000])
def test_a_card_that_leaves_while_the_protocol_is_chosen(make_desk, profile, protocols):
    recorder = Recorder()
    shared = profile._replace(direct_is_exclusive=False, raw_is_free=True)
    desk = make_desk(shared, filters=(recorder.entry,))
    desk.insert()
    direct, context = desk.connect(share=ShareMode.DIRECT, protocols=0), desk.context()

    def leave(irp):
        if desk.slot.card is not None:  # for RAW it is asked twice
            desk.slot.remove()
        return NTSTATUS.NO_MEDIA

    recorder.answers[SET_PROTOCOL] = leave
    name = desk.slot.name
    assert code_of(desk.do, "connect", context, name, 2, protocols) == SCARD.E_NO_SMARTCARD
    assert list(desk.rm.handles.values()) == [direct]
    desk.insert()
    no_card = profile.no_card.get("reconnect", SCARD.E_NO_SMARTCARD)
    assert code_of(desk.do, "reconnect", direct, 2, protocols, 0) == no_card
    assert code_of(desk.transmit, direct) == SCARD.W_REMOVED_CARD


def test_exclusive_needs_nobody_else_also_after_waiting(desk):
    desk.insert()
    one = desk.connect()
    desk.do("begin_transaction", one)
    waiting = desk.start("connect", desk.context(), desk.slot.name, ShareMode.EXCLUSIVE, 3)
    desk.do("end_transaction", one, 0)
    assert code_of(waiting.result) == SCARD.E_SHARING_VIOLATION
    assert desk.reader.turn is None
    assert desk.reader.sharing == 1


def test_the_reader_leaves_while_a_connection_waits(desk):
    desk.host.add_reader("Another, so that the service goes on")
    desk.insert()
    one = desk.connect()
    desk.do("begin_transaction", one)
    waiting = desk.start("connect", desk.context(), desk.slot.name, 2, 3)
    desk.slot.unplug()
    assert code_of(waiting.result) == SCARD.E_READER_UNAVAILABLE


@PROFILES
def test_disconnecting_from_a_reader_that_left_is_no_error(make_desk, profile):
    desk = make_desk(profile)
    desk.host.add_reader("Another, so that the service goes on")
    desk.insert()
    one = desk.connect()
    desk.slot.unplug()
    assert code_of(desk.do, "reconnect", one, 2, 3, 0) == profile.dead_handle
    desk.do("disconnect", one, RESET)
    assert code_of(desk.do, "disconnect", one, RESET) == SCARD.E_INVALID_HANDLE
