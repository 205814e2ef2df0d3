# SPDX-License-Identifier: Apache-2.0
import pytest
from minidriver_fakes import DATA

from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.callbacks import ALL_CALLBACKS
from vreader.minidriver.rules.base import acquire, negotiate, struct_version
from vreader.winscard.codes import SCARD


@pytest.mark.parametrize(
    ("requested", "supported", "version"), [(7, 7, 7), (7, 6, 6), (5, 7, 5), (99, 7, 7), (4, 4, 4)]
)
def test_the_lower_version_is_taken(requested, supported, version):
    assert negotiate(requested, supported) == version


@pytest.mark.parametrize("requested", [0, 1, 3])
def test_there_is_nothing_below_version_4(requested):
    with pytest.raises(MinidriverError) as failed:
        negotiate(requested, 7)
    assert failed.value.code is CardWin32.REVISION_MISMATCH


def test_a_minidriver_may_need_a_newer_host():
    with pytest.raises(MinidriverError):
        negotiate(5, 7, minimum=6)


def test_version_0_of_a_structure_is_version_1():
    assert struct_version(0, 1, 2) == 1
    assert struct_version(2, 1, 2) == 2
    for given, known in ((3, (1, 2)), (0, (2,)), (1, (6,))):
        with pytest.raises(MinidriverError) as failed:
            struct_version(given, *known)
        assert failed.value.code is CardWin32.REVISION_MISMATCH


@pytest.mark.parametrize(
    ("changes", "flags", "code"),
    [
        ({}, 2, SCARD.E_INVALID_PARAMETER),
        ({"context": 0}, 0, SCARD.E_INVALID_HANDLE),
        ({"card": 0, "atr": None}, 0, SCARD.E_INVALID_HANDLE),
        ({"atr": None}, 0, SCARD.E_INVALID_PARAMETER),
        ({"card_name": None, "atr": b""}, 0, SCARD.E_INVALID_PARAMETER),
        ({"atr": b"\x3b"}, 0, SCARD.E_INVALID_PARAMETER),
        ({"atr": b"\x3b" * 35}, 0, SCARD.E_INVALID_PARAMETER),
        ({"atr": b"\0\0"}, 0, SCARD.E_UNKNOWN_CARD),
        ({"atr": b"\xff\0"}, 0, SCARD.E_UNKNOWN_CARD),
        ({"callbacks": ALL_CALLBACKS - {"CspReAlloc"}}, 0, SCARD.E_INVALID_PARAMETER),
        ({"callbacks": frozenset()}, 1, SCARD.E_INVALID_PARAMETER),
    ],
)
def test_what_a_context_is_not_made_for(changes, flags, code):
    with pytest.raises(MinidriverError) as failed:
        acquire(DATA._replace(**changes), flags)
    assert failed.value.code is code


def test_null_for_card_data():
    with pytest.raises(MinidriverError) as failed:
        acquire(None, 0)
    assert failed.value.code is SCARD.E_INVALID_PARAMETER


def test_a_card_and_no_card():
    assert acquire(DATA, 0) is DATA
    nothing = DATA._replace(atr=b"", context=0, card=0)
    assert acquire(nothing, 1) is nothing
    without_cache = DATA._replace(callbacks=frozenset({"CspAlloc", "CspReAlloc", "CspFree"}))
    assert acquire(without_cache, 0) is without_cache
