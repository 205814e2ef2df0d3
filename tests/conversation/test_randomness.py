# SPDX-License-Identifier: Apache-2.0
"""What is random by itself in answers and commands, and rules of a user's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.conversation.randomness import (
    RULES,
    Masks,
    Randomness,
    random_in_command,
    random_ranges,
)
from vreader.errors import UsageError

WITNESS, MUTUAL = "0087039B047C028000", "0087039B067C0480020102"


def ranges(command, response, *rules):
    return random_ranges(bytes.fromhex(command), bytes.fromhex(response), Masks.parse(rules))


@pytest.mark.parametrize(
    ("command", "response", "rule", "random"),
    [
        ("0084000008", "01020304050607089000", "challenge", ((0, 8),)),
        (WITNESS, "7C0480020102" "9000", "authentication", ((1, 6),)),
        (MUTUAL, "7C0482020102" "9000", "authentication", ((1, 6),)),
        ("008200000401020304", "9000", "authentication", ()),
        ("0087119A067C0482008100", "7C04820201029000", "signature", ((1, 6),)),
        ("0087079C067C0482008100", "7C820104" "6108", "signature", ((1, 4), (5, 6))),
        ("1087079C067C0482008100", "9000", "signature", ()),
        ("0088000002010200", "01029000", "signature", ((0, 2),)),
        ("002A9E9A02010200", "0102039000", "signature", ((0, 3),)),
        ("0047009A05AC03800111", "7F4903860104" "9000", "key", ((2, 6),)),
        ("00F99A0000", "30020101" "9000", "key", ((0, 4),)),
    ],
)  # fmt: skip
def test_what_is_random_by_itself(command, response, rule, random):
    assert ranges(command, response) == random
    assert ranges(command, response, "none", rule) == random
    assert ranges(command, response, "none", *(set(RULES) - {rule})) == ()


@pytest.mark.parametrize(
    ("command", "response"),
    [
        ("00A4040005A000000308", "61114F009000"),
        ("00F8000000", "010203049000"),
        ("00CB3FFF055C035FC10500", "53020102" "9000"),
        ("002A808602010200", "01029000"),  # a plaintext
        ("0047819A00", "7F4903860104" "9000"),  # reads a key that is there
        ("00F99A0000", "01029000"),  # not Yubico's
        ("0084000008", "6982"),
        ("0084000008", ""),
        ("00", "9000"),
    ],
)  # fmt: skip
def test_what_is_not(command, response):
    assert ranges(command, response) == ()


@pytest.mark.parametrize(
    ("command", "random"),
    [
        ("008200000401020304", ((5, 9),)),
        ("00820000000004" "01020304", ((7, 11),)),
        (MUTUAL, ((5, 11),)),
        (WITNESS, ()),
        ("0087119A067C0482008100", ()),
        ("0087119A0A7C08820081040102" "0304", ()),  # what is to be signed
        ("0087119D087C0682008502" "0102", ((5, 13),)),  # a fresh key of the other side
        ("008700000A7C088104010203048200", ((5, 15),)),
        ("00870000027C", ()),
        ("0020008008313233343536FFFF", ()),
        ("00", ()),
    ],
)  # fmt: skip
def test_what_is_random_in_commands(command, random):
    assert random_in_command(bytes.fromhex(command)) == random
    assert random_in_command(bytes.fromhex(command), Masks.parse(["none"])) == ()


def test_rules_of_a_users_own():
    serial = "00F8000000", "010203049000"
    assert ranges(*serial, "00F80000*") == ((0, 4),)
    assert ranges(*serial, "00F80000*@1-3") == ((1, 3),)
    assert ranges(*serial, "00F80000*@2-") == ((2, 4),)
    assert ranges(*serial, "00F80000*@2-99") == ((2, 4),)
    assert ranges(*serial, "00F80000*", "none") == ()
    assert ranges(*serial, "00F80000*@0-1", ".0.8*@1-2") == ((0, 2),)
    assert ranges(*serial, "00F90000*") == ()
    assert Masks.parse(["atr"]).atr
    assert not Masks.parse([]).atr


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("signatur", "did you mean signature?"),
        ("", "rules: challenge"),
        ("00", "rules: "),
        ("00F8@", "rules: "),
        ("00F8@x-2", "rules: "),
        ("00F8@3-3", "START below END"),
        ("00F8@-1-3", "rules: "),
    ],
)
def test_what_is_no_rule(text, hint):
    with pytest.raises(UsageError) as caught:
        Masks.parse([text])
    assert hint in caught.value.hint


def follow(*exchanges, rules=()):
    randomness = Randomness(Masks.parse(rules))
    return [randomness.answer(*map(bytes.fromhex, exchange)) for exchange in exchanges]


def test_what_get_response_fetches_is_as_random_as_the_rest():
    sign, rest = ("0087079C027C00", "7C826102"), ("00C0000002", "01029000")
    assert follow(sign, rest) == [((1, 2), (3, 4)), ((0, 2),)]
    assert follow(rest, ("00CA0000", "016102"), rest) == [(), (), ()]
    assert follow(sign, rest, rest)[2] == ()
    randomness = Randomness()
    randomness.answer(*map(bytes.fromhex, sign))
    randomness.reset()
    assert randomness.answer(*map(bytes.fromhex, rest)) == ()


def test_a_key_that_was_generated_is_random_when_it_is_read():
    generate = "0047009A05AC03800111", "7F49038601049000"
    metadata, other = ("00F7009A00", "0101029000"), ("00F7009C00", "0101029000")
    data = "00CB3FFF0A70088401819000", "7F490286009000"
    assert follow(metadata, data) == [(), ()]
    assert follow(generate, metadata, other, data)[1:] == [((2, 3),), (), ((2, 5),)]
    refused = (generate[0], "6982")
    assert follow(refused, metadata) == [(), ()]
    assert follow(generate, metadata, rules=["none"]) == [(), ()]


@given(st.binary(max_size=24), st.binary(max_size=24))
def test_ranges_are_in_order_and_inside(command, response):
    for found, size in (
        (random_ranges(command, response), len(response)),
        (Randomness().answer(command, response), len(response)),
        (random_in_command(command), len(command)),
    ):
        flat = [edge for span in found for edge in span]
        assert flat == sorted(set(flat))
        assert not flat or (flat[0] >= 0 and flat[-1] <= size)
