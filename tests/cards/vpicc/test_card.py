# SPDX-License-Identifier: Apache-2.0
"""An object with vpicc's methods as a card: calls, old answers, and what would have ended vicc."""

import sys
from types import ModuleType

import pytest

from cards.vpicc.card import VpiccCard
from cards.vpicc.muzzle import muzzle
from vreader.card import Card

ATR = bytes.fromhex("3B80800101")


class System:
    """``said`` lists the calls."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.answer: object = b"\x90\0"

    def getATR(self) -> bytes:
        self.said.append("ATR")
        return ATR

    def powerUp(self) -> None:
        self.said.append("up")

    def powerDown(self) -> None:
        self.said.append("down")

    def reset(self) -> None:
        self.said.append("reset")

    def execute(self, msg: bytes) -> object:
        if isinstance(self.answer, BaseException):
            raise self.answer
        self.said.append(msg.hex())
        return self.answer


def test_calls():
    system = System()
    card = VpiccCard(system)
    assert isinstance(card, Card)
    card.power_off()  # it has no power yet
    assert card.power_on() == ATR
    assert card.transmit(b"\0\xa4\0\0") == b"\x90\0"
    assert card.reset() == ATR
    assert card.power_on() == ATR
    card.power_off()
    assert system.said == ["up", "ATR", "00a40000", "reset", "ATR", "down", "up", "ATR", "down"]


@pytest.mark.parametrize("answer", [b"\x6a\x82", bytearray(b"\x6a\x82"), "\x6a\x82"])
def test_answers_of_any_age(answer):
    system = System()
    system.answer = answer
    assert VpiccCard(system).transmit(b"\0\0") == b"\x6a\x82"


@pytest.mark.parametrize("answer", [None, 3, [0x90, 0], "€"])
def test_answers_that_are_none(answer):
    system = System()
    system.answer = answer
    with pytest.raises(TypeError, match=r"execute\(\) returned"):
        VpiccCard(system).transmit(b"\0\0")


@pytest.mark.parametrize("error", [SystemExit(3), ValueError("x")])
def test_what_would_have_ended_vicc_is_the_card_s_fault(error):
    system = System()
    system.answer = error
    with pytest.raises((RuntimeError, ValueError)):
        VpiccCard(system).transmit(b"\0\0")


def test_a_module_that_prints_and_asks(capsys, monkeypatch):
    ours, packages = ModuleType("ours"), ModuleType("virtualsmartcard.cards.x")
    for module in (ours, packages):
        exec("def say(*a, **k): print(*a, **k)\ndef ask(): return input('PIN?')", module.__dict__)
    monkeypatch.setitem(sys.modules, packages.__name__, packages)
    muzzle(ours)
    for module in (ours, packages):
        module.say("hello", "you", sep="-")
        with pytest.raises(EOFError, match=r"asks 'PIN\?'"):
            module.ask()
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "hello-you\n" * 2)
    print("data")
    assert capsys.readouterr().out == "data\n"
