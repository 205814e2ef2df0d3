# SPDX-License-Identifier: Apache-2.0
"""Cards in files, which appear whole or not at all; their images."""

import os
import resource
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from vreader import cardfile
from vreader.card import FileStore, MemoryStore
from vreader.cardspec import CardSpec
from vreader.errors import UsageError, VreaderError
from vreader.kinds import find_kind
from vreader.publish import publish
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


def test_a_card_is_no_image(card, tmp_path):
    with pytest.raises(VreaderError, match="no image") as caught:
        cardfile.load(Path(card).read_bytes(), str(tmp_path / "b.card"))
    assert "a card itself" in caught.value.hint


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


def names(folder):
    return {path.name for path in folder.iterdir()}


@contextmanager
def room_for(size):
    """No file of this process may grow beyond ``size`` bytes: a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 4096, 8192])
def test_a_full_disk_is_told(tmp_path, size):
    path = str(tmp_path / "a.card")
    recipe = Recipe("gids")
    for attempt in (
        lambda: cardfile.write(recipe, path),
        lambda: cardfile.close(find_kind("gids").create("windows", {}, FileStore(path), None)),
    ):
        with room_for(size), pytest.raises(VreaderError) as caught:
            attempt()
        assert caught.value.hint
        assert not list(tmp_path.glob("*.new-*"))
    cardfile.close(cardfile.make(recipe, FileStore(path)))


def test_a_full_disk_spoils_no_reset_and_no_image(card, tmp_path):
    with cardfile.opened(card) as (_, opened):
        opened.power_on()
        opened.transmit(bytes.fromhex("00A4040005A000000308"))
        opened.transmit(bytes.fromhex("0020008008393939393939FFFF"))
    image, out = cardfile.export(card), tmp_path / "image"
    out.write_text("an older image")
    with room_for(1024):
        with cardfile.opened(card) as (kind, opened):
            with pytest.raises(VreaderError, match="cannot write the card"):
                kind.restore(opened)
            assert dict(kind.facts(opened))["PIN"] == "2 of 3 tries left"
        with pytest.raises(OSError, match="large"):
            publish(image, str(out), replace=True)
    assert cardfile.export(card) == image
    assert out.read_text() == "an older image"
    assert names(tmp_path) == {"a.card", "image"}


def test_a_pipe_is_no_card(tmp_path):
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    for attempt in (
        lambda: cardfile.info(pipe),
        lambda: cardfile.write(Recipe("blank"), pipe, replace=True),
        lambda: cardfile.load(b"", pipe, replace=True),
    ):
        with pytest.raises(UsageError, match="is not a card file"):
            attempt()
    assert Path(pipe).is_fifo()


def test_a_link_stays_one(card, tmp_path):
    link, new = tmp_path / "link", tmp_path / "new"
    link.symlink_to("a.card")
    new.symlink_to("not there yet")
    before = cardfile.export(card)
    cardfile.write(Recipe("piv"), str(link), replace=True)
    cardfile.close(cardfile.make(Recipe("blank"), FileStore(str(new))))
    assert link.is_symlink()
    assert new.is_symlink()
    assert cardfile.export(card) != before
    assert cardfile.info(str(tmp_path / "not there yet"))["kind"] == "blank"


def test_what_a_killed_process_left_aside_is_removed(tmp_path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          stdout=subprocess.PIPE, text=True, check=True)  # fmt: skip
    left = [f"a.card.new-{int(dead.stdout)}", f"a.card.new-{os.getpid()}", f"a.card.new-{10**20}"]
    kept = [f"a.card.new-{os.getppid()}", "a.card.new-", "a.card.new-x", "b.card.new-1"]
    for name in (*left, f"{left[0]}-journal", *kept):
        (tmp_path / name).write_text("keys")
    cardfile.write(Recipe("blank"), str(tmp_path / "a.card"))
    assert names(tmp_path) == {"a.card", *kept}


def test_nobody_opens_a_card_that_is_being_replaced(card):
    with cardfile._new_file(card, replace=True) as aside:
        Path(aside).touch()
        with pytest.raises(VreaderError, match="in use by this process"), cardfile.opened(card):
            pass


def test_a_card_that_this_process_uses_itself(card):
    with cardfile.opened(card), pytest.raises(VreaderError, match="in use by this process"):
        cardfile.info(card)


def test_who_comes_second_is_told(tmp_path):
    path = tmp_path / "a.card"
    with (
        pytest.raises(UsageError, match="exists already"),
        cardfile._new_file(str(path), replace=False) as aside,
    ):
        Path(aside).touch()
        path.write_text("another was faster")
    assert path.read_text() == "another was faster"


def test_an_endless_image(tmp_path):
    with pytest.raises(VreaderError, match="at most 16 MiB"):
        cardfile.load(bytes(cardfile.MAX_IMAGE + 1), str(tmp_path / "a.card"))
