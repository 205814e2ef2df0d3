# SPDX-License-Identifier: Apache-2.0
r"""Card types: ``Calais\SmartCards``, what matches, and what is wrong with entries that do not."""

from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vreader.registry import REG_BINARY, REG_SZ, Registry, Value
from vreader.registry.view import View
from vreader.winscard.cardtypes import (
    CARD_MODULE,
    CSP,
    KSP,
    PRIMARY,
    SMART_CARDS,
    CardType,
    CardTypes,
)
from vreader.winscard.codes import SCARD, ScardError, Win32

FABRIKAM = bytes.fromhex("3B0451FF0800")
GUID = UUID("c1fdf2ef-a199-11d1-86bd-00a0c903aa9b")
OTHER = UUID("06e8ec7e-a19a-11d1-86bd-00a0c903aa9b")


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def types(registry):
    return CardTypes(View(registry))


def code_of(call, *args, **kwargs):
    with pytest.raises(ScardError) as caught:
        call(*args, **kwargs)
    return caught.value.code


# ------------------------------------------------------------------ what matches


@pytest.mark.parametrize(
    ("stored", "mask", "atr", "matches"),
    [
        ("3B0451FF0800", "FFFFFFFFFFFF", "3B0451FF0800", True),
        ("3B0451FF0800", "FFFFFFFFFFFF", "3B0451FF0801", False),
        ("3B0451FF0800", "FFFFFFFFFFFE", "3B0451FF0801", True),  # a bit of the mask is a bit
        ("3B045100", "FFFFFF00", "3B0451AA", True),
        ("3B0451AA", "FFFFFF00", "3B0451AA", False),  # not masked when it was stored
        ("3B045100", "", "3B045100", True),
        ("3B045100", "", "3B0451AA", False),
        ("3B0451", "FFFFFF", "3B0451FF", False),  # a shorter one is no beginning
        ("3B0451FF", "FFFFFFFF", "3B0451", False),
        ("3B0451FF", "FFFFFF", "3B0451FF", False),
        ("", "", "", False),
        ("00" * 6, "00" * 6, "3B0451FF0800", True),
    ],
)
def test_whether_a_card_is_of_a_type(stored, mask, atr, matches):
    entry = CardType("X", bytes.fromhex(stored), bytes.fromhex(mask))
    assert entry.matches(bytes.fromhex(atr)) is matches


def test_the_first_that_matches_is_it_and_the_order_is_a_choice(types):
    types.introduce("B", b"\x3b\x00", b"\xff\x00")
    types.introduce("a", b"\x3b\x80", b"\xff\xff")
    types.introduce("C", b"\x3b\x80")
    assert [entry.name for entry in types.list()] == ["a", "B", "C"]
    assert [entry.name for entry in types.list("created")] == ["B", "a", "C"]
    assert types.first(b"\x3b\x80").name == "a"
    assert types.first(b"\x3b\x80", "created").name == "B"
    assert types.first(b"\x3b") is None


def test_no_card_types(types):
    assert types.list() == []
    assert types.find("X") is None
    assert types.first(FABRIKAM) is None


# ------------------------------------------------------------------ what is read


@pytest.mark.wdk("minidriver.entry.module", "minidriver.entry.capi", "minidriver.entry.cng")
def test_an_entry_as_an_inf_leaves_it(registry, types):
    key = registry.create(rf"{SMART_CARDS}\Fabrikam")
    key.set("atr", Value.binary(FABRIKAM))
    key.set("ATRMask", Value.binary(b"\xff" * 6))
    key.set("Crypto Provider", Value.sz("A CSP"))
    key.set("Smart Card Key Storage Provider", Value.sz("A KSP"))
    key.set("80000001", Value.expand_sz(r"%SystemRoot%\fabrikamcm.dll"))
    key.set("80000100", Value.sz("en-US,Enter PIN;de-DE,PIN eingeben"))
    key.set("80000106", Value.sz("en-US,Unblock"))
    key.set("80000107", Value.sz("of no purpose"))
    assert types.find("FABRIKAM") == CardType(
        "Fabrikam",
        FABRIKAM,
        b"\xff" * 6,
        "A CSP",
        "A KSP",
        r"%SystemRoot%\fabrikamcm.dll",
        None,
        (),
        ((0, "en-US,Enter PIN;de-DE,PIN eingeben"), (6, "en-US,Unblock")),
    )


@pytest.mark.wdk("minidriver.entry.atr", "minidriver.entry.atr-mask")
@pytest.mark.parametrize(
    ("atr", "mask", "problem"),
    [
        (None, None, "no ATR"),
        (Value.binary(b""), None, "no ATR"),
        (Value.binary(bytes(40)), None, "its ATR has 40 bytes, one has 1 to 36"),
        (Value.sz("3B00"), None, "ATR is REG_SZ, not REG_BINARY"),
        (Value(0x1234, FABRIKAM), None, "ATR is 0x1234, not REG_BINARY"),
        (Value.binary(FABRIKAM), Value.dword(7), "ATRMask is REG_DWORD, not REG_BINARY"),
        (Value.binary(FABRIKAM), Value.binary(b"\xff"), "its ATRMask has 1 bytes, its ATR 6"),
        (
            Value.binary(FABRIKAM),
            Value.binary(b"\xff\xff\xff\x0f\xff\xff"),
            "its ATR has bits outside of its ATRMask",
        ),
    ],
)
def test_an_entry_that_cannot_be_used_says_why(registry, types, atr, mask, problem):
    key = registry.create(rf"{SMART_CARDS}\Bad")
    for name, value in (("ATR", atr), ("ATRMask", mask)):
        if value is not None:
            key.set(name, value)
    (entry,) = types.list()
    assert entry.problem == problem
    assert not entry.matches(FABRIKAM)
    assert not entry.matches(entry.atr)


def test_other_values_that_cannot_be_used_are_as_if_they_were_not_there(registry, types):
    key = registry.create(rf"{SMART_CARDS}\Bad")
    key.set("Crypto Provider", Value.dword(1))
    key.set("80000001", Value.multi_sz(["a.dll"]))
    key.set("Smart Card Key Storage Provider", Value(REG_SZ, b"A\0\0"))
    key.set("Primary Provider", Value.binary(bytes(15)))
    key.set("Supported Interfaces", Value.binary(bytes(17)))
    entry = types.find("Bad")
    assert (entry.csp, entry.ksp, entry.module) == ("", "A", "")
    assert (entry.primary_provider, entry.interfaces) == (None, ())
    key.set("Primary Provider", Value.binary(bytes(32)))
    key.set("Crypto Provider", Value.sz("A\0B"))
    entry = types.find("Bad")
    assert (entry.primary_provider, entry.csp) == (None, "A")


def test_an_atr_without_its_mask_is_none(registry, types):
    key = registry.create(rf"{SMART_CARDS}\Bad")
    key.set("ATR", Value.binary(FABRIKAM))
    key.set("ATRMask", Value.sz("FF"))
    assert (types.find("Bad").atr, types.find("Bad").mask) == (b"", b"")


# ------------------------------------------------------------------ what is written


@pytest.mark.wdk("minidriver.introduce")
def test_a_card_type_is_introduced(registry, types):
    types.introduce("Mine", FABRIKAM, b"\xff" * 6, primary_provider=GUID, interfaces=[GUID, OTHER])
    values = registry.open(rf"{SMART_CARDS}\Mine").values()
    assert [(name, value.type, value.data) for name, value in values] == [
        ("ATR", REG_BINARY, FABRIKAM),
        ("ATRMask", REG_BINARY, b"\xff" * 6),
        ("Primary Provider", REG_BINARY, GUID.bytes_le),
        ("Supported Interfaces", REG_BINARY, GUID.bytes_le + OTHER.bytes_le),
    ]
    entry = types.find("MINE")
    assert entry == CardType(
        "Mine", FABRIKAM, b"\xff" * 6, primary_provider=GUID, interfaces=(GUID, OTHER)
    )
    assert entry.supports([OTHER])
    assert entry.supports([])
    assert not entry.supports([OTHER, UUID(int=0)])


def test_what_cannot_be_introduced_changes_nothing(registry, types):
    types.introduce("Mine", FABRIKAM)
    before = registry.open(SMART_CARDS).subkeys()
    for code, *args in (
        (Win32.ALREADY_EXISTS, "MINE", b"\x3b\x00"),
        (SCARD.E_INVALID_ATR, "X", b""),
        (SCARD.E_INVALID_ATR, "X", bytes(37)),
        (SCARD.E_INVALID_PARAMETER, "X", FABRIKAM, b"\xff"),
        *((SCARD.E_INVALID_VALUE, name, FABRIKAM) for name in ("", "a\\b", "a\0b", "x" * 256)),
    ):
        assert code_of(types.introduce, *args) == code
    assert registry.open(SMART_CARDS).subkeys() == before
    assert types.find("Mine").atr == FABRIKAM


def test_the_longest_atr_and_no_mask(registry, types):
    types.introduce("Mine", bytes(36))
    assert [name for name, _ in registry.open(rf"{SMART_CARDS}\Mine").values()] == ["ATR"]
    assert types.first(bytes(36)).name == "Mine"


@pytest.mark.wdk("minidriver.introduce")
def test_its_providers_are_named(registry, types):
    types.introduce("Mine", FABRIKAM)
    for provider, value, text in (
        (CSP, "Crypto Provider", "A CSP"),
        (KSP, "Smart Card Key Storage Provider", "A KSP"),
        (CARD_MODULE, "80000001", "mine.dll"),
    ):
        assert code_of(types.provider, "Mine", provider) == Win32.FILE_NOT_FOUND
        types.set_provider("mine", provider, "before")
        types.set_provider("mine", provider, text)
        assert registry.open(rf"{SMART_CARDS}\Mine").get(value) == Value.sz(text)
        assert types.provider("MINE", provider) == text
    entry = types.find("Mine")
    assert (entry.csp, entry.ksp, entry.module) == ("A CSP", "A KSP", "mine.dll")


@pytest.mark.parametrize("text", [f"{{{GUID}}}", str(GUID).upper()])
def test_the_primary_provider_is_a_guid(types, text):
    types.introduce("Mine", FABRIKAM)
    for bad in ("no GUID", f"{{{GUID}", f"{GUID}}}", GUID.hex, GUID.urn, f" {GUID}"):
        assert code_of(types.set_provider, "Mine", PRIMARY, bad) == SCARD.E_INVALID_VALUE
    assert code_of(types.provider, "Mine", PRIMARY) == Win32.FILE_NOT_FOUND
    types.set_provider("Mine", PRIMARY, text)
    assert types.provider("Mine", PRIMARY) == "{C1FDF2EF-A199-11D1-86BD-00A0C903AA9B}"
    assert types.find("Mine").primary_provider == GUID


def test_providers_that_are_none(types):
    types.introduce("Mine", FABRIKAM)
    for number in (0, 4, 0x80000002, 0x80000100):
        assert code_of(types.provider, "Mine", number) == SCARD.E_INVALID_PARAMETER
        assert code_of(types.set_provider, "Mine", number, "x") == SCARD.E_INVALID_PARAMETER
    for text in ("", "a\0b"):
        assert code_of(types.set_provider, "Mine", CSP, text) == SCARD.E_INVALID_VALUE
    for name in ("Unknown", "", "a\\b"):
        assert code_of(types.provider, name, CSP) == Win32.FILE_NOT_FOUND
        assert code_of(types.set_provider, name, CSP, "x") == Win32.FILE_NOT_FOUND


@pytest.mark.wdk("minidriver.forget")
def test_a_card_type_is_forgotten(registry, types):
    types.introduce("Mine", FABRIKAM)
    registry.create(rf"{SMART_CARDS}\Mine\Below")
    types.forget("MINE")
    assert types.first(FABRIKAM) is None
    assert registry.find(rf"{SMART_CARDS}\Mine") is None
    assert code_of(types.forget, "Mine") == SCARD.E_UNKNOWN_CARD


@pytest.mark.wdk("minidriver.wow64")
def test_a_program_of_32_bits_has_card_types_of_its_own(registry, types):
    narrow = CardTypes(View(registry, 32))
    narrow.introduce("Mine", FABRIKAM)
    wow64 = r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Cryptography\Calais\SmartCards\Mine"
    assert registry.find(wow64) is not None
    assert types.list() == []
    types.introduce("Mine", b"\x3b\x00")
    assert narrow.first(FABRIKAM).name == "Mine"
    assert types.first(FABRIKAM) is None
    assert CardTypes(View(registry, 32, 32)).find("Mine").atr == b"\x3b\x00"


# ------------------------------------------------------------------ any registry

_few = st.binary(max_size=3).map(bytes) | st.sampled_from([b"\x3b\x00", b"\x3b\x80"])
_values = st.builds(Value, st.sampled_from([REG_BINARY] * 4 + [REG_SZ, 4, 99]), _few)
_entries = st.dictionaries(st.sampled_from("abcdEF"), st.tuples(_values, st.none() | _values))


@given(_entries, _few, st.sampled_from(["name", "created"]))
@example({"a": (Value.binary(b""), None)}, b"", "name")
def test_any_registry_is_walked_as_the_page_says(entries, atr, order):
    registry = Registry()
    for name, (stored, mask) in entries.items():
        key = registry.create(rf"{SMART_CARDS}\{name}")
        key.set("ATR", stored)
        if mask is not None:
            key.set("ATRMask", mask)
    names = sorted(entries, key=str.upper) if order == "name" else list(entries)
    expected = None
    for name in names:
        stored, mask = entries[name]
        bits = mask.data if mask is not None and mask.data else b"\xff" * len(stored.data)
        usable = stored.type == REG_BINARY and (mask is None or mask.type == REG_BINARY)
        masked = bytes(a & m for a, m in zip(atr, bits, strict=False))
        if usable and len(bits) == len(stored.data) == len(atr) > 0 and masked == stored.data:
            expected = name
            break
    found = CardTypes(View(registry)).first(atr, order)
    assert (found and found.name) == expected


@given(st.dictionaries(
    st.sampled_from(["ATR", "ATRMask", "Crypto Provider", "Smart Card Key Storage Provider",
                     "80000001", "80000100", "Primary Provider", "Supported Interfaces"]),
    st.builds(Value, st.integers(0, 12), st.binary(max_size=50))))  # fmt: skip
def test_anything_may_stand_in_an_entry(values):
    registry = Registry()
    key = registry.create(rf"{SMART_CARDS}\X")
    for name, value in values.items():
        key.set(name, value)
    types = CardTypes(View(registry))
    (entry,) = types.list()
    assert entry.problem or entry.atr
    for provider in (PRIMARY, CSP, KSP, CARD_MODULE):
        try:
            assert types.provider("X", provider)
        except ScardError as error:
            assert error.code is Win32.FILE_NOT_FOUND  # noqa: PT017
