# SPDX-License-Identifier: Apache-2.0
"""The documented loops on GET_STATE, and cards losing their power when nobody wants them."""

import pytest
from winscard_desk import Recorder

from vreader.smclib.ioctl import Ioctl, Power
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS
from vreader.winscard.codes import SCARD, ReaderFlag, ScardError
from vreader.winscard.profile import PCSCLITE, WINDOWS
from vreader.winscard.status_change import event_state

S = CardState
GET_STATE, POWER = Ioctl.SMARTCARD_GET_STATE, Ioctl.SMARTCARD_POWER
SWALLOW, SET_PROTOCOL = Ioctl.SMARTCARD_SWALLOW, Ioctl.SMARTCARD_SET_PROTOCOL
ATR_STRING, PROTOCOL = 0x00090303, 0x00080201
COLD, WARM, DOWN = (POWER, Power.COLD_RESET), (POWER, Power.WARM_RESET), (POWER, Power.POWER_DOWN)
GET_ATTRIBUTE = Ioctl.SMARTCARD_GET_ATTRIBUTE


class Scripted(Recorder):
    """Says that the card is in the states of a script, one after the other; the last stays."""

    def __init__(self, *states):
        super().__init__()
        self.states = list(states)
        self.answers = {GET_STATE: self.get_state, GET_ATTRIBUTE: self.get_attribute}
        self.answers[SWALLOW] = lambda irp: NTSTATUS.SUCCESS

    def get_state(self, irp):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return self._reply(irp, state.to_bytes(4, "little"))

    def get_attribute(self, irp):
        tag = int.from_bytes(irp.SystemBuffer[:4], "little")
        if tag == ATR_STRING:
            return self._reply(irp, bytes.fromhex("3B80800101"))
        if tag == PROTOCOL and self.states[0] is S.SPECIFIC:
            return self._reply(irp, b"\2\0\0\0")
        return None

    def _reply(self, irp, data):
        irp.SystemBuffer[: len(data)] = data
        irp.IoStatus.Information = len(data)
        return NTSTATUS.SUCCESS

    def did(self):
        """What was asked of the card, but for its state."""
        wanted = (POWER, SWALLOW, SET_PROTOCOL)
        return [
            (code, word) if code == POWER else (code,)
            for _, code, word in self.seen
            if code in wanted
        ]

    def attributes(self):
        return [word for _, code, word in self.seen if code == GET_ATTRIBUTE]


@pytest.fixture
def make_scripted(make_desk):
    def make(*states):
        recorder = Scripted(*states)
        desk = make_desk(PCSCLITE._replace(auto_power_off_s=None), filters=(recorder.entry,))
        desk.recorder = recorder
        desk.insert()
        return desk

    return make


@pytest.mark.wdk("rm.connect.loop")
@pytest.mark.parametrize(
    ("states", "steps"),
    [
        ((S.NEGOTIABLE,), []),
        ((S.SPECIFIC,), []),
        ((S.SWALLOWED, S.NEGOTIABLE), [COLD]),
        ((S.POWERED, S.NEGOTIABLE), [WARM]),
        ((S.PRESENT, S.SWALLOWED, S.SPECIFIC), [(SWALLOW,), COLD]),
        ((S.PRESENT, S.SWALLOWED, S.POWERED, S.NEGOTIABLE), [(SWALLOW,), COLD, WARM]),
    ],
)
def test_the_loop_of_connect(make_scripted, states, steps):
    desk = make_scripted(*states)
    desk.recorder.answers[SET_PROTOCOL] = lambda irp: desk.recorder._reply(irp, b"\2\0\0\0")
    assert desk.recorder.did() == steps
    desk.connect()
    assert desk.recorder.did() == [*steps, (SET_PROTOCOL,)]
    read = [tag for tag in desk.recorder.attributes() if tag in (ATR_STRING, PROTOCOL)]
    assert read == ([ATR_STRING, PROTOCOL] if states[-1] is S.SPECIFIC else [ATR_STRING])


@pytest.mark.wdk("rm.connect.swallow-tolerated")
def test_a_reader_that_cannot_swallow(make_scripted):
    desk = make_scripted(S.ABSENT)
    desk.recorder.states = [S.PRESENT, S.NEGOTIABLE]
    desk.recorder.answers[SWALLOW] = lambda irp: NTSTATUS.NOT_SUPPORTED
    desk.recorder.answers[SET_PROTOCOL] = lambda irp: desk.recorder._reply(irp, b"\2\0\0\0")
    desk.connect()
    assert desk.recorder.did() == [(SWALLOW,), COLD, (SET_PROTOCOL,)]


@pytest.mark.wdk("rm.connect.unknown")
@pytest.mark.parametrize("state", [S.UNKNOWN, S.ABSENT])
def test_without_a_card_nothing_is_done(make_scripted, state):
    desk = make_scripted(state)
    with pytest.raises(ScardError) as caught:
        desk.connect()
    assert caught.value.code == SCARD.E_NO_SMARTCARD
    assert desk.recorder.did() == []


def test_a_reader_that_never_comes_to_an_end(make_scripted):
    desk = make_scripted(S.POWERED)
    with pytest.raises(ScardError) as caught:
        desk.connect()
    assert caught.value.code == SCARD.W_UNPOWERED_CARD
    assert set(desk.recorder.did()) == {WARM}


@pytest.mark.parametrize("request_code", [GET_STATE, GET_ATTRIBUTE, SWALLOW])
def test_a_request_that_fails_on_the_way(make_scripted, request_code):
    desk = make_scripted(S.ABSENT)
    desk.recorder.states = [S.PRESENT, S.NEGOTIABLE]
    desk.recorder.answers[request_code] = lambda irp: NTSTATUS.IO_DEVICE_ERROR
    with pytest.raises(ScardError) as caught:
        desk.connect()
    assert caught.value.code == SCARD.W_UNPOWERED_CARD


# ------------------------------------------------------------------ idle cards


@pytest.mark.wdk("rm.disconnect", "rm.auto-power-off")
@pytest.mark.parametrize("state", [S.NEGOTIABLE, S.SPECIFIC, S.POWERED, S.SWALLOWED, S.PRESENT])
def test_after_a_while_a_card_that_has_power_loses_it(make_scripted, state):
    desk = make_scripted(S.NEGOTIABLE)
    desk.rm.profile = desk.rm.profile._replace(auto_power_off_s=5.0)
    desk.recorder.answers[SET_PROTOCOL] = lambda irp: desk.recorder._reply(irp, b"\2\0\0\0")
    desk.recorder.answers[POWER] = lambda irp: NTSTATUS.SUCCESS
    handle = desk.connect()
    desk.do("disconnect", handle, 0)
    desk.recorder.states = [state]
    before = len(desk.recorder.seen)
    desk.pass_time(4.9)
    assert len(desk.recorder.seen) == before
    desk.pass_time(0.1)
    asked = [(code, word) for _, code, word in desk.recorder.seen[before:]]
    assert asked == ([(GET_STATE, 0), DOWN] if state >= S.POWERED else [(GET_STATE, 0)])
    assert not desk.reader.powered


@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_how_an_idle_card_shows(make_desk, profile):
    desk = make_desk(profile)
    card = desk.insert()
    told = len(desk.told)
    listened = []
    desk.host.run(desk.rm.add_listener, lambda: listened.append(1))
    desk.pass_time(5)
    assert card.log == ["on", "off"]
    state = event_state(0, desk.reader.status, profile.status)
    unpowered = bool(state & ReaderFlag.UNPOWERED)
    assert unpowered is profile.status.tells_unpowered is bool(listened)
    assert state & ReaderFlag.PRESENT
    assert desk.reader.status.atr == card.atr
    assert len(desk.told) > told
    desk.connect()
    assert card.log[-1] == "on"
    assert not event_state(0, desk.reader.status, profile.status) & ReaderFlag.UNPOWERED


def test_a_power_off_that_comes_too_late(make_desk):
    desk = make_desk(PCSCLITE)
    card = desk.insert()
    desk.pass_time(4)
    desk.connect()
    desk.pass_time(60)
    assert "off" not in card.log
