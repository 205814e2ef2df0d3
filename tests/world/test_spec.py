# SPDX-License-Identifier: Apache-2.0
"""Names of readers, and the short form of a state file. What does not go: tests/test_world.py."""

import pytest

from vreader import cardfile
from vreader.cardspec import CardSpec
from vreader.errors import UsageError
from vreader.winscard.profile import WINDOWS
from vreader.world.spec import check_profile, expand_state, reader_names


@pytest.mark.parametrize(
    ("cards", "given", "names"),
    [
        (1, [], ["Virtual Reader 00 00"]),
        (3, [], ["Virtual Reader 00 00", "Virtual Reader 2 00 00", "Virtual Reader 3 00 00"]),
        (1, ["Mine"], ["Mine 00 00"]),
        (1, [" Mine 00 00"], ["Mine 00 00"]),
        (2, ["Virtual Reader 2"], ["Virtual Reader 2 00 00", "Virtual Reader 00 00"]),
        (2, ["Virtual Reader"], ["Virtual Reader 00 00", "Virtual Reader 2 00 00"]),
        (1, ["Reader 0A"], ["Reader 0A 00 00"]),
    ],
)
def test_reader_names(cards, given, names):
    assert reader_names([CardSpec.parse("none")] * cards, given) == names


@pytest.mark.parametrize(
    ("cards", "given", "names"),
    [
        (1, [], ["Virtual Reader 0"]),
        (3, [], ["Virtual Reader 0", "Virtual Reader 1", "Virtual Reader 2"]),
        (3, ["Mine 0", "Mine 1", "mine"], ["Mine 0", "Mine 1", "mine 2"]),
        (2, ["ACR 39", "ACR 39"], ["ACR 39 0", "ACR 39 1"]),
        (1, ["Mine 00 00"], ["Mine 0"]),
    ],
)
def test_names_that_the_resource_manager_numbers(cards, given, names):
    assert reader_names([CardSpec.parse("none")] * cards, given, WINDOWS) == names


@pytest.mark.parametrize(
    ("name", "readers", "stack", "vpcd"),
    [
        ("nonsense", 1, "embedded", None),
        ("windows", 1, "pcscd", None),
        ("windows", 1, "embedded", "localhost:1"),
        ("windows", 11, "embedded", None),
    ],
)
def test_profiles_that_do_not_fit(name, readers, stack, vpcd):
    with pytest.raises(UsageError) as caught:
        check_profile(name, readers, stack, vpcd)
    assert caught.value.hint


def test_profiles_that_fit():
    assert check_profile("windows", 10, "embedded", None) is WINDOWS
    assert check_profile("pcsclite", 40, "pcscd", None).name == "pcsclite"


@pytest.mark.parametrize("given", [["A 00 01"], ["A 0A 00"], ["A 01 02 00 00"], ["A", "A 00 00"]])
def test_names_that_are_not_the_same_on_every_stack(given):
    with pytest.raises(UsageError) as caught:
        reader_names([CardSpec.parse("none")] * 2, given)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("cards", "state", "expanded"),
    [
        ((), None, []),
        ((), "f", ["piv,state=f"]),
        (("piv:neutral",), "f", ["piv:neutral,state=f"]),
        (("piv", "none"), None, ["piv", "none"]),
    ],
)
def test_expand_state(cards, state, expanded):
    assert expand_state(cards, state) == expanded


@pytest.mark.parametrize("text", ["piv:neutral", "yubikey:5.7.1", "gids:blank", "blank:t0"])
def test_a_state_file_says_what_its_card_is(tmp_path, text):
    path = str(tmp_path / "a.card")
    kind, _, profile = text.partition(":")
    cardfile.close(CardSpec.parse(text).with_state(path).make())
    assert expand_state((), path) == [f"{kind},state={path}"]
    cardfile.close(CardSpec.parse(*expand_state((), path)).make())
    told = cardfile.info(path)
    assert (told["kind"], told["profile"]) == (kind, profile)


def test_expand_state_refuses():
    for cards in (("piv", "piv"), ("none",), ("piv,state=g",)):
        with pytest.raises(UsageError):
            expand_state(cards, "f")
