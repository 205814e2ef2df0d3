# SPDX-License-Identifier: Apache-2.0
"""Selections, chains, pending answers, channels and resets in any order, against a simple model."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from toy_card import AID_A, AID_B, ATR, Toy

from cards.platform import AppletCard, Nvm
from cards.platform.nvm import MemoryBackend

CHANNELS = 3
OK = b"\x90\0"

# Two commands seldom meet on a channel when all are as likely; the last one is often closed.
channel = st.sampled_from([0, 0, 0, 1, 1, 2])
little = st.integers(1, 4)
data = st.binary(min_size=1, max_size=8)


class Side:
    """What the model knows of one channel: which application, marked, the chain, the rest."""

    def __init__(self, aid=None):
        self.aid, self.marked, self.chain, self.rest = aid, False, None, b""


class AnyOrder(RuleBasedStateMachine):
    @initialize(default=st.sampled_from([None, AID_B]))
    def start(self, default):
        nvm = Nvm(MemoryBackend())
        self.card = AppletCard(
            ATR,
            lambda: [Toy(AID_A, nvm.area("a")), Toy(AID_B, nvm.area("a"))],
            nvm,
            channels=CHANNELS,
            default=default,
        )
        self.default = default
        self.stored = None
        self.card.power_on()
        self.sides = {0: Side(default)}
        self.select(0, AID_A)
        self.select(1, AID_A)

    def send(self, number, ins, p1=0, p2=0, body=b"", link=False):
        head = bytes((number | (0x10 if link else 0), ins, p1, p2))
        return self.card.transmit(head + body)

    def app(self, number, ins, body=b"", p1=0, p2=0):
        """Send a command to the application; return its answer, or None when the model says so."""
        answer = self.send(number, ins, p1, p2, body)
        side = self.sides.get(number)
        if side is None:
            assert answer == b"\x68\x81"
            return None
        side.chain, side.rest = None, b""
        if side.aid is None:
            assert answer == b"\x6d\0"
            return None
        return answer

    @rule(number=channel, aid=st.sampled_from([AID_A, AID_B, AID_A[:6], b"\xf0" * 6]))
    def select(self, number, aid):
        answer = self.send(number, 0xA4, 4, 0, bytes((len(aid),)) + aid)
        side = self.sides.get(number)
        if side is not None:
            side.chain, side.rest = None, b""
        if aid[0] == 0xF0:
            assert answer == b"\x6a\x82"
            return
        full = aid if aid == AID_B else AID_A
        assert answer == b"I am " + full[-1:].hex().encode() + OK
        side = self.sides.setdefault(number, Side())
        side.marked = side.marked and side.aid == full
        side.aid = full

    @rule(number=channel)
    def mark(self, number):
        if self.app(number, 0x12) is not None:
            self.sides[number].marked = True

    @rule(number=channel)
    def tell(self, number):
        answer = self.app(number, 0x1C, b"\0")
        assert answer in (None, bytes((self.sides[number].marked if answer else 0,)) + OK)

    @rule(number=channel, body=data)
    def write(self, number, body):
        if self.app(number, 0x1A, bytes((len(body),)) + body) is not None:
            self.stored = body

    @rule(number=channel, body=data)
    def refused(self, number, body):
        assert self.app(number, 0x16, bytes((len(body),)) + body) in (None, b"\x6a\x80")

    @rule(number=channel, body=data)
    def link(self, number, body):
        answer = self.send(number, 0x10, body=bytes((len(body),)) + body, link=True)
        side = self.sides.get(number)
        if side is None:
            assert answer == b"\x68\x81"
            return
        side.rest = b""
        if side.aid is None:
            assert answer == b"\x6d\0"
            return
        assert answer == OK
        side.chain = (side.chain or b"") + body

    @rule(number=channel, body=data, ne=little)
    def last(self, number, body, ne):
        before = self.sides[number].chain if number in self.sides else None
        answer = self.app(number, 0x10, bytes((len(body),)) + body + bytes((ne,)))
        if answer is None:
            return
        self.hear(number, (before or b"") + body, ne, answer)

    @rule(number=channel, ne=little)
    def get_response(self, number, ne):
        answer = self.send(number, 0xC0, body=bytes((ne,)))
        side = self.sides.get(number)
        if side is None:
            assert answer == b"\x68\x81"
            return
        side.chain = None
        rest, side.rest = side.rest, b""
        if not rest:
            assert answer == b"\x69\x85"
            return
        self.hear(number, rest, ne, answer)

    def hear(self, number, whole, ne, answer):
        rest = whole[ne:]
        assert answer == whole[:ne] + (bytes((0x61, len(rest) & 0xFF)) if rest else OK)
        self.sides[number].rest = rest

    @rule(number=channel)
    def open(self, number):
        answer = self.send(number, 0x70, body=b"\x01")
        if number not in self.sides:
            assert answer == b"\x68\x81"
            return
        origin = self.sides[number]
        origin.chain, origin.rest = None, b""
        free = [n for n in range(1, CHANNELS) if n not in self.sides]
        if not free:
            assert answer == b"\x6a\x81"
            return
        assert answer == bytes((free[0],)) + OK
        self.sides[free[0]] = Side(origin.aid if number else self.default)

    @rule(number=channel, which=channel)
    def close(self, number, which):
        answer = self.send(number, 0x70, 0x80, which)
        if number not in self.sides:
            assert answer == b"\x68\x81"
            return
        self.sides[number].chain, self.sides[number].rest = None, b""
        closed = which or number
        if closed == 0:
            assert answer == b"\x6a\x86"
        elif closed in self.sides:
            assert answer == OK
            del self.sides[closed]
        else:
            assert answer == b"\x68\x81"

    # A rule without arguments would be drawn for half of all steps, and it ends every conversation.
    @rule(number=channel, how=st.sampled_from(["garbled", "reset", "power"]))
    def interrupted(self, number, how):
        if how == "garbled":
            assert self.card.transmit(bytes((number, 0x10, 0, 0, 5, 0))) == b"\x67\0"
            for side in self.sides.values():
                side.chain, side.rest = None, b""
            return
        if how == "power":
            self.card.power_off()
            self.card.power_on()
        else:
            self.card.reset()
        self.sides = {0: Side(self.default)}

    @rule(
        number=channel,
        start=st.sampled_from(["link", "cut"]),
        middle=st.sampled_from(["garbled", "reset", "power", "mark", "close"]),
        body=data,
    )
    def half_said(self, number, start, middle, body):
        """Three steps that chance seldom puts in a row."""
        if start == "link":
            self.link(number, body)
        else:
            self.last(number, body + b"more", 1)
        if middle == "mark":
            self.mark(number)
        elif middle == "close":
            self.close(number, 0)
            self.select(number, AID_A)
        else:
            self.interrupted(number, middle)
        if start == "link":
            self.last(number, body, 4)
        else:
            self.get_response(number, 4)

    @rule(number=channel, body=data, ne=little)
    def fetched(self, number, body, ne):
        """A long answer, and what is left of it."""
        self.last(number, body + b"more", ne)
        self.get_response(number, ne)

    @invariant()
    def only_the_selected_application_has_a_security_status(self):
        side = self.sides[0]
        for application in self.card.applications:
            assert application.marked == (side.marked and application.aid == side.aid)

    @invariant()
    def the_memory_is_what_was_written(self):
        assert self.card.nvm.get(("a", "x")) == self.stored


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
