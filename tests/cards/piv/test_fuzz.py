# SPDX-License-Identifier: Apache-2.0
"""Whatever a client sends, the card answers, and goes on working."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cards.piv import KIND
from vreader.card import MemoryStore

SELECT = bytes.fromhex("00A4040009A00000030800001000")
VALID = [
    bytes.fromhex(text)
    for text in (
        "00A4040005A000000308", "00A4040008A000000527471117", "0020008000",
        "0020008008313233343536FFFF", "002000800839393939393939FF", "0020FF80",
        "0024008010313233343536FFFF313233343536FFFF", "002C0080103132333435363738313233343536FFFF",
        "00CB3FFF035C017E00", "00CB3FFF055C035FC10208", "00CB3FFF055C035FFF0100",
        "00DB3FFF0A5C035FC1055303AABBCC", "00DB3FFF075C035FC1055300", "0047009A05AC0380011100",
        "0087119A0C7C0A82008106AABBCCDDEEFF00", "0087039B047C02800000", "0087009B047C02810000",
        "0087039B0C7C0A8208" + "00" * 8, "0087119A477C45820085410400" + "11" * 64,
        "00FD000000", "00F8000000", "00F7009B00", "00F7009A00", "00F99A0000", "00FA0303",
        "00FB0000", "00FE119A220620" + "11" * 32, "00FFFFFF1B039B18" + "0102030405060709" * 3,
        "00C0000000", "001D000000", "00CB3FFF00000005 5C035FC1020000"[:14] + "055C035FC1020000",
    )
]  # fmt: skip

valid = st.sampled_from(VALID)


@st.composite
def mutated(draw):
    raw = bytearray(draw(valid))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw) - 1))
        match draw(st.sampled_from(["set", "cut", "insert"])):
            case "set":
                raw[at] = draw(st.integers(0, 255))
            case "cut":
                del raw[at:]
            case "insert":
                raw[at:at] = draw(st.binary(min_size=1, max_size=4))
        if not raw:
            break
    return bytes(raw)


@st.composite
def cut_chain(draw):
    raw = draw(valid)
    data = raw[5:]
    if not data:
        return raw
    end = draw(st.integers(1, len(data)))
    return bytes((raw[0] | 0x10,)) + raw[1:4] + bytes((end,)) + data[:end]


step = st.one_of(
    valid, mutated(), cut_chain(), st.binary(max_size=300),
    st.sampled_from(["reset", "power", "select", "admin"]),
)  # fmt: skip


def works(card):
    card.power_on()
    assert card.transmit(SELECT)[-2:] == b"\x90\x00"
    assert card.transmit(bytes.fromhex("00CB3FFF035C017E00"))[-2:] == b"\x90\x00"
    assert card.transmit(bytes.fromhex("00200080"))[0] in (0x63, 0x69)


def play(profile, steps):
    card = KIND.create(profile, {}, MemoryStore(), b"seed")
    card.power_on()
    card.transmit(SELECT)
    for one in steps:
        match one:
            case "reset":
                card.reset()
            case "power":
                card.power_off()
                card.power_on()
            case "select":
                assert card.transmit(SELECT)[-2:] == b"\x90\x00"
            case "admin":
                card.applications[0].state.security.admin = True
            case raw:
                before = card.applications[0].state.pin.tries_left
                answer = card.transmit(raw)
                assert len(answer) >= 2
                assert answer[-2] >> 4 in (6, 9)
                gained = card.applications[0].state.pin.tries_left > before
                assert not gained or answer[-2:] == b"\x90\x00"
    works(card)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["5.4.3", "neutral"]), st.lists(step, max_size=25))
@example("5.4.3", [bytes.fromhex("10A404000100"), "select"])  # a SELECT in a chain cut short
def test_a_card_survives_everything(profile, steps):
    play(profile, steps)


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_one_mutated_command_of_an_administrator(raw):
    play("5.4.3", ["admin", raw])
