# SPDX-License-Identifier: Apache-2.0
"""Card modules that register themselves, all or nothing."""

from uuid import UUID

import pytest
from scard_place import ATR, code_of

from vreader.host.scard import ScardApi
from vreader.host.selfregister import CardModule
from vreader.winscard.cardtypes import CardType
from vreader.winscard.codes import SCARD
from vreader.winscard.profile import PCSCLITE

GUID = UUID("c1fdf2ef-a199-11d1-86bd-00a0c903aa9b")
CARDS = (
    CardType("One", ATR, b"\xff" * 5, "A CSP", "A KSP", primary_provider=GUID, interfaces=(GUID,)),
    CardType("Two", b"\x3b\x00"),
)


@pytest.fixture
def module():
    return CardModule("mine.dll", CARDS)


def entries(place, bits=64):
    return place.host.rm.card_types(bits).list()


@pytest.mark.wdk("minidriver.introduce")
def test_a_module_registers_its_card_types(place, module):
    contexts = set(place.host.rm.contexts)
    assert module.DllRegisterServer(place.api) == ["One", "Two"]
    assert entries(place) == [card._replace(module="mine.dll") for card in CARDS]
    assert set(place.host.rm.contexts) == contexts


def test_a_second_time_changes_nothing(place, module):
    module.DllRegisterServer(place.api)
    assert CardModule("other.dll", CARDS).DllRegisterServer(place.api) == []
    assert {entry.module for entry in entries(place)} == {"mine.dll"}


@pytest.mark.wdk("minidriver.forget")
def test_a_module_takes_its_card_types_away(place, module):
    module.DllRegisterServer(place.api)
    place.api.SCardIntroduceCardType(place.context, "Other", None, None, ATR)
    place.api.SCardForgetCardType(place.context, "Two")
    module.DllUnregisterServer(place.api)
    assert [entry.name for entry in entries(place)] == ["Other"]
    module.DllUnregisterServer(place.api)


@pytest.mark.parametrize(
    ("file", "bad", "code"),
    [
        ("mine.dll", CardType("Three", b""), SCARD.E_INVALID_ATR),
        ("mine.dll", CardType("Three", ATR, b"\xff"), SCARD.E_INVALID_PARAMETER),
        ("mine.dll", CardType("Three", ATR, csp="a\0b"), SCARD.E_INVALID_VALUE),
        ("", CardType("Three", ATR), SCARD.E_INVALID_VALUE),
    ],
)
def test_what_cannot_be_registered_whole_is_undone(place, file, bad, code):
    place.api.SCardIntroduceCardType(place.context, "Two", None, None, ATR)
    before = entries(place)
    module = CardModule(file, (*CARDS, bad))
    assert code_of(module.DllRegisterServer, place.api) == code
    assert entries(place) == before
    assert list(place.host.rm.contexts) == [place.context]


def test_where_there_are_no_card_types_both_fail_and_leave_nothing(make_place, module):
    place = make_place(PCSCLITE)
    for call in (module.DllRegisterServer, module.DllUnregisterServer):
        assert code_of(call, place.api) == SCARD.E_UNSUPPORTED_FEATURE
    assert list(place.host.rm.contexts) == [place.context]


@pytest.mark.wdk("minidriver.wow64")
def test_a_module_of_32_bits_registers_for_programs_of_32_bits(place, module):
    module.DllRegisterServer(ScardApi(place.host, bits=32))
    assert entries(place) == []
    assert len(entries(place, 32)) == 2
