# SPDX-License-Identifier: Apache-2.0
"""Exported images that were changed from outside, and the first state that a card keeps."""

import json

import pytest

from cards.blank import KIND
from vreader import cardfile
from vreader.card import FileStore, MemoryStore
from vreader.errors import VreaderError


@pytest.fixture
def image():
    card = KIND.create("both", {}, MemoryStore(), None)
    KIND.born(card)
    return json.loads(KIND.export(card))


def loaded(image, path):
    return KIND.load(json.dumps(image).encode(), FileStore(str(path)))


def test_there_and_back(image, tmp_path):
    card = loaded(image, tmp_path / "a.card")
    assert json.loads(KIND.export(card)) == image
    cardfile.close(card)


@pytest.mark.parametrize(
    ("area", "key", "value", "problem"),
    [
        ("\ud800", "x", "00", "not an exported card image"),
        ("x", "\udfff", "00", "not an exported card image"),
        ("x", "x", "0", "not an exported card image"),
        ("card", "layout", "ff", "the image holds a blank card of layout 255"),
        ("card", "profile", "39", "the image holds a blank card of the unknown profile '9'"),
        ("card", "profile", "ff", "the image is no usable card of kind blank"),
        ("card", "kind", "39", "the image is not of a blank card"),
    ],
)
def test_what_cannot_be_imported(image, tmp_path, area, key, value, problem):
    image["memory"].setdefault(area, {})[key] = value
    with pytest.raises(VreaderError, match=problem) as caught:
        loaded(image, tmp_path / "a.card")
    assert caught.value.hint
    assert not (tmp_path / "a.card").exists()


@pytest.mark.parametrize("born", ["", "7b7d", "layout", "profile"])
def test_a_damaged_first_state_costs_no_card(image, tmp_path, born):
    if born in ("layout", "profile"):
        first = json.loads(bytes.fromhex(image["memory"]["card"]["born"]))
        first["memory"]["card"][born] = "ff"
        born = json.dumps(first).encode().hex()
    image["memory"]["card"]["born"] = born
    path = tmp_path / "a.card"
    cardfile.close(loaded(image, path))
    with pytest.raises(VreaderError) as caught:
        cardfile.reset(str(path))
    assert caught.value.hint
    assert cardfile.info(str(path))["profile"] == "both"


def test_a_card_without_a_first_state_says_so(image, tmp_path):
    del image["memory"]["card"]["born"]
    card = loaded(image, tmp_path / "a.card")
    with pytest.raises(VreaderError, match="before cards kept their first state"):
        KIND.restore(card)
    cardfile.close(card)
