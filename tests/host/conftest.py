# SPDX-License-Identifier: Apache-2.0
"""Hosts that leave no thread behind, and cards whose answer a test releases."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scard_place import Place

from vreader.host import Host
from vreader.winscard.profile import WINDOWS

PATIENCE_S = 20  # a failing test ends; a passing one never waits for it


class GatedCard:
    """A card that works until the test lets it go."""

    def __init__(self):
        self.atr = bytes.fromhex("3B80800101")
        self.working = threading.Event()
        self.release = threading.Event()
        self.gated = True
        self.inside = 0
        self.log = []

    def power_on(self):
        return self.atr

    def reset(self):
        return self.atr

    def power_off(self):
        self.log.append("off")

    def transmit(self, c_apdu):
        self.inside += 1
        assert self.inside == 1, "calls overlap"
        self.log.append(c_apdu)
        self.working.set()
        if self.gated:
            assert self.release.wait(PATIENCE_S)
        self.inside -= 1
        return c_apdu[:1] + b"\x90\x00"


@pytest.fixture
def make_host():
    """Make hosts; when the test ends they are closed and their threads must be gone."""
    before = set(threading.enumerate())
    hosts = []

    def make(*args, **kwargs):
        hosts.append(Host(*args, **kwargs))
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()
    assert set(threading.enumerate()) - before == set()


@pytest.fixture
def make_card():
    cards = []

    def make():
        cards.append(GatedCard())
        return cards[-1]

    yield make
    for card in cards:
        card.release.set()


@pytest.fixture
def in_thread():
    """Run a function on a thread of its own; ``join()`` returns what it returned."""
    threads = []

    def start(function, *args):
        result = []
        thread = threading.Thread(target=lambda: result.append(function(*args)))
        threads.append(thread)
        thread.start()

        def join():
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
            return result[0]

        return join

    yield start
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.fixture
def make_place():
    places = []

    def make(profile=WINDOWS):
        places.append(Place(profile))
        return places[-1]

    yield make
    for place in places:
        place.host.close()


@pytest.fixture
def place(make_place):
    return make_place()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(12) as pool:
        yield pool
