# SPDX-License-Identifier: Apache-2.0
"""The door between a fake driver that speaks the wire and a fake reader that records requests."""

import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vreader.bridge.vpcd.card_end import DoorTiming
from vreader.bridge.vpcd.events import (
    VpcdConnected,
    VpcdDisconnected,
    VpcdIgnored,
    VpcdRefused,
)
from vreader.errors import VreaderError
from vreader.smclib.ioctl import Ioctl
from vreader.wdm import NTSTATUS

ATR = bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940")
OFF, ON, RST, GET_ATR = b"\0", b"\1", b"\2", b"\4"
APDU = bytes.fromhex("00A4040000")
ECHO = APDU[:4] + b"\x90\0"
SLOW = DoorTiming(redial_s=0.0, retry_s=0.0, retry_max_s=0.01, taken_s=0.01, silence_s=0.05)

COLD = ["POWER COLD", "SET_PROTOCOL 03000000"]
WARM = ["POWER WARM", "SET_PROTOCOL 03000000"]
DOWN = ["POWER DOWN"]
TRANSMIT = [f"TRANSMIT 0200000008000000 {APDU.hex()}"]

# What a PC/SC program does, what pcscd's driver writes for it, what the reader is asked.
CONVERSATIONS = [
    ("connect to an inserted card", [GET_ATR, GET_ATR, ON, GET_ATR], COLD),
    ("idle", [GET_ATR] * 5, []),
    ("transmit", [APDU], TRANSMIT),
    ("reconnect and disconnect, leave", [], []),
    ("reconnect or disconnect, reset", [GET_ATR, RST, GET_ATR], WARM),
    ("reconnect, unpower", [GET_ATR, OFF, GET_ATR, ON, GET_ATR], DOWN + COLD),
    ("disconnect, unpower", [GET_ATR, OFF], DOWN),
    ("the last client has gone", [OFF, GET_ATR, GET_ATR], DOWN),
    ("connect after power off", [GET_ATR, ON, GET_ATR], COLD),
    ("transmit again", [APDU, APDU], TRANSMIT * 2),
]


def test_golden_conversation(reader, driver, make_door):
    make_door()
    with driver.accept() as pcd:
        assert reader.requests == ["POWER COLD"]  # to learn the ATR, before dialing
        for name, frames, requests in CONVERSATIONS:
            del reader.requests[:]
            for frame in frames:
                if frame in (OFF, ON, RST):
                    pcd.send(frame)
                else:
                    assert pcd.ask(frame) == (ATR if frame == GET_ATR else ECHO), name
            # The ATR is the only sync point of the wire.
            assert pcd.ask(GET_ATR) == ATR
            assert reader.requests == requests, name


def test_one_send_for_each_frame(driver, make_door):
    make_door()
    with driver.accept() as pcd:
        pcd.send(ON)
        pcd.send(APDU)
        # With TCP_NODELAY on our side, two sends would arrive as two segments.
        first = pcd.sock.recv(65536)
        assert first == len(ECHO).to_bytes(2) + ECHO


def test_frames_in_any_fragments(driver, make_door):
    make_door()
    with driver.accept() as pcd:
        pcd.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = b"\0\1\1" + b"\0\1\4" + b"\0\5" + APDU + b"\0\1\4"
        for i in range(len(stream)):
            pcd.sock.sendall(stream[i : i + 1])
        assert [pcd.receive(), pcd.receive(), pcd.receive()] == [ATR, ECHO, ATR]
        pcd.sock.sendall(stream)
        assert [pcd.receive(), pcd.receive(), pcd.receive()] == [ATR, ECHO, ATR]


@pytest.mark.parametrize("size", [2, 3, 255, 4096, 65535])
def test_apdus_up_to_the_limit_of_the_wire(reader, driver, make_door, size):
    reader.transmit = lambda data: (NTSTATUS.SUCCESS, data)
    make_door()
    with driver.accept() as pcd:
        pcd.send(ON)
        apdu = bytes(i % 251 for i in range(size))
        assert pcd.ask(apdu) == apdu


@pytest.mark.parametrize(
    "answer",
    [
        (NTSTATUS.NO_MEDIA, b""),
        (NTSTATUS.IO_TIMEOUT, b""),
        (NTSTATUS.INVALID_DEVICE_STATE, b""),
        (NTSTATUS.SUCCESS, b""),
        (NTSTATUS.SUCCESS, bytes(8)),
        (NTSTATUS.SUCCESS, bytes(8 + 65536)),
    ],
)
def test_no_answer_closes_and_never_sends_a_frame(reader, driver, make_door, log, answer):
    make_door()
    reader.transmit = lambda _: answer
    with driver.accept() as pcd:
        pcd.send(ON)
        pcd.send(APDU)
        assert pcd.rest() == b""
    log.wait_for(VpcdDisconnected)
    with driver.accept() as pcd:
        assert pcd.ask(GET_ATR) == ATR


@pytest.mark.parametrize("code", [Ioctl.SMARTCARD_POWER, Ioctl.SMARTCARD_SET_PROTOCOL])
@pytest.mark.parametrize("control", [ON, RST])
@pytest.mark.parametrize("status", [NTSTATUS.NO_MEDIA, NTSTATUS.IO_TIMEOUT])
def test_a_reset_that_fails_closes(reader, driver, make_door, code, control, status):
    make_door()
    with driver.accept() as pcd:
        assert pcd.ask(GET_ATR) == ATR
        reader.answers[code] = (status, b"")
        pcd.send(control)
        assert pcd.rest() == b""
    del reader.answers[code]
    with driver.accept() as pcd:
        assert pcd.ask(GET_ATR) == ATR


def test_protocol_refused_is_remarked_and_the_atr_still_answered(reader, driver, make_door, log):
    make_door()
    reader.answers[Ioctl.SMARTCARD_SET_PROTOCOL] = (NTSTATUS.NOT_SUPPORTED, b"")
    with driver.accept() as pcd:
        pcd.send(ON)
        assert pcd.ask(GET_ATR) == ATR
    assert "NOT_SUPPORTED" in log.wait_for(VpcdIgnored).reason


def test_the_next_card_waits_until_the_driver_has_noticed(reader, driver, make_door):
    door = make_door(DoorTiming(redial_s=600.0))
    with driver.accept() as pcd:
        assert pcd.ask(GET_ATR) == ATR
        assert door.atr == ATR
        reader.remove()
        assert pcd.rest() == b""
    reader.atr = bytes.fromhex("3B00")
    reader.insert()
    door.noticed()
    with driver.accept() as pcd:
        assert pcd.ask(GET_ATR) == door.atr == bytes.fromhex("3B00")


def test_a_mute_card_is_not_offered_until_it_answers(reader, driver, make_door, log):
    reader.answers[Ioctl.SMARTCARD_POWER] = (NTSTATUS.IO_TIMEOUT, b"")
    door = make_door()
    refused = log.wait_for(VpcdRefused)
    assert "POWER (COLD_RESET): STATUS_IO_TIMEOUT" in refused.reason
    assert door.failure == (refused.reason, refused.hint)
    del reader.answers[Ioctl.SMARTCARD_POWER]
    with driver.accept() as pcd:
        assert pcd.ask(GET_ATR) == ATR
    log.wait_for(VpcdConnected)
    assert door.failure is None


def test_a_card_without_atr_is_not_offered(reader, make_door, log):
    reader.answers[Ioctl.SMARTCARD_POWER] = (NTSTATUS.SUCCESS, b"")
    make_door()
    assert "no ATR" in log.wait_for(VpcdRefused).reason


def test_unknown_control_codes_are_one_byte_commands(reader, driver, make_door, log):
    make_door()
    with driver.accept() as pcd:
        pcd.send(ON)
        pcd.ask(GET_ATR)
        del reader.requests[:]
        assert pcd.ask(b"\3") == b"\x67\0"
        assert pcd.ask(b"\xff") == b"\x67\0"
        assert reader.requests == []
        assert pcd.ask(APDU) == ECHO
    assert "03" in log.wait_for(VpcdIgnored).reason


def test_a_driver_stuck_on_a_one_byte_command_is_freed(driver, make_door, log):
    make_door(SLOW)
    with driver.accept() as pcd:
        pcd.ask(GET_ATR)
        pcd.send(RST)  # a C-APDU of one byte looks like this, and its sender waits
        assert pcd.rest() == b""
    assert "one-byte" in log.wait_for(VpcdDisconnected).reason


def test_an_empty_frame_closes(driver, make_door, log):
    make_door()
    with driver.accept() as pcd:
        pcd.sock.sendall(b"\0\0")
        assert pcd.rest() == b""
    assert "empty frame" in log.wait_for(VpcdDisconnected).reason


# Insertion, removal, reconnecting.


def test_no_card_no_connection(reader, driver, make_door, log):
    reader.remove()
    make_door()
    reader.insert()
    with driver.accept() as pcd:
        assert pcd.ask(GET_ATR) == ATR
        assert reader.requests == ["POWER COLD"]


def test_removal_closes_and_insertion_redials(reader, driver, make_door, log):
    make_door()
    for count in (1, 2, 3):
        with driver.accept() as pcd:
            pcd.send(ON)
            assert pcd.ask(GET_ATR) == ATR
            reader.remove()
            assert pcd.rest() == b""
        assert log.wait_for(VpcdDisconnected, count).reason == "the card was removed"
        reader.insert()


def test_removal_while_the_card_works_lets_no_partial_frame_out(reader, driver, make_door):
    def slow(_: bytes) -> tuple[NTSTATUS, bytes]:
        reader.remove()
        return NTSTATUS.NO_MEDIA, b""

    make_door()
    reader.transmit = slow
    with driver.accept() as pcd:
        pcd.send(ON)
        pcd.send(APDU)
        assert pcd.rest() == b""


def test_an_answer_the_card_gave_before_it_left_arrives_whole(reader, driver, make_door):
    def last(data: bytes) -> tuple[NTSTATUS, bytes]:
        return NTSTATUS.SUCCESS, data[:8] + bytes(65535)

    make_door()
    reader.transmit = last
    with driver.accept() as pcd:
        pcd.send(ON)
        pcd.send(APDU)
        assert pcd.exactly(2) == b"\xff\xff"
        reader.remove()
        assert pcd.exactly(65535) == bytes(65535)
        assert pcd.rest() == b""


def test_the_pause_after_a_removal_is_kept(reader, make_door, log):
    # A pause without end: the door must wait for it and still stop at once.
    def dial() -> socket.socket:
        raise AssertionError("dialed too soon")

    reader.answers[Ioctl.SMARTCARD_POWER] = (NTSTATUS.NO_MEDIA, b"")
    door = make_door(DoorTiming(redial_s=3600.0), dial)
    log.wait_for(VpcdRefused)
    reader.remove()
    reader.answers.clear()
    reader.insert()
    door.stop()
    assert not door._thread.is_alive()


def test_reconnects_when_the_driver_restarts(reader, driver, make_door, log):
    make_door()
    for count in range(1, 6):
        with driver.accept() as pcd:
            pcd.send(ON)
            assert pcd.ask(APDU) == ECHO
        log.wait_for(VpcdDisconnected, count)
    # The ATR was learned once; a new driver powers the card itself.
    assert reader.requests == ["POWER COLD", *(COLD + TRANSMIT) * 5]


def test_nobody_listens_is_said_once(driver, make_door, log):
    attempts = []

    def dial() -> socket.socket:
        attempts.append(1)
        if len(attempts) < 20:
            raise ConnectionRefusedError(111, "Connection refused")
        return driver.dial()

    door = make_door(dial=dial)
    with driver.accept() as pcd:
        pcd.ask(GET_ATR)
        log.wait_for(VpcdConnected)
    refusals = [e for e in log.events if isinstance(e, VpcdRefused)]
    assert [e.reason for e in refusals] == ["nobody listens at fake vpcd"]
    assert "hint: start pcscd" in str(refusals[0])
    assert door.failure is None or "nobody" not in door.failure[0]


def test_a_dial_may_fail_with_words_of_its_own(make_door, log):
    def dial() -> socket.socket:
        raise VreaderError("it was stopped", hint="start it")

    make_door(dial=dial)
    event = log.wait_for(VpcdRefused)
    assert (event.reason, event.hint) == ("it was stopped", "start it")


def test_a_taken_slot_is_said_and_the_place_in_line_kept(driver, make_door, log):
    make_door(SLOW)
    with driver.accept() as pcd:
        assert "slot seems to be taken" in log.wait_for(VpcdRefused).reason
        assert pcd.ask(GET_ATR) == ATR
    log.wait_for(VpcdConnected)
    log.wait_for(VpcdDisconnected)


def test_stop_closes_connection_reader_and_thread(reader, driver, make_door):
    door = make_door()
    with driver.accept() as pcd:
        pcd.ask(GET_ATR)
        assert door.wait_connected(0)
        door.stop()
        assert pcd.rest() == b""
    assert reader.closed
    assert not door._thread.is_alive()
    door.stop()


def test_stop_without_a_card(reader, make_door):
    reader.remove()
    door = make_door()
    door.stop()
    assert not door._thread.is_alive()


def test_a_reader_that_goes_away_ends_the_door(reader, make_door):
    reader.remove()
    door = make_door()
    reader.close()
    door._thread.join(20)
    assert not door._thread.is_alive()


# Hostile drivers.

FRAMES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.binary(max_size=40).map(lambda p: len(p).to_bytes(2) + p),
        st.sampled_from(
            [b"\0\1\0", b"\0\1\1", b"\0\1\2", b"\0\1\4", b"\0\1\3", b"\0\0", b"\xff\xff"]
        ),
    ),
    max_size=10,
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chunks=FRAMES, abort=st.booleans())
def test_garbage_harms_nobody_who_comes_after(
    reader, driver, make_door, shared_door, chunks, abort
):
    with driver.accept() as pcd:
        try:
            for chunk in chunks:
                pcd.sock.sendall(chunk)
            if not abort:
                pcd.sock.shutdown(socket.SHUT_WR)
                rest = pcd.rest()
                while rest:  # answers of the right form, whatever was asked
                    end = 2 + int.from_bytes(rest[:2])
                    assert 2 < end <= len(rest)
                    rest = rest[end:]
        except OSError:
            pass  # the door had enough
    with driver.accept() as pcd:
        pcd.send(ON)
        assert pcd.ask(GET_ATR) == ATR
        assert pcd.ask(APDU) == ECHO


@pytest.fixture
def shared_door(make_door):
    return make_door()
