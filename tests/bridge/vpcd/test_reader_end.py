# SPDX-License-Identifier: Apache-2.0
"""The reader's end of vpcd: who connects is the card, one at a time, and nobody else is harmed."""

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator

import pytest
from card_program import ATR, GET_ATR, CardProgram, Wire

from vreader.bridge.vpcd.events import (
    CardProgramConnected,
    CardProgramLeft,
    CardProgramRefused,
    VpcdIgnored,
)
from vreader.bridge.vpcd.reader_end import ReaderEnd, ReaderEndTiming
from vreader.card import Card
from vreader.errors import VreaderError

PATIENCE_S = 20.0
QUICK = ReaderEndTiming(patience_s=0.05, power_up_s=0.05)
APDU = bytes.fromhex("00CA0000")


class Slot:
    """Where cards come and go; ``history`` says how."""

    def __init__(self) -> None:
        self.history: list[str] = []
        self.card: Card | None = None
        self.refusal: VreaderError | None = None
        self._changed = threading.Condition()

    def came(self, card: Card) -> None:
        if self.refusal is not None:
            raise self.refusal
        self._change("came", card)

    def left(self, card: Card) -> None:
        assert card is self.card
        self._change("left", None)

    def _change(self, what: str, card: Card | None) -> None:
        with self._changed:
            self.history.append(what)
            self.card = card
            self._changed.notify_all()

    def wait(self, *history: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.history == list(history), PATIENCE_S), (
                self.history
            )


@pytest.fixture
def slot() -> Slot:
    return Slot()


@pytest.fixture
def make_end(slot, log) -> Iterator:
    ends = []

    def make(host: str = "127.0.0.1", port: int = 0, **timing: float) -> ReaderEnd:
        end = ReaderEnd(
            "Test 00 00",
            host,
            port,
            came=slot.came,
            left=slot.left,
            events=log.emitter,
            timing=ReaderEndTiming(**timing),
        )
        ends.append(end)
        return end

    yield make
    for end in ends:
        end.close()


def test_one_after_the_other(slot, make_end, log):
    end = make_end()
    assert end.address == f"127.0.0.1:{end.port}"
    assert not end.exposed
    history = []
    for name in (b"one", b"two"):
        with CardProgram(end.port, answer=lambda _, name=name: name + b"\x90\0") as program:
            slot.wait(*history, "came")
            assert end.peer
            assert slot.card.power_on() == ATR
            assert slot.card.transmit(APDU) == name + b"\x90\0"
            assert program.said == ["ATR?", "ON", "ATR?", APDU.hex()]
        history += ["came", "left"]
        slot.wait(*history)
    connected = log.wait_for(CardProgramConnected, 2)
    assert str(connected).startswith("Test 00 00: the card is a program at 127.0.0.1:")
    assert log.wait_for(CardProgramLeft, 2).reason == "it left"


def test_a_second_card_is_refused_with_a_reason(slot, make_end, log, caplog):
    end = make_end()
    with CardProgram(end.port):
        slot.wait("came")
        with CardProgram(end.port) as second:
            assert (
                f"holds the card of {end.peer} already" in log.wait_for(CardProgramRefused).reason
            )
            second._thread.join(PATIENCE_S)
        assert slot.card.power_on() == ATR  # the first is not disturbed
    slot.wait("came", "left")
    with CardProgram(end.port):
        slot.wait("came", "left", "came")
    assert "already" in caplog.text


def test_who_hangs_up_makes_room_at_once(slot, make_end):
    end = make_end()
    history = []
    for _ in range(50):
        with CardProgram(end.port):
            slot.wait(*history, "came")
        history += ["came", "left"]  # the next one connects before it is out
    slot.wait(*history)


@pytest.mark.parametrize(
    "said", [b"GET / HTTP/1.0\r\n\r\n", b"\0\0", b"\0\x22" + bytes(34), b"\0", b""]
)
def test_who_is_no_card_is_refused(slot, make_end, log, said):
    end = make_end(power_up_s=0.05)
    with Wire(end.port) as wire:
        wire.sock.sendall(said)
        assert "ATR" in log.wait_for(CardProgramRefused).reason
        assert wire.ended()
    with CardProgram(end.port):
        slot.wait("came")


def test_a_silent_one_keeps_nobody_waiting(slot, make_end, log, caplog):
    caplog.set_level(logging.CRITICAL)
    end = make_end()
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(Wire(end.port)) for _ in range(15)]
        for wire in silent:
            assert wire.receive() == GET_ATR
        with CardProgram(end.port):
            slot.wait("came")
            more = [stack.enter_context(Wire(end.port)) for _ in range(2)]
            assert "too many" in log.wait_for(CardProgramRefused).reason
            assert more[1].ended()
            silent[0].send(ATR)
            assert "already" in log.wait_for(CardProgramRefused, 2).reason


def test_a_reader_that_takes_no_card(slot, make_end, log):
    slot.refusal = VreaderError("it has been unplugged")
    end = make_end()
    with CardProgram(end.port):
        assert log.wait_for(CardProgramRefused).reason == "it has been unplugged"
    assert slot.history == []


def test_hanging_up(slot, make_end, log):
    end = make_end()
    end.hang_up()  # on nobody
    with CardProgram(end.port) as program:
        slot.wait("came")
        end.settle()  # nobody has left
        end.hang_up("enough")
        assert slot.history == ["came", "left"]
        program._thread.join(PATIENCE_S)
    assert log.wait_for(CardProgramLeft).reason == "enough"


def test_closing(slot, make_end):
    end = make_end()
    with Wire(end.port) as silent, CardProgram(end.port) as program:
        slot.wait("came")
        assert silent.receive() == GET_ATR
        end.close()
        end.close()
        assert silent.ended()
        program._thread.join(PATIENCE_S)
    assert slot.history == ["came"]  # the reader goes too
    with pytest.raises(OSError):
        Wire(end.port)


def test_remarks_are_events(slot, make_end, log):
    with CardProgram(make_end().port, answer=lambda _: b"\x90"):
        slot.wait("came")
        with contextlib.suppress(Exception):
            slot.card.transmit(APDU)
    assert "no R-APDU" in log.wait_for(VpcdIgnored).reason


def test_where_nobody_can_listen(make_end):
    taken = make_end()
    with pytest.raises(VreaderError, match=r"cannot listen at 127\.0\.0\.1:") as raised:
        make_end(port=taken.port)
    assert "another port" in raised.value.hint
    with pytest.raises(VreaderError, match=r"the host of nowhere\.invalid:0 is unknown"):
        make_end("nowhere.invalid")
    with pytest.raises(VreaderError, match=r"cannot listen at 192\.0\.2\.1"):
        make_end("192.0.2.1")


def test_other_addresses(slot, make_end):
    assert make_end("0.0.0.0").exposed
    if socket.has_ipv6:
        with contextlib.suppress(VreaderError):  # a machine without
            end = make_end("::1")
            assert end.address == f"[::1]:{end.port}"
            assert not end.exposed
            with CardProgram(end.port, host="::1"):
                slot.wait("came")
