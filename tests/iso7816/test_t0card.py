# SPDX-License-Identifier: Apache-2.0
"""The card's end of T=0: whole TPDUs, and character by character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.t0 import T0Error
from vreader.iso7816.t0card import T0Card

OK = b"\x90\x00"
SELECT = bytes.fromhex("00A4040002") + b"ab"
READ = bytes.fromhex("00B00000")
GET_RESPONSE = bytes.fromhex("00C00000")


class Desk:
    """A T0Card and what has reached the card behind it."""

    def __init__(self, answer=OK, **options):
        self.commands = []
        self.answer = answer
        self.card = T0Card(self.transmit, **options)

    def transmit(self, command):
        self.commands.append(command)
        return self.answer(command) if callable(self.answer) else self.answer

    def __call__(self, tpdu, p3=None):
        return self.card.exchange(tpdu if p3 is None else tpdu + bytes((p3,)))


@pytest.mark.wdk("t0.case4")
def test_a_response_to_data_is_fetched_with_get_response():
    desk = Desk(b"hello" + OK)
    assert desk(SELECT) == b"\x61\x05"
    assert desk(GET_RESPONSE, 5) == b"hello" + OK
    assert desk.commands == [SELECT + b"\0"]


def test_the_status_of_the_command_comes_with_the_last_piece():
    desk = Desk(bytes(300) + b"\x62\x82")
    assert desk(SELECT) == b"\x61\x00"
    assert desk(GET_RESPONSE, 0) == bytes(256) + b"\x61\x2c"
    assert desk(GET_RESPONSE, 40) == bytes(40) + b"\x61\x04"
    assert desk(GET_RESPONSE, 4) == bytes(4) + b"\x62\x82"


def test_a_response_without_data_is_the_status_alone():
    assert Desk(b"\x69\x82")(SELECT) == b"\x69\x82"


@pytest.mark.parametrize("case4", [True, False])
def test_whether_the_card_sees_le_behind_data(case4):
    desk = Desk(case4=case4)
    desk(SELECT)
    assert desk.commands == [SELECT + b"\0" * case4]


@pytest.mark.wdk("t0.wrong-le")
@pytest.mark.parametrize("le", [0, 4, 6, 255])
def test_a_wrong_le_is_corrected_and_the_command_runs_once(le):
    desk = Desk(b"hello" + OK)
    assert desk(READ, le) == b"\x6c\x05"
    assert desk(READ, le) == b"\x6c\x05"
    assert desk(READ, 5) == b"hello" + OK
    assert len(desk.commands) == 1
    assert desk(READ, 5) == b"hello" + OK
    assert len(desk.commands) == 2


def test_the_right_le_at_once():
    assert Desk(b"hello" + OK)(READ, 5) == b"hello" + OK
    assert Desk(bytes(256) + OK)(READ, 0) == bytes(256) + OK


def test_more_than_256_bytes_come_in_pieces():
    desk = Desk(bytes(600) + OK)
    assert desk(READ, 0) == bytes(256) + b"\x61\x00"
    assert desk(GET_RESPONSE, 0) == bytes(256) + b"\x61\x58"
    assert desk(GET_RESPONSE, 0x58) == bytes(0x58) + OK


def test_get_response_for_too_much():
    desk = Desk(b"hello" + OK)
    desk(SELECT)
    assert desk(GET_RESPONSE, 0) == b"\x6c\x05"
    assert desk(GET_RESPONSE, 5) == b"hello" + OK


def test_another_command_drops_the_response():
    desk = Desk(lambda command: b"hello" + OK if command[1] == 0xA4 else OK)
    desk(SELECT)
    assert desk(READ, 1) == OK
    assert desk(GET_RESPONSE, 5) == OK  # the card's own business now
    assert desk.commands[-1] == GET_RESPONSE + b"\5"


def test_what_the_card_itself_keeps_is_fetched_from_it():
    desk = Desk(lambda command: b"rest" + OK if command[1] == 0xC0 else bytes(256) + b"\x61\x04")
    assert desk(SELECT) == b"\x61\x00"
    assert desk(GET_RESPONSE, 0) == bytes(256) + b"\x61\x04"
    assert desk(GET_RESPONSE, 4) == b"rest" + OK


@pytest.mark.wdk("t0.extended")
def test_envelope_puts_a_long_command_together():
    desk = Desk(b"done" + OK)
    command = bytes.fromhex("00DA000000012C") + bytes(300)
    envelope = bytes.fromhex("00C20000")
    assert desk(envelope + b"\xff" + command[:255]) == OK
    rest = command[255:]
    assert desk(envelope + bytes((len(rest),)) + rest) == OK
    assert desk.commands == []
    assert desk(envelope, 0) == b"\x61\x04"
    assert desk.commands == [command]
    assert desk(GET_RESPONSE, 4) == b"done" + OK


def test_an_envelope_that_is_too_long_or_empty():
    desk = Desk()
    envelope = bytes.fromhex("00C20000")
    assert desk(envelope, 0) == b"\x67\x00"
    answers = {desk(envelope + b"\xff" + bytes(255)) for _ in range(260)}
    assert answers == {OK, b"\x67\x00"}
    assert desk.commands == []


def test_a_card_with_an_envelope_of_its_own():
    desk = Desk(envelope=False)
    desk(bytes.fromhex("00C2000001AA"))
    assert desk.commands == [bytes.fromhex("00C2000001AA00")]


@pytest.mark.parametrize("header", ["FF00000000", "0060000000", "006F000000", "0090000000"])
def test_a_header_that_t0_cannot_have(header):
    desk = Desk()
    assert desk(bytes.fromhex(header)) == b"\x6d\x00"
    assert desk.commands == []


@pytest.mark.parametrize("tpdu", ["", "00A40400", "00A404000241", "00A4040001414141"])
def test_what_is_no_tpdu(tpdu):
    with pytest.raises(T0Error):
        Desk()(bytes.fromhex(tpdu))


# ------------------------------------------------------------------ characters


@pytest.mark.wdk("t0.procedure-bytes")
def test_data_to_the_card_at_once():
    card = Desk(b"hello" + OK).card
    assert card.receive(SELECT[:5]) == b"\xa4"
    assert card.receive(b"ab") == b"\x61\x05"
    assert card.receive(GET_RESPONSE + b"\5") == b"\xc0hello" + OK


def test_data_to_the_card_byte_by_byte():
    card = Desk(single=True).card
    assert card.receive(SELECT[:5]) == b"\x5b"
    assert card.receive(b"a") == b"\x5b"
    assert card.receive(b"b") == OK


def test_data_from_the_card_byte_by_byte():
    card = Desk(b"hi" + OK, single=True).card
    assert card.receive(READ + b"\2") == b"\x4fh\x4fi" + OK


@pytest.mark.wdk("t0.null")
def test_nulls_come_before_each_answer():
    card = Desk(b"hi" + OK, nulls=2).card
    assert card.receive(SELECT[:5]) == b"\x60\x60\xa4"
    assert card.receive(b"ab") == b"\x60\x60\x61\x02"
    assert card.receive(GET_RESPONSE + b"\2") == b"\x60\x60\xc0hi" + OK


def test_characters_may_come_in_any_portions():
    card = Desk().card
    assert b"".join(card.receive(bytes((byte,))) for byte in SELECT) == b"\xa4" + OK


def test_who_knows_the_command_may_say_which_way_data_goes():
    desk = Desk(takes_data=lambda header: True)
    assert desk.card.receive(READ + b"\1") == b"\xb0"
    assert desk.card.receive(b"x") == OK
    assert desk.commands == [READ + b"\1x\0"]


def test_reset_starts_anew():
    desk = Desk(b"hello" + OK)
    desk(SELECT)
    desk.card.receive(b"\0\xa4")
    desk.card.reset()
    assert desk.card.receive(READ + b"\5") == b"\xb0hello" + OK
    assert len(desk.commands) == 2


@given(
    received=st.lists(st.binary(max_size=300), max_size=20),
    response=st.binary(min_size=2, max_size=400),
    single=st.booleans(),
    nulls=st.integers(0, 2),
)
def test_whatever_characters_come_it_answers(received, response, single, nulls):
    card = Desk(response, single=single, nulls=nulls).card
    for raw in received:
        assert isinstance(card.receive(raw), bytes)


@given(tpdus=st.lists(st.binary(max_size=300), max_size=20))
def test_whatever_tpdu_comes_it_answers_or_refuses(tpdus):
    desk = Desk(lambda command: command + OK)
    for tpdu in tpdus:
        try:
            answer = desk(tpdu)
        except T0Error:
            continue
        assert 2 <= len(answer) <= 258
