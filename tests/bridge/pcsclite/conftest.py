# SPDX-License-Identifier: Apache-2.0
"""A door with one reader and a card in it, and clients that are closed in the end."""

import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.pcsclite.server import PcscliteDoor
from vreader.host import Host
from vreader.winscard.profile import PCSCLITE

PATIENCE_S = 30


class SimpleCard:
    """Answers 9000; ``calls`` is what it was asked; a command 0C waits for ``may_answer``."""

    def __init__(self):
        self.calls = []
        self.working = threading.Event()
        self.may_answer = threading.Event()

    def power_on(self):
        self.calls.append("power on")
        return bytes.fromhex("3B80800101")

    def reset(self):
        self.calls.append("reset")
        return bytes.fromhex("3B80800101")

    def power_off(self):
        self.calls.append("power off")

    def transmit(self, c_apdu):
        if c_apdu[1] == 0x0C:
            self.working.set()
            self.may_answer.wait(PATIENCE_S)
        return b"\x90\x00"


class Place:
    """A host with a door; ``events`` is everything that was said."""

    def __init__(self, path, slots, profile, **options):
        self.path = path
        self.events = []
        self.host = Host(profile)
        self.host.events.subscribe(self.events.append)
        self.reader = self.host.add_reader("Door Reader 00 00", **options)
        self.card = SimpleCard()
        self.reader.insert(self.card)
        self.door = PcscliteDoor(self.host, path, lambda: slots)
        self._clients = []

    def client(self, minor=6, **options):
        client = PcscClient(self.path, minor, timeout_s=PATIENCE_S, **options)
        self._clients.append(client)
        client.establish()
        return client

    def sharing(self):
        with self.host.lock:
            return self.host.rm.statuses()[0].sharing

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def innocent_client_works(self):
        """What must hold after anything hostile."""
        with PcscClient(self.path, timeout_s=PATIENCE_S) as client:
            client.establish()
            hcard, protocol = client.connect(self.reader.name, 2, 3)
            client.begin(hcard)
            assert client.transmit(hcard, protocol, b"\0\xa4\4\0") == b"\x90\x00"
            client.end(hcard)
            client.disconnect(hcard)
            client.release()

    def close(self):
        self.card.may_answer.set()
        for client in self._clients:
            client.close()
        self.door.close()
        self.host.close()


@pytest.fixture(scope="module")
def short_directory():
    # Not tmp_path, which may be longer than a socket path can be.
    with tempfile.TemporaryDirectory(prefix="vr-") as name:
        yield name


@pytest.fixture
def make_place(short_directory):
    places = []

    def make(slots=16, profile=PCSCLITE, **options):
        places.append(Place(f"{short_directory}/s{len(places)}", slots, profile, **options))
        return places[-1]

    yield make
    for place in places:
        place.close()


@pytest.fixture
def place(make_place):
    return make_place()
