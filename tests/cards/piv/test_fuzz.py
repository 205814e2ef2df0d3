# SPDX-License-Identifier: Apache-2.0
"""Whatever a client sends, the card answers, and goes on working."""

from functools import partial

from card_fuzz import Bench, mutated, play, steps
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


def make(profile, options):
    return KIND.create(profile, options, MemoryStore(), b"seed")


def works(card):
    assert card.transmit(SELECT)[-2:] == b"\x90\x00"
    assert card.transmit(bytes.fromhex("00CB3FFF035C017E00"))[-2:] == b"\x90\x00"
    assert card.transmit(bytes.fromhex("00200080"))[0] in (0x63, 0x69)


def tries(card):
    state = card.applications[0].state
    return state.pin.tries_left, state.puk.tries_left


def rights(card):
    card.applications[0].state.security.admin = True


def bench(profile, **options):
    return Bench(partial(make, profile, options), SELECT, VALID, works, tries, rights)


profiles = st.sampled_from(list(KIND.profiles()))
PNP = {"pnp": "00112233-4455-6677-8899-aabbccddeeff", "pnp-where": "card+ef.atr"}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(profiles, steps(bench("5.4.3")))
@example("5.4.3", [bytes.fromhex("10A404000100"), "select"])  # a SELECT in a chain cut short
def test_a_card_survives_everything(profile, given):
    play(bench(profile), given)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps(bench("5.4.3")))
def test_with_plug_and_play_too(given):
    play(bench("neutral", **PNP), [bytes.fromhex("00A4000C023F00"), *given])


@settings(max_examples=300, deadline=None)
@given(mutated(VALID))
def test_one_mutated_command_of_an_administrator(raw):
    play(bench("5.4.3"), ["rights", raw])


STANDARD = {"global-pin": "777777", "pairing-code": "12345678"}
MORE = [
    bytes.fromhex(text)
    for text in (
        "0020000008373737373737FFFF", "00200000", "0020FF00", "002000980831323334353637 38",
        "0020FF98", "002400001037373737 3737FFFF373737373737FFFF",
        "00DB3FFF147E124F0BA0000003080000100001005F2F024000",
        "00DB3FFF147E124F0BA0000003080000100001005F2F026020", "00DB3FFF067F6103020100",
    )
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(mutated(MORE), mutated(MORE), st.sampled_from(["contact", "nfc"]))
def test_all_that_the_standard_adds(first, second, interface):
    play(bench("neutral", interface=interface, **STANDARD), ["rights", first, second])
