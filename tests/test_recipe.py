# SPDX-License-Identifier: Apache-2.0
"""What a card is made as, as text and as TOML; what nobody knows is an error."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.recipe import Recipe

TOML = """
kind = "piv"
profile = "neutral"
seed = "01"
[options]
pin = "654321"
serial = 5
[provision]
subject = "CN=alice"
slot = ["9a:p256", "9d:p384"]
"""


@pytest.fixture
def toml(tmp_path):
    path = tmp_path / "alice.toml"
    path.write_text(TOML)
    return str(path)


def test_parse(toml):
    assert Recipe.parse("piv") == Recipe("piv", "")
    assert Recipe.parse("piv:neutral") == Recipe("piv", "neutral")
    folder = str(Path(toml).parent)
    assert Recipe.parse(toml) == Recipe(
        "piv",
        "neutral",
        {"pin": "654321", "serial": "5"},
        {"subject": ["CN=alice"], "slot": ["9a:p256", "9d:p384"], "folder": [folder + "/"]},
        b"\1",
    )


def test_options_come_before_those_of_the_file(toml):
    recipe = Recipe.load(toml).with_options({"pin": "111111"}, {"slot": ["9e:p256"]}, b"\2")
    assert recipe.options == {"pin": "111111", "serial": "5"}
    assert recipe.provision["slot"] == ["9e:p256"]
    assert recipe.provision["subject"] == ["CN=alice"]
    assert recipe.seed == b"\2"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("", "kind is missing", 'kind = "piv"'),
        ("kind = 5", "kind is missing", 'kind = "piv"'),
        ("kind = piv", "line 1", "TOML"),
        ("kind = 'pvi'", "unknown card kind 'pvi'", "installed kinds"),
        ("kind = 'piv'\nprofle = 'x'", "unknown key 'profle'", "did you mean profile?"),
        ("kind = 'piv'\nx = 1", "unknown key 'x'", "known: kind, profile"),
        ("kind = 'piv'\noptions = 1", "options is not a table", "[options]"),
        ("kind = 'piv'\nseed = 'x'", "seed is not in hex", "01"),
        ("kind = 'piv'\nprofile = 5.4", "profile is not a text", 'profile = "…"'),
        ("kind = 'piv'\n[options]\npinn = '1'", "unknown key 'pinn' in [options]", "mean pin?"),
        ("kind = 'piv'\n[options]\npin = true", "pin is not a text", "pin"),
        ("kind = 'piv'\n[options]\npin = ['1']", "pin is not a text", "pin"),
        ("kind = 'piv'\n[provision]\nslto = 'x'", "unknown key 'slto' in [provision]", "slot?"),
        ("kind = 'piv'\n[provision]\nslot = [1.5]", "slot is not a text", "slot"),
    ],
)
def test_a_file_that_says_what_nobody_knows(tmp_path, text, problem, hint):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        Recipe.load(str(tmp_path / "x.toml"))
    assert problem in str(caught.value)
    assert hint in caught.value.hint


def test_a_file_as_editors_of_windows_write_it(tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes(b'\xef\xbb\xbfkind = "piv"\r\n')
    assert Recipe.load(str(path)).kind == "piv"
    path.write_bytes(b'kind = "piv"\nprofile = "\xe9"\n')
    with pytest.raises(UsageError, match=r"not in UTF-8 \(at line 2, column 12\)"):
        Recipe.load(str(path))


@pytest.mark.parametrize("text", ["", ":", "piv:", "missing.toml", "/.toml"])
def test_no_recipe(text):
    with pytest.raises(UsageError) as caught:
        Recipe.parse(text)
    assert caught.value.hint


def test_no_secret_in_the_repr(toml):
    assert repr(Recipe.load(toml)) == "Recipe('piv', 'neutral', …)"


@given(raw=st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_recipe_or_a_clear_error(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(raw)
    with pytest.raises(UsageError) as caught:  # nothing that short names a kind
        Recipe.load(str(path))
    assert "\n" not in str(caught.value)
