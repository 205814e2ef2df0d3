# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.setupapi.syntax import MAX_FIELD, InfError, read_sections


def entries(text):
    (section,) = read_sections("[A]\n" + text, "x.inf").values()
    return [(entry.key, entry.values) for entry in section.entries]


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("a=b", ("a", ["b"])),
        (" a = b , c ", ("a", ["b", "c"])),
        ("HKR,,Name,0x00010001,7", (None, ["HKR", "", "Name", "0x00010001", "7"])),
        ("HKR,,Name,,a=b", (None, ["HKR", "", "Name", "", "a=b"])),
        ("a=b=c", ("a", ["b=c"])),
        ("a=", ("a", [""])),
        ("a", (None, ["a"])),
        ("a=b,", ("a", ["b", ""])),
        ("a=b ; comment", ("a", ["b"])),
        ('a="b ; c"', ("a", ["b ; c"])),
        ('a="  b  "  ', ("a", ["  b  "])),
        ('a="say ""x"""', ("a", ['say "x"'])),
        ('"a=b"="c,d"', ("a=b", ["c,d"])),
        ('a=x"y,z"w', ("a", ["xy,zw"])),
        ('a="x" y "z"', ("a", ["x y z"])),
        ('a=""', ("a", [""])),
        ('""', (None, [""])),
        ("%a;b% = c", ("%a;b%", ["c"])),
        ("a=50%, c% d", ("a", ["50%", "c% d"])),
        ("a=100%;b", ("a", ["100%"])),
        ("a=%%x%%", ("a", ["%%x%%"])),
        (r"a=b\c", ("a", [r"b\c"])),
        (r'a="b\"', ("a", ["b\\"])),
        ("a=b,\\\n  c", ("a", ["b", "c"])),
        ("a=b,\\ ; comment\n c", ("a", ["b", "c"])),
        ('a="b\\"\\\n,c', ("a", ["b\\", "c"])),
        ("a=b\\\\\n,c", ("a", ["b", "c"])),
        ("a=b\\", ("a", ["b"])),
        ("a=b\\\n;c", ("a", ["b"])),
        ("a=b\x1a\nc=d", ("a", ["b"])),
        ("a=b c", ("a", ["b c"])),
    ],
)
def test_an_entry(text, entry):
    assert entries(text) == [entry]


@pytest.mark.parametrize("text", ["", ";", "  ; a=b", "\\", "\\\n"])
def test_no_entry(text):
    assert entries(text) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(end):
    text = end.join(["; start", "[A]", "a=b,\\", "  c", "", "d=e", '["B b"] ; why', "f"])
    sections = read_sections(text, "x.inf")
    assert [(section.name, section.line) for section in sections.values()] == [("A", 2), ("B b", 7)]
    lines = [entry.line for section in sections.values() for entry in section.entries]
    assert lines == [3, 6, 8]


def test_sections_of_the_same_name_are_one():
    sections = read_sections("[Foo.AddReg]\na\n[B]\n[FOO.ADDREG]\nb", "x.inf")
    assert [entry.values for entry in sections["FOO.ADDREG"].entries] == [["a"], ["b"]]
    assert sections["FOO.ADDREG"].name == "Foo.AddReg"


def test_a_section_name_may_hold_what_looks_like_a_comment():
    assert list(read_sections("[;; Std Mfg ]", "x.inf")) == [";; STD MFG"]


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("a=b", 1, 1, "before the first section"),
        ("\n  [A", 2, 3, "does not end with ]"),
        ("[A]\r\nb=\0", 2, 3, "a NUL"),
        ("[A] b", 1, 4, "more after"),
        ("[]", 1, 2, "1 to 255"),
        ("[" + "a" * 256 + "]", 1, 2, "1 to 255"),
        ('[A]\na="b', 2, 3, "closing"),
        ('[A]\na=c,\\\n"b', 3, 1, "closing"),
        ("[A]\na=" + "b" * 4096, 2, 1, "more than 4095"),
        ('[A]\na="' + "b" * 4096 + '"', 2, 4100, "more than 4095"),
        ("[A]\na;=" + "\\x" * 9999, 2, None, None),
        ('[A]\na="' + '""' * 9999 + '"', 2, 3, "more than 4095"),
        ("[A]\na=" + "\\x" * 9999, 2, 8193, "more than 4095"),
    ],
)
def test_errors_name_line_and_column(text, line, column, problem):
    if problem is None:
        assert read_sections(text, "x.inf")
        return
    with pytest.raises(InfError, match=problem) as error:
        read_sections(text, "x.inf")
    assert (error.value.line, error.value.column) == (line, column)
    assert str(error.value).startswith(f"x.inf, line {line}, column {column}: ")


def test_the_longest_value_is_one_less():
    assert entries("a=" + "b" * MAX_FIELD) == [("a", ["b" * MAX_FIELD])]


@given(st.text(st.sampled_from('[]a=,;%"\\ \n\r\t\x1a'), max_size=60) | st.text(max_size=60))
def test_anything_is_read_or_refused(text):
    with contextlib.suppress(InfError):
        read_sections("[A]\n" + text, "x.inf")


words = st.text(st.characters(exclude_characters="\r\n\x1a\0"), max_size=10)


@given(st.none() | words, st.lists(words, min_size=1, max_size=4))
def test_what_is_quoted_comes_back(key, values):
    def quoted(text):
        return '"' + text.replace('"', '""') + '"'

    text = "" if key is None else f"{quoted(key)}="
    text += ",".join(map(quoted, values))
    assert entries(text) == [(key, values)]
