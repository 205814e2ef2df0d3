# SPDX-License-Identifier: Apache-2.0
"""What all kinds over a memory have: files, images, the way back, and no traceback for bad ones."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_card import send

from cards.platform.kind import AppletKind
from vreader.card import FileStore, KeepingKind, MemoryStore
from vreader.errors import UsageError, VreaderError
from vreader.kinds import OWN_KINDS, find_kind

KINDS = [name for name in OWN_KINDS if isinstance(find_kind(name), AppletKind)]
BLANK = find_kind("blank")
OPTIONS = {"hist": "AA", "pnp": "00112233-4455-6677-8899-aabbccddeeff", "other-sw": "6F00"}


@pytest.fixture
def store(tmp_path):
    return FileStore(str(tmp_path / "a.card"))


def refusal(call, *arguments):
    with pytest.raises(VreaderError) as caught:
        call(*arguments)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_exports_and_loads_what_it_made(name, store):
    kind = find_kind(name)
    assert isinstance(kind, KeepingKind)
    for profile in kind.profiles():
        card = kind.create(profile, {}, MemoryStore(), b"seed")
        image = kind.export(card)
        copy = kind.load(image, MemoryStore())
        assert kind.export(copy) == image
        assert kind.facts(copy) == kind.facts(card)
        assert copy.power_on() == card.power_on()
    kind.load(image, store).close()
    assert kind.holds(store.path)
    assert "already holds" in refusal(kind.load, image, store)
    kind.open(store).close()


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_describes_its_options_in_one_line(name):
    kind = find_kind(name)
    for about in (kind.profiles(), kind.options(), kind.provisioning()):
        assert all(text and "\n" not in text for text in about.values())
    assert {"atr", "hist", "pnp"} <= set(kind.options())
    for word in kind.options():
        assert word not in ("state", "seed"), "those belong to every SPEC"


@pytest.mark.parametrize("name", KINDS)
def test_a_file_made_by_create_can_be_restored(name, store):
    kind = find_kind(name)
    card = kind.create("", {}, store, b"seed")
    before = kind.export(card)
    card.nvm.area("card").put("atr", b"\x3b")
    card.nvm.commit()
    assert kind.export(card) != before
    kind.restore(card)
    assert kind.export(card) == before
    card.close()


def test_a_card_in_memory_has_no_first_state():
    card = BLANK.create("t0", {}, MemoryStore(), None)
    assert "before cards kept" in refusal(BLANK.restore, card)
    BLANK.born(card)
    card.nvm.area("card").put("atr", b"\x3b")
    card.nvm.commit()
    BLANK.restore(card)
    assert card.nvm.area("card").get("atr") is None


def test_an_option_it_does_not_take_leaves_no_file(store):
    for options in ({"hist": "zz"}, {"other-sw": "1"}, {"colour": "red"}):
        with pytest.raises(UsageError):
            BLANK.create("t0", options, store, None)
    assert not Path(store.path).exists()


def test_a_layout_of_the_future_is_refused(store):
    card = BLANK.create("t0", {}, store, None)
    card.nvm.area("card").put("layout", b"\x63")
    card.nvm.commit()
    card.close()
    assert "of layout 99" in refusal(BLANK.open, store)


@pytest.mark.parametrize(
    "image",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"format": 1}', b"[" * 100_000,
     b'{"format": "vreader card image", "version": 2, "memory": {}}',
     b'{"format": "vreader card image", "version": 1, "memory": {}}',
     b'{"format": "vreader card image", "version": 1, "memory": {"card": {"kind": "zz"}}}'],
)  # fmt: skip
def test_what_is_no_image(image, store):
    assert refusal(BLANK.load, image, store)
    assert not Path(store.path).exists()


def test_an_image_of_another_kind(store):
    image = BLANK.export(BLANK.create("t0", {}, MemoryStore(), None))
    assert "not of a piv card" in refusal(find_kind("piv").load, image, store)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_image_is_refused_or_works(name, data, tmp_path_factory):
    kind = find_kind(name)
    options = {"pnp": OPTIONS["pnp"], "hist": "AA"}
    told = json.loads(kind.export(kind.create("", options, MemoryStore(), b"seed")))
    area = data.draw(st.sampled_from(sorted(told["memory"])))
    key = data.draw(st.sampled_from(sorted(told["memory"][area])))
    value = data.draw(st.none() | st.binary(max_size=40))
    if value is None:
        del told["memory"][area][key]
    else:
        told["memory"][area][key] = value.hex()
    store = FileStore(str(tmp_path_factory.mktemp("d") / "a.card"))
    try:
        card = kind.load(json.dumps(told).encode(), store)
    except VreaderError:
        assert not Path(store.path).exists()
        return
    card.power_on()
    assert len(send(card, "00A4040005A000000308")) >= 4
    card.close()


def test_a_file_changed_from_outside_gives_no_traceback(store):
    card = BLANK.create("t0", OPTIONS, store, None)
    card.nvm.area("card").put("profile", b"\xff")
    card.nvm.commit()
    card.close()
    assert "no usable card" in refusal(BLANK.open, store)
