# SPDX-License-Identifier: Apache-2.0
"""Each 3xx rule: a change to a package without faults that makes this rule appear, and no other."""

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.cardids import GIDS_ID, PIV_ID
from vreader.setupapi.inf import InfError, parse_inf
from vreader.setupapi.lint import has_errors, lint
from vreader.setupapi.rules import RULES
from vreader.setupapi.skeleton import skeleton

FABRIKAM = Path(__file__).with_name("fixtures") / "fabrikam.inf"
ATR = bytes.fromhex("3B0451FF0800")
FIXTURE_OF_MODELS = FABRIKAM.with_name("esteid-models-lead-to-defaultinstall.inf")
GOOD = skeleton(ATR, name="Fabrikam", vendor="Fabrikam", module="fabrikamcm.dll")
UNAVOIDABLE = {303, 326}  # what every package for 64-bit Windows has

HKLM = 'HKLM,%CardKey%,"'
ATR_LINE = HKLM + 'ATR",0x00000001,3b,04,51,ff,08,00'
MASK_LINE = HKLM + 'ATRMask",0x00000001,ff,ff,ff,ff,ff,ff'
CSP_LINE = HKLM + 'Crypto Provider",0x00000000,"Microsoft Base Smart Card Crypto Provider"'
KSP_LINE = (
    HKLM + 'Smart Card Key Storage Provider",0x00000000,"Microsoft Smart Card Key Storage Provider"'
)
MODULE_LINE = HKLM + '80000001",0x00000000,"fabrikamcm.dll"'


def numbers(text, others=()):
    return {finding.rule.number for finding in lint(parse_inf(text), others)}


def both(line, changed):
    """Change a line for all programs, 32-bit ones too."""
    narrow = tuple(text.replace("%CardKey%", "%CardKeyWow64%") for text in (line, changed))
    return [(line, changed), narrow] if narrow[0] != line else [(line, changed)]


def more(*lines):
    """Add lines for all programs, 32-bit ones too."""
    return both(MODULE_LINE, "\n".join((MODULE_LINE, *lines)))


def atr(pattern, mask, ident="51ff0800"):
    return [
        *both(ATR_LINE, f'{HKLM}ATR",0x00000001,{bytes.fromhex(pattern).hex(",")}'),
        *both(MASK_LINE, f'{HKLM}ATRMask",0x00000001,{bytes.fromhex(mask).hex(",")}'),
        ("CID_51ff0800", f"CID_{ident}"),
    ]


def section(name, text=""):
    return [("[DestinationDirs]", f"[{name}]\n{text}\n\n[DestinationDirs]")]


def without_section(name):
    return [(re.compile(rf"(?m)^\[{re.escape(name)}[^\n]*\][^\[]*"), "")]


SECOND = "".join(f"%Other%,{line}\n".replace("%Other%,HKLM,%CardKey%", "HKLM,%CardKey%2")
                 for line in (ATR_LINE, MASK_LINE, CSP_LINE, KSP_LINE, MODULE_LINE))  # fmt: skip
OTHER_CARD = more(*SECOND.replace("04,51,ff,08,00", "04,51,ff,08,01").splitlines())
CHANGES = [
    (301, [("= SmartCard\n", "= SmartCardReader\n")]),
    (301, [("{990A2BD7-E738-46C7-B26F-1CF8FB9F1391}", "{990A2BD7-E738-46C7-B26F-000000000000}")]),
    (301, [(re.compile(r"(?m)^Class .*\nClassGuid.*\n"), "")]),
    (302, without_section("DefaultInstall")),
    (304, [("[DefaultInstall.NTx86]", "[DefaultInstall]")]),
    (304, [("[DefaultInstall.NTx86]", "[DefaultInstall]\nAddReg = Card_Wow64")]),  # for any machine
    (305, [*section("Relative", "HKR,,x,,y"),
           ("[DefaultInstall.NTx86]", "[DefaultInstall.NTx86]\nAddReg=Relative")]),
    (306, [("Card_x86,SC", "DefaultInstall.NTx86,SC"), (re.compile(r"(?s)\[Card_x86.*?\n\[Card_a"),
            "[Card_a"), (re.compile(r"CopyFiles = Module_x86\n"), r"""CopyFiles = Module_x86
Include = umpass.inf
Needs = UmPass
"""), *section("DefaultInstall.NTx86.Services", "AddService=,2")]),
    (307, without_section("DefaultInstall.NTx86")),
    (310, atr("3b0451ff0801", "ffffffffff00")),
    (310, atr("3b0451ff0800", "ffffff0fffff")),
    (311, both(MASK_LINE, MASK_LINE + ",ff")),
    (311, both(MASK_LINE, MASK_LINE[:-3])),
    (312, atr("3b0451ff08", "ffffffffff", "51ff08")),
    (312, atr("3c0451ff0800", "ffffffffffff")),
    (312, atr("3b0451ff0800" + 28 * "00", "ff" * 34)),
    (312, atr("3bff51ff0800", "ffffffffffff")),
    (313, atr("3b8401" + "51ff0800" + "d3", "ff" * 8)),
    (314, both(ATR_LINE, "")),
    (314, [(ATR_LINE, "")]),  # the two views do not differ in what one of them lacks
    (315, both(MASK_LINE, "")),
    (316, both(MODULE_LINE, "")),
    (317, both(CSP_LINE, "") + both(KSP_LINE, "")),
    (318, both(CSP_LINE, "")),
    (318, both(KSP_LINE, "")),
    (319, both("Microsoft Base Smart Card Crypto Provider", "Fabrikam Crypto Provider")),
    (319, both("Microsoft Base Smart Card Crypto Provider", "Fabrikam Crypto Provider")
          + both(KSP_LINE, "") + both(MODULE_LINE, "")),  # such a card needs neither
    (320, both(ATR_LINE, HKLM + 'ATR",,"3b,04,51,ff,08,00"')),
    (320, both(MASK_LINE, HKLM + 'ATRMask",0x00010001,0xff')),
    (320, both(MODULE_LINE, HKLM + '80000001",0x00020000,"fabrikamcm.dll"')),
    (321, [("SCFILTER\\CID_51ff0800", "SCFILTER\\51ff0800")]),
    (321, [("SCFILTER\\CID_51ff0800", "SCFILTER\\CID_51ff080")]),
    (321, [("SCFILTER\\CID_51ff0800", "SCFILTER\\CID_" + 16 * "00")]),
    (321, [("SCFILTER\\CID_51ff0800", "51ff0800")]),
    (321, [("SCFILTER\\CID_51ff0800", "USB\\VID_1234")]),
    (321, [(",SCFILTER\\CID_51ff0800", "")]),
    (322, [("SCFILTER\\CID_51ff0800", "SCFILTER\\CID_51ff0801")]),
    (322, [("SCFILTER\\CID_51ff0800", "SCFILTER\\CID_51ff080000")]),
    (323, [("SCFILTER\\CID_51ff0800", PIV_ID.upper())]),
    (323, [("SCFILTER\\CID_51ff0800", GIDS_ID)]),
    (323, [("CID_51ff0800", f"CID_51ff0800,{PIV_ID}")]),
    (324, [("AddReg    = Card_Wow64\n", ""), (re.compile(r"(?s)\[Card_Wow64\].*?\n\n"), "")]),
    (324, [(MODULE_LINE, MODULE_LINE + f'\n{HKLM}80000100",,"en-US,PIN"')]),
    (325, [(MODULE_LINE.replace("Key%", "KeyWow64%"),
            MODULE_LINE.replace("Key%", "KeyWow64%") + f'\n{HKLM}80000100",,"en-US,PIN"')]),
    (325, [("AddReg    = Card_Narrow", "AddReg = Card_Narrow,Card_Wow64")]),
    (325, [("AddReg    = Card_Narrow", "AddReg = Card_Narrow,Card_Wow64"),
           (MODULE_LINE.replace("Key%", "KeyWow64%"), HKLM[:-3] + 'Wow64%,"80000001",,other.dll'),
           ("[Module_Wow64]\nfabrikamcm.dll", "[Module_Wow64]\nother.dll,fabrikamcm.dll")]),
    (327, [(ATR_LINE.replace("Key%", "KeyWow64%"),
            ATR_LINE.replace("Key%", "KeyWow64%").replace("04,51,ff", "04,51,fe")),
           (MASK_LINE.replace("Key%", "KeyWow64%"),
            MASK_LINE.replace("Key%", "KeyWow64%").replace("1,ff,ff,ff,ff", "1,ff,ff,ff,fe"))]),
    (328, more(f'{HKLM}80000107",,"en-US,PIN"')),
    (328, more(f'{HKLM}80000002",,"en-US,PIN"')),
    (329, more(f'{HKLM}80000100",,"Enter the PIN"')),
    (329, more(f'{HKLM}80000106",,"en-US,a;en-us,b"')),
    (329, more(f'{HKLM}80000103",,"en-US,""a"""')),
    (330, [("[Module_x86]\nfabrikamcm.dll", "[Module_x86]")]),
    (331, both('"fabrikamcm.dll"', '"C:\\Fabrikam\\fabrikamcm.dll"')),
    (331, [("Module_x86 = 10,system32", "Module_x86 = 12")]),
    (331, [("Module_Wow64 = 10,syswow64", "Module_Wow64 = 10,system32")]),
    (332, without_section("Card_x86.NT.Services")),
    (332, [("[Card_amd64.NT.HW]\nInclude   = umpass.inf\nNeeds     = UmPass.HW\n", "")]),
    (333, [("[Card_x86.NT.Services]\nInclude   = umpass.inf\nNeeds     = UmPass.Services",
            "[Card_x86.NT.Services]")]),
    (335, section("Card_x86.NT.Hardware")),
    (335, section("Card_x86.HW")),
    (335, section("DefaultInstall.NTx86.NT.HW")),
    (335, section("DefaultInstall.Setup")),
    (336, more(*SECOND.splitlines()) + both(MASK_LINE.replace("Key%", "Key%2"),
          MASK_LINE.replace("Key%", "Key%2").replace("ff,ff,ff,ff,ff,ff", "ff,ff,ff,ff,ff,00"))),
    (338, [("[Cards.NTx86.6.1]", "[Cards.NTx86.6.1]\n%Vendor% = Card_x86,SCFILTER\\CID_51FF0800")]),
    (343, OTHER_CARD),
    (342, atr("3b0400000000", "ffff00000000")),
    (342, atr("000000000000", "000000000000")),
    (342, atr("3b1411" + "00000000", "ffffff" + "00000000")),  # TA1 is not the card's own
    (340, [("AddReg    = Card_Narrow\nInclude", "Include")]),
    (341, [("AddReg    = Card_Wide\n", ""), (re.compile(r"(?s)\[Card_Wide\].*?\n\n"), "")]),
]  # fmt: skip
ALSO = {302: {334}, 333: {332}}  # what the same change breaks, too


@pytest.mark.parametrize(("number", "changes"), CHANGES, ids=lambda value: str(value)[:30])
def test_what_breaks_a_rule_is_found(number, changes):
    text = GOOD
    for before, after in changes:
        if isinstance(before, str):
            assert before in text, before
            text = text.replace(before, after)
        else:
            assert before.search(text), before
            text = before.sub(after.replace("\\", "\\\\"), text)
    found = numbers(text)
    assert number in found
    assert found - UNAVOIDABLE - ALSO.get(number, set()) <= {number}


ELSEWHERE = {303, 326, 334, 337, 339}  # tested below


def test_every_rule_has_a_case():
    rules = {number for number in RULES if number >= 300}
    assert {number for number, _ in CHANGES} | ELSEWHERE == rules


def test_a_package_without_faults():
    assert numbers(GOOD) == UNAVOIDABLE


@pytest.mark.parametrize("class_", ["Net", ""])
def test_the_class_is_guessed_from_the_rest(class_):
    text = re.sub(r"(?m)^Class .*\nClassGuid.*\n", f"Class={class_}\n", GOOD)
    found = [finding for finding in lint(parse_inf(text)) if finding.rule.number == 301]
    assert len(found) == 2
    assert all("about cards, not about a reader" in finding.text for finding in found)
    findings = lint(parse_inf(f"[Version]\nClass={class_}\n"))
    told = [finding.text for finding in findings if finding.rule.number == 201]
    assert told
    assert all("a card's minidriver would have SmartCard" in text for text in told)


def test_rules_for_readers_are_not_for_cards_nor_the_other_way(our_inf):
    assert not {number for number in numbers(GOOD) if 200 <= number < 300}
    assert not numbers(our_inf)


def test_x86_alone():
    text = skeleton(ATR, name="x", vendor="y", module="z.dll", architectures=["x86"])
    assert numbers(text) == {303, 334}


@pytest.mark.parametrize(
    "changes",
    [
        atr("3b0450ff0800", "fffffeffffff", "50ff0800"),  # ids are compared under the mask
        atr("3b0450ff0800", "fffffeffffff", "51ff0800"),
        atr("3b8401" + "51ff0800" + "00", "ff" * 7 + "00"),  # TCK is not looked at
        atr("3b8001" + "51ff0800" + "00", "fff0ff" + "ff" * 4 + "00"),  # nor historical bytes
        atr("3b0051ff0800", "ff00ffffffff", "01"),  # anything may follow this T0
        atr("3b0400000800", "ffff0000ff00"),
        atr("3b1010", "fffff0", "01234567-89ab-cdef-0123-456789ABCDEF"),
        [("SCFILTER\\CID_51ff0800", "scfilter\\cid_51FF0800")],
        [("SCFILTER\\CID_51ff0800", "SCFILTER\\CID_01234567-89ab-cdef-0123-456789ABCDEF")],
        [("SCFILTER\\CID_51ff0800", ",SCFILTER\\CID_51ff0800")],  # a compatible id alone
        [("x86 = 10,system32", "x86 = 11"), ("64 = 10,syswow64", "64 = 16425")],
        [("_x86 = 10,system32", "_x86 = 13"), ("_amd64 = 10,system32", "_amd64 = 13")],
        both('"fabrikamcm.dll"', '"%13%\\fabrikamcm.dll"'),
        more(f'{HKLM}80000100",,"en-US,PIN;de-DE,PIN, bitte"'),
        [("Include   = umpass.inf\nNeeds     = UmPass.Services", "AddService = ,2")],
        [("CatalogFile =", "CatalogFile.NT =")],
        [*OTHER_CARD, ("CID_51ff0800", "CID_51ff0800,SCFILTER\\CID_51FF0801")],
        [*OTHER_CARD, ("CID_51ff0800", f"CID_51ff0800,SCFILTER\\CID_{PIV_ID[-36:-1]}0")],  # a GUID
        [('Vendor       = "Fabrikam"', 'Vendor = "Fabrikam in %SystemRoot%, 100%%"')],
    ],
    ids=str,
)
def test_what_is_fine_too(changes):
    text = GOOD
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    assert numbers(text) == UNAVOIDABLE


def test_what_another_section_needs_is_seen():
    before = "[Card_x86.NT]\nCopyFiles = Module_x86\nAddReg    = Card_Narrow"
    text = GOOD.replace(before, "[Card_x86.NT]\nNeeds = Common")
    assert text != GOOD
    assert numbers(text + "[Common]\nCopyFiles = Module_x86\nAddReg = Card_Narrow\n") == UNAVOIDABLE


def test_models_that_lead_to_defaultinstall_are_told_of_once():
    text = FIXTURE_OF_MODELS.read_text()
    before = next(line for line in text.splitlines() if "CID_" in line)
    findings = lint(parse_inf(text.replace(before, f"{before}0\n{before}")))
    told = [(one.line, one.text[-9:]) for one in findings if one.rule.number == 306]
    assert told == [(17, "ll.NTx86]"), (21, ".NTamd64]")]


def test_the_line_is_the_first_of_a_continued_one():
    where = GOOD[: GOOD.index(ATR_LINE)].count("\n") + 1
    broken = ATR_LINE.replace("04,51,ff", "\\\n  04,\\\n  51,ff")
    text = GOOD.replace(ATR_LINE, broken).replace("ff,ff,ff,ff,ff,ff", "ff,ff,ff,ff,f7,ff")
    text = text.replace(MODULE_LINE, f'{MODULE_LINE}\n{HKLM}80000107",,"en-US,PIN"')
    for ends in ("\n", "\r\n"):
        found = lint(parse_inf(text.replace("\n", ends)))
        assert next(one.line for one in found if one.rule.number == 310) == where
        assert next(one.line for one in found if one.rule.number == 328) == where + 7


def test_the_sample_of_the_wdk():
    findings = lint(parse_inf(FABRIKAM.read_text()))
    assert [(one.rule.number, one.rule.severity) for one in findings] == [
        (303, "info"), (304, "info"), (326, "warning"),
    ]  # fmt: skip
    assert not has_errors(findings)


@given(st.data())
def test_whatever_is_changed_is_linted_or_refused(data):
    lines = GOOD.splitlines()
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(lines) - 1))
        other = data.draw(st.sampled_from(lines))
        lines[at] = data.draw(st.sampled_from([other, lines[at][3:], other + lines[at], ""]))
    with contextlib.suppress(InfError):
        inf = parse_inf("\n".join(lines))
        lint(inf, [inf])
