# SPDX-License-Identifier: Apache-2.0
"""Readers as devices: start-up, cards, removal in good order and by surprise."""

import pytest
from winscard_desk import Card, Recorder

from vreader.errors import VreaderError
from vreader.smclib.ioctl import Attr, Characteristics, Ioctl
from vreader.smclib.states import CardState
from vreader.wdm import IRP_MN, NTSTATUS
from vreader.winscard.codes import SCARD, Disposition, ScardError
from vreader.winscard.events import ReaderChangeEvent, ReaderRefusedEvent
from vreader.winscard.profile import PCSCLITE, WINDOWS

IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT
GET_ATTRIBUTE = Ioctl.SMARTCARD_GET_ATTRIBUTE


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


@pytest.fixture
def recorded(make_desk):
    recorder = Recorder()
    desk = make_desk(PCSCLITE, filters=(recorder.entry,))
    desk.recorder = recorder
    return desk


@pytest.mark.wdk("rm.startup", "rm.name.attributes", "rm.readers-as-devices")
def test_start_up(recorded):
    recorded.insert()
    recorded.slot.remove()
    requests = [seen for seen in recorded.recorder.seen if seen[0] in ("CREATE", "DEVICE_CONTROL")]
    assert requests[:6] == [
        ("CREATE", 0, 0),
        ("DEVICE_CONTROL", GET_ATTRIBUTE, Attr.VENDOR_NAME),
        ("DEVICE_CONTROL", GET_ATTRIBUTE, Attr.VENDOR_IFD_TYPE),
        ("DEVICE_CONTROL", GET_ATTRIBUTE, Attr.DEVICE_UNIT),
        ("DEVICE_CONTROL", GET_ATTRIBUTE, Attr.CHARACTERISTICS),
        ("DEVICE_CONTROL", IS_PRESENT, 0),
    ]
    tracking = [code for _, code, _ in requests if code in (IS_PRESENT, IS_ABSENT)]
    assert tracking == [IS_PRESENT, IS_ABSENT, IS_PRESENT]
    assert recorded.reader.characteristics is Characteristics.NONE


@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_readers_of_one_kind_are_numbered(make_desk, profile):
    desk = make_desk(profile)
    second = desk.host.add_reader("Desk Reader")
    other = desk.host.add_reader("Other Reader")
    desk.slot.unplug()
    third = desk.host.add_reader("Desk Reader")
    numbers = {"pcsclite": ("01 00", "00 00", "00 00"), "windows": ("1", "0", "0")}
    assert (second.name, other.name, third.name) == tuple(
        f"{base} {number}"
        for base, number in zip(
            ("Desk Reader", "Other Reader", "Desk Reader"), numbers[profile.name], strict=True
        )
    )


def test_names_that_differ_in_case_alone_are_numbered_too(desk):
    assert desk.host.add_reader("DESK reader").name == "DESK reader 1"


@pytest.mark.wdk("rm.reader-limit", "name.maximum-readers")
def test_the_eleventh_reader_is_refused_and_stays_usable_as_a_device(desk):
    others = [desk.host.add_reader("Desk Reader") for _ in range(10)]
    assert len(desk.rm.readers) == 10
    (refused,) = (event for event in desk.told if isinstance(event, ReaderRefusedEvent))
    eleventh = others[-1]
    assert refused.link == eleventh.link
    with desk.host.open_device(eleventh.link) as device:
        assert device.ioctl(Ioctl.SMARTCARD_GET_STATE, b"", 4)[0] is NTSTATUS.SUCCESS
    with pytest.raises(VreaderError):
        desk.host.open_device(others[0].link)
    others[0].unplug()  # a place is free for the next that comes
    assert desk.host.add_reader("Desk Reader").name in desk.rm.readers


# ------------------------------------------------------------------ by surprise


@pytest.mark.wdk("rm.surprise-removal")
@pytest.mark.parametrize("card", [True, False])
def test_surprise_removal_closes_the_handle_before_remove(recorded, card):
    if card:
        recorded.insert()
        recorded.connect()
    recorded.recorder.seen.clear()
    recorded.slot.unplug()
    majors = [
        f"PNP {IRP_MN(minor).name}" if major == "PNP" else major
        for major, _, minor in recorded.recorder.seen
    ]
    assert majors == ["PNP SURPRISE_REMOVAL", "CLEANUP", "CLOSE", "PNP REMOVE_DEVICE"]
    assert recorded.rm.readers == {}


@pytest.mark.parametrize("status", [NTSTATUS.DEVICE_REMOVED, NTSTATUS.DELETE_PENDING], ids=str)
def test_tracking_that_fails_for_good_ends_the_reader(recorded, status):
    reader = recorded.reader
    recorded.recorder.answers[IS_ABSENT] = lambda irp: status
    recorded.insert()  # the manager goes on with IS_ABSENT
    assert reader.gone
    assert recorded.rm.readers == {}


@pytest.mark.parametrize("status", [NTSTATUS.DEVICE_NOT_READY, NTSTATUS.CANCELLED], ids=str)
def test_tracking_that_fails_otherwise_is_tried_again(recorded, status):
    recorded.recorder.answers[IS_ABSENT] = lambda irp: status
    recorded.insert()
    assert recorded.reader.card_in
    recorded.pass_time(3.5)
    asked = [code for _, code, _ in recorded.recorder.seen if code == IS_ABSENT]
    assert len(asked) == 4
    recorded.recorder.answers.clear()
    recorded.slot.remove()
    recorded.pass_time(1)
    assert recorded.reader.state is CardState.ABSENT


def test_a_reader_whose_radio_goes_off_has_no_card(recorded):
    recorded.insert()
    handle = recorded.connect()
    # The driver ends the tracking request, and answers nothing else.
    ext = recorded.slot._extension.SmartcardExtension
    ext.OsData.PoweredOff = True
    from vreader.smclib.library import SmartcardEndCardTracking

    recorded.host.run(SmartcardEndCardTracking, ext, NTSTATUS.DEVICE_POWERED_OFF)
    assert recorded.reader.state is CardState.ABSENT
    assert code_of(recorded.transmit, handle) == SCARD.W_REMOVED_CARD
    ext.OsData.PoweredOff = False
    recorded.pass_time(1)
    assert recorded.reader.state is CardState.NEGOTIABLE
    recorded.do("reconnect", handle, 2, 3, 0)


@pytest.mark.parametrize("how", ["insert", "reset"])
def test_nothing_is_told_of_a_reader_after_it_has_left(make_desk, how):
    desk = make_desk(PCSCLITE)
    card, name = Card(), desk.slot.name

    def unplug():
        desk.slot.unplug()
        return card.atr

    if how == "insert":
        card.power_on = unplug
        desk.insert(card)
    else:
        card.reset = unplug
        desk.insert(card)
        handle = desk.connect()
        gone = code_of(desk.do, "reconnect", handle, 2, 3, Disposition.RESET)
        assert gone == SCARD.E_READER_UNAVAILABLE
    told = [event for event in desk.told if isinstance(event, ReaderChangeEvent)]
    assert [event.gone for event in told].index(True) == len(told) - 1
    assert told[-1].reader == name


# ------------------------------------------------------------------ in good order


def pnp(desk):
    return [minor for major, _, minor in desk.recorder.seen if major == "PNP"]


@pytest.mark.wdk("rm.query-remove")
def test_a_reader_is_let_go_of_when_it_is_asked_for(recorded):
    recorded.insert()
    handle = recorded.connect()
    recorded.recorder.seen.clear()
    assert recorded.slot.eject()
    majors = [major for major, _, _ in recorded.recorder.seen]
    assert majors.index("CLEANUP") < majors.index("CLOSE") < majors.index("PNP")
    assert pnp(recorded)[0] == IRP_MN.QUERY_REMOVE_DEVICE
    assert recorded.rm.readers == {}
    assert code_of(recorded.do, "transmit", handle, 2, b"\0\0\0\0", 300) == SCARD.E_INVALID_VALUE


def veto(desk):
    return desk.host.io.register_target_notification(
        desk.slot.link, lambda event: event != "query-remove"
    )


@pytest.mark.wdk("rm.query-remove")
@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_after_a_veto_it_is_opened_again(make_desk, profile):
    desk = make_desk(profile)
    card = desk.insert()
    handle = desk.connect()
    desk.do("begin_transaction", handle)
    counter = desk.reader.counter
    end = veto(desk)
    assert not desk.slot.eject()
    end()
    reader = desk.reader
    assert (reader.state, reader.atr) == (CardState.NEGOTIABLE, card.atr)
    assert reader.counter == counter
    assert reader.owner is None
    assert code_of(desk.do, "begin_transaction", handle) == SCARD.W_RESET_CARD
    desk.do("reconnect", handle, 2, 3, 0)
    assert desk.transmit(handle) == b"\0\xa4\4\0\x90\0"
    desk.slot.remove()
    assert desk.reader.state is CardState.ABSENT  # it is watched again
    assert desk.slot.eject()


def test_a_card_that_is_taken_meanwhile(make_desk):
    desk = make_desk(PCSCLITE)
    desk.insert()
    handle = desk.connect()
    states = []

    def look(event):
        if event == "query-remove":
            states.append(desk.reader.state)
            desk.slot.remove()
        return False

    desk.host.io.register_target_notification(desk.slot.link, look)
    assert not desk.slot.eject()
    assert states == [CardState.UNKNOWN]
    assert desk.reader.state is CardState.ABSENT
    assert desk.reader.counter == 2
    assert code_of(desk.do, "begin_transaction", handle) == SCARD.W_REMOVED_CARD


def test_a_card_that_comes_meanwhile_counts(make_desk):
    desk = make_desk(PCSCLITE)

    def look(event):
        if event == "query-remove":
            desk.insert()
        return False

    desk.host.io.register_target_notification(desk.slot.link, look)
    assert not desk.slot.eject()
    assert desk.reader.state is CardState.NEGOTIABLE
    assert desk.reader.counter == 1


@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_while_it_is_away_nothing_reaches_it(make_desk, profile):
    desk = make_desk(profile)
    desk.insert()
    handle, context = desk.connect(), desk.context()
    codes = []

    def look(event):
        if event == "query-remove":
            codes.append(code_of(desk.do, "connect", context, desk.slot.name, 2, 3))
            codes.append(code_of(desk.do, "reconnect", handle, 2, 3, 0))
            codes.append(code_of(desk.do, "control", handle, 1, b"", 2))
            logged = []
            desk.host.io.log.subscribe(logged.append)
            desk.do("disconnect", handle, 1)
            assert logged == []  # the driver has refused nothing
            desk.pass_time(60)  # no timer of before is left
            assert desk.reader.state is CardState.UNKNOWN
        return False

    desk.host.io.register_target_notification(desk.slot.link, look)
    desk.slot.eject()
    assert codes == [SCARD.E_READER_UNAVAILABLE] * 3
    assert desk.reader.state is CardState.NEGOTIABLE
    assert desk.reader.sharing == 0


def test_a_command_in_progress_ends_when_the_reader_is_let_go_of(make_desk):
    desk = make_desk(PCSCLITE)
    card = desk.insert()
    handle = desk.connect()

    def ask(c_apdu):
        assert desk.slot.eject()
        return b"\x90\x00"

    card.transmit = ask
    sent = desk.start("transmit", handle, 2, b"\0\0\0\0", 300)
    assert code_of(sent.result) == SCARD.E_READER_UNAVAILABLE
    assert desk.rm.readers == {}


def test_a_card_in_the_middle_of_its_reset_when_the_reader_is_let_go_of(make_desk):
    desk = make_desk(PCSCLITE)
    card, states = Card(), []

    def ask():
        end = veto(desk)
        card.power_on = lambda: card.atr
        with desk.host.lock:  # not host.run: this thread is the card at work
            assert not desk.host.pnp.query_remove(desk.slot._pdo)
            states.append(desk.reader.state)
        end()
        return card.atr

    card.power_on = ask
    desk.insert(card)
    assert states == [CardState.ABSENT]  # the reset was cancelled, and is about to be tried again
    assert desk.reader.state is CardState.NEGOTIABLE
    assert desk.reader.counter == 0  # it was there when the reader came back
    assert desk.transmit(desk.connect()) == b"\0\xa4\4\0\x90\0"


@pytest.mark.wdk("rm.query-remove.veto")
def test_a_handle_that_stays_open_vetoes(make_desk):
    desk = make_desk(PCSCLITE, exclusive=False)
    desk.insert()
    handle = desk.connect()
    with desk.host.open_device(desk.slot.link):  # somebody who does not listen
        assert not desk.slot.eject()
        assert not desk.reader.away
        desk.do("reconnect", handle, 2, 3, 0)
    assert desk.slot.eject()


@pytest.mark.parametrize("asked_again", [False, True])
def test_a_stopped_reader_that_is_asked_for_is_not_lost(make_desk, asked_again):
    desk = make_desk(PCSCLITE)
    desk.insert()
    handle = desk.connect()
    assert desk.slot.stop()
    for _ in range(1 + asked_again):
        # STOPPED answers neither the query nor an open.
        assert not desk.slot.eject()
        assert desk.reader.away
        desk.pass_time(5)
    assert code_of(desk.do, "reconnect", handle, 2, 3, 0) == SCARD.E_READER_UNAVAILABLE
    desk.slot.start()
    desk.pass_time(1)
    desk.do("reconnect", handle, 2, 3, 0)
    assert desk.transmit(handle) == b"\0\xa4\4\0\x90\0"
    assert desk.slot.eject()
    assert desk.rm.readers == {}


def test_somebody_else_takes_the_reader_meanwhile(make_desk):
    desk = make_desk(PCSCLITE)
    taken = []

    def take(event):
        if event == "query-remove":
            taken.append(desk.host.open_device(desk.slot.link))
        return False

    desk.host.io.register_target_notification(desk.slot.link, take)
    assert not desk.slot.eject()
    assert desk.rm.readers == {}  # it is not ours to manage any more
    taken[0].close()


def test_a_manager_that_is_closed_listens_no_more(make_desk):
    desk = make_desk(PCSCLITE)
    manager = desk.rm
    desk.host.run(manager.close)
    assert desk.slot.eject()
    assert manager.readers == {}


def test_cards_of_readers_that_come_back(make_desk):
    desk = make_desk(PCSCLITE)
    desk.slot.unplug()
    again = desk.host.add_reader("Desk Reader")
    again.insert(Card())
    assert desk.rm.readers[again.name].counter == 1
