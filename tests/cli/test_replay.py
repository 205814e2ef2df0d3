# SPDX-License-Identifier: Apache-2.0
"""Playing recordings: as the card, and as the program."""

import json

import pytest

import vreader as package
from vreader.conversation.proving import Prover

TALK = ("00A4040005A000000308", "00F8000000", "0020008008363534333231FFFF")
CARD = "piv,seed=01,pin=654321"


@pytest.fixture
def talk(here):
    """A recording of three commands to a PIV card, its PIN masked."""
    with package.world(CARD, stack="in-process", record="talk") as world:
        api = world.scard
        card, protocol = api.SCardConnect(api.SCardEstablishContext(), "Virtual Reader 00 00")
        for text in TALK:
            api.SCardTransmit(card, protocol, bytes.fromhex(text))
    return here / "talk"


def exchange(api, card, protocol, text):
    return api.SCardTransmit(card, protocol, bytes.fromhex(text))


def test_the_same_card_has_no_difference(cli, talk, monkeypatch):
    said = cli("replay", "talk", "--card", CARD, "--pin", "654321")
    assert said == (0, "talk: 3 commands, no difference\n", "")
    monkeypatch.setenv("MY_PIN", "654321")
    assert cli("replay", "--pin", "env:MY_PIN", "talk", "--card", CARD).code == 0
    assert cli("replay", "talk", "--card", CARD, "--pin", "hex:363534333231").code == 0


def test_another_card_has_one(cli, talk):
    said = cli("replay", "talk", "--card", "piv,seed=02", "--pin", "654321")
    assert (said.code, said.err) == (1, "")
    assert "command 2 of 3: byte 0 is " in said.out
    assert "GET SERIAL" in said.out
    assert "^^" in said.out
    told = json.loads(cli("replay", "talk", "--json", "--card", "piv,seed=02", "--pin", "1").out)
    assert (told["same"], told["difference"]["number"]) == (False, 2)


def test_what_may_differ(cli, talk):
    mask = ("--mask", "00F80000*")
    said = cli("replay", "talk", "--card", "piv,seed=02,pin=654321", "--pin", "654321", *mask)
    assert said.code == 0
    said = cli("replay", "talk", "--card", "piv,seed=02", "--pin", "654321", *mask)
    assert "the status word is 63C2 2 tries left, not 9000 OK" in said.out


def test_a_masked_pin_is_asked_for(cli, talk):
    said = cli("replay", "talk", "--card", CARD)
    assert (said.code, "VERIFY PIV PIN was masked" in said.err) == (2, True)


def test_a_management_key(cli, here):
    key = "010203040506070801020304050607080102030405060708"
    with package.world(CARD, stack="in-process", record="talk") as world:
        api = world.scard
        card, protocol = api.SCardConnect(api.SCardEstablishContext(), "Virtual Reader 00 00")
        exchange(api, card, protocol, TALK[0])
        challenge = exchange(api, card, protocol, "0087039B047C028100")[4:-2]
        prover = Prover([bytes.fromhex(key)])
        prover.heard(bytes((0x7C, 10, 0x81, 8)) + challenge + b"\x90\0")
        proof = prover.proven(bytes.fromhex("0087039B0C7C0A8208" + "00" * 8)).hex()
        assert exchange(api, card, protocol, proof) == b"\x90\0"
    play = ("replay", "talk", "--card", CARD)
    assert cli(*play, "--key", key) == (0, "talk: 3 commands, no difference\n", "")
    assert "proves something about a challenge" in cli(*play).out
    assert "perhaps not the card's" in cli(*play, "--key", "99" * 24).out
    for bad in ("01", "xy", key[:32], "env:NOBODY", "-"):
        said = cli(*play, "--key", bad)
        assert (said.code, "key" in said.err.lower(), "hint: " in said.err) == (2, True, True)


def test_in_a_world(command, vreader, talk):
    run = ["run", "--card", CARD, "--", *vreader, "replay", "talk", "--pin", "654321"]
    for words in ([], ["--reader", "Virtual"], ["--reader", "pcsc:Virtual"]):
        said = command(*run, *words, cwd=talk.parent)
        assert said == (0, "talk: 3 commands, no difference\n", "")
    said = command(*run, "--reader", "Nobody", cwd=talk.parent)
    assert (said.code, "no reader is called 'Nobody'" in said.err) == (3, True)


def test_as_the_card(command, vreader, talk):
    apdu = [*vreader, "apdu", "00A40400:A000000308", "00F8/00=9000"]
    said = command("replay", "talk", "--", *apdu, cwd=talk.parent)
    assert (said.code, said.err.splitlines()) == (0, [
        "talk, line 6: the program ended before this command",
        "    > 00 20 00 80 08 ** ** ** ** ** ** ** **   VERIFY PIV PIN",
    ])  # fmt: skip
    said = command("replay", "talk", "--", *apdu, "00200080:303132333435FFFF", cwd=talk.parent)
    assert (said.code, said.err) == (0, "")
    said = command("replay", "talk", "--any-order", "--", *apdu, cwd=talk.parent)
    assert (said.code, said.err) == (0, "")
    alone = [*vreader, "apdu", "00F8/00=9000"]
    said = command("replay", "talk", "--", *alone, cwd=talk.parent)
    assert (said.code, "is not what was recorded" in said.err) == (1, True)
    assert "talk, line 4: here the program left the record\nexpected:\n    > 00 A4" in said.err
    assert "    got       0000  00 F8 00 00 00 --" in said.err
    said = command("replay", "talk", "--any-order", "--", *vreader, "apdu", "00CA", cwd=talk.parent)
    assert "the program left the record\nexpected: nothing more\ngot:\n" in said.err
    pin = [*vreader, "apdu", "00A40400:A000000308", "00200081:313233343536FFFF"]
    said = command("replay", "talk", "--", *pin, cwd=talk.parent)
    assert "313233" not in said.err.replace(" ", "")
    assert command("replay", "talk", "--any-order", "--", *alone, cwd=talk.parent).code == 0
    assert command("replay", "nobody", "--", *alone, cwd=talk.parent).code == 125


def test_a_text_that_somebody_has_pasted(cli, here):
    (here / "talk.txt").write_text("> 00 A4 04 00 05 A0 00 00 03 08\n< 6D00  not there\n")
    assert cli("replay", "talk.txt", "--card", "atr:3B80800101").code == 0
    said = cli("replay", "talk.txt", "--card", "piv")
    assert "the status word is 9000 OK, not 6D00 INS_NOT_SUPPORTED" in said.out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "which FILE?"),
        (["--", "true"], "which FILE?"),
        (["-", "--card", "piv"], "a recording to be played is a file"),
        (["talk"], "what is to be played with?"),
        (["talk", "true"], "what is 'true'?"),
        (["--colour", "talk"], "unrecognized arguments: --colour"),
        (["talk", "--colour"], "unrecognized arguments: --colour"),
        (["nobody", "--card", "piv"], "cannot read the recording nobody"),
        (["talk", "--only", "reader7", "--card", "piv"], "has no reader 'reader7'"),
        (["talk", "--card", "piv", "--card", "gids"], "played to one card"),
        (["talk", "--reader", "a", "--reader", "b"], "played to one card"),
        (["talk", "--card", "none", "--pin", "1"], "no card can be used"),
        (["talk", "--card", "piv", "--mask", "colour"], "'colour' is no rule"),
        (["talk", "--card", "piv", "--pin", "hex:1"], "--pin has no PIN"),
        (["talk", "--card", "piv", "--any-order"], "is for the card's part"),
        (["talk", "--card", "piv", "--stack", "pcscd"], "--stack goes with -- COMMAND"),
        (["talk", "--reader", "a", "--link", "t1"], "--link goes with --card"),
    ],
)
def test_bad_usage(cli, talk, words, problem):
    said = cli("replay", *words)
    assert (said.code > 1, said.out) == (True, "")
    assert problem in said.err
    assert "hint: " in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--json", "--", "true"], "--json is for the program's part"),
        (["--card", "piv", "--", "true"], "talks to the recorded card"),
        (["--only", "reader7", "--", "true"], "has no reader 'reader7'"),
    ],
)
def test_bad_usage_as_the_card(cli, talk, words, problem):
    said = cli("replay", "talk", *words)
    assert problem in said.err
    assert "hint: " in said.err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "bad has no commands in it"),
        (b'{"event": "TraceOpened", "format": 2}', "bad, line 1: a recording of format 2"),
        (b'{"event": "ApduEvent", "command": "00A4"\n', "bad, line 1: not JSON"),
        (b"\xff\xfe", "bad is not text: byte 0, in line 1"),
        (b"> 00A4 9000\n", "bad, line 2: the command in line 1 has no answer"),
    ],
)
def test_bad_files(cli, here, content, problem):
    (here / "bad").write_bytes(content)
    for words in (["--card", "piv"], ["--", "true"]):
        said = cli("replay", "bad", *words)
        assert said.code in (2, 125)
        assert problem in said.err
        assert "hint: " in said.err
        assert "Traceback" not in said.err
