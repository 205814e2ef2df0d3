# SPDX-License-Identifier: Apache-2.0
"""Names and groups of readers, and the card data cache."""

import pytest
from scard_place import ECHO, Card, code_of

from vreader.winscard.codes import SCARD, ReaderFlag
from vreader.winscard.database import ALL_READERS, DEFAULT_READERS
from vreader.winscard.profile import PCSCLITE, WINDOWS
from vreader.winscard.status_change import ReaderState

F = ReaderFlag


@pytest.mark.wdk("rm.name.case")
@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_whether_case_matters(make_place, profile):
    place = make_place(profile)
    place.slot.insert(Card())
    shouted = place.name.upper()
    if profile.names_ignore_case:
        assert place.api.SCardConnect(place.context, shouted)
    else:
        assert code_of(place.api.SCardConnect, place.context, shouted) == SCARD.E_UNKNOWN_READER
        assert code_of(place.look, shouted) == SCARD.E_UNKNOWN_READER


@pytest.mark.wdk("rm.name.case", "rm.name.windows")
def test_names_are_compared_without_case(place):
    place.slot.insert(Card())
    assert place.name == "Windows Reader 0"
    hcard, _ = place.api.SCardConnect(place.context, "WINDOWS reader 0")
    assert place.api.SCardStatus(hcard).reader == place.name
    assert place.look("windows READER 0") & F.PRESENT
    assert place.api.SCardGetAttrib(hcard, 0x7FFF0004) == place.name.encode() + b"\0"


def test_letters_are_compared_one_by_one_as_names_of_keys_are(place):
    name = place.host.add_reader("Straße Reader").name
    asked = [ReaderState(name.replace("S", "s").replace("R", "r"))]
    assert place.api.SCardGetStatusChange(place.context, 0, asked)[0].event_state & F.EMPTY
    for other in ("STRASSE READER 0", "\udcff", "", "a\0b"):
        assert code_of(place.api.SCardConnect, place.context, other) == SCARD.E_UNKNOWN_READER


@pytest.mark.wdk("rm.name.introduced", "rm.groups")
def test_a_reader_under_a_name_of_its_own(place):
    api, context = place.api, place.context
    place.slot.insert(Card())
    api.SCardIntroduceReader(context, "Front desk", place.name)
    assert api.SCardListReaders(context) == [place.name, "Front desk"]
    api.SCardForgetReader(context, place.name)
    assert api.SCardListReaders(context) == ["Front desk"]
    hcard, protocol = api.SCardConnect(context, "front DESK")
    assert api.SCardTransmit(hcard, protocol, ECHO) == ECHO + b"\x90\0"
    assert place.look("Front desk") & F.INUSE
    key = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\Readers\Front desk"
    assert place.host.registry.open(key).get("Device").decoded == place.name
    api.SCardForgetReader(context, "Front desk")
    assert code_of(api.SCardListReaders, context) == SCARD.E_NO_READERS_AVAILABLE
    assert code_of(api.SCardConnect, context, "Front desk") == SCARD.E_UNKNOWN_READER


@pytest.mark.wdk("rm.groups")
def test_readers_by_group(place):
    api, context = place.api, place.context
    second = place.host.add_reader("Second Reader").name
    assert api.SCardListReaderGroups(context) == [DEFAULT_READERS]
    api.SCardIntroduceReaderGroup(context, "Office")
    api.SCardAddReaderToGroup(context, second, "Office")
    assert api.SCardListReaderGroups(context) == [DEFAULT_READERS, "Office"]
    assert api.SCardListReaders(context, ["office"]) == [second]
    assert api.SCardListReaders(context, ["office", DEFAULT_READERS]) == [place.name, second]
    assert api.SCardListReaders(context, [ALL_READERS + "\0"]) == [place.name, second]
    for group in ("Nobody's", "SCard$LocalReaders", "SCard$SystemReaders"):
        assert code_of(api.SCardListReaders, context, [group]) == SCARD.E_NO_READERS_AVAILABLE
    api.SCardRemoveReaderFromGroup(context, second, DEFAULT_READERS)
    assert api.SCardListReaders(context, [DEFAULT_READERS]) == [place.name]
    api.SCardForgetReaderGroup(context, "Office")
    assert api.SCardListReaderGroups(context) == [DEFAULT_READERS]


@pytest.mark.wdk("rm.cache.read", "rm.cache.write")
def test_the_card_data_cache_is_everybodys(place):
    api, card = place.api, bytes(range(16))
    api.SCardWriteCache(place.context, card, 7, "cardcf", b"\1\2")
    other = api.SCardEstablishContext()
    assert api.SCardReadCache(other, card, 7, "cardcf") == b"\1\2"
    limit = WINDOWS.cache_item_bytes
    api.SCardWriteCache(other, card, 7, "big", bytes(limit))
    too_big = (other, card, 7, "big", bytes(limit + 1))
    assert code_of(api.SCardWriteCache, *too_big) == SCARD.W_CACHE_ITEM_TOO_BIG


def test_pcscd_has_no_database_and_no_cache(make_place):
    place = make_place(PCSCLITE)
    assert WINDOWS.database
    assert not PCSCLITE.database
    api, context = place.api, place.context
    for call, *args in (
        (api.SCardIntroduceReader, "A", place.name),
        (api.SCardForgetReader, place.name),
        (api.SCardIntroduceReaderGroup, "G"),
        (api.SCardForgetReaderGroup, "G"),
        (api.SCardAddReaderToGroup, place.name, "G"),
        (api.SCardRemoveReaderFromGroup, place.name, "G"),
        (api.SCardReadCache, bytes(16), 0, "n"),
        (api.SCardWriteCache, bytes(16), 0, "n", b""),
    ):
        assert code_of(call, context, *args) == SCARD.E_UNSUPPORTED_FEATURE
    assert api.SCardListReaders(context, ["any group"]) == [place.name]
