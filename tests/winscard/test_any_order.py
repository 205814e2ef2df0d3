# SPDX-License-Identifier: Apache-2.0
"""Anything in any order, also while a card works: in the end nothing hangs and nothing is held."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from winscard_desk import Card, Desk

from vreader.card import CardGone, CardMute
from vreader.errors import VreaderError
from vreader.smclib.states import CardState
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.profile import PCSCLITE, WINDOWS, WINDOWS_7

PROFILES = [PCSCLITE, WINDOWS._replace(stops_without_readers=False), WINDOWS_7]
SHARE, PROTOCOLS = (1, 2, 2, 2, 3), (0, 1, 2, 3, 3, 0x10000)
CODES = (0x42000D48, 0x00310004, 0x0031000C, 0x00310018)  # POWER, SET_PROTOCOL and EJECT too
# What may also come while a card works: nothing after which the same card works twice.
MEANWHILE = ("insert", "remove", "connect", "begin", "end", "transmit", "disconnect", "release")


class Crowd:
    """Programs, a person, and a Plug and Play manager who all do what ``draw`` says."""

    def __init__(self, profile, draw):
        self.desk = Desk(profile)
        self.draw = draw
        self.restless = True
        self.contexts = [self.desk.context(serial=serial) for serial in (True, False)]
        self.handles = []
        self.calls = []

    def pick(self, choices):
        return self.draw(st.sampled_from(choices))

    def step(self, names):
        name = self.pick(names)
        try:
            getattr(self, name)()
        except VreaderError:
            pass  # no card to remove, say
        self.harvest()

    def harvest(self):
        for call in [call for call in self.calls if call.done]:
            self.calls.remove(call)
            try:
                result = call.result()
            except ScardError:
                continue
            if isinstance(result, tuple):
                self.handles.append(result[0])
        self.handles = [handle for handle in self.handles if handle.open]

    def start(self, name, *args):
        self.calls.append(self.desk.start(name, *args))

    def on_handle(self, name, *args):
        if self.handles:
            self.start(name, self.pick(self.handles), *args)

    # -------------------------------------------------------------- what may happen

    def insert(self):
        self.desk.insert(RestlessCard(self))

    def remove(self):
        self.desk.slot.remove()

    def sleep(self):
        self.desk.slot.sleep()

    def wake(self):
        self.desk.slot.wake()

    def stop(self):
        self.desk.slot.stop()

    def restart(self):
        self.desk.slot.start()

    def query_remove(self):
        pnp, pdo = self.desk.host.pnp, self.desk.slot._pdo
        if self.desk.host.run(pnp.query_remove, pdo):
            self.desk.host.run(pnp.cancel_remove, pdo)

    def pass_time(self):
        self.desk.pass_time(self.pick((0.5, 3, 6)))

    def connect(self):
        context, name = self.pick(self.contexts), self.desk.slot.name
        self.start("connect", context, name, self.pick(SHARE), self.pick(PROTOCOLS))

    def begin(self):
        self.on_handle("begin_transaction")

    def end(self):
        self.on_handle("end_transaction", self.pick((0, 0, 1, 2, 3)))

    def transmit(self):
        self.on_handle("transmit", self.pick((1, 2)), b"\0\1\2\3", 300)

    def disconnect(self):
        self.on_handle("disconnect", self.pick((0, 0, 1, 2, 3)))

    def reconnect(self):
        how = self.pick((0, 0, 1, 2))
        self.on_handle("reconnect", self.pick(SHARE), self.pick(PROTOCOLS), how)

    def control(self):
        self.on_handle("control", self.pick(CODES), b"\1\0\0\0", 64)

    def release(self):
        context = self.contexts.pop(0)
        self.start("release_context", context)
        self.contexts.append(self.desk.context(serial=context.serial))

    def give_up(self):
        if self.calls:
            self.desk.host.run(self.pick(self.calls).give_up, SCARD.E_SHARING_VIOLATION)

    def hang_up(self):
        if self.calls:
            self.desk.host.run(self.pick(self.calls).hang_up)

    # -------------------------------------------------------------- and then

    def calm_down(self):
        """Everybody goes home; the reader is started and awake."""
        self.restless = False
        self.restart()
        self.wake()
        self.desk.pass_time(3)
        for context in self.contexts:
            self.start("release_context", context)
        self.harvest()


class RestlessCard(Card):
    """While it works others do something; sometimes it is mute, or leaves."""

    def __init__(self, crowd):
        super().__init__()
        self.crowd = crowd

    def power_on(self):
        return self.meanwhile(self.atr)

    reset = power_on

    def transmit(self, c_apdu):
        return self.meanwhile(b"\x90\0")

    def meanwhile(self, answer):
        crowd = self.crowd
        if crowd.restless:
            how = crowd.pick(("work",) * 6 + ("meanwhile", "mute", "gone"))
            if how == "meanwhile":
                crowd.step(MEANWHILE)
            elif how != "work":
                raise CardMute if how == "mute" else CardGone
        return answer


ANYTHING = MEANWHILE * 2 + (
    "sleep", "wake", "stop", "restart", "query_remove", "pass_time", "reconnect", "control",
    "give_up", "hang_up",
)  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_in_the_end_nothing_is_held(profile, caplog):
    caplog.set_level(logging.CRITICAL)

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def play(data):
        crowd = Crowd(profile, data.draw)
        desk = crowd.desk
        for _ in range(data.draw(st.integers(5, 40))):
            crowd.step(ANYTHING)
        crowd.calm_down()
        reader = desk.reader
        assert crowd.calls == []
        assert (reader.busy, list(reader.gate.calls)) == (False, [])
        assert (reader.turn, reader.places) == (None, [])
        assert (reader.owner, reader.lock_count, reader.timed) == (None, 0, False)
        assert (reader.sharing, reader.handles, desk.rm.handles) == (0, {}, {})
        assert reader.card_in is (desk.slot.card is not None)
        assert (reader.state is CardState.ABSENT) is not reader.card_in
        if reader.card_in:
            desk.slot.remove()
        desk.insert()
        assert desk.transmit(desk.connect()) == b"\0\xa4\4\0\x90\0"
        desk.host.close()

    play()
