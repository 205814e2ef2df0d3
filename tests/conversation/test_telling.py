# SPDX-License-Identifier: Apache-2.0
"""What an exchange means is found with the kinds that know the application."""

import pytest

from vreader.conversation.telling import Teller, holes
from vreader.iso7816.pattern import Pattern

SELECT_PIV = bytes.fromhex("00A4040005A000000308")
SELECT_GIDS = bytes.fromhex("00A4040009A00000039742544659")
VERIFY = bytes.fromhex("0020008006313233343536")
GET_DATA = bytes.fromhex("00CB3FFF055C035FC10900")


def test_commands_are_explained_by_the_application_that_is_selected():
    teller = Teller("r")
    assert teller.tell(SELECT_PIV, b"\x90\0").text == "SELECT PIV"
    assert teller.tell(VERIFY, b"\x90\0").text == "VERIFY PIV PIN"
    teller.tell(SELECT_GIDS, b"\x90\0")
    assert "PIV" not in teller.tell(VERIFY, b"\x90\0").text
    teller.reset()
    assert teller.tell(VERIFY, b"\x90\0", text="mine").text == "mine"


def test_secrets_are_masked_unless_they_are_to_be_seen():
    told = Teller("r").tell(VERIFY, b"\x90\0")
    assert (told.masked, told.command) == (((5, 11),), VERIFY[:5] + bytes(6))
    assert Teller("r", unmask=True).tell(VERIFY, b"\x90\0").command == VERIFY
    teller = Teller("r")
    teller.tell(SELECT_PIV, b"\x90\0")
    assert teller.tell(GET_DATA, b"\1\2\x90\0").masked_response == ((0, 2),)


def test_what_was_masked_before_stays_masked():
    command = Pattern.parse("00CA0000 02 01 ..")
    told = Teller("r", unmask=True).tell(command, Pattern.parse("....02 9000"), problem="late")
    assert (told.masked, told.masked_response, told.problem) == (((6, 7),), ((0, 2),), "late")


def test_no_answer():
    told = Teller("r").tell(b"\0\xb0", None, problem="mute")
    assert (told.response, told.masked_response) == (b"", ())


@pytest.mark.parametrize(
    ("text", "found"),
    [("", ()), ("0102", ()), ("..", ((0, 1),)), ("01....02..", ((1, 3), (4, 5)))],
)
def test_holes(text, found):
    assert holes(Pattern.parse(text)) == found
