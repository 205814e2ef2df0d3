# SPDX-License-Identifier: Apache-2.0
"""The reader's end of T=1, answered with single blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.t1 import (
    ABORT,
    EDC_ERROR,
    IFS,
    OTHER_ERROR,
    RESYNCH,
    WTX,
    Block,
    T1AbortedError,
    T1Error,
    T1LostError,
    T1UncertainError,
)
from vreader.iso7816.t1reader import MAX_RESPONSE, Phase, T1Reader

COMMAND = b"\0\xa4\0\0"


class Talk:
    """A T1Reader in the middle of a command."""

    def __init__(self, command=COMMAND, **options):
        options.setdefault("ifs_request", False)
        self.reader = T1Reader(**options)
        self.block = Block.parse(self.reader.begin(command))

    def __call__(self, block):
        raw = self.reader.receive(block.encode() if isinstance(block, Block) else block)
        self.block = None if raw is None else Block.parse(raw)
        return self.block


def test_a_response_in_one_block():
    talk = Talk()
    assert talk.block == Block.i(0, False, COMMAND)
    assert talk(Block.i(0, False, b"\x90\x00")) is None
    assert talk.reader.response == b"\x90\x00"
    assert Block.parse(talk.reader.begin(COMMAND)).number == 1


def test_ifs_is_told_once_before_the_first_command():
    talk = Talk(ifs_request=True, ifsd=100)
    assert talk.block == Block(IFS, b"\x64")
    assert talk(Block(IFS, b"\x64").response()) == Block.i(0, False, COMMAND)
    assert talk(Block.i(0, False, bytes(100))) is None
    assert Block.parse(talk.reader.begin(COMMAND)) == Block.i(1, False, COMMAND)


def test_without_ifs_request_32_bytes_are_the_most():
    talk = Talk()
    assert talk(Block.i(0, False, bytes(33))) == Block.r(0, OTHER_ERROR)


@pytest.mark.wdk("t1.chaining")
def test_chaining_both_ways():
    talk = Talk(b"abcdefg", ifsc=3)
    assert talk.block == Block.i(0, True, b"abc")
    assert talk(Block.r(1)) == Block.i(1, True, b"def")
    assert talk(Block.r(0)) == Block.i(0, False, b"g")
    assert talk(Block.i(0, True, b"12")) == Block.r(1)
    assert talk(Block.i(1, False, b"34")) is None
    assert talk.reader.response == b"1234"


def test_more_time_is_granted_for_the_next_wait_alone():
    talk = Talk()
    assert talk.reader.wtx == 1
    assert talk(Block(WTX, b"\5")) == Block(WTX, b"\5").response()
    assert talk.reader.wtx == 5
    talk(Block.i(0, True, b"1"))
    assert talk.reader.wtx == 1


def test_a_card_that_asks_for_time_without_end_is_lost():
    talk = Talk(max_wtx=10)
    for _ in range(10):
        talk(Block(WTX, b"\1"))
    with pytest.raises(T1LostError) as caught:
        talk(Block(WTX, b"\1"))
    assert not caught.value.mute
    assert talk.reader.broken
    for begin in (talk.reader.begin, talk.reader.begin_anew):
        with pytest.raises(T1Error, match="reset the card"):
            begin(COMMAND)


def test_ifs_of_the_card_holds_from_the_next_piece():
    talk = Talk(b"abcdefgh", ifsc=2)
    assert talk(Block(IFS, b"\4")) == Block(IFS, b"\4").response()
    assert talk(Block.r(0, OTHER_ERROR)) == Block.i(0, True, b"ab")
    assert talk(Block.r(1)) == Block.i(1, True, b"cdef")


@pytest.mark.wdk("t1.retransmission", "t1.resynchronisation")
def test_silence_is_answered_three_times_then_both_start_anew():
    talk = Talk()
    for _ in range(3):
        assert talk(None) == Block.r(0, OTHER_ERROR)
    for _ in range(3):
        assert talk.block != Block(RESYNCH)
        if talk(None) == Block(RESYNCH):
            break
    assert talk.reader.phase is Phase.RESYNCH
    assert talk(None) == Block(RESYNCH)
    assert talk(None) == Block(RESYNCH)
    with pytest.raises(T1LostError) as caught:
        talk(None)
    assert caught.value.mute
    with pytest.raises(T1Error, match="reset the card"):
        talk.reader.begin(COMMAND)


@pytest.mark.parametrize("retries", [1, 2, 3])
def test_the_number_of_retries_is_an_option(retries):
    talk = Talk(retries=retries)
    for _ in range(retries):
        assert talk(b"noise") == Block.r(0, OTHER_ERROR)
    assert talk(b"noise") == Block(RESYNCH)


def test_what_may_have_run_is_not_sent_again():
    talk = Talk(retries=0)
    talk(b"noise")
    with pytest.raises(T1UncertainError):
        talk(Block(RESYNCH).response())
    assert not talk.reader.broken
    assert Block.parse(talk.reader.begin(COMMAND)) == Block.i(0, False, COMMAND)


def test_unless_asked_for():
    talk = Talk(retries=0, repeat=True)
    talk(b"noise")
    assert talk(Block(RESYNCH).response()) == Block.i(0, False, COMMAND)


def test_what_cannot_have_run_is_sent_again():
    talk = Talk(b"abcd", ifsc=2, retries=0)
    talk(b"noise")
    assert talk(Block(RESYNCH).response()) == Block.i(0, True, b"ab")


def test_ifs_is_told_again_after_a_resynchronisation():
    talk = Talk(ifs_request=True, retries=0, repeat=True)
    talk(Block(IFS, b"\xfe").response())
    talk(b"noise")
    assert talk(Block(RESYNCH).response()) == Block(IFS, b"\xfe")


def test_the_card_wants_the_block_again_without_end():
    talk = Talk(retries=3)
    for _ in range(3):
        assert talk(Block.r(0, EDC_ERROR)) == Block.i(0, False, COMMAND)
    assert talk(Block.r(0, EDC_ERROR)) == Block(RESYNCH)
    # The card has not got the command, so it is sent again.
    assert talk(Block(RESYNCH).response()) == Block.i(0, False, COMMAND)


def test_starting_anew_is_not_tried_for_ever():
    talk = Talk(retries=0)
    for _ in range(3):
        assert talk(Block.r(0, EDC_ERROR)) == Block(RESYNCH)
        assert talk(Block(RESYNCH).response()) == Block.i(0, False, COMMAND)
    with pytest.raises(T1LostError, match="does not help"):
        talk(Block.r(0, EDC_ERROR))


def test_abort_of_a_command():
    talk = Talk(b"abcdef", ifsc=2)
    talk(Block.r(1))
    assert Block.parse(talk.reader.abort()) == Block(ABORT)
    with pytest.raises(T1AbortedError):
        talk(Block(ABORT).response())
    assert Block.parse(talk.reader.begin(COMMAND)).number == 1


def test_abort_of_a_response():
    talk = Talk()
    talk(Block.i(0, True, b"1"))
    assert Block.parse(talk.reader.abort()) == Block(ABORT)
    with pytest.raises(T1AbortedError):
        talk(Block(ABORT).response())
    assert Block.parse(talk.reader.begin(COMMAND)).number == 1


def test_a_response_longer_than_any_is_aborted():
    talk = Talk(ifs_request=True)
    talk(Block(IFS, b"\xfe").response())
    number = 0
    for _ in range(MAX_RESPONSE // 254 + 1):
        answer = talk(Block.i(number, True, bytes(254)))
        number ^= 1
    assert answer == Block(ABORT)


@pytest.mark.wdk("t1.resynchronisation")
@pytest.mark.parametrize("wait", [[], ["abort"], ["wtx"]])
def test_a_command_can_be_begun_anew_while_another_is_in_hand(wait):
    talk = Talk(bytes(40))
    if wait == ["abort"]:
        talk.reader.abort()
    elif wait == ["wtx"]:
        talk(Block(WTX, b"\x02"))
    block = Block.parse(talk.reader.begin_anew(b"\0\xb0\0\0"))
    assert (block, talk.reader.wtx) == (Block(RESYNCH), 1)
    assert talk(Block(RESYNCH).response()) == Block.i(0, False, b"\0\xb0\0\0")
    assert talk(Block.i(0, False, b"\x90\x00")) is None
    assert talk.reader.response == b"\x90\x00"


def test_there_is_nothing_to_abort_between_commands():
    with pytest.raises(T1Error, match="no chain"):
        T1Reader().abort()


def test_while_an_error_is_mended_there_is_no_telling_what_an_abort_would_leave():
    """An end that takes a piece for another one loses a part of the command without a word."""
    for answer in (b"noise", None, Block.r(0, EDC_ERROR), Block(WTX, b"\1")):
        talk = Talk(b"abcdef", ifsc=2)
        talk(answer)
        with pytest.raises(T1Error, match="no chain"):
            talk.reader.abort()
        talk(Block.r(1))
        assert Block.parse(talk.reader.abort()) == Block(ABORT)


def test_pieces_without_a_byte_end_some_time(monkeypatch):
    monkeypatch.setattr("vreader.iso7816.t1reader.MAX_RESPONSE", 2)
    talk = Talk()
    assert talk(Block.i(0, True, b"")) == Block.r(1)
    assert talk(Block.i(1, True, b"")) == Block.r(0)
    assert talk(Block.i(0, True, b"")) == Block(ABORT)
    with pytest.raises(T1AbortedError):
        talk(Block(ABORT).response())


def test_a_command_at_a_time():
    talk = Talk()
    with pytest.raises(T1Error, match="in hand"):
        talk.reader.begin(COMMAND)
    talk(Block.i(0, False, b"\x90\x00"))
    with pytest.raises(T1Error, match="no command"):
        talk.reader.receive(b"")


def test_the_node_address():
    reader = T1Reader(ifs_request=False, nad=0x12)
    assert reader.begin(COMMAND)[0] == 0x12
    foreign = Block.i(0, False, b"\x90\x00")
    assert Block.parse(reader.receive(foreign.encode())).is_r
    assert reader.receive(foreign._replace(nad=0x21).encode()) is None


RAW = st.none() | st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda pcb, inf: Block(pcb, inf).encode(), st.integers(0, 255), st.binary(max_size=9)
    ),
)


@given(received=st.lists(RAW, max_size=40), command=st.binary(max_size=100))
def test_whatever_comes_it_goes_on_or_fails_with_a_typed_error(received, command):
    reader = T1Reader(max_wtx=5)
    block = reader.begin(command)
    for raw in received:
        try:
            block = reader.receive(raw)
        except T1Error:
            if reader.broken:
                return
            block = None
        if block is None:
            block = reader.begin(command)
        assert Block.parse(block)
