# SPDX-License-Identifier: Apache-2.0
"""The rungs a conversation is held on: one body, the same card, one world each.

``api`` is ScardApi in process; ``socket-4.4`` … ``socket-4.6`` are the embedded door by our own
client; ``libpcsclite`` is the door by the real library in a process of its own; ``pcscd`` is the
real library on a real pcscd with vpcd, the oracle. What is not the same there is asked of
``world.differs`` and stands with its reason in docs/reference/pcscd-differences.md. ``…-windows``
has the other profile; a conversation asks ``world.rm`` for the option in which they differ.
"""

import contextlib
import ctypes.util
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from conversation_library import LibraryProcess, LibraryProgram
from conversation_programs import (
    PATIENCE_S,
    READER,
    RUNGS,
    ApiProgram,
    SocketProgram,
    TestCard,
    rungs_as_parameters,
)

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.pcsclite.server import PcscliteDoor
from vreader.bridge.vpcd.card_end import VpcdDoor
from vreader.bridge.vpcd.installation import find_installation
from vreader.bridge.vpcd.pcscd import PrivatePcscd
from vreader.errors import VreaderError
from vreader.host import Host
from vreader.host.clock import RealClock
from vreader.smclib.states import CardState
from vreader.winscard.codes import ScardError
from vreader.winscard.status_change import LITE

PCSCDS = 3
DIFFERENCES = Path(__file__).parents[2] / "docs" / "reference" / "pcscd-differences.md"


class SkippingClock(RealClock):
    """The real clock, and a way to let a long time pass at once."""

    def __init__(self, run):
        super().__init__(run)
        self.skipped = 0.0
        self.now = lambda: time.monotonic() + self.skipped

    def skip(self, seconds):
        with self._changed:
            self.skipped += seconds
            self._changed.notify()


class World:
    """One reader, any number of programs.

    Attributes:
        rung: which way the programs go.
        rm: the profile of the resource manager, a real one's included.
        status_rules: how SCardGetStatusChange compares, which libpcsclite does by itself.
        reader: the reader's name.
        card: the card inside, or the last one that was.
    """

    card_type = TestCard
    status_rules = LITE

    def __init__(self, rung, libraries):
        self.rung = rung
        self.rm = RUNGS[rung]
        self.card = None
        self._libraries = libraries
        self._stack = contextlib.ExitStack()
        self.clock = SkippingClock(lambda call: self.host.run(call))
        self._stack.callback(self.clock.stop)
        self.host = self._stack.enter_context(Host(self.manager(), clock=self.clock))
        self.slot = self.host.add_reader(READER)
        self.reader = self.rm.reader_name(READER, "", 0)
        self.open()

    def manager(self):
        """The profile of the host's own resource manager, or None."""
        return self.rm

    def open(self):
        """Open the door, where there is one."""

    def close(self):
        self._stack.close()

    def program(self, *, blocking=True):
        """Start a program; ``blocking`` False lets it see SHARING_VIOLATION."""
        program = self._make(blocking)
        program.reader = self.reader
        self._stack.callback(program.close)
        return program

    def differs(self, name):
        """Whether this is pcscd, in a point that the table of differences has."""
        assert f"`{name}`" in DIFFERENCES.read_text(), name
        return self.rung == "pcscd"

    def insert(self, card=None, **options):
        """Put a card in and wait until programs can see it."""
        self.card = TestCard(**options) if card is None else card
        self.slot.insert(self.card)
        self.wait_until(lambda state: state.state != CardState.ABSENT)
        return self.card

    def remove(self):
        """Take the card out and wait until programs can see that."""
        self.slot.remove()
        self.wait_until(lambda state: state.state == CardState.ABSENT)

    def wait_until(self, condition):
        """Wait for the reader's published state; changes come from other threads."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition(self.state()):
            assert time.monotonic() < deadline, self.state()
            time.sleep(0.002)

    def state(self):
        (status,) = self.host.run(self.host.rm.statuses)
        return status

    def let_time_pass(self):
        """Let an idle card's time run out."""
        self.clock.skip(10)

    def wait_for_power_off(self):
        """Wait until nobody has been connected for long."""
        self.let_time_pass()
        self.wait_for_power_down()

    def wait_for_power_down(self):
        """Wait until the card has lost its power: pcscd does not wait for vpcd's card."""
        self._until(lambda: self.card.calls[-1] == "power off")

    def wait_until_somebody_waits(self):
        """Wait until a program is inside SCardGetStatusChange."""

        def has_the_states(session):
            wait = session._waiting
            return wait._waiting and not wait._fetching and not wait._sending

        self._until(lambda: any(map(has_the_states, self.door.sessions())))

    def _until(self, condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def connections(self):
        return self.state().sharing


class ApiWorld(World):
    @property
    def status_rules(self):
        return self.rm.status

    def wait_until_somebody_waits(self):
        rm = self.host.rm
        self._until(lambda: rm._listeners)

    def _make(self, blocking):
        return ApiProgram(self.host, blocking)


class DoorWorld(World):
    def open(self):
        self.path = f"{self._libraries.directory}/{self.rung}"
        self.door = PcscliteDoor(self.host, self.path)
        self._stack.callback(self.door.close)


class SocketWorld(DoorWorld):
    def _make(self, blocking):
        return SocketProgram(self.path, int(self.rung[-1]), blocking)


class LibraryWorld(DoorWorld):
    def open(self):
        super().open()
        self._libraries.point_at(self.path)

    def _make(self, blocking):
        return LibraryProgram(self._libraries.take(blocking), self._libraries.put_back)


class PcscdWorld(World):
    """The card's reader belongs to a vpcd door instead of a resource manager of ours."""

    def manager(self):
        return None

    def open(self):
        pcscd = self._libraries.pcscd(self.reader)
        door = VpcdDoor(self.reader, self.host.open_device(self.slot.link), pcscd.dials[0])
        self._stack.callback(door.stop)
        self._client = PcscClient(str(pcscd.socket_path))
        self._stack.callback(self._client.close)
        self.wait_until(lambda state: state.state == CardState.ABSENT)  # the one before has gone
        door.start()
        self._libraries.point_at(pcscd.socket_path)

    def _make(self, blocking):
        return LibraryProgram(self._libraries.take(blocking), self._libraries.put_back)

    def let_time_pass(self):
        time.sleep(1.5)  # pcscd has no other clock than the wall's

    def state(self):
        # vpcd has two slots for every reader it is told of.
        record = next(state for state in self._client.readers() if state.name == self.reader)
        state = CardState(wire.state_from_bits(record.state))
        return record._replace(state=state)


class Libraries:
    """What all tests of a session share: processes that have libpcsclite, and real pcscds.

    A pcscd needs 0.4 s to see that the card of the last test has gone, so they take turns.

    The library reads PCSCLITE_CSOCK_NAME once per process, so it names a symbolic link, which each
    test points at its own server.
    """

    def __init__(self, directory):
        self.directory = directory
        self._link = Path(directory, "link")
        self._idle = []
        self._stack = contextlib.ExitStack()
        self._pcscds = []

    def take(self, blocking):
        for process in self._idle:
            if process.blocking == blocking:
                self._idle.remove(process)
                return process
        return LibraryProcess(self._link, blocking)

    def put_back(self, process):
        self._idle.append(process)

    def point_at(self, path):
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(path)

    def pcscd(self, reader):
        if len(self._pcscds) < PCSCDS:
            self._pcscds.append(self._stack.enter_context(PrivatePcscd([reader])))
        else:
            self._pcscds.append(self._pcscds.pop(0))
        return self._pcscds[-1]

    def close(self):
        for process in self._idle:
            process.kill()
        self._stack.close()


@pytest.fixture(scope="session")
def libraries():
    # Not tmp_path, which may be longer than a socket path can be.
    with tempfile.TemporaryDirectory(prefix="vr-") as directory:
        shared = Libraries(directory)
        yield shared
        shared.close()


WORLDS = {"api": ApiWorld, "libpcsclite": LibraryWorld, "pcscd": PcscdWorld}
WORLDS |= {"api-windows": ApiWorld, "libpcsclite-windows": LibraryWorld}


def _missing(rung):
    """Say what a rung lacks on this machine, or nothing."""
    if "pcsc" in rung and not ctypes.util.find_library("pcsclite"):
        return "libpcsclite is missing: apt install libpcsclite1"
    if rung == "pcscd":
        try:
            find_installation()
        except VreaderError as error:
            return f"{error} ({error.hint})"
    return ""


@pytest.fixture(params=rungs_as_parameters(RUNGS))
def world(request, libraries):
    if reason := _missing(request.param):
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    world = WORLDS.get(request.param, SocketWorld)(request.param, libraries)
    yield world
    world.close()


@pytest.fixture
def refused():
    """Expect ScardError with this code."""

    @contextlib.contextmanager
    def expect(code):
        with pytest.raises(ScardError) as caught:
            yield
        assert caught.value.code == code, caught.value

    return expect
