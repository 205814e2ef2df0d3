# SPDX-License-Identifier: Apache-2.0
"""One PIN, tried once."""

import pytest

from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.host.prompt import NoPin, PinRequest
from vreader.minidriver.scinfo.pin import OnePin


def request(attempts=None):
    return PinRequest("reader", "card", 1, PIN_INFO(), "", "PIN?", attempts)


def test_the_pin_is_given_again_and_again():
    pin = OnePin("123456")
    assert [pin(request()), pin(request())] == ["123456", "123456"]
    assert pin.problem == ""


def test_a_wrong_one_is_not_tried_again():
    pin = OnePin("123456")
    pin(request())
    assert pin(request(2)) is NoPin.CANCELLED
    assert pin(request()) is NoPin.CANCELLED
    assert pin.problem == "the PIN is wrong; tries left: 2"


def test_a_person_is_asked_once():
    asked = []
    pin = OnePin(ask=lambda request: asked.append(request) or "1")
    assert [pin(request()), pin(request())] == ["1", "1"]
    assert len(asked) == 1


def test_nobody_to_ask():
    assert OnePin().problem == "no PIN was given"
    pin = OnePin(ask=lambda request: None)
    assert pin(request()) is NoPin.CANCELLED
    assert pin.problem == "no PIN was given"


@pytest.mark.parametrize("typed", ["", "\uff11\uff12\uff13\uff14"])
def test_what_can_be_no_pin_is_not_tried(typed):
    pin = OnePin(typed)
    assert pin(request()) is NoPin.CANCELLED
    assert pin.problem == "the PIN is empty, or has letters that no card is given"
