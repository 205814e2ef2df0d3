# SPDX-License-Identifier: Apache-2.0
"""Cards that a recording is played to: in this process, and behind a PC/SC service."""

import pytest

import vreader
from vreader.card import CardGone, CardMute
from vreader.conversation.ends import ScardEnd, ServiceEnd
from vreader.errors import VreaderError

READER = "Virtual Reader 00 00"


class Moody:
    """Answers 01 with silence; else with the command, and what reset was the last."""

    def power_on(self):
        self.last = b"\1"
        return bytes.fromhex("3B80800101")

    def reset(self):
        self.last = b"\2"
        return bytes.fromhex("3B80800101")

    def power_off(self):
        pass

    def transmit(self, command):
        if command[1] == 1:
            raise CardMute
        return self.last + b"\x90\0"


@pytest.fixture(params=["in-process", "service"])
def ended(request, monkeypatch):
    """A world with a moody card, and the end that reaches it."""
    in_process = request.param == "in-process"
    with vreader.world(
        f"{__file__}:Moody", stack="in-process" if in_process else "embedded"
    ) as world:
        if not in_process:
            monkeypatch.setenv("PCSCLITE_CSOCK_NAME", world.environment["PCSCLITE_CSOCK_NAME"])

        def make():
            return ScardEnd(world.scard, READER) if in_process else ServiceEnd("virtual")

        end = make()
        yield world, end, make
        end.close()


def test_resets_and_commands(ended):
    _, end, _ = ended
    assert end.reset(cold=True) == bytes.fromhex("3B80800101")
    assert end.transmit(bytes.fromhex("00B00000")) == b"\1\x90\0"
    end.reset(cold=False)
    assert end.transmit(bytes.fromhex("00B00000")) == b"\2\x90\0"


def test_what_a_card_does_not_answer(ended):
    world, end, _ = ended
    with pytest.raises(CardMute):
        end.transmit(bytes.fromhex("00010000"))
    end.reset(cold=True)
    world.remove()
    with pytest.raises(CardGone):
        end.transmit(bytes.fromhex("00B00000"))


def test_nobody_else_has_the_card(ended):
    _, _, make = ended
    with pytest.raises(VreaderError, match="no card can be used in 'Virtual") as caught:
        make()
    assert "end the program" in caught.value.hint
