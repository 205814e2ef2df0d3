# SPDX-License-Identifier: Apache-2.0
"""Hostile commands for a card: whatever a client sends, the card answers and goes on working.

Each kind's test gives a :class:`Bench`: how to make its card, commands that mean something to it,
and what a retry counter is. ``steps`` are drawn from that and ``play`` runs them.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from vreader.iso7816 import ApduError, CommandApdu

FORMS = ["set", "cut", "insert", "cla", "p1", "p2", "lc", "le", "extended"]


class Bench(NamedTuple):
    """What a fuzz test needs to know of a kind of card.

    Attributes:
        make: returns a new card.
        select: the command that selects its application.
        valid: commands that the card, in some state, may take.
        works: asserts that a card, just powered on, does its work.
        tries: returns the retry counters; none of them may rise without a successful command.
        rights: gives the session all rights, without the cryptography it takes otherwise.
    """

    make: Callable
    select: bytes
    valid: Sequence[bytes]
    works: Callable
    tries: Callable = lambda card: ()
    rights: Callable = lambda card: None


@st.composite
def mutated(draw, valid):
    """One to three changes to a valid command."""
    raw = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 3))):
        if len(raw) < 5:
            return bytes(raw)
        byte = draw(st.integers(0, 255))
        match draw(st.sampled_from(FORMS)):
            case "set":
                raw[draw(st.integers(0, len(raw) - 1))] = byte
            case "cut":
                del raw[draw(st.integers(0, len(raw) - 1)) :]
            case "insert":
                at = draw(st.integers(0, len(raw)))
                raw[at:at] = draw(st.binary(min_size=1, max_size=4))
            case "cla":
                raw[0] = byte
            case "p1":
                raw[2] = byte
            case "p2":
                raw[3] = byte
            case "lc":
                raw[4] = byte
            case "le":
                raw[-1] = byte
            case "extended":
                raw = bytearray(extended(bytes(raw)))
    return bytes(raw)


def extended(raw):
    """Return the command in extended form, if it is one."""
    try:
        apdu = CommandApdu.parse(raw)
    except ApduError:
        return raw
    return bytes(apdu._replace(extended=True, ne=65536 if apdu.ne else 0))


@st.composite
def cut_chain(draw, valid):
    """The first links of a command, and maybe the last."""
    raw = draw(st.sampled_from(valid))
    try:
        apdu = CommandApdu.parse(raw)
    except ApduError:
        return [raw]
    links, data = [], apdu.data
    while data and draw(st.booleans()):
        size = min(draw(st.integers(1, len(data))), 255)
        links.append(bytes(CommandApdu(apdu.cla | 0x10, *raw[1:4], data[:size])))
        data = data[size:]
    if draw(st.booleans()):
        links.append(bytes(apdu._replace(data=data)))
    return links


@st.composite
def on_a_channel(draw, valid):
    """A command for another logical channel, or one that opens and closes channels."""
    manage = st.sampled_from(["0070000001", "00708001", "00708002", "01708000", "02A4040000"])
    if draw(st.booleans()):
        return bytes.fromhex(draw(manage))
    raw = draw(st.sampled_from(valid))
    return bytes((raw[0] | draw(st.sampled_from([0x01, 0x02, 0x03, 0x40, 0x4F])),)) + raw[1:]


def steps(bench, most=25):
    """Return a strategy of what to do to a card: lists of commands and words."""
    valid = st.sampled_from(bench.valid)
    one = st.one_of(
        valid, mutated(bench.valid), on_a_channel(bench.valid), st.binary(max_size=300),
        st.sampled_from(["reset", "power", "select", "rights"]),
    ).map(lambda step: [step])  # fmt: skip
    return st.lists(one | cut_chain(bench.valid), min_size=4, max_size=most).map(
        lambda found: [step for some in found for step in some]
    )


def play(bench, given):
    """Do it all to a new card, and see that every answer is one and that the card still works."""
    card = bench.make()
    card.power_on()
    card.transmit(bench.select)
    for step in given:
        match step:
            case "reset":
                card.reset()
            case "power":
                card.power_off()
                card.power_on()
            case "select":
                card.transmit(bench.select)
            case "rights":
                bench.rights(card)
            case raw:
                _one(bench, card, raw)
    card.power_on()
    bench.works(card)


def _one(bench, card, raw):
    before = bench.tries(card)
    answer = card.transmit(raw)
    assert len(answer) >= 2
    assert answer[-2] >> 4 in (6, 9), answer.hex()
    assert not card.nvm._changes, "a command left an open transaction"
    if any(now > was for now, was in zip(bench.tries(card), before, strict=False)):
        assert answer[-2] in (0x90, 0x61), f"{raw.hex()} raised a counter, SW {answer[-2:].hex()}"
