# SPDX-License-Identifier: Apache-2.0
"""Two packages, or two cards of one, that get in each other's way."""

from hypothesis import given
from hypothesis import strategies as st

from vreader.setupapi.calais import card_entries
from vreader.setupapi.inf import parse_inf
from vreader.setupapi.lint import lint
from vreader.setupapi.lint_overlap import lint_overlap
from vreader.setupapi.minidriver import Install
from vreader.setupapi.regops import parse_add
from vreader.setupapi.skeleton import skeleton
from vreader.setupapi.syntax import Section

FABRIKAM = bytes.fromhex("3B0451FF0800")


def package(atr=FABRIKAM, name="Fabrikam", source="other.inf", **options):
    text = skeleton(atr, name=name, vendor="v", module="m.dll", **options)
    return parse_inf(text, source)


def beside(*others, rules=(336, 337, 338, 339), **options):
    findings = lint(package(**options), others)
    return [(one.rule.number, one.text.partition(": ")[2]) for one in findings
            if one.rule.number in rules]  # fmt: skip


def test_a_package_beside_itself():
    assert beside(package()) == [
        (338, r"SCFILTER\CID_51ff0800 of other.inf"),
        (339, "Fabrikam of other.inf"),
    ]


def test_another_name_for_the_same_card():
    assert beside(package(name="Contoso")) == [
        (338, r"SCFILTER\CID_51ff0800 of other.inf"),
        (337, "Fabrikam and Contoso of other.inf"),
    ]


def test_masks_that_meet_and_masks_that_do_not():
    one = package(bytes.fromhex("3B0451FF0801"), "Contoso", mask=bytes.fromhex("ffffffffff00"))
    assert beside(one) == [(337, "Fabrikam and Contoso of other.inf")]
    assert beside(one, mask=bytes.fromhex("ffffffff00ff")) == [
        (337, "Fabrikam and Contoso of other.inf")
    ]
    two = package(bytes.fromhex("3B0451FF0801"), "Contoso", mask=bytes.fromhex("ffffffffffff"))
    assert beside(two) == []
    assert beside(package(bytes.fromhex("3B0551FF080000"), "Contoso")) == []


def test_each_of_many_others_is_named():
    found = beside(package(name="a", source="a.inf"), package(name="b", source="b.inf"))
    assert [number for number, _ in found] == [338, 338, 337, 337]
    assert {text[-5:] for _, text in found} == {"a.inf", "b.inf"}


def test_a_readers_package_is_in_nobodys_way(our_inf):
    assert beside(parse_inf(our_inf, "vreader.inf")) == []


def test_what_is_wrong_with_the_other_is_not_reported():
    other = parse_inf(
        "[Manufacturer]\nx=y,NTamd64\n[y.NTamd64]\nz=I,a\n[I]\nAddReg=gone\n", "o.inf"
    )
    assert list(map(repr, lint(package(), [other]))) == list(map(repr, lint(package())))


PATTERNS = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from([0, 1, 2, 3, 6, 7])), min_size=1, max_size=9
)


@given(PATTERNS)
def test_exactly_the_cards_that_overlap_are_found(patterns):
    lines = []
    for number, (atr, mask) in enumerate(patterns):
        key = rf"HKLM,Software\Microsoft\Cryptography\Calais\SmartCards\{number}"
        lines += [f"{key},ATR,1,3b,0{atr & mask}", f"{key},ATRMask,1,ff,f{mask | 8:x}"]
    inf = parse_inf("[R]\n" + "\n".join(lines))
    install = Install(Section("I", 1), "amd64", default=False)
    added = [parse_add(inf, entry) for entry in inf.sections["R"].entries]
    install.cards = card_entries(added, wow64=True)
    found = []
    lint_overlap(inf, [install], [], lambda number, line, detail: found.append(detail))
    expected = [
        f"{two} and {one} (line {2 + 2 * one})"
        for two, (atr2, mask2) in enumerate(patterns)
        for one, (atr1, mask1) in enumerate(patterns[:two])
        if not (atr1 ^ atr2) & mask1 & mask2
    ]
    assert sorted(found) == sorted(expected)
