# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.registry import NameRefusedError
from vreader.registry.names import MAX_DEPTH, fold, is_root, locate, resolve, shortened


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("É", "é", True),
        ("straße", "STRASSE", False),
        ("\u0131", "I", False),
        ("\u017f", "S", False),
        ("ǆ", "Ǆ", True),
    ],
)
def test_letters_are_compared_one_by_one(one, other, same):
    assert (fold(one) == fold(other)) is same


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(name):
    assert fold(fold(name)) == fold(name)
    assert len(fold(name)) == len(name)


@pytest.mark.parametrize(
    ("path", "tree", "names"),
    [
        ("HKLM", "HKEY_LOCAL_MACHINE", []),
        ("hklm\\a\\B\\", "HKEY_LOCAL_MACHINE", ["a", "B"]),
        ("HKEY_Classes_Root\\.inf", "HKEY_LOCAL_MACHINE", ["SOFTWARE", "Classes", ".inf"]),
        ("HKCU\\x", "HKEY_CURRENT_USER", ["x"]),
    ],
)
def test_a_path_is_a_tree_and_names(path, tree, names):
    assert locate(path) == resolve(path) == (tree, names)
    assert is_root(path) is not bool("\\" in path)


def test_depth_is_judged_by_locate_alone():
    path = "HKLM" + "\\a" * (MAX_DEPTH + 1)
    assert len(resolve(path)[1]) == MAX_DEPTH + 1
    with pytest.raises(NameRefusedError, match="at most 512"):
        locate(path)


def test_a_long_name_is_shortened_for_an_error():
    assert shortened("a" * 50) == f"'{'a' * 40}…'"
