# SPDX-License-Identifier: Apache-2.0
"""A card that is a program: what it is asked, and what becomes of the ways it can misbehave."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from card_program import ATR, GET_ATR, OFF, ON, RST, Wire
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vreader.bridge.vpcd.foreign import ForeignCard
from vreader.card import CardGone, CardMute

APDU, OK = bytes.fromhex("00A4040000"), b"\x90\0"
SHORT_S = 0.05
LONG_S = 20.0


class Pair:
    """A foreign card and the program's end of its connection; ``remarks`` are the card's."""

    def __init__(self, patience_s: float = LONG_S, power_up_s: float = LONG_S) -> None:
        self.remarks: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.program = Wire(listener.getsockname()[1])
            self.card = ForeignCard(
                listener.accept()[0],
                patience_s=patience_s,
                power_up_s=power_up_s,
                remarks=self.remarks.append,
            )

    def close(self) -> None:
        self.card.release()
        self.program.close()


@contextlib.contextmanager
def paired(**options: float) -> Iterator[Pair]:
    pair = Pair(**options)
    try:
        yield pair
    finally:
        pair.close()


@contextlib.contextmanager
def answering(pair: Pair, *answers: bytes) -> Iterator[None]:
    """Send answers at once: they are there before they are asked for, and still in order."""

    def answer() -> None:
        for raw in answers:
            while pair.program.receive() in (OFF, ON, RST):
                pass
            pair.program.sock.sendall(raw)

    thread = threading.Thread(target=answer)
    thread.start()
    yield
    thread.join(LONG_S)


def frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(2) + payload


def test_what_a_program_is_asked():
    with paired() as pair, answering(pair, frame(ATR)):
        assert pair.card.identify() == ATR
    with paired() as pair:
        told = threading.Thread(target=lambda: [pair.card.power_on(), pair.card.power_on()])
        told.start()
        wire = pair.program
        assert [wire.receive(), wire.receive()] == [ON, GET_ATR]
        wire.send(ATR)
        # A cold reset takes the power first.
        assert [wire.receive(), wire.receive(), wire.receive()] == [OFF, ON, GET_ATR]
        wire.send(ATR)
        told.join(LONG_S)
        pair.card.power_off()  # waits for nobody
        assert [wire.receive(), wire.receive()] == [OFF, GET_ATR]
        wire.send(ATR)
        with answering(pair, frame(b"\x3b\0")):
            # The answer to the question behind OFF is not this one's.
            assert pair.card.power_on() == b"\x3b\0"
        with answering(pair, frame(b"\x3b\1\2")):
            assert pair.card.reset() == b"\x3b\1\2"
        assert pair.remarks == []


@pytest.mark.parametrize("size", [2, 255, 65535])
def test_apdus_of_any_size(size):
    apdu = bytes(i % 251 for i in range(size))
    with paired() as pair, answering(pair, frame(apdu)):
        assert pair.card.transmit(apdu) == apdu


@pytest.mark.parametrize("size", [65536, 65544])
def test_what_no_frame_can_carry_is_refused(size):
    with paired() as pair:
        assert pair.card.transmit(bytes(size)) == b"\x67\0"
        assert len(pair.remarks) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.binary(min_size=2, max_size=40), min_size=1, max_size=4), st.data())
def test_answers_in_any_fragments(payloads, data):
    with paired() as pair:
        pair.program.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for payload in payloads:
            raw = frame(payload)
            cut = data.draw(st.integers(0, len(raw)))

            def answer(raw: bytes = raw, cut: int = cut) -> None:
                pair.program.receive()
                pair.program.sock.sendall(raw[:cut])
                pair.program.sock.sendall(raw[cut:])

            thread = threading.Thread(target=answer)
            thread.start()
            assert pair.card.transmit(APDU) == payload
            thread.join(LONG_S)


@pytest.mark.parametrize("answer", [b"", b"\x90"])
def test_no_r_apdu(answer):
    with paired() as pair:
        with answering(pair, frame(answer)), pytest.raises(CardMute):
            pair.card.transmit(APDU)
        with answering(pair, frame(OK)):
            assert pair.card.transmit(APDU) == OK
        assert len(pair.remarks) == 1


@pytest.mark.parametrize("atr", [b"", bytes(34)])
def test_no_atr(atr):
    with paired() as pair, answering(pair, frame(atr)), pytest.raises(CardMute):
        pair.card.power_on()


@pytest.mark.parametrize("part", [b"", b"\0", b"\0\5", b"\0\5abc"])
def test_leaving_at_work(part):
    with paired() as pair:
        pair.program.sock.sendall(part)
        pair.program.sock.shutdown(socket.SHUT_WR)
        with pytest.raises(CardGone):
            pair.card.transmit(APDU)
        assert "left" in pair.card.reason
        pair.card.wait_until_left()
        assert pair.card.has_left()
        with pytest.raises(CardGone):
            pair.card.power_on()


def test_too_slow_is_mute_and_the_late_answer_is_nobodys():
    with paired(patience_s=SHORT_S) as pair:
        with pytest.raises(CardMute):
            pair.card.transmit(APDU)
        assert "no answer" in pair.remarks[0]
        assert pair.program.receive() == APDU
        pair.program.send(b"late\x90\0")
        with answering(pair, frame(ATR)):
            assert pair.card.power_on() == ATR


def test_an_atr_that_never_comes_ends_it():
    with paired(power_up_s=SHORT_S) as pair:
        pair.program.sock.sendall(b"\0\x21\x3b")  # the rest of it never comes
        with pytest.raises(CardMute):
            pair.card.power_on()
        pair.card.wait_until_left()
        assert "no ATR" in pair.card.reason


def test_a_program_that_reads_nothing():
    with paired(patience_s=SHORT_S) as pair:
        for sock in (pair.program.sock, pair.card._sock):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with pytest.raises(CardGone):
            for _ in range(1000):
                with contextlib.suppress(CardMute):
                    pair.card.transmit(bytes(65535))
        pair.card.wait_until_left()
        assert "does not take" in pair.card.reason


def test_what_is_said_unasked_is_no_answer():
    with paired() as pair:
        pair.program.sock.sendall(frame(b"unasked") + b"\0\4ha")
        poll_readable(pair)
        thread = threading.Thread(
            target=lambda: (
                pair.program.receive(),
                pair.program.sock.sendall(b"lf" + frame(OK)),
            )
        )
        thread.start()
        assert pair.card.transmit(APDU) == OK
        thread.join(LONG_S)
        assert pair.remarks == ["the card program spoke without being asked"]


def poll_readable(pair: Pair) -> None:
    """Wait until what was sent has arrived."""
    import select

    select.select([pair.card._sock], [], [], LONG_S)


def test_interrupted_at_work():
    with paired() as pair:
        heard: list[object] = []

        def transmit() -> None:
            try:
                heard.append(pair.card.transmit(APDU))
            except CardMute as error:
                heard.append(error)

        thread = threading.Thread(target=transmit)
        thread.start()
        pair.program.receive()
        pair.card.interrupt()
        thread.join(LONG_S)
        assert isinstance(heard[0], CardMute)
        pair.program.send(b"late\x90\0")
        with answering(pair, frame(ATR)):
            assert pair.card.power_on() == ATR


def test_hung_up_on_at_work():
    with paired() as pair:
        thread = threading.Thread(
            target=lambda: (pair.program.receive(), pair.card.hang_up("enough"))
        )
        thread.start()
        with pytest.raises(CardGone):
            pair.card.transmit(APDU)
        thread.join(LONG_S)
        assert pair.card.reason == "enough"
        assert pair.program.ended()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.binary(max_size=80))
@example(b"\0\0" * 40)
@example(b"\0\2\x90\0" * 20)
@example(b"\xff\xff" + b"x" * 60)
def test_garbage_is_an_answer_or_an_end(garbage):
    with paired(patience_s=SHORT_S, power_up_s=SHORT_S) as pair:
        pair.program.sock.sendall(garbage)
        pair.program.sock.shutdown(socket.SHUT_WR)
        for call in (pair.card.power_on, lambda: pair.card.transmit(APDU), pair.card.reset):
            try:
                assert len(call()) >= 1
            except (CardGone, CardMute):
                pass
