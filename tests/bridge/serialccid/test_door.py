# SPDX-License-Identifier: Apache-2.0
"""The door by its line alone: the test is the driver."""

import os
import select
import threading

import pytest

from vreader.bridge.serialccid.ccid import Command, IccStatus, Request, Response
from vreader.bridge.serialccid.events import (
    SerialCcidConnected,
    SerialCcidIgnored,
    SerialCcidWaiting,
)
from vreader.bridge.serialccid.frame import NAK_FRAME, TIME_REQUEST, encode
from vreader.iso7816.t1 import Block
from vreader.reader.events import TpduEvent

PATIENCE_MS = 20_000
COMMAND = bytes.fromhex("00A4040002A000")


class Driver:
    """The other end of a line."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.seq = 0

    def send(self, data: bytes) -> None:
        """Send, and take the echo back."""
        os.write(self.fd, data)
        self.echo(data)

    def echo(self, data: bytes) -> None:
        """Take back what was sent; being asked for time is allowed at any moment."""
        assert self.first() + self.receive(len(data) - 1) == data

    def first(self) -> bytes:
        while (first := self.receive(1)) == TIME_REQUEST:
            pass
        return first

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            poll = select.poll()
            poll.register(self.fd, select.POLLIN)
            assert poll.poll(PATIENCE_MS), data
            data += os.read(self.fd, size - len(data))
        return data

    def message(self) -> Response:
        head = self.first() + self.receive(6)
        assert head[:2] == b"\3\6"
        frame = head + self.receive(6 + int.from_bytes(head[3:7], "little"))
        message = frame[2:-1]
        assert encode(message) == frame
        return Response.parse(message)

    def frame(self, kind: Command, data: bytes = b"") -> bytes:
        self.seq += 1
        return encode(bytes(Request(kind, 0, self.seq, bytes(3), data)))

    def ask(self, kind: Command, data: bytes = b"") -> Response:
        self.send(self.frame(kind, data))
        answer = self.message()
        assert answer.seq == self.seq
        return answer

    def close(self) -> None:
        os.close(self.fd)


@pytest.fixture
def soon(monkeypatch):
    """A card works long before it has worked for a part of a second."""
    monkeypatch.setattr("vreader.bridge.serialccid.door._PATIENCE_S", 0.02)


@pytest.fixture
def line(soon, make_line):
    return make_line()


@pytest.fixture
def driver(line):
    driver = Driver(line.door.path)
    yield driver
    driver.close()


def powered(line, driver, card):
    """Insert a card and give it power."""
    line.slot.insert(card)
    driver.send(driver.frame(Command.ICC_POWER_ON))
    assert driver.receive(2) == bytes.fromhex("5003")
    assert driver.message().data == card.atr
    return card


def test_an_empty_reader(line, driver):
    assert driver.ask(Command.ESCAPE, b"\x02").data == b"GemTwin-vreader"
    assert driver.ask(Command.GET_SLOT_STATUS).status == IccStatus.ABSENT
    line.wait_for(SerialCcidConnected)
    assert str(line.told(SerialCcidConnected)[0]).endswith(f"a driver speaks on {line.door.path}")


def test_a_card_comes_answers_and_goes(line, driver, echo):
    card = powered(line, driver, echo())
    answer = driver.ask(Command.XFR_BLOCK, Block.i(0, False, COMMAND).encode())
    assert Block.parse(answer.data).inf == COMMAND + b"\x90\0"
    line.slot.remove()
    driver.send(driver.frame(Command.GET_SLOT_STATUS))
    assert driver.receive(2) == bytes.fromhex("5002")
    assert driver.message().status == IccStatus.ABSENT
    assert card.log == ["cold", "off"]
    told = [(event.to_card, event.text, event.data, event.length) for event in line.told(TpduEvent)]
    assert told == [(True, "I(0,0)", b"", 11), (False, "I(0,0)", b"", 13)]


def test_a_card_that_was_there_before(make_line, echo):
    line = make_line()
    line.slot.insert(echo())
    driver = Driver(line.door.path)
    driver.send(driver.frame(Command.GET_SLOT_STATUS))
    assert driver.receive(2) == bytes.fromhex("5003")
    assert driver.message().status == IccStatus.INACTIVE
    driver.close()


def test_a_damaged_frame_gets_a_nak(line, driver):
    frame = bytearray(driver.frame(Command.GET_SLOT_STATUS))
    frame[-1] ^= 1
    driver.send(bytes(frame))
    assert driver.receive(3) == NAK_FRAME
    assert driver.ask(Command.GET_SLOT_STATUS).status == IccStatus.ABSENT
    assert "came damaged" in line.told(SerialCcidIgnored)[0].reason


def test_a_nak_gets_the_last_answer_again_and_runs_nothing(line, driver, echo):
    card = powered(line, driver, echo())
    answer = driver.ask(Command.XFR_BLOCK, Block.i(0, False, COMMAND).encode())
    driver.send(NAK_FRAME)
    assert driver.message() == answer
    assert card.commands == [COMMAND]


def test_garbage_is_echoed_and_skipped(line, driver):
    driver.send(bytes(range(4, 250)))
    assert driver.ask(Command.GET_SLOT_STATUS).status == IccStatus.ABSENT


def test_a_driver_may_leave_and_another_come(line, echo):
    for _ in range(3):
        driver = Driver(line.door.path)
        assert driver.ask(Command.GET_SLOT_STATUS).status == IccStatus.ABSENT
        driver.close()


def test_a_card_that_works_long_keeps_the_driver_waiting(line, driver, echo):
    card = powered(line, driver, echo())
    card.hold = threading.Event()
    driver.send(driver.frame(Command.XFR_BLOCK, Block.i(0, False, COMMAND).encode()))
    assert driver.receive(2) == TIME_REQUEST * 2
    line.wait_for(SerialCcidWaiting, 2)
    card.hold.set()
    assert Block.parse(driver.message().data).inf == COMMAND + b"\x90\0"


def test_an_answer_to_a_driver_that_has_gone_does_not_reach_the_next_one(line, driver, echo):
    """It would take it for the echo of its first command, and so on for ever."""
    card = powered(line, driver, echo())
    card.hold = threading.Event()
    driver.send(driver.frame(Command.XFR_BLOCK, Block.i(0, False, COMMAND).encode()))
    line.wait_for(SerialCcidWaiting)
    os.write(driver.fd, frame := driver.frame(Command.GET_SLOT_STATUS))
    card.hold.set()
    line.wait_for(SerialCcidIgnored)
    driver.echo(frame)
    assert driver.message().seq == driver.seq
    assert card.commands == [COMMAND]


class StoppedClock:
    """The clock of a door whose process can be stopped."""

    def __init__(self) -> None:
        self.time = 0.0
        self.runs = threading.Event()
        self.runs.set()
        self.stopped = threading.Event()

    def __call__(self) -> float:
        if not self.runs.is_set():
            self.stopped.set()
            assert self.runs.wait(PATIENCE_MS / 1000)
        return self.time

    def stop(self) -> None:
        self.stopped.clear()
        self.runs.clear()
        assert self.stopped.wait(PATIENCE_MS / 1000)

    def go_on(self, after_s: float) -> None:
        self.time += after_s
        self.runs.set()


@pytest.mark.parametrize("commands", [1, 3])
def test_what_came_while_the_process_was_stopped_is_waited_for_no_more(make_line, commands):
    clock = StoppedClock()
    line = make_line(now=clock)
    driver = Driver(line.door.path)
    clock.stop()
    for _ in range(commands):
        os.write(driver.fd, driver.frame(Command.GET_SLOT_STATUS))
    clock.go_on(after_s=5.0)
    line.wait_for(SerialCcidIgnored)
    assert driver.ask(Command.ESCAPE, b"\x02").data == b"GemTwin-vreader"
    driver.close()


def test_a_short_stop_does_no_harm(make_line):
    clock = StoppedClock()
    line = make_line(now=clock)
    driver = Driver(line.door.path)
    clock.stop()
    os.write(driver.fd, frame := driver.frame(Command.GET_SLOT_STATUS))
    clock.go_on(after_s=1.0)
    driver.echo(frame)
    assert driver.message().seq == driver.seq
    driver.close()


def test_an_answer_is_not_sent_after_a_stop_while_the_card_worked(soon, make_line, echo):
    clock = StoppedClock()
    line = make_line(now=clock)
    driver = Driver(line.door.path)
    card = powered(line, driver, echo())
    card.hold = threading.Event()
    driver.send(driver.frame(Command.XFR_BLOCK, Block.i(0, False, COMMAND).encode()))
    line.wait_for(SerialCcidWaiting)
    clock.stop()  # the thread that asks for time
    card.hold.set()
    clock.go_on(after_s=5.0)
    line.wait_for(SerialCcidIgnored)
    assert driver.ask(Command.ESCAPE, b"\x02").data == b"GemTwin-vreader"
    driver.close()


def test_a_frame_that_breaks_off_does_not_swallow_the_next(line, driver):
    begun = driver.frame(Command.XFR_BLOCK, bytes(200))[:100]
    driver.send(begun)  # and its driver dies
    line.wait_for(SerialCcidIgnored)
    assert "broke off" in line.told(SerialCcidIgnored)[0].reason
    assert driver.ask(Command.GET_SLOT_STATUS).status == IccStatus.ABSENT


def test_a_line_that_nobody_reads_does_not_stop_the_door(line, driver):
    for _ in range(1000):  # more than a terminal holds
        os.write(driver.fd, b"\3\6" + bytes(12))
    line.wait_for(SerialCcidIgnored)
    line.door.stop()


def test_stopping(make_line, echo):
    line = make_line()
    line.slot.insert(echo())
    line.door.stop()
    line.door.stop()
    line.slot.remove()
    make_line().close()


def test_a_reader_that_is_pulled_out(line, driver, echo):
    powered(line, driver, echo())
    line.slot.unplug()
    driver.send(driver.frame(Command.XFR_BLOCK, Block.i(0, False, COMMAND).encode()))
    assert driver.receive(2) == bytes.fromhex("5002")
    assert driver.message().status & 3 == IccStatus.ABSENT
