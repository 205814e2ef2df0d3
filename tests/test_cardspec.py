# SPDX-License-Identifier: Apache-2.0
"""A card in one string: what it may say, and the card made from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.card import Card
from vreader.cardspec import AtrCard, CardSpec
from vreader.errors import UsageError, VreaderError


@pytest.mark.parametrize(
    ("text", "form", "name", "profile", "options"),
    [
        ("piv", "kind", "piv", "", {}),
        ("piv:neutral", "kind", "piv", "neutral", {}),
        ("piv,pin=123456,serial=7", "kind", "piv", "", {"pin": "123456", "serial": "7"}),
        ("piv,guid=a=b", "kind", "piv", "", {"guid": "a=b"}),
        ("none", "none", "", "", {}),
        ("atr:3B00", "atr", "3B00", "", {}),
        ("a.py:Card", "file", "a.py", "Card", {}),
        ("dir/a.py:Card,atr=3B", "file", "dir/a.py", "Card", {"atr": "3B"}),
    ],
)
def test_forms(text, form, name, profile, options):
    spec = CardSpec.parse(text)
    assert (spec.form, spec.name, spec.profile, spec.options) == (form, name, profile, options)
    assert spec.text == text
    assert spec.state is None
    assert spec.seed is None


def test_state_and_seed_are_for_every_kind():
    spec = CardSpec.parse("piv:neutral,state=dir/my.card,seed=0102,pin=123456")
    assert (spec.state, spec.seed, spec.options) == (
        "dir/my.card",
        b"\x01\x02",
        {"pin": "123456"},
    )


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("piv,pin=123456,mgmkey=00", "piv"),
        ("piv:neutral,pin=1,state=a", "piv:neutral,state=a"),
        ("atr:3B00", "atr:3B00"),
        ("a.py:Card,key=secret", "a.py:Card"),
    ],
)
def test_a_label_says_no_secret(text, label):
    assert CardSpec.parse(text).label == label


@given(st.text(st.sampled_from("piv:,=noneatr3B.py/\0\n é\ud800"), max_size=30))
def test_any_text_is_a_spec_or_said_not_to_be(text):
    try:
        spec = CardSpec.parse(text)
    except UsageError:
        return
    assert spec.form in ("kind", "file", "atr", "none")


def test_with_state():
    spec = CardSpec.parse("piv,pin=123456").with_state("my.card")
    assert (spec.state, spec.options) == ("my.card", {"pin": "123456"})
    for text, path in (("none", "f"), ("atr:3B00", "f"), ("piv,state=a", "b"), ("piv", "")):
        with pytest.raises(UsageError):
            CardSpec.parse(text).with_state(path)


@pytest.mark.parametrize(
    ("atr", "warned"), [("3B80800101", False), ("3B00", False), ("3BFF", True), ("00", True)]
)
def test_an_atr_that_is_none_is_warned_of(atr, warned):
    assert bool(CardSpec.parse(f"atr:{atr}").warning) is warned


def test_empty_reader():
    assert CardSpec.parse("none").make() is None


def test_atr_card():
    card = CardSpec.parse("atr:3b 00").make()
    assert isinstance(card, AtrCard)
    assert isinstance(card, Card)
    assert card.power_on() == card.reset() == b"\x3b\x00"
    assert card.transmit(b"\x00\xa4\x04\x00") == b"\x6d\x00"
    card.power_off()


def test_seed_makes_a_card_repeatable():
    def chuid(text: str) -> bytes:
        card = CardSpec.parse(text).make()
        card.power_on()
        card.transmit(bytes.fromhex("00A4040005A000000308"))
        return card.transmit(bytes.fromhex("00CB3FFF055C035FC10200"))

    assert chuid("piv,seed=01") == chuid("piv,seed=01")
    assert chuid("piv,seed=01") != chuid("piv,seed=02")
    assert chuid("piv") != chuid("piv")


def test_card_class_of_a_file(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Mine:\n"
        "    name: str = 'x'\n"
        "    def power_on(self): return b'\\x3b\\x00'\n"
        "    def reset(self): return b'\\x3b\\x00'\n"
        "    def power_off(self): pass\n"
        "    def transmit(self, c_apdu): return self.name.encode() + b'\\x90\\x00'\n"
    )
    card = CardSpec.parse(f"{tmp_path}/mine.py:Mine,name=me").make()
    assert card.transmit(b"\0\0\0\0") == b"me\x90\0"


def test_a_file_with_a_card_is_no_kind_but_is_told_how_to_open(tmp_path):
    path = tmp_path / "d.card"
    CardSpec.parse(f"tpmvsc,state={path}").make().close()
    for ask in (lambda spec: spec.kind, CardSpec.make):
        with pytest.raises(UsageError, match=f"unknown card kind '{path}'") as caught:
            ask(CardSpec.parse(str(path)))
        assert caught.value.hint == (
            f"it is a file with a card: --state {path}, or tpmvsc,state={path}"
        )
    other = tmp_path / "other"
    other.write_text("no card")
    with pytest.raises(UsageError, match="unknown card kind") as caught:
        CardSpec.parse(str(other)).make()
    assert "installed kinds" in caught.value.hint


def test_a_kind_that_is_not_installed_fails_when_it_is_asked_for():
    spec = CardSpec.parse("abacus")
    for ask in (lambda: spec.kind, lambda: spec.reader_name, spec.make):
        with pytest.raises(VreaderError, match="unknown card kind 'abacus'"):
            ask()
