# SPDX-License-Identifier: Apache-2.0
"""Families of cards from a file: what is read, and what is said of a bad one."""

import pytest
from card_patterns import BELGIAN, FABRIKAM, YUBIKEY_4
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.pairing.families import parse_families, read_families


def test_toml(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(
        f'[families]\nfabrikam = ["3B 04 51 FF 08 00", "3B0451FF0800"]\n'
        f'"Yubi Key" = [\n  "{YUBIKEY_4.hex()}", # the fourth\n  "{BELGIAN.hex()}"]\n'
    )
    assert read_families(str(path)) == {
        "fabrikam": [FABRIKAM],
        "Yubi Key": [YUBIKEY_4, BELGIAN],
    }


def test_a_list_of_atrs_with_the_family_behind_each(tmp_path):
    path = tmp_path / "two.txt"
    path.write_text(f"3B0451FF0800 fabrikam\n{BELGIAN.hex()} other\n3B0452FF0800\tfabrikam\n")
    assert read_families(str(path)) == {
        "fabrikam": [FABRIKAM, bytes.fromhex("3B0452FF0800")],
        "other": [BELGIAN],
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[families", "f, line 1, column 10: Expected ']' at the end of a table declaration"),
        ("[families]\na =", "f, line 2, column 4: Invalid value"),
        ("[families]\na = 'x'\na = 'y'", "f, line 3, column 8: Cannot overwrite a value"),
        ("[families]\na = '''", "f, line 2, column 8: Expected \"'''\""),
        ("[families]\na = x\nb = []", "f, line 2, column 5: Invalid value"),
        ("[famlies]", "f, line 1, column 2: unknown key 'famlies'"),
        ("", "f: there is no table [families]"),
        ("families = 1", "f: there is no table [families]"),
        ("[families]", "f: it names no family"),
        ("[families]\na = []", "f: the family a has no ATR"),
        ("[families]\nabc = 1", "f, line 2, column 1: abc is no list of ATRs"),
        ("[families]\nabc = ['3B00', 7]", "f, line 2, column 1: abc holds 7, not a text"),
        ("[families]\na = ['3B00',\n '3Z']", "f, line 3, column 3: a: '3Z' is not a hexadecimal"),
        ("[families]\nxyz = ['']", "f, line 2, column 9: xyz: '' is not a hexadecimal ATR"),
        # Words that stand elsewhere, too.
        ("[families]\na = 1", "f, line 2, column 1: a is no list of ATRs"),
        ("# fam = 1\n[families]\nfam = []\n'3B' = 1", "f, line 4, column 2: 3B is no list of"),
        ("[families]\na-3B0 = ['3B00',\n\"3B0\"]", "f, line 3, column 2: a-3B0: '3B0' is not a"),
        ("families = {b = ['3B00'], a = 1}", "f, line 1, column 27: a is no list of ATRs"),
        ("[families]\na.b = ['3B00']", "f, line 2, column 1: a is no list of ATRs"),
        ("[families]\n[families.s]\nx = 1", "f, line 2, column 11: s is no list of ATRs"),
        ("x = 1\n[families]", "f, line 1, column 1: unknown key 'x'"),
        ('[families]\n"\\u0061" = 1', "f: a is no list of ATRs"),
    ],
)
def test_what_is_wrong_and_where(text, problem):
    with pytest.raises(UsageError) as caught:
        parse_families(text.encode(), "f")
    assert str(caught.value).startswith(problem)
    assert caught.value.hint


def test_bytes_that_are_no_text():
    with pytest.raises(UsageError, match="f, line 2, column 3: it is not UTF-8"):
        parse_families(b"[families]\na \xff", "f")


def test_an_atr_without_a_family(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("3B00 a\n3B01\n")
    with pytest.raises(UsageError, match=r"list.txt, line 2: no family's name stands behind"):
        read_families(str(path))


@given(st.text("[families]\n=\"'#3B0 ,.", max_size=60))
def test_garbage_is_refused_or_read(text):
    hint = "none needed"
    try:
        found = parse_families(text.encode())
    except UsageError as error:
        hint = error.hint
    else:
        assert all(found.values())
    assert hint
