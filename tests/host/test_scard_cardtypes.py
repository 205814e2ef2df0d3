# SPDX-License-Identifier: Apache-2.0
"""Card types by SCard*: names, error codes, bits, and the names Windows finds for real cards."""

from uuid import UUID

import pytest
from scard_place import ATR, code_of, until

from vreader.card import MemoryStore
from vreader.errors import UsageError
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.host.scard_cardtypes import (
    SCARD_PROVIDER_CARD_MODULE,
    SCARD_PROVIDER_CSP,
    SCARD_PROVIDER_KSP,
    SCARD_PROVIDER_PRIMARY,
)
from vreader.kinds import find_kind
from vreader.winscard.codes import SCARD, Disposition, ReaderFlag, Win32
from vreader.winscard.locate import AtrMask
from vreader.winscard.probing import GIDS_CARD, PIV_CARD
from vreader.winscard.profile import PCSCLITE, WINDOWS
from vreader.winscard.status_change import ReaderState

GUID = UUID("c1fdf2ef-a199-11d1-86bd-00a0c903aa9b")
OTHER = UUID("06e8ec7e-a19a-11d1-86bd-00a0c903aa9b")
F = ReaderFlag
CALAIS = r"Microsoft\Cryptography\Calais"


def real(name, **options):
    kind = find_kind(name)
    options = {key.replace("_", "-"): value for key, value in options.items()}
    return kind.create(next(iter(kind.profiles())), options, MemoryStore(), b"seed")


# ------------------------------------------------------------------ real cards


@pytest.mark.wdk("discovery.winscard.cache")
@pytest.mark.parametrize(
    ("kind", "options", "name", "cache"),
    [
        ("blank", {"atr": "3B0451FF0800"}, None, None),
        ("blank", {}, None, None),
        *(("blank", {"select_sw": sw}, None, None) for sw in ("6E00", "6D00", "6999", "6283")),
        ("blank", {"pnp": str(GUID), "pnp_where": "card"}, None, None),
        ("piv", {}, PIV_CARD, "PIV Device ATR Cache"),
        ("piv", {"hist": ""}, PIV_CARD, "PIV Device ATR Cache"),
        ("piv", {"pnp": str(GUID), "pnp_where": "card"}, PIV_CARD, "PIV Device ATR Cache"),
        ("gids", {}, GIDS_CARD, "IDMP ATR Cache"),
        ("tpmvsc", {}, GIDS_CARD, "IDMP ATR Cache"),
    ],
)
def test_the_name_windows_finds(place, kind, options, name, cache):
    """WDK "Smart Card Discovery Process", Winscard, with nothing registered."""
    place.slot.insert(real(kind, **options))
    atr = place.reader.atr
    assert place.api.SCardListCards(place.context, atr) == ([name] if name else [])
    calais = place.host.registry.find(rf"HKLM\SOFTWARE\{CALAIS}")
    keys = calais.subkeys() if calais is not None else []
    caches = {key.name: [value.data for _, value in key.values()] for key in keys}
    assert caches == ({cache: [atr]} if cache else {})
    states = [ReaderState(place.name)]
    for asked in (PIV_CARD, GIDS_CARD):
        (found,) = place.api.SCardLocateCards(place.context, [asked], states)
        assert bool(found.event_state & F.ATRMATCH) is (asked == name)


def test_a_card_is_asked_over_t_0_too(place):
    """Where GET RESPONSE fetches what SELECT has to say."""
    slot = place.host.add_reader("Link", link="t0")
    slot.insert(real("piv"))
    atr = place.host.rm.readers[slot.name].atr
    assert place.api.SCardListCards(0, atr) == [PIV_CARD]


class Both:
    """A card with both applications."""

    def power_on(self):
        return ATR

    reset = power_on

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return b"\x90\x00"


@pytest.mark.parametrize(
    ("order", "names"), [("list", [GIDS_CARD]), ("table", [PIV_CARD]), ("off", [])]
)
def test_a_card_with_both_is_gids_unless_one_says_otherwise(place, order, names):
    place.slot.insert(Both())
    api = ScardApi(place.host, probe_order=order)
    assert api.SCardListCards(0, ATR) == names


@pytest.mark.wdk("discovery.winscard.registry")
def test_a_registered_card_is_not_asked(place):
    place.slot.insert(real("piv"))
    atr = place.reader.atr
    place.api.SCardIntroduceCardType(place.context, "Mine", None, None, atr)
    assert place.api.SCardListCards(place.context, atr) == ["Mine"]
    assert place.api.discover(atr, place.name).asked == []


def test_one_reader_alone_may_be_asked(place):
    second = place.host.add_reader("Second")
    second.insert(Both())
    assert place.api.discover(ATR, place.name).asked == []
    assert code_of(place.api.discover, ATR, "Third") == SCARD.E_UNKNOWN_READER
    place.api.SCardIntroduceReader(place.context, "Mine", second.name)
    assert place.api.discover(ATR, "MINE").name == GIDS_CARD


def test_an_atr_of_no_card_that_is_there_has_no_name(place):
    assert place.api.SCardListCards(place.context, ATR) == []
    assert place.api.discover(ATR).steps[-1] == "IDMP ATR Cache: the ATR is not there"


# ------------------------------------------------------------------ the database


@pytest.mark.wdk("minidriver.introduce", "minidriver.forget", "rm.cards.interfaces")
def test_a_card_type_from_beginning_to_end(place):
    api, context = place.api, place.context
    api.SCardIntroduceCardType(context, "Mine", GUID, [GUID, OTHER], ATR, b"\xff" * len(ATR))
    providers = {
        SCARD_PROVIDER_CSP: "A CSP",
        SCARD_PROVIDER_KSP: "A KSP",
        SCARD_PROVIDER_CARD_MODULE: "mine.dll",
    }
    for number, text in providers.items():
        api.SCardSetCardTypeProviderName(context, "Mine", number, text)
        assert api.SCardGetCardTypeProviderName(0, "MINE", number) == text
    primary = api.SCardGetCardTypeProviderName(context, "Mine", SCARD_PROVIDER_PRIMARY)
    assert primary == "{C1FDF2EF-A199-11D1-86BD-00A0C903AA9B}"
    assert api.SCardGetProviderId(context, "Mine") == GUID
    assert api.SCardListInterfaces(context, "Mine") == [GUID, OTHER]
    assert api.SCardListCards(context) == ["Mine"]
    assert api.SCardListCards(0, None, [OTHER, GUID]) == ["Mine"]
    assert api.SCardListCards(0, ATR, [OTHER]) == ["Mine"]
    assert api.SCardListCards(0, ATR, [OTHER, UUID(int=1)]) == []
    assert api.SCardListCards(0, b"\x3b\x00", [OTHER]) == []
    api.SCardForgetCardType(context, "Mine")
    assert api.SCardListCards(context) == []
    assert code_of(api.SCardForgetCardType, context, "Mine") == SCARD.E_UNKNOWN_CARD


@pytest.mark.wdk("rm.cards.provider-name")
def test_what_is_not_there(place):
    api, context = place.api, place.context
    assert code_of(api.SCardListInterfaces, context, "Mine") == SCARD.E_UNKNOWN_CARD
    assert code_of(api.SCardGetProviderId, context, "Mine") == SCARD.E_UNKNOWN_CARD
    for name in ("Mine", ""):
        asked = (context, name, SCARD_PROVIDER_CSP)
        assert code_of(api.SCardGetCardTypeProviderName, *asked) == Win32.FILE_NOT_FOUND
        assert code_of(api.SCardSetCardTypeProviderName, *asked, "x") == Win32.FILE_NOT_FOUND
    api.SCardIntroduceCardType(context, "Mine", None, [], ATR)
    assert code_of(api.SCardGetProviderId, context, "Mine") == Win32.FILE_NOT_FOUND
    assert api.SCardListInterfaces(context, "Mine") == []


@pytest.mark.parametrize(
    ("atr", "mask", "length", "stored"),
    [
        (ATR, None, None, (ATR, b"")),
        (ATR + b"more", None, 0, (ATR, b"")),
        (b"\x3b\x00", None, 0, (b"\x3b\x00", b"")),
        (ATR, b"\xff" * 5, 5, (ATR, b"\xff" * 5)),
        (ATR, b"\xff" * 9, 3, (ATR[:3], b"\xff" * 3)),
        (ATR, b"\xff" * 5, 0, SCARD.E_INVALID_PARAMETER),
        (ATR, b"\xff" * 4, None, SCARD.E_INVALID_PARAMETER),
        (ATR, b"\xff" * 4, 5, SCARD.E_INVALID_PARAMETER),
        (ATR, None, 6, SCARD.E_INVALID_PARAMETER),
        (ATR, None, -1, SCARD.E_INVALID_PARAMETER),
        (ATR[:4], None, 0, SCARD.E_INVALID_ATR),
        (b"", None, 0, SCARD.E_INVALID_ATR),
        (b"", None, None, SCARD.E_INVALID_ATR),
        (bytes(40), None, None, SCARD.E_INVALID_ATR),
    ],
)
def test_the_length_of_an_atr(place, atr, mask, length, stored):
    args = (place.context, "Mine", None, None, atr, mask, length)
    if isinstance(stored, SCARD):
        assert code_of(place.api.SCardIntroduceCardType, *args) == stored
        assert place.api.SCardListCards(0) == []
    else:
        place.api.SCardIntroduceCardType(*args)
        entry = place.host.rm.card_types(64).find("Mine")
        assert (entry.atr, entry.mask) == stored


@pytest.mark.wdk("minidriver.wow64")
def test_a_program_of_32_bits(place):
    registry, narrow = place.host.registry, ScardApi(place.host, bits=32)
    context = narrow.SCardEstablishContext()
    narrow.SCardIntroduceCardType(context, "Narrow", None, None, ATR)
    assert registry.find(rf"HKLM\SOFTWARE\Wow6432Node\{CALAIS}\SmartCards\Narrow")
    assert place.api.SCardListCards(0) == []
    place.slot.insert(Both())
    assert place.api.SCardListCards(0, ATR) == [GIDS_CARD]
    assert narrow.SCardListCards(0, ATR) == ["Narrow"]
    narrow.SCardForgetCardType(context, "Narrow")
    # What services remember is one for all.
    assert narrow.discover(ATR).source == "IDMP cache"
    assert registry.find(rf"HKLM\SOFTWARE\{CALAIS}\IDMP ATR Cache")
    assert registry.find(rf"HKLM\SOFTWARE\Wow6432Node\{CALAIS}\IDMP ATR Cache") is None


def test_a_system_of_32_bits_has_one_view():
    with Host(WINDOWS, bits=32) as host:
        host.add_reader()
        api = ScardApi(host)
        api.SCardIntroduceCardType(api.SCardEstablishContext(), "Mine", None, None, ATR)
        assert host.registry.find(rf"HKLM\SOFTWARE\{CALAIS}\SmartCards\Mine")
        with pytest.raises(UsageError, match="no program of 64 bits"):
            ScardApi(host, bits=64)
    with pytest.raises(UsageError, match="16 bits"):
        Host(WINDOWS, bits=16)


# ------------------------------------------------------------------ contexts and profiles


def calls(api, context, name):
    states = [ReaderState(name)]
    return {
        "needs": (
            (api.SCardIntroduceCardType, context, "X", None, None, ATR),
            (api.SCardForgetCardType, context, "X"),
            (api.SCardGetProviderId, context, "X"),
            (api.SCardListInterfaces, context, "X"),
            (api.SCardLocateCards, context, ["X"], states),
            (api.SCardLocateCardsByATR, context, [AtrMask(ATR, ATR)], states),
        ),
        "may": (
            (api.SCardListCards, context),
            (api.SCardGetCardTypeProviderName, context, "X", SCARD_PROVIDER_CSP),
            (api.SCardSetCardTypeProviderName, context, "X", SCARD_PROVIDER_CSP, "Y"),
        ),
    }


def test_which_functions_need_a_context(place):
    for context, refused in ((0, ("needs",)), (place.context + 1, ("needs", "may"))):
        for group in refused:
            for call, *args in calls(place.api, context, place.name)[group]:
                assert code_of(call, *args) == SCARD.E_INVALID_HANDLE
    place.api.SCardReleaseContext(place.context)
    assert code_of(place.api.SCardListCards, place.context) == SCARD.E_INVALID_HANDLE


def test_pcscd_has_no_card_types(make_place):
    place = make_place(PCSCLITE)
    for group in calls(place.api, place.context, place.name).values():
        for call, *args in group:
            assert code_of(call, *args) == SCARD.E_UNSUPPORTED_FEATURE
    assert code_of(place.api.discover, ATR) == SCARD.E_UNSUPPORTED_FEATURE


def test_without_a_context_no_reader_is_needed_and_without_a_service_nothing_works():
    host = Host(WINDOWS)
    api = ScardApi(host)
    assert api.SCardListCards(0) == []
    assert code_of(api.SCardListCards, 1) == SCARD.E_NO_SERVICE
    host.close()
    assert code_of(api.SCardListCards, 0) == SCARD.E_NO_SERVICE


# ------------------------------------------------------------------ waiting


@pytest.mark.wdk("discovery.winscard.transaction")
def test_inside_a_transaction_of_its_own_a_call_ends(place, pool):
    place.slot.insert(Both())
    handle, _ = place.api.SCardConnect(place.context, place.name)
    place.api.SCardBeginTransaction(handle)
    call = pool.submit(place.api.SCardListCards, place.context, ATR)
    until(lambda: place.reader.places)
    place.host.run(place.clock.advance, 5.1)
    assert call.result(20) == [GIDS_CARD]
    assert code_of(place.api.SCardStatus, handle) == SCARD.W_RESET_CARD


def test_patience_has_an_end(make_place, pool):
    place = make_place(WINDOWS._replace(transaction_idle_s=None))
    place.slot.insert(Both())
    handle, _ = place.api.SCardConnect(place.context, place.name)
    place.api.SCardBeginTransaction(handle)
    call = pool.submit(place.api.SCardListCards, place.context, ATR)
    until(lambda: place.reader.places)
    place.host.run(place.clock.advance, 1.0)
    assert call.result(20) == []
    assert ScardApi(place.host, blocking=False).SCardListCards(0, ATR) == []
    place.api.SCardEndTransaction(handle, Disposition.LEAVE)
    assert place.api.SCardListCards(place.context, ATR) == [GIDS_CARD]


def test_a_status_change_after_locating_does_not_end_at_once(place):
    place.slot.insert(Both())
    (found,) = place.api.SCardLocateCards(place.context, [GIDS_CARD], [ReaderState(place.name)])
    known = [found._replace(current_state=found.event_state & ~int(F.CHANGED))]
    assert code_of(place.api.SCardGetStatusChange, place.context, 0, known) == SCARD.E_TIMEOUT
