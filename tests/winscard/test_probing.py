# SPDX-License-Identifier: Apache-2.0
"""One question to a card, and all that a card may make of it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.winscard.probing import PIV, ask, drive, select

SELECT = select(PIV)
NO_LE = bytes.fromhex("00A4000C023F00")


def put(command, *answers):
    """Ask a card that gives these answers, the last one for ever; return the end, and what came."""
    heard, asked, left = [], [], itertools.chain(answers, itertools.repeat(answers[-1]))

    def card(c_apdu):
        heard.append(c_apdu.hex().upper())
        return bytes.fromhex(next(left))

    answer = drive(ask(command, "it", asked), card)
    return answer, heard, asked


def test_the_parts_of_an_answer_are_fetched():
    answer, heard, asked = put(SELECT, "6102", "AABB6101", "CC9000")
    assert (answer.ok, answer.data.hex()) == (True, "aabbcc")
    assert heard[1:] == ["00C0000002", "00C0000001"]
    (told,) = asked
    assert (told.command, told.text) == (SELECT, "it: yes")


@pytest.mark.parametrize(("answer", "questions"), [("6101", 2), ("006101", 256)])
def test_a_card_that_never_comes_to_an_end(answer, questions):
    found, heard, _ = put(SELECT, answer)
    assert (found.ok, len(heard)) == (False, questions)


def test_a_wrong_le_is_put_right_once():
    answer, heard, _ = put(SELECT, "6C02", "AABB9000")
    assert (answer.ok, answer.data.hex()) == (True, "aabb")
    assert heard == [SELECT.hex().upper(), SELECT[:-1].hex().upper() + "02"]
    answer, heard, _ = put(SELECT, "6C02")
    assert (answer.sw, len(heard)) == (0x6C02, 2)


@pytest.mark.parametrize(("command", "answer"), [(NO_LE, "6C02"), (SELECT, "6C00")])
def test_there_is_not_always_a_le_to_put_right(command, answer):
    assert len(put(command, answer)[1]) == 1


@given(st.lists(st.binary(min_size=2, max_size=6), min_size=1))
def test_every_card_comes_to_an_answer(answers):
    answer, heard, asked = put(SELECT, *(each.hex() for each in answers))
    assert len(asked) == 1
    assert len(heard) <= 258
    assert answer.ok == (answer.sw == 0x9000)
