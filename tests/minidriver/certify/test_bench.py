# SPDX-License-Identifier: Apache-2.0
"""The words of checks: what they take for a card that lacks something, and what for a fault."""

import pytest

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.certify import Settings, Subject
from vreader.minidriver.certify.bench import REFUSED, Bench
from vreader.minidriver.certify.check import Failed, NotApplicable, refused
from vreader.minidriver.certify.freshcards import fresh_cards
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD


@pytest.fixture
def make():
    made = []

    def make(spec, **settings):
        subject = Subject("m", ClassMinidriver, fresh_cards(spec))
        made.append(Bench(subject, Settings(**settings)))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


def fails(code):
    def call(*_):
        raise MinidriverError(code)

    return call


@pytest.mark.parametrize(
    ("pin", "new"), [(b"123456", b"654321"), (b"1111", b"1110"), (b"10001", b"10000")]
)
def test_a_new_pin_is_another_as_long(make, pin, new):
    assert make("gids", pins={1: pin}).new_pin == new


def test_a_pin_of_the_settings_that_is_refused_is_no_refusal_that_a_check_asks_for(make):
    bench = make("gids", pins={1: b"999999"})
    with pytest.raises(Failed, match=REFUSED):
        refused(bench.user)


@pytest.mark.parametrize(
    ("code", "due"),
    [
        (SCARD.E_UNSUPPORTED_FEATURE, NotApplicable),
        (SCARD.E_INVALID_PARAMETER, NotApplicable),
        (SCARD.F_INTERNAL_ERROR, MinidriverError),
    ],
)
def test_key_types_that_fail_otherwise_than_as_unknown_fail(make, code, due):
    bench = make("gids")
    bench.md.CardQueryKeySizes = fails(code)
    with pytest.raises(due):
        bench.spec(KeySpec.KEYEXCHANGE)


def test_containers_that_fail_otherwise_than_as_missing_fail(make):
    bench = make("piv")
    assert list(bench.keys(*KeySpec)) == []
    bench.md.CardGetContainerInfo = fails(SCARD.F_INTERNAL_ERROR)
    with pytest.raises(MinidriverError):
        bench.key(*KeySpec)


def test_a_public_key_that_cannot_be_read_fails(make):
    bench = make("piv")
    bench.md.CardGetContainerInfo = lambda *_: ContainerInfo(1, b"\x06\x02junk")
    with pytest.raises(Failed, match="container 0 cannot be read"):
        bench.key(KeySpec.SIGNATURE)
