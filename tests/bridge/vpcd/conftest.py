# SPDX-License-Identifier: Apache-2.0
"""A reader handle that records its requests, a driver that speaks the wire, and a real pcscd."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Self

import pytest
from missing import missing
from vpcd_frames import Frames

from vreader.bridge.vpcd.card_end import DoorTiming, VpcdDoor
from vreader.bridge.vpcd.dial import tcp_dial
from vreader.bridge.vpcd.installation import find_installation
from vreader.bridge.vpcd.pcscd import PrivatePcscd
from vreader.errors import VreaderError
from vreader.events import Emitter, Event
from vreader.smclib.ioctl import Ioctl
from vreader.wdm import NTSTATUS

ATR = bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940")
Done = Callable[[NTSTATUS, bytes], None]
PATIENCE_S = 20.0


class FakeRequest:
    def __init__(self, cancel: Callable[[], None]) -> None:
        self.cancel = cancel


class FakeReader:
    """A DeviceHandle with a card whose R-APDU is the C-APDU's header and 9000.

    ``requests`` lists what the door asked: (minor or code, data). ``answers`` overrules single
    codes with (status, output).
    """

    def __init__(self, *, present: bool = True, atr: bytes = ATR) -> None:
        self.atr = atr
        self.requests: list[str] = []
        self.answers: dict[Ioctl, tuple[NTSTATUS, bytes]] = {}
        self.transmit: Callable[[bytes], tuple[NTSTATUS, bytes]] = self._echo
        self.closed = False
        self._present = present
        self._pending: dict[Ioctl, Done] = {}
        self._lock = threading.Lock()

    def ioctl(self, code: int, data: bytes = b"", out_length: int = 0) -> tuple[NTSTATUS, bytes]:
        if self.closed:
            return NTSTATUS.INVALID_HANDLE, b""
        ioctl = Ioctl(code)
        status, out = self._answer(ioctl, data)
        assert len(out) <= out_length
        return status, out

    def _answer(self, code: Ioctl, data: bytes) -> tuple[NTSTATUS, bytes]:
        match code:
            case Ioctl.SMARTCARD_POWER:
                self.requests.append(f"POWER {('DOWN', 'COLD', 'WARM')[data[0]]}")
                answer = (NTSTATUS.SUCCESS, b"" if data[0] == 0 else self.atr)
            case Ioctl.SMARTCARD_SET_PROTOCOL:
                self.requests.append(f"SET_PROTOCOL {data.hex()}")
                answer = (NTSTATUS.SUCCESS, b"\2\0\0\0")
            case Ioctl.SMARTCARD_TRANSMIT:
                self.requests.append(f"TRANSMIT {data[:8].hex()} {data[8:].hex()}")
                answer = self.transmit(data)
            case _:
                raise AssertionError(code.name)
        if not self._present:
            return NTSTATUS.NO_MEDIA, b""
        return self.answers.get(code, answer)

    @staticmethod
    def _echo(data: bytes) -> tuple[NTSTATUS, bytes]:
        return NTSTATUS.SUCCESS, data[:8] + data[8:12] + b"\x90\x00"

    def start(self, code: int, data: bytes, out_length: int, done: Done) -> FakeRequest:
        ioctl = Ioctl(code)
        with self._lock:
            if self.closed:
                status = NTSTATUS.INVALID_HANDLE
            elif self._present == (ioctl is Ioctl.SMARTCARD_IS_PRESENT):
                status = NTSTATUS.SUCCESS
            else:
                assert ioctl not in self._pending
                self._pending[ioctl] = done
                return FakeRequest(lambda: self._complete(ioctl, NTSTATUS.CANCELLED))
        done(status, b"")
        return FakeRequest(lambda: None)

    def _complete(self, code: Ioctl, status: NTSTATUS) -> None:
        with self._lock:
            done = self._pending.pop(code, None)
        if done is not None:
            done(status, b"")

    def insert(self) -> None:
        self._present = True
        self._complete(Ioctl.SMARTCARD_IS_PRESENT, NTSTATUS.SUCCESS)

    def remove(self) -> None:
        self._present = False
        self._complete(Ioctl.SMARTCARD_IS_ABSENT, NTSTATUS.SUCCESS)

    def close(self) -> None:
        self.closed = True
        for code in list(self._pending):
            self._complete(code, NTSTATUS.CANCELLED)


class Pcd(Frames):
    """The driver's side of one connection."""

    def ask(self, payload: bytes) -> bytes:
        self.send(payload)
        return self.receive()

    def rest(self) -> bytes:
        """Everything until the other side closes."""
        data = b""
        try:
            while part := self.sock.recv(65536):
                data += part
        except ConnectionResetError:
            pass  # closed with something of ours unread
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()


class Driver:
    """Listens like vpcd, on a port of the loopback interface."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_S)
        self.port = self.listener.getsockname()[1]
        self.dial = tcp_dial("127.0.0.1", self.port)

    def accept(self) -> Pcd:
        return Pcd(self.listener.accept()[0])


class EventLog:
    """Events in order; ``wait_for`` waits for one of a type."""

    def __init__(self) -> None:
        self.emitter = Emitter()
        self.events: list[Event] = []
        self._changed = threading.Condition()
        self.emitter.subscribe(self._sink)

    def _sink(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, kind: type[Event], count: int = 1) -> Event:
        def found() -> list[Event]:
            return [e for e in self.events if isinstance(e, kind)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, PATIENCE_S), self.events
            return found()[count - 1]


FAST = DoorTiming(redial_s=0.0, retry_s=0.0, retry_max_s=0.01, taken_s=PATIENCE_S)


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader()


@pytest.fixture
def driver() -> Iterator[Driver]:
    made = Driver()
    yield made
    made.listener.close()


@pytest.fixture
def log() -> EventLog:
    return EventLog()


MakeDoor = Callable[..., VpcdDoor]


@pytest.fixture
def make_door(reader: FakeReader, driver: Driver, log: EventLog) -> Iterator[MakeDoor]:
    doors: list[VpcdDoor] = []

    def make(timing: DoorTiming = FAST, dial=driver.dial) -> VpcdDoor:
        door = VpcdDoor(
            "Test 00 00", reader, dial, peer="fake vpcd", events=log.emitter, timing=timing
        )
        doors.append(door)
        door.start()
        return door

    yield make
    for door in doors:
        door.stop()


@pytest.fixture(scope="session")
def pcscd_installed() -> None:
    """Skips, naming the reason, where pcscd or its driver is missing; on CI that is a failure."""
    try:
        find_installation()
    except VreaderError as error:
        missing(f"{error} ({error.hint})")


@pytest.fixture
def make_reader() -> Callable[..., FakeReader]:
    return FakeReader


@pytest.fixture
def make_pcscd(
    pcscd_installed: None, log: EventLog
) -> Iterator[Callable[..., tuple[PrivatePcscd, list[VpcdDoor]]]]:
    """Starts a private pcscd and a door for each reader; returns both."""
    with contextlib.ExitStack() as stack:

        def make(readers: dict[str, FakeReader], **options) -> tuple[PrivatePcscd, list[VpcdDoor]]:
            pcscd = stack.enter_context(PrivatePcscd(list(readers), **options))
            doors = []
            for (name, handle), dial in zip(readers.items(), pcscd.dials, strict=True):
                door = VpcdDoor(name, handle, dial, events=log.emitter)
                stack.callback(door.stop)
                door.start()
                doors.append(door)
            return pcscd, doors

        yield make
