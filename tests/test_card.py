# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.card import (
    Card,
    CardGone,
    CardMute,
    Description,
    FileStore,
    MemoryStore,
    check_options,
    tear,
)
from vreader.errors import UsageError, VreaderError


class Smallest:
    def power_on(self):
        return b"\x3b\x00"

    def reset(self):
        return b"\x3b\x00"

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return b"\x90\x00"


def test_four_methods_make_a_card():
    assert isinstance(Smallest(), Card)
    assert not isinstance(object(), Card)


def test_events_of_the_physical_world_are_not_user_errors():
    assert not issubclass(CardGone, VreaderError)
    assert not issubclass(CardMute, VreaderError)


def test_stores_say_where_they_are():
    assert MemoryStore().path is None
    assert FileStore("card.state").path == "card.state"


def test_a_description_hides_nothing_unless_told():
    assert Description("SELECT").secret == ()
    assert Description("SELECT").secret_reply is False


def test_known_options_pass():
    check_options({"pin": "123456"}, ("pin", "serial"), "piv")


def test_an_unknown_option_names_the_known_ones():
    with pytest.raises(UsageError, match=r"piv has no option 'colour'") as caught:
        check_options({"colour": "red"}, ("pin", "serial"), "piv")
    assert caught.value.hint == "options of this kind: pin, serial"
    assert caught.value.exit_code == 2


def test_a_kind_without_options_says_so():
    with pytest.raises(UsageError) as caught:
        check_options({"pin": "1"}, (), "echo")
    assert caught.value.hint.endswith("none")
    assert "1" not in str(caught.value), "a value may be a secret"


class Simple:
    """A card without a tear of its own."""

    def __init__(self):
        self.said = []

    def transmit(self, c_apdu):
        self.said.append(c_apdu)
        return b"\x90\x00"

    def power_off(self):
        self.said.append("off")


class Tearable(Simple):
    def tear(self, c_apdu, committed):
        self.said.append((c_apdu, committed))


def test_power_lost_in_the_middle():
    for committed, said in ((False, ["off"]), (True, [b"\0\x20", "off"])):
        card = Simple()
        tear(card, b"\0\x20", committed)
        assert card.said == said
    card = Tearable()
    tear(card, b"\0\x20", True)
    assert card.said == [(b"\0\x20", True)]
