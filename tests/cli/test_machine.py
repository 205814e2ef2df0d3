# SPDX-License-Identifier: Apache-2.0
"""What commands about minidrivers share: the PIN, and the card."""

from argparse import Namespace

import pytest

from vreader.cli import machine
from vreader.cli.machine import one_pin, specs
from vreader.errors import UsageError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.host.prompt import PinRequest

REQUEST = PinRequest("Reader 0", "card", 1, PIN_INFO(), "", "Please enter your PIN.", 2)


@pytest.fixture
def terminal(monkeypatch):
    """A terminal at which somebody types 4711."""
    shown = []
    monkeypatch.setattr(machine.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: shown.append(prompt) or "4711")
    return shown


def test_where_a_pin_comes_from(monkeypatch):
    monkeypatch.setenv("SOME_PIN", "1234")
    assert one_pin("env:SOME_PIN")(REQUEST._replace(attempts=None)) == "1234"
    assert one_pin("5678")(REQUEST._replace(attempts=None)) == "5678"
    assert one_pin(None, ask=False).problem == "no PIN was given"


def test_a_terminal_is_asked_when_it_is_needed(terminal):
    pin = one_pin(None)
    assert terminal == []
    assert pin(REQUEST) == "4711"
    assert terminal == ["Reader 0, card: Please enter your PIN. (2 tries left) "]


def test_a_terminal_is_asked_now(terminal):
    assert one_pin("-")(REQUEST._replace(attempts=None)) == "4711"
    assert terminal == ["PIN: "]


def options(**given):
    return Namespace(**{"card": None, "live": None, "trace": None} | given)


def test_which_card():
    assert specs(options(card="piv")) == ["piv"]
    assert specs(options(live="")) == [None]
    assert specs(options(cards=["piv", "gids"])) == ["piv", "gids"]
    for wrong in ({}, {"card": "piv", "live": ""}, {"cards": ["a", "b"], "trace": "-"}):
        with pytest.raises(UsageError):
            specs(options(**wrong))
