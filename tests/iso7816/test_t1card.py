# SPDX-License-Identifier: Apache-2.0
"""The card's end of T=1, spoken to with single blocks."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.t1 import ABORT, IFS, OTHER_ERROR, RESYNCH, WTX, Block
from vreader.iso7816.t1card import T1Card


class Talk:
    """A T1Card and what has reached the card behind it."""

    def __init__(self, answer=b"\x90\x00", **options):
        self.commands = []
        self.answer = answer
        self.card = T1Card(self.transmit, **options)

    def transmit(self, command):
        self.commands.append(command)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def __call__(self, block):
        raw = self.card.receive(block.encode() if isinstance(block, Block) else block)
        return None if raw is None else Block.parse(raw)


def command(number=0, data=b"\0\xa4\0\0", more=False):
    return Block.i(number, more, data)


def test_a_command_and_its_response():
    talk = Talk(b"data\x90\x00")
    assert talk(command()) == Block.i(0, False, b"data\x90\x00")
    assert talk(command(1)) == Block.i(1, False, b"data\x90\x00")
    assert talk(command(0)) == Block.i(0, False, b"data\x90\x00")
    assert talk.commands == [b"\0\xa4\0\0"] * 3


@pytest.mark.wdk("t1.chaining")
def test_chaining_both_ways():
    talk = Talk(bytes(range(10)), ifsd=4, ifsc=3)
    assert talk(command(0, b"abc", more=True)) == Block.r(1)
    assert talk(command(1, b"def", more=True)) == Block.r(0)
    assert talk(command(0, b"g")) == Block.i(0, True, bytes(range(4)))
    assert talk(Block.r(1)) == Block.i(1, True, bytes(range(4, 8)))
    assert talk(Block.r(0)) == Block.i(0, False, bytes((8, 9)))
    assert talk.commands == [b"abcdefg"]


@pytest.mark.parametrize("length", [32, 64, 254])
def test_ifs_of_the_reader(length):
    talk = Talk(bytes(300))
    assert talk(Block(IFS, bytes((length,)))) == Block(IFS, bytes((length,))).response()
    assert talk(command()) == Block.i(0, True, bytes(length))


def test_the_card_asks_for_time_before_each_answer():
    talk = Talk(wtx=(1, 30))
    for number in (0, 1):
        assert talk(command(number)) == Block(WTX, b"\1")
        assert len(talk.commands) == number
        assert talk(Block(WTX, b"\1").response()) == Block(WTX, b"\x1e")
        assert talk(Block(WTX, b"\x1e").response()) == Block.i(number, False, b"\x90\x00")


def test_a_storm_of_requests_for_time():
    talk = Talk(wtx=itertools.repeat(255))
    assert talk(command()) == Block(WTX, b"\xff")
    for _ in range(1000):
        assert talk(Block(WTX, b"\xff").response()) == Block(WTX, b"\xff")
    assert talk.commands == []


def test_another_multiplier_than_the_one_asked_for_is_not_taken():
    talk = Talk(wtx=(5,))
    talk(command())
    assert talk(Block(WTX, b"\6").response()) == Block(WTX, b"\5")


def test_ifs_of_the_card_holds_from_then_on():
    talk = Talk()
    talk.card.ask(IFS, b"\x40")
    assert talk(command()) == Block(IFS, b"\x40")
    assert talk(Block(IFS, b"\x40").response()) == Block.i(0, False, b"\x90\x00")
    assert talk(command(1, bytes(64))) == Block.i(1, False, b"\x90\x00")


def test_a_longer_block_than_announced_is_refused():
    assert Talk()(command(0, bytes(33))) == Block.r(0, OTHER_ERROR)


def test_a_repeated_block_does_not_run_again():
    talk = Talk()
    talk(command())
    assert talk(command()) == Block.r(1, OTHER_ERROR)
    assert talk.commands == [b"\0\xa4\0\0"]


def test_a_response_is_given_again_as_often_as_asked():
    talk = Talk()
    talk(command())
    for _ in range(9):
        assert talk(Block.r(0, OTHER_ERROR)) == Block.i(0, False, b"\x90\x00")
    assert talk.commands == [b"\0\xa4\0\0"]


def test_after_three_complaints_the_card_waits_in_silence():
    talk = Talk()
    for _ in range(3):
        assert talk(b"noise") == Block.r(0, OTHER_ERROR)
    assert talk(b"noise") is None
    assert talk(b"noise") is None
    assert talk(command()) == Block.i(0, False, b"\x90\x00")
    assert talk(b"noise") == Block.r(1, OTHER_ERROR)


def test_complaints_count_from_the_last_block_that_could_be_read():
    talk = Talk()
    talk(command())
    for _ in range(2):
        for _ in range(3):
            assert talk(b"noise") == Block.r(1, OTHER_ERROR)
        assert talk(Block.r(0)) == Block.i(0, False, b"\x90\x00")


@pytest.mark.wdk("t1.resynchronisation")
def test_resynchronisation_forgets_everything_but_not_the_card():
    talk = Talk(bytes(100))
    talk(Block(IFS, b"\xfe"))
    talk(command(0))
    talk(command(1, b"half", more=True))
    assert talk(Block(RESYNCH)) == Block(RESYNCH).response()
    assert talk(command(0)) == Block.i(0, True, bytes(32))
    assert talk.commands == [b"\0\xa4\0\0"] * 2


def test_the_reader_aborts_its_command():
    talk = Talk()
    talk(command(0, b"ab", more=True))
    assert talk(Block(ABORT)) == Block(ABORT).response()
    assert talk(command(1)) == Block.i(0, False, b"\x90\x00")
    assert talk.commands == [b"\0\xa4\0\0"]


def test_the_reader_aborts_the_response():
    talk = Talk(bytes(100))
    talk(command())
    assert talk(Block(ABORT)) == Block(ABORT).response()
    assert talk(command(1)) == Block.i(1, True, bytes(32))


def test_a_command_longer_than_any_is_aborted():
    talk = Talk(ifsc=254)
    number, answer = 0, None
    for _ in range(300):
        answer = talk(command(number, bytes(254), more=True))
        number ^= 1
        if answer.is_request:
            break
    assert answer == Block(ABORT)
    assert talk(Block(ABORT).response()) == Block.r(number)
    assert talk(command(number)).inf == b"\x90\x00"
    assert talk.commands == [b"\0\xa4\0\0"]


def test_what_the_card_raises_goes_through_and_the_command_counts_as_run():
    talk = Talk(RuntimeError("broken"))
    with pytest.raises(RuntimeError):
        talk(command())
    assert talk(Block.r(0)) == Block.r(1, OTHER_ERROR)
    assert talk(command()) == Block.r(1, OTHER_ERROR)
    assert len(talk.commands) == 1


def test_less_than_two_bytes_do_not_reach_the_card():
    talk = Talk()
    assert talk(command(0, b"")) == Block.i(0, False, b"\x67\x00")
    assert talk.commands == []


def test_it_answers_to_the_node_that_asked():
    raw = T1Card(lambda _: b"\x90\x00").receive(command()._replace(nad=0x12).encode())
    assert Block.parse(raw).nad == 0x21


def test_reset_starts_anew():
    talk = Talk()
    talk(command())
    talk.card.reset()
    assert talk(command(0)) == Block.i(0, False, b"\x90\x00")


PIECES = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda pcb, inf: Block(pcb, inf).encode(), st.integers(0, 255), st.binary(max_size=40)
    ),
    st.builds(lambda n, m: Block.i(n, m, b"\0\xa4\0\0").encode(), st.integers(0, 1), st.booleans()),
)


@given(received=st.lists(PIECES, max_size=30), asks=st.lists(st.sampled_from((IFS, ABORT, WTX))))
def test_whatever_comes_it_answers_with_a_block_or_not_at_all(received, asks):
    card = T1Card(lambda command: command + b"\x90\x00", wtx=(1,))
    for pcb in asks:
        card.ask(pcb, b"" if pcb == ABORT else b"\x20")
    for raw in received:
        answer = card.receive(raw)
        assert answer is None or Block.parse(answer)
