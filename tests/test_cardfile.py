# SPDX-License-Identifier: Apache-2.0
"""Cards in files, which appear whole or not at all; their images."""

import stat
from pathlib import Path

import pytest

from vreader import cardfile
from vreader.card import FileStore, MemoryStore
from vreader.cardspec import CardSpec
from vreader.errors import UsageError, VreaderError
from vreader.kinds import find_kind
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


@pytest.fixture
def card(tmp_path):
    path = str(tmp_path / "a.card")
    cardfile.write(Recipe("piv", seed=b"1"), path)
    return path


def test_make_in_memory(toml):
    card = cardfile.make(Recipe.load(toml), MemoryStore())
    kind = find_kind("piv")
    facts = dict(kind.facts(card))
    assert facts["slot 9a"] == "P-256, certificate CN=alice"
    assert facts["slot 9d"] == "P-384, certificate CN=alice"


def test_make_in_a_file_and_open_it_again(toml, tmp_path):
    store = FileStore(str(tmp_path / "a.card"))
    told = []
    for recipe in (Recipe.load(toml), Recipe.load(toml).with_options({"pin": "111111"})):
        card = cardfile.make(recipe, store)
        told.append(find_kind("piv").export(card))
        cardfile.close(card)
    assert told[0] == told[1]
    with pytest.raises(UsageError, match=r"of profile neutral, not 5\.4\.3"):
        cardfile.make(Recipe("piv", "5.4.3"), store)


def test_card_spec(toml, tmp_path):
    spec = CardSpec.parse(f"{toml},serial=7").with_state(str(tmp_path / "a.card"))
    assert (spec.form, spec.kind.name, spec.reader_name) == ("toml", "piv", None)
    cardfile.close(spec.make())
    told = cardfile.info(spec.state)
    assert told["profile"] == "neutral"
    assert CardSpec.parse(toml).make() is not None


def test_write(card, tmp_path):
    assert stat.S_IMODE(Path(card).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a.card"]
    told = cardfile.info(card)
    assert list(told)[:4] == ["kind", "profile", "ATR", "applications"]
    assert told["slot 9a"] == "P-256, certificate CN=vreader"


def test_an_existing_file_is_replaced_only_on_wish(card):
    before = cardfile.export(card)
    with pytest.raises(UsageError, match="exists already"):
        cardfile.write(Recipe("piv"), card)
    assert cardfile.export(card) == before
    cardfile.write(Recipe("piv"), card, replace=True)
    assert cardfile.export(card) != before


def test_only_a_card_is_replaced(tmp_path):
    path = tmp_path / "letter"
    path.write_text("Dear Bob")
    with pytest.raises(UsageError, match="is not a card file"):
        cardfile.write(Recipe("piv"), str(path), replace=True)
    assert path.read_text() == "Dear Bob"


def test_a_card_in_use_is_not_replaced(card):
    with (
        cardfile.opened(card),
        pytest.raises(VreaderError),
    ):
        cardfile.write(Recipe("piv"), card, replace=True)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("piv", "9"),
        Recipe("piv", options={"pin": "1"}),
        Recipe("piv", provision={"slot": ["9a:x"]}),
    ],
)
def test_what_cannot_be_made_leaves_no_file(tmp_path, recipe):
    with pytest.raises(UsageError):
        cardfile.write(recipe, str(tmp_path / "a.card"))
    assert not list(tmp_path.iterdir())


def test_no_folder(tmp_path):
    with pytest.raises(VreaderError) as caught:
        cardfile.write(Recipe("piv"), str(tmp_path / "missing" / "a.card"))
    assert "a.card:" in str(caught.value)
    assert ".new-" not in str(caught.value) + caught.value.hint


def test_export_and_load(card, tmp_path):
    image = cardfile.export(card)
    copy = str(tmp_path / "copy.card")
    cardfile.load(image, copy)
    assert cardfile.export(copy) == image
    assert stat.S_IMODE(Path(copy).stat().st_mode) == 0o600


@pytest.mark.parametrize("image", [b"", b"{}", b"\xff", b"[]", b'{"memory": {"card": []}}'])
def test_what_is_no_image(tmp_path, image):
    with pytest.raises(VreaderError, match="no image") as caught:
        cardfile.load(image, str(tmp_path / "a.card"))
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_reset(card):
    image = cardfile.export(card)
    with cardfile.opened(card) as (_, opened):
        opened.power_on()
        opened.transmit(bytes.fromhex("00A4040005A000000308"))
        assert opened.transmit(bytes.fromhex("0020008008393939393939FFFF")) == b"\x63\xc2"
    assert cardfile.info(card)["PIN"] == "2 of 3 tries left"
    cardfile.reset(card)
    assert cardfile.export(card) == image


def test_an_empty_file_is_no_card_yet(tmp_path):
    path = tmp_path / "a.card"
    path.touch()
    cardfile.close(cardfile.make(Recipe("piv"), FileStore(str(path))))
    assert "slot 9a" in cardfile.info(str(path))


@pytest.mark.parametrize("kind", ["blank", "gids:blank", "gids", "tpmvsc", "yubikey:5.7.1"])
def test_every_kind_can_be_kept(tmp_path, kind):
    path = str(tmp_path / "a.card")
    cardfile.write(Recipe.parse(kind), path)
    assert cardfile.kind_of(path).name == kind.partition(":")[0]
    cardfile.reset(path)
    cardfile.load(cardfile.export(path), str(tmp_path / "b.card"))
