# SPDX-License-Identifier: Apache-2.0
"""The card data cache: kept by card and name, stale with another freshness."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.winscard.cache import CACHE_BYTES, CardCache
from vreader.winscard.codes import SCARD, ScardError

CARD, OTHER = bytes(16), bytes(15) + b"\1"


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


@pytest.mark.wdk("rm.cache.read", "rm.cache.write", "rm.cache.not-found")
def test_what_was_written_is_read():
    cache = CardCache(100)
    cache.write(CARD, 1, "cardcf", b"one")
    cache.write(CARD, 1, "other", b"two")
    cache.write(OTHER, 1, "cardcf", b"three")
    assert cache.read(CARD, 1, "cardcf") == b"one"
    assert cache.read(CARD, 1, "other") == b"two"
    assert cache.read(OTHER, 1, "cardcf") == b"three"
    assert code_of(cache.read, OTHER, 1, "other") == SCARD.W_CACHE_ITEM_NOT_FOUND == 0x80100070


@pytest.mark.wdk("rm.cache.stale")
@pytest.mark.parametrize("freshness", [0, 2])
def test_another_freshness_deletes_it(freshness):
    cache = CardCache(100)
    cache.write(CARD, 1, "name", b"value")
    assert code_of(cache.read, CARD, freshness, "name") == SCARD.W_CACHE_ITEM_STALE == 0x80100071
    assert code_of(cache.read, CARD, 1, "name") == SCARD.W_CACHE_ITEM_NOT_FOUND
    cache.write(CARD, freshness, "name", b"new")
    assert cache.read(CARD, freshness, "name") == b"new"


@pytest.mark.wdk("rm.cache.too-big")
def test_an_item_that_is_too_big():
    cache = CardCache(3)
    cache.write(CARD, 1, "name", b"abc")
    assert code_of(cache.write, CARD, 2, "name", b"abcd") == SCARD.W_CACHE_ITEM_TOO_BIG
    assert SCARD.W_CACHE_ITEM_TOO_BIG == 0x80100072
    assert cache.read(CARD, 1, "name") == b"abc"


def test_it_never_grows_beyond_its_size():
    cache = CardCache(0x10000)
    cache.write(CARD, 0, "first", b"")
    for number in range(100):
        cache.write(CARD, 0, str(number), bytes(0x10000))
        cache.write(CARD, 0, "again", b"kept, for it is written anew")
    assert cache.size <= CACHE_BYTES < 100 * 0x10000
    assert code_of(cache.read, CARD, 0, "first") == SCARD.W_CACHE_ITEM_NOT_FOUND
    assert cache.read(CARD, 0, "99") == bytes(0x10000)
    assert cache.read(CARD, 0, "again")
    cache.write(CARD, 0, "n" * CACHE_BYTES, b"")  # nothing would be left beside it
    assert cache.size == 0
    for number in range(20_000):
        cache.write(CARD, 0, str(number), b"")
    assert code_of(cache.read, CARD, 0, "0") == SCARD.W_CACHE_ITEM_NOT_FOUND
    assert code_of(cache.read, CARD, 1, "19999") == SCARD.W_CACHE_ITEM_STALE
    assert 0 < cache.size <= CACHE_BYTES


@pytest.mark.parametrize(
    ("card", "name"), [(b"", "n"), (bytes(15), "n"), (bytes(17), "n"), (CARD, "")]
)
def test_what_is_no_key(card, name):
    cache = CardCache(100)
    assert code_of(cache.read, card, 0, name) == SCARD.E_INVALID_PARAMETER
    assert code_of(cache.write, card, 0, name, b"") == SCARD.E_INVALID_PARAMETER


def test_a_manager_without_a_cache():
    cache = CardCache(None)
    assert code_of(cache.read, CARD, 0, "n") == SCARD.E_UNSUPPORTED_FEATURE
    assert code_of(cache.write, CARD, 0, "n", b"") == SCARD.E_UNSUPPORTED_FEATURE


KEYS = st.tuples(st.sampled_from([CARD, OTHER]), st.sampled_from("ab"))


@given(st.lists(st.tuples(KEYS, st.integers(0, 2), st.none() | st.binary(max_size=4)), max_size=30))
def test_it_is_a_map_with_a_memory_of_freshness(steps):
    cache, model = CardCache(4), {}
    for (card, name), freshness, value in steps:
        if value is not None:
            cache.write(card, freshness, name, value)
            model[card, name] = (freshness, value)
        elif model.get((card, name), (None,))[0] == freshness:
            assert cache.read(card, freshness, name) == model[card, name][1]
        else:
            stale = model.pop((card, name), None) is not None
            expected = SCARD.W_CACHE_ITEM_STALE if stale else SCARD.W_CACHE_ITEM_NOT_FOUND
            assert code_of(cache.read, card, freshness, name) == expected
