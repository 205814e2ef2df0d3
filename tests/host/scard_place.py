# SPDX-License-Identifier: Apache-2.0
"""A place where programs use ScardApi: one reader, a manual clock, and what tests ask of it."""

import time

import pytest

from vreader.clock import ManualClock
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.winscard.codes import ScardError, ShareMode
from vreader.winscard.status_change import ReaderState

ATR = bytes.fromhex("3B80800101")
ECHO = b"\0\xa4\4\0"


class Card:
    def __init__(self):
        self.resets = 0

    def power_on(self):
        return ATR

    def reset(self):
        self.resets += 1
        return ATR

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return c_apdu + b"\x90\x00"


class Place:
    """A host with one reader, and the functions."""

    def __init__(self, profile):
        self.clock = ManualClock()
        self.host = Host(profile, clock=self.clock)
        self.slot = self.host.add_reader("Windows Reader")
        self.name = self.slot.name
        self.api = ScardApi(self.host)
        self.context = self.api.SCardEstablishContext()

    @property
    def reader(self):
        return self.host.rm.readers[self.name]

    def connect(self, share=ShareMode.SHARED, protocols=3):
        context = self.api.SCardEstablishContext()
        return self.api.SCardConnect(context, self.name, share, protocols)[0]

    def look(self, name=None, current=0):
        asked = [ReaderState(name or self.name, current)]
        return self.api.SCardGetStatusChange(self.context, 0, asked)[0].event_state


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
