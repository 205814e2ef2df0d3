# SPDX-License-Identifier: Apache-2.0
"""The link to a card: chains, GET RESPONSE, Le, a deselected application, what errors mean."""

import pytest
from driving import Counted, code_of, error_of

from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.drivers.link import CardLink, Reply, fail
from vreader.winscard.codes import SCARD
from vreader.winscard.profile import WINDOWS

AID = bytes.fromhex("A00000030800001000")


class Scripted:
    """A card that answers by a list, the last one again and again."""

    def __init__(self, *answers):
        self.answers = [bytes.fromhex(answer) for answer in answers]

    def power_on(self):
        return bytes.fromhex("3B80800101")

    reset = power_on

    def power_off(self): ...

    def transmit(self, c_apdu):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def linked():
    """Return a link to a card with such answers, and the commands it gets."""
    with Host(WINDOWS) as host:
        slot, api, commands = host.add_reader("Reader"), ScardApi(host), []

        def make(*answers):
            slot.insert(Counted(Scripted(*answers), commands))
            card, _ = api.SCardConnect(api.SCardEstablishContext(), slot.name)
            return CardLink(api, card, AID), commands

        yield make


def test_a_short_command(linked):
    link, commands = linked("AABB9000")
    assert link.send(0xCB, 0x3F, 0xFF, b"data") == Reply(0x9000, b"\xaa\xbb")
    assert commands == [bytes.fromhex("00CB3FFF046461746100")]


def test_a_long_command_is_a_chain(linked):
    link, commands = linked("9000")
    assert link.send(0xDB, 1, 2, bytes(600), 0).ok
    assert [(c[0], c[4], len(c)) for c in commands] == [
        (0x10, 255, 260), (0x10, 255, 260), (0, 90, 95),
    ]  # fmt: skip
    commands.clear()
    link.send(0xDB, 1, 2, bytes(255), 0)
    assert [c[0] for c in commands] == [0]


def test_a_chain_ends_with_the_first_refusal(linked):
    link, commands = linked("9000", "6982")
    assert link.send(0xDB, 1, 2, bytes(900)).sw == 0x6982
    assert len(commands) == 2


def test_a_long_response(linked):
    link, commands = linked("01026102", "03046101", "059000")
    assert link.send(0xCB, 0, 0) == Reply(0x9000, bytes((1, 2, 3, 4, 5)))
    assert commands[1:] == [bytes.fromhex("00C0000002"), bytes.fromhex("00C0000001")]


def test_a_card_that_never_gives_what_it_promises(linked):
    link, commands = linked("6110")
    assert link.send(0xCB, 0, 0).sw == 0x6110
    assert len(commands) == 2


def test_the_right_le(linked):
    link, commands = linked("6C05", "01020304059000")
    assert link.send(0xCB, 0, 0).data == bytes((1, 2, 3, 4, 5))
    assert commands == [bytes.fromhex("00CB000000"), bytes.fromhex("00CB000005")]


def test_the_right_le_of_a_command_without_one(linked):
    link, commands = linked("6C02", "AABB9000")
    assert link.send(0xDB, 1, 2, b"data", 0) == Reply(0x9000, b"\xaa\xbb")
    assert commands[1] == commands[0] + b"\2"


def test_the_right_le_of_get_response(linked):
    link, commands = linked("0102610A", "6C03", "0304059000")
    assert link.send(0xCB, 0, 0) == Reply(0x9000, bytes((1, 2, 3, 4, 5)))
    assert commands[1:] == [bytes.fromhex("00C000000A"), bytes.fromhex("00C0000003")]


def test_a_deselected_application(linked):
    link, commands = linked("6D00", "9000", "AA9000")
    assert link.send(0xCB, 0, 0).data == b"\xaa"
    assert commands[1][:2] == b"\x00\xa4"
    assert link.resets == 1


@pytest.mark.parametrize("sw", ["6A86", "6B00"])
def test_another_application_that_knows_the_command(linked, sw):
    link, commands = linked(sw, "9000", "AA9000")
    assert link.send(0xCB, 0xA0, 0).data == b"\xaa"
    assert commands[1][:2] == b"\x00\xa4"
    assert link.resets == 1


def test_a_command_that_the_application_itself_refuses(linked):
    link, commands = linked("6A86", "9000")
    assert link.send(0x2C, 0, 0x80, b"data").sw == 0x6A86
    assert (len(commands), link.resets) == (1, 0)


def test_a_card_without_the_application(linked):
    link, commands = linked("6D00", "6A82", "9000")
    assert link.send(0xCB, 0, 0).sw == 0x6D00
    assert len(commands) == 2


def test_a_response_without_status_word(linked):
    link, _ = linked("90")
    assert code_of(link.send, 0xCB, 0, 0) is SCARD.E_COMM_DATA_LOST


@pytest.mark.parametrize(
    ("sw", "code", "attempts"),
    [
        (0x63C2, SCARD.W_WRONG_CHV, 2),
        (0x63C0, SCARD.W_CHV_BLOCKED, 0),
        (0x6983, SCARD.W_CHV_BLOCKED, 0),
        (0x6300, SCARD.W_WRONG_CHV, 0xFFFFFFFF),
        (0x6982, SCARD.W_SECURITY_VIOLATION, None),
        (0x6985, SCARD.W_SECURITY_VIOLATION, None),
        (0x6A80, SCARD.E_INVALID_PARAMETER, None),
        (0x6A82, SCARD.E_FILE_NOT_FOUND, None),
        (0x6A84, SCARD.E_WRITE_TOO_MANY, None),
        (0x6A89, CardWin32.FILE_EXISTS, None),
        (0x6D00, SCARD.E_UNSUPPORTED_FEATURE, None),
        (0x6F00, SCARD.E_UNEXPECTED, None),
    ],
)
def test_what_status_words_mean(sw, code, attempts):
    error = error_of(fail, sw)
    assert (error.code, error.attempts) == (code, attempts)
    with pytest.raises(MinidriverError):
        Reply(sw, b"data").demand()
