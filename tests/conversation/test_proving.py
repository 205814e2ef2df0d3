# SPDX-License-Identifier: Apache-2.0
"""A card's challenges are answered with a key, in the place of the program that was recorded."""

import pytest

from vreader.conversation.playing import play
from vreader.conversation.proving import Prover
from vreader.errors import UsageError
from vreader.recording import parse

# DES with three equal keys, FIPS 81 Table B1: 4E6F772069732074 becomes 3FA40E8A984D4815.
KEY = bytes.fromhex("0123456789ABCDEF" * 3)
PLAIN, CODED = "4E6F772069732074", "3FA40E8A984D4815"
# AES-128, FIPS 197 Appendix B.
AES_KEY = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
AES_PLAIN, AES_CODED = "3243F6A8885A308D313198A2E0370734", "3925841D02DC09FBDC118597196A0B32"


def proven(command, answer, key=KEY):
    prover = Prover([key])
    prover.heard(bytes.fromhex(answer) + b"\x90\0")
    return prover.proven(bytes.fromhex(command)).hex().upper()


def test_a_witness_is_decrypted_and_the_programs_own_challenge_stays():
    command = f"0087039B167C148008{'00' * 8}8108{'11' * 8}"
    assert proven(command, f"7C0A8008{CODED}") == f"0087039B167C148008{PLAIN}8108{'11' * 8}"
    assert proven(command + "00", f"7C0A8008{CODED}")[-18:] == "11" * 8 + "00"


def test_a_challenge_is_encrypted():
    assert proven(f"0087039B0C7C0A8208{'00' * 8}", f"7C0A8108{PLAIN}").endswith(CODED)
    command = f"0087089B147C128210{'00' * 16}"
    assert proven(command, f"7C128110{AES_PLAIN}", AES_KEY).endswith(AES_CODED)


@pytest.mark.parametrize(
    "command",
    [
        f"0087119A0E7C0C82008108{'00' * 8}",
        "0087039B047C028000",
        "0087039B047C028100",
        f"0087039BFF7C0A8208{'00' * 8}",
        f"0087FF9B0C7C0A8208{'00' * 8}",
        "0087039B",
        "00",
    ],
)
def test_other_commands_stay_as_they_are(command):
    assert proven(command, f"7C0A8108{PLAIN}") == command


@pytest.mark.parametrize("answer", ["", "7C04810201020", "7C0281", "7C0A8008" + CODED])
def test_without_a_challenge_there_is_nothing_to_prove(answer):
    command = f"0087039B0C7C0A8208{'00' * 8}"
    assert proven(command, answer[: len(answer) & ~1]) == command


def test_keys_stand_in_order_and_are_looked_at_before():
    command = f"0087089B147C128210{'00' * 16}"
    prover = Prover([KEY, AES_KEY])
    with pytest.raises(UsageError, match="a management key of 24 bytes, where algorithm 08 has 16"):
        prover.check([bytes.fromhex(command)])
    prover.check([bytes.fromhex(f"0087039B0C7C0A8208{'00' * 8}"), bytes.fromhex(command)])
    Prover([]).check([bytes.fromhex(command)])


class Card:
    """Takes one proof."""

    def __init__(self, proof):
        self.proof = proof

    def reset(self, *, cold):
        return b"\x3b\0"

    def transmit(self, command):
        if command.hex().upper().endswith(self.proof):
            return b"\x90\0"
        return bytes.fromhex(f"7C0A8108{PLAIN}9000" if len(command) < 12 else "6982")


def test_a_recording_is_played_with_the_key():
    talk = parse(
        f"> 0087039B047C028100\n< 7C0A8108{'22' * 8}9000\n> 0087039B0C7C0A8208{'33' * 8}\n< 9000\n"
    )
    assert play(talk, Card(CODED), keys=[KEY]).difference is None
    assert play(talk, Card(CODED)).difference.note.startswith("the command proves something")
    note = play(talk, Card("55"), keys=[KEY]).difference.note
    assert note == "the key that was given is perhaps not the card's"
