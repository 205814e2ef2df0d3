# SPDX-License-Identifier: Apache-2.0
"""Why nothing matches: the nearest entry, the first bit, and which byte of an ATR that is."""

import pytest
from card_patterns import (
    ALL,
    FABRIKAM,
    FABRIKAM_ENTRY,
    OPENPGP_2,
    OPENPGP_3,
    WESTCOS_ENTRY,
    YUBIKEY_5,
    H,
    few_bits,
    registrations,
)
from hypothesis import given
from hypothesis import strategies as st

from vreader.pairing.matching import Bit, Matcher, Pattern, Verdict, flaw
from vreader.pairing.nearest import nearest


def exactly(name: str, atr: bytes) -> Pattern:
    return Pattern(name, atr, b"\xff" * len(atr))


def test_a_historical_byte_differs():
    found = nearest([WESTCOS_ENTRY, exactly("OpenPGP 3", OPENPGP_3)], OPENPGP_2)
    assert found.entry.name == "OpenPGP 3"
    assert (found.lengths, found.bits, found.where) == (0, 4, Bit(12, 5))
    assert (found.byte, found.has, found.wants, found.mask) == (
        "historical byte 3", 0xC5, 0xF5, 0xFF,
    )  # fmt: skip
    assert found.text == (
        "byte 12 bit 5 (historical byte 3) is 0 and should be 1: the card has C5, it wants F5 "
        "under mask FF, the first of 4 bits that differ"
    )


@pytest.mark.parametrize(
    ("at", "byte"),
    [
        (0, "TS"), (1, "T0"), (2, "TA1"), (3, "TB1"), (4, "TC1"), (5, "TD1"), (6, "TD2"),
        (7, "TA3"), (8, "TB3"), (9, "historical byte 1"), (21, "historical byte 13"), (22, "TCK"),
    ],
)  # fmt: skip
def test_every_byte_has_its_name(at, byte):
    other = YUBIKEY_5[:at] + bytes((YUBIKEY_5[at] ^ 1,)) + YUBIKEY_5[at + 1 :]
    found = nearest([exactly("other", other)], YUBIKEY_5)
    assert (found.byte, found.where, found.bits) == (byte, Bit(at, 0), 1)
    assert found.text.endswith("under mask FF")


def test_the_fewest_bits_of_the_same_length_are_nearest():
    far = exactly("far", H("3B04AE00F7FF"))
    near = exactly("near", H("3B0451FF0801"))
    longer = exactly("longer", FABRIKAM + b"\0")
    assert nearest([far, longer, near], FABRIKAM).entry is near
    assert nearest([longer, far], FABRIKAM).entry is far


def test_of_equals_the_first_is_told():
    one, two = exactly("one", H("3B0451FF0801")), exactly("two", H("3B0451FF0802"))
    assert nearest([one, two], FABRIKAM).entry is one
    assert nearest([two, one], FABRIKAM).entry is two


def test_without_its_length_the_nearest_length():
    found = nearest([exactly("8", FABRIKAM + b"\0\0"), exactly("5", FABRIKAM[:5])], FABRIKAM)
    assert (found.entry.name, found.lengths, found.where) == ("5", -1, None)
    assert found.text == (
        "its ATR has 5 bytes, the card's 6; all before that is equal under its mask"
    )
    assert (found.byte, found.has) == ("", None)


def test_an_entry_that_would_match_if_it_had_been_masked():
    gnuk = Pattern("Gnuk", FABRIKAM[:-1] + b"\xe4", b"\xff" * 5 + b"\0")
    found = nearest([FABRIKAM_ENTRY._replace(atr=H("3B0451FF08FF")), gnuk], FABRIKAM)
    assert (found.entry.name, found.bits, found.never, found.where) == ("Gnuk", 0, True, Bit(5, 7))
    assert found.text == (
        "the card's ATR is equal to it under its mask; no card can ever match: its stored ATR has "
        "bits outside of its mask, the first byte 5 bit 7"
    )


def test_nothing_to_compare_with():
    assert nearest([], FABRIKAM) is None
    assert nearest([Pattern("x", b""), Pattern("y", FABRIKAM, b"\xff")], FABRIKAM) is None


def test_a_card_without_an_atr_and_a_broken_one_are_explained_too():
    assert nearest([FABRIKAM_ENTRY], b"").lengths == 6
    for atr in (b"\x3b", b"\x3b\xff", b"\0" * 6, b"\xff" * 33):
        assert nearest([FABRIKAM_ENTRY, WESTCOS_ENTRY], atr).record()["text"]


@given(st.lists(registrations(), min_size=1, max_size=8), st.integers(1, 3).map(few_bits))
def test_no_other_entry_is_nearer(entries, atrs):
    for atr in atrs:
        found = nearest(entries, atr)
        comparable = [e for e in entries if (f := flaw(e)) is None or f[0] is Verdict.NEVER]
        if found is None:
            assert not comparable
            continue
        assert min(abs(len(e.atr) - len(atr)) for e in comparable) == abs(found.lengths)
        if Matcher(entries).first(atr) is None and not found.never and not found.lengths:
            assert found.bits >= 1
            assert found.where.of(found.entry.mask or b"\xff" * len(atr)) == 1
            assert found.where.of(atr) != found.where.of(found.entry.atr)


def test_as_json():
    assert nearest([exactly("OpenPGP 3", OPENPGP_3)], ALL[4]).record() == {
        "name": "OpenPGP 3",
        "lengths": 0,
        "bits": 4,
        "where": {"byte": 12, "bit": 5},
        "byte": "historical byte 3",
        "has": "C5",
        "wants": "F5",
        "mask": "FF",
        "never": False,
        "text": nearest([exactly("OpenPGP 3", OPENPGP_3)], ALL[4]).text,
    }
