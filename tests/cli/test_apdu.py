# SPDX-License-Identifier: Apache-2.0
"""``vreader apdu``: the language, and what it prints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.cli.apdu import exchange, parse
from vreader.errors import UsageError, VreaderError
from vreader.iso7816 import CommandApdu


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("A4", "00A40000"),
        ("00A4", "00A40000"),
        ("A40400", "00A40400"),
        ("00A40400", "00A40400"),
        ("00a40400", "00A40400"),
        ("00 A4 04 00", "00A40400"),
        ("00A40400/00", "00A4040000"),
        ("00A40400/05", "00A4040005"),
        ("00A40400/0000", "00A40400000000"),
        ("00A40400/0005", "00A40400000005"),
        ("00A40400:A000", "00A4040002A000"),
        ("00A40400:", "00A40400"),
        ("00A40400:A000/00", "00A4040002A00000"),
        ("00A40400:A000/0100", "00A40400000002A0000100"),
        ("00D60000:" + "00" * 256, "00D60000000100" + "00" * 256),
    ],
)
def test_forms(text, raw):
    command, expected = parse(text)
    assert bytes(command).hex().upper() == raw
    assert expected == ""


@pytest.mark.parametrize(
    ("check", "pattern"),
    [("", ""), ("=", "9000"), ("=9000", "9000"), ("=63cx", "63C."), ("=XXXX", "....")],
)
def test_checks(check, pattern):
    assert parse("00A40400:A000/00" + check)[1] == pattern


@given(st.text("0123456789ABCDEFx:/= ", max_size=40))
def test_any_text_is_an_apdu_or_said_not_to_be(text):
    try:
        command, _ = parse(text)
    except UsageError:
        return
    assert CommandApdu.parse(bytes(command)) == command


@pytest.fixture
def apdu(cli, serve, monkeypatch):
    def start(*options: str):
        served = serve(*options)
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", served.environment["PCSCLITE_CSOCK_NAME"])
        return lambda *words: cli("apdu", *words)

    return start


def test_a_conversation(apdu):
    send = apdu("--card", "piv:neutral,guid=000102030405060708090A0B0C0D0E0F")
    said = send("00A40400:A000000308=9000", "00200080=63CX", "00CB3FFF:5C035FC102/00=")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "> 00 A4 04 00 05 A0 00 00 03 08"
    assert lines[2] == "< 9000 OK"
    assert lines[3:5] == ["> 00 20 00 80", "< 63C3 VERIFICATION_FAILED, 3 tries left"] or (
        lines[4].startswith("< 63C3")
    )
    assert "00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F" in lines[-2]


def test_the_first_mismatch_ends_it(apdu):
    said = apdu("--card", "atr:3B80800101")("00A40400=6D00", "00A40400=", "00A40400")
    assert said.code == 1
    assert said.out == "> 00 A4 04 00\n< 6D00 INS_NOT_SUPPORTED\n" * 2
    assert said.err == "vreader: SW is 6D00, not 9000\n"


def test_long_answers_are_fetched(apdu):
    send = apdu("--card", "piv:neutral")
    said = send("00A40400:A000000308=", "00CB3FFF:5C035FC102/08=")
    assert "61" not in said.out.splitlines()[-1]
    assert len(said.out.splitlines()[-2].split()) > 9


def test_reader_by_part_of_its_name(apdu):
    send = apdu("--card", "atr:3B80800101", "--card", "piv", "--reader", "One", "--reader", "Two")
    assert send("--reader", "Tw", "00A40400:A000000308=").code == 0
    assert send("00A40400:A000000308=").code == 1


class Silent:
    """A service like pcscd, whose card left at work: success, and no byte."""

    def transmit(self, hcard, protocol, c_apdu):
        return b""


def test_an_answer_that_is_none():
    command, _ = parse("00200080:31323334")
    with pytest.raises(VreaderError, match="the answer to 00 20 00 80 is none") as caught:
        exchange(Silent(), 1, 2, command)
    assert caught.value.hint


def test_a_card_that_promises_data_for_ever(apdu, tmp_path):
    script = tmp_path / "promises.toml"
    script.write_text('[[exchange]]\ncommand = "*"\nanswer = "61 00"\n')
    said = apdu("--card", f"scripted,file={script}")("00010000")
    assert said.code == 0
    assert said.out.endswith("< 6100 more data\n")
