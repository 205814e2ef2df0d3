# SPDX-License-Identifier: Apache-2.0
"""Both ends of T=1 over a line that harms blocks: whatever happens, nobody is told a lie."""

from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.t1 import (
    ABORT,
    IFS,
    T1AbortedError,
    T1Error,
    T1LostError,
    T1UncertainError,
)
from vreader.iso7816.t1card import T1Card
from vreader.iso7816.t1reader import T1Reader

SIZES = st.sampled_from((1, 2, 16, 32, 254))
MAX_BLOCKS = 20_000


class Line:
    """Two ends and what lies between them."""

    def __init__(self, dice, harms, one_in, ifsc, ifsd, **options):
        self.dice, self.harms, self.one_in = dice, harms, one_in
        self.asked, self.answered = [], []
        wtx = dice.choice(((), (1,), (255, 1)))
        self.card = T1Card(self.transmit, ifsc=ifsc, crc=options["crc"], wtx=wtx)
        self.reader = T1Reader(ifsc=ifsc, ifsd=ifsd, **options)

    def transmit(self, command):
        self.asked.append(command)
        self.answered.append(self.dice.randbytes(self.dice.choice((0, 1, 10, 300))) + b"\x90\x00")
        return self.answered[-1]

    def cross(self, raw):
        if raw is None or self.dice.randrange(self.one_in):
            return raw
        harm, at = self.dice.choice(self.harms), self.dice.randrange(len(raw))
        if harm == "lose":
            return None
        if harm == "cut":
            return raw[:at] or None
        return raw[:at] + bytes((raw[at] ^ 1 << self.dice.randrange(8),)) + raw[at + 1 :]

    def exchange(self, command):
        block = self.reader.begin(command)
        for _ in range(MAX_BLOCKS):
            if not self.dice.randrange(100):
                try:
                    block = self.reader.abort()
                except T1Error:
                    pass
            came = self.cross(block)
            answer = None if came is None else self.card.receive(came)
            block = self.reader.receive(self.cross(answer))
            if block is None:
                return self.reader.response
        raise AssertionError("no end")


@given(
    dice=st.randoms(use_true_random=False),
    harms=st.sampled_from((("spoil",), ("lose",), ("cut",), ("spoil", "lose", "cut"))),
    one_in=st.sampled_from((2, 5, 20, 100)),
    ifsc=SIZES,
    ifsd=SIZES,
    crc=st.booleans(),
    retries=st.sampled_from((0, 1, 3)),
    ifs_request=st.booleans(),
)
def test_a_response_is_that_of_the_command_or_there_is_none(dice, **options):
    line = Line(dice, **options)
    for count in range(4):
        command, before = dice.randbytes(dice.choice((4, 40, 300))), len(line.asked)
        if not dice.randrange(10):
            line.card.ask(*dice.choice(((ABORT,), (IFS, b"\x14"))))
        try:
            response = line.exchange(command)
        except T1LostError:
            assert line.reader.broken
            assert len(line.asked) <= before + 1
            return
        except (T1AbortedError, T1UncertainError):
            assert len(line.asked) <= before + 1, count
        else:
            assert line.asked[before:] == [command]
            assert response == line.answered[-1]
