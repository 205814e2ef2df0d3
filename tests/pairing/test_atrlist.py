# SPDX-License-Identifier: Apache-2.0
"""Lists of ATRs: a line each, with or without spaces and texts, and pcsc-tools' format."""

import pytest
from card_patterns import FABRIKAM, YUBIKEY_4
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.pairing.atrlist import AtrList, ListedAtr, merged, parse_atr, parse_atrs, read_atrs


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("3B0451FF0800", ""),
        ("3b0451ff0800 Fabrikam, cold", "Fabrikam, cold"),
        ("3B 04 51 FF 08 00", ""),
        ("3B 04 51 FF 08 00 Fabrikam", "Fabrikam"),
        ("3B 04 51 FF 08 00\tAD card", "AD card"),
        ("3B0451FF0800 AD card", "AD card"),
        ("3B0451FF0800\t\tFabrikam", "Fabrikam"),
        ("3B0451FF0800   ", ""),
    ],
)
def test_an_atr_and_its_text(line, text):
    assert parse_atrs(line.encode()).atrs == (ListedAtr(FABRIKAM, text, 1),)


# Written for this test in the form of pcsc-tools' list.
LIST = """\
# comment

3B 04 51 FF 08 00
\tFabrikam
\tsold by others as Contoso

3B .. .. 00
\tall of a kind
3F 6[57] 00
\tcards that differ in a byte
3B F8 13 00 00 81 31 FE 15 59 75 62 69 6B 65 79 34 D4
\tYubiKey 4
3B EF 00 FF 81 31 .* 38
\tany length
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_list_of_pcsc_tools(encoding, end):
    found = parse_atrs(LIST.replace("\n", end).encode(encoding))
    assert found == AtrList(
        (ListedAtr(FABRIKAM, "Fabrikam", 3), ListedAtr(YUBIKEY_4, "YubiKey 4", 11)), 3
    )


def test_an_atr_that_is_listed_twice_has_both_texts():
    found = parse_atrs(b"3B00 one\n3B01\n3B00\n3B00 two\n3B00 one\n3B01").atrs
    assert merged(found) == [ListedAtr(b"\x3b\0", "one; two", 1), ListedAtr(b"\x3b\1", "", 2)]


def test_nothing_in_it():
    assert parse_atrs(b"") == parse_atrs(b"# nothing\n\n\ttext of nothing") == AtrList((), 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("3B00\n\n3Z", "list, line 3, column 1: '3Z' is no hexadecimal ATR"),
        ("ATR: 3B00", "list, line 1, column 1: 'ATR:' is no hexadecimal ATR"),
        ("3B0", "list, line 1, column 1: '3B0' is no hexadecimal ATR"),
        ("z" * 99, f"list, line 1, column 1: '{'z' * 40}…' is no hexadecimal ATR"),
        ("3B" * 34, "list, line 1, column 1: an ATR has at most 33 bytes, not 34"),
        ("3", "list, line 1, column 1: '3' is no hexadecimal ATR"),
    ],
)
def test_what_is_no_list(text, problem):
    with pytest.raises(UsageError) as caught:
        parse_atrs(text.encode(), "list")
    assert str(caught.value) == problem
    assert caught.value.hint == "an ATR in hexadecimal, for example 3B80800101, then its text"


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*/gone: No such file or directory"):
        read_atrs(str(tmp_path / "gone"))
    with pytest.raises(UsageError, match="/dev/zero is longer than 16 MiB"):
        read_atrs("/dev/zero")
    with pytest.raises(UsageError, match="line 1: it is big-endian UTF-16"):
        parse_atrs(b"\xfe\xff\x003")


@given(st.binary(max_size=60) | st.text("3B0 .[\t\n\r#z", max_size=60).map(str.encode))
def test_garbage_is_refused_or_read(data):
    hint = "none needed"
    try:
        found = parse_atrs(data)
    except UsageError as error:
        hint = error.hint
    else:
        assert all(1 <= len(each.atr) <= 33 for each in found.atrs)
    assert hint


@pytest.mark.parametrize("text", ["3B0451FF0800", "3b 04 51 ff 08 00", "3B:04:51:FF:08:00"])
def test_one_atr(text):
    assert parse_atr(text) == FABRIKAM


@pytest.mark.parametrize("text", ["", "3", "zz", "3B 0", "3B" * 34, "٣B"])
def test_what_is_no_atr(text):
    with pytest.raises(UsageError, match=r"not a hexadecimal ATR|at most 33 bytes"):
        parse_atr(text)
