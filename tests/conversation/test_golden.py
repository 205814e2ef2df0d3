# SPDX-License-Identifier: Apache-2.0
"""Golden files: made, compared, written anew; what a difference says."""

import stat

import pytest

from vreader.conversation.golden import assert_golden
from vreader.errors import UsageError, VreaderError
from vreader.reader.events import ApduEvent, CardEvent

COLD = CardEvent("reader0", "cold reset", bytes.fromhex("3B80800101"))


def apdu(command, response, text="", masked=()):
    data = bytes.fromhex(command), bytes.fromhex(response)
    return ApduEvent("reader0", *data, masked, (), text, 0.5)


SELECT = apdu("00A4040005A000000308", "61009000", "SELECT PIV")
CHALLENGE = apdu("0084000008", "0102030405060708 9000")
TALK = [COLD, SELECT, CHALLENGE]


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    monkeypatch.delenv("VREADER_UPDATE_GOLDEN", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def golden():
    assert_golden(TALK, "talk", update=True)

    def differs(*said, **options):
        with pytest.raises(AssertionError) as caught:
            assert_golden(said, "talk", **options)
        return str(caught.value)

    return differs


def test_a_file_that_is_missing_says_how_to_make_it(tmp_path):
    with pytest.raises(AssertionError, match=r"no golden file tests/golden/talk\.txt; to make it:"):
        assert_golden(TALK, "talk")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_the_environment_makes_it(monkeypatch, tmp_path, value):
    monkeypatch.setenv("VREADER_UPDATE_GOLDEN", value)
    assert_golden(TALK, "a/talk", tmp_path / "new")
    (path,) = (tmp_path / "new" / "a").iterdir()
    assert path.read_text().splitlines()[2:] == [
        "RESET 3B 80 80 01 01",
        "> 00 A4 04 00 05 A0 00 00 03 08   # SELECT PIV",
        "< 61 00 90 00   # OK  2 B",
        "> 00 84 00 00 08",
        "< ** ** ** ** ** ** ** ** 90 00   # OK  8 B",
    ]
    assert path.stat().st_mode & stat.S_IRUSR
    monkeypatch.setenv("VREADER_UPDATE_GOLDEN", "0")
    assert_golden(TALK, "a/talk", tmp_path / "new")
    with pytest.raises(AssertionError):
        assert_golden(TALK[:2], "a/talk", tmp_path / "new")


def test_what_is_random_may_differ(golden):
    assert_golden([COLD, SELECT, apdu("0084000008", "FF" * 8 + "9000")], "talk")


def test_resets_that_change_nothing_may_differ(golden):
    assert_golden([COLD, COLD, *TALK, COLD], "talk")


def test_words_and_remarks_may_differ(golden, tmp_path):
    path = tmp_path / "tests/golden/talk.txt"
    path.write_text("\n# mine\n" + path.read_text().replace("SELECT PIV", "select"))
    before = path.read_text()
    assert_golden(TALK, "talk", update=True)
    assert path.read_text() == before


def test_bytes_that_somebody_has_masked_may_differ(golden, tmp_path):
    path = tmp_path / "tests/golden/talk.txt"
    path.write_text(path.read_text().replace("< 61 00", "< ** 00"))
    assert_golden([COLD, apdu("00A4040005A000000308", "62009000"), CHALLENGE], "talk")
    with pytest.raises(AssertionError):
        assert_golden([COLD, apdu("00A4040005A000000308", "62019000"), CHALLENGE], "talk")


def test_an_answer_that_differs(golden):
    said = golden(COLD, apdu("00A4040005A000000308", "61016A82", "SELECT PIV"), CHALLENGE)
    assert said.splitlines() == [
        "the conversation is another one",
        "tests/golden/talk.txt, line 4: command 1 of 2: the status word is 6A82 FILE_NOT_FOUND, "
        "not 9000 OK",
        "before:",
        "    cold reset  ATR 3B 80 80 01 01",
        "command:",
        "    > 00 A4 04 00 05 A0 00 00 03 08   SELECT PIV",
        "expected:",
        "    < 61 00 90 00   OK  2 B",
        "got:",
        "    < 61 01 6A 82   FILE_NOT_FOUND  2 B",
        "bytes:",
        "    expected  0000  61 00 90 00",
        "    got       0000  61 01 6A 82",
        "                       ^^ ^^ ^^",
        "to accept it: set VREADER_UPDATE_GOLDEN=1, run pytest --vreader-update, or give "
        "update=True",
    ]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ([COLD, apdu("00A4040005A000000309", "61009000")],
         "line 4: command 1 of 2: another command: byte 9 is 09, not 08"),
        ([COLD, SELECT], "line 6: command 2 of 2: it was not sent"),
        ([*TALK, SELECT], "line 6: command 3 of 2: the golden file ends before it"),
        ([SELECT, CHALLENGE], "line 4: command 1 of 2: no reset before it"),
        ([COLD, SELECT, COLD, CHALLENGE], "line 6: command 2 of 2: a reset before it"),
        ([CardEvent("r", "cold reset", b"\x3b\x00"), SELECT], "another ATR: "),
        ([COLD, SELECT, apdu("0084000008", "01020304 9000")], "4 random bytes, not 8"),
        ([COLD, SELECT, apdu("0084000008", "6D00")], "the status word is 6D00"),
        ([COLD, SELECT, apdu("0084000008", "")], "no answer"),
    ],
)  # fmt: skip
def test_what_differs(golden, said, what):
    assert what in golden(*said)


def test_lengths_of_long_randomness_may_differ_a_little(golden, tmp_path):
    def signed(length):
        return [apdu("0088000002010200", "AB" * length + "9000")]

    assert_golden(signed(71), "signed", update=True)
    for length in (63, 70, 72, 79):
        assert_golden(signed(length), "signed")
    for length in (40, 80, 128):
        with pytest.raises(AssertionError, match="random bytes, not 71"):
            assert_golden(signed(length), "signed")


def test_no_secret_is_told(golden):
    verify = [apdu("0020008004" + "00" * 4, "9000", "VERIFY", ((5, 9),))]
    assert_golden(verify, "verify", update=True)
    said = verify[0], apdu("0020008005" + "00" * 5, "9000", "VERIFY", ((5, 10),))
    with pytest.raises(AssertionError) as caught:
        assert_golden(said[1:], "verify")
    assert "byte 4 is 05, not 04" in str(caught.value)
    assert "** ** ** **" in str(caught.value)


def test_a_file_that_makes_no_sense(golden, tmp_path):
    path = tmp_path / "tests/golden/talk.txt"
    path.write_text("what\n")
    with pytest.raises(UsageError, match=r"talk\.txt, line 1: what is it\?") as caught:
        assert_golden(TALK, "talk")
    assert "update=True" in caught.value.hint
    assert_golden(TALK, "talk", update=True)
    assert_golden(TALK, "talk")


@pytest.mark.parametrize("name", ["", ".", "/etc/x", "../x", "a/../../x", "a\0"])
def test_a_name_that_is_none(name):
    with pytest.raises(UsageError, match="no name for a golden file"):
        assert_golden(TALK, name, update=True)


def test_a_directory_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VreaderError, match="cannot write the golden file"):
        assert_golden(TALK, "talk", tmp_path / "file", update=True)
