# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.setupapi.calais import SMART_CARDS, SMART_CARDS_WOW64, card_entries, is_calais_wow64
from vreader.setupapi.inf import parse_inf
from vreader.setupapi.regops import parse_add


def lines(*texts):
    inf = parse_inf("[R]\n" + "\n".join(texts))
    return [parse_add(inf, entry) for entry in inf.sections["R"].entries]


def entries(*texts, wow64=True):
    return card_entries(lines(*texts), wow64=wow64)


@pytest.mark.parametrize(
    ("path", "wow64", "view"),
    [
        (rf"HKLM,{SMART_CARDS}\Card,ATR,1,3b", True, False),
        (rf"HKLM,{SMART_CARDS_WOW64}\Card,ATR,1,3b", True, True),
        (rf"hklm,{SMART_CARDS.lower()}\Card\,ATR,1,3b", True, False),
        (rf"HKLM,{SMART_CARDS}\Card,ATR,0x4001,3b", True, True),  # FLG_ADDREG_32BITKEY
        (rf"HKLM,{SMART_CARDS}\Card,ATR,0x4001,3b", False, False),  # there is no other view
    ],
)
def test_both_views(path, wow64, view):
    ((key, entry),) = entries(path, wow64=wow64).items()
    assert key == ("CARD", view)
    assert (entry.name, entry.wow64, entry.data("atr")) == ("Card", view, b"\x3b")


@pytest.mark.parametrize(
    "line",
    [
        rf"HKLM,{SMART_CARDS},ATR,1,3b",
        rf"HKLM,{SMART_CARDS}\Card\Deeper,ATR,1,3b",
        rf"HKCU,{SMART_CARDS}\Card,ATR,1,3b",
        rf"HKLM,{SMART_CARDS}\Card,ATR,4",  # FLG_ADDREG_DELVAL
        r"HKLM,SOFTWARE\Microsoft\Cryptography\Calais\Readers\Card,ATR,1,3b",
    ],
)
def test_what_is_no_card(line):
    assert entries(line) == {}


def test_the_last_value_counts_and_the_first_line_is_the_place():
    key = rf"HKLM,{SMART_CARDS}\Card"
    (entry,) = entries(f"{key},,0x10", f"{key},80000001,,a", f"{key},80000001,,b").values()
    assert (entry.line, entry.text("80000001"), entry.data("80000001")) == (2, "b", None)


@pytest.mark.parametrize(
    ("atr", "mask", "pattern"),
    [
        ("ATR,1,3b,0", "ATRMask,1,ff,f0", (b"\x3b\0", b"\xff\xf0")),
        ("ATR,1,3b,0", "x,,", (b"\x3b\0", b"\xff\xff")),  # no mask, every bit counts
        ("ATR,1,3b,0", "ATRMask,1,ff", None),
        ("ATR,1,3b,0", "ATRMask,,ff", None),
        ("ATR,,3b", "ATRMask,1,ff", None),
    ],
)
def test_atr_and_mask(atr, mask, pattern):
    key = rf"HKLM,{SMART_CARDS}\Card"
    (entry,) = entries(f"{key},{atr}", f"{key},{mask}").values()
    found = entry.pattern
    assert (None if found is None else (found.atr, found.mask)) == pattern


def test_below_calais_for_32_bit_programs():
    found = [
        is_calais_wow64(line, wow64=True)
        for line in lines(
            r"HKLM,SOFTWARE\Wow6432Node\Microsoft\Cryptography\Calais\Readers,,0x10",
            r"HKLM,SOFTWARE\Wow6432Node\Microsoft\Cryptography\Calais,,0x10",
            r"HKLM,SOFTWARE\Wow6432Node\Microsoft\Cryptography,,0x10",
            rf"HKLM,{SMART_CARDS},,0x10",
            rf"HKCU,{SMART_CARDS_WOW64},,0x10",
        )
    ]
    assert found == [True, True, False, False, False]
