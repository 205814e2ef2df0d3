# SPDX-License-Identifier: Apache-2.0
"""What experiments have found, in lines; what a terminal would obey is not among them."""

from card_patterns import FABRIKAM, H

from vreader.pairing.claims import claims, flip
from vreader.pairing.matching import Bit
from vreader.pairing.overlap import conflicts
from vreader.pairing.registrations import Registered
from vreader.pairing.separate import separate
from vreader.pairing.told_masks import claim_lines, conflict_lines, flip_lines, separation_lines

ALL = b"\xff" * 6
EVIL = Registered("E\x1b[2Jvil\n", FABRIKAM, ALL, "a.reg")


def test_nothing_moves_the_cursor():
    twin = EVIL._replace(name="Twin")
    lines = [
        *conflict_lines(conflicts([EVIL, twin]), [], 2),
        *claim_lines(claims([EVIL], [FABRIKAM]), {FABRIKAM: "te\axt"}),
        *flip_lines(flip([EVIL], EVIL.name, Bit(2, 0), [FABRIKAM], value=None), {}),
        *separation_lines(separate({EVIL.name: [FABRIKAM], "b": [FABRIKAM]})),
    ]
    assert all(line.isprintable() for line in lines)
    assert any("E\N{REPLACEMENT CHARACTER}[2Jvil" in line for line in lines)


def test_a_flip_that_makes_an_overlap():
    other = Registered("Other", H("3B0450FF0800"), ALL, "a.reg")
    fabrikam = EVIL._replace(name="Fabrikam")
    lines = list(flip_lines(flip([fabrikam, other], "Fabrikam", Bit(2, 0), [other.atr]), {}))
    assert lines[-5:] == [
        "gained   3B 04 50 FF 08 00",
        "         taken by Other before",
        "new overlap  Fabrikam takes all ATRs of Other, which is never reached",
        "         witness 3B 04 50 FF 08 00",
        "1 gained, 0 lost",
    ]


def test_a_greedy_answer_is_said_to_be_one():
    base = (1 << 263) - 1
    others = {
        f"o{n}": [(base ^ sum(1 << place for place in range(n, n + 60, 20))).to_bytes(33)]
        for n in range(90)
    }
    lines = list(separation_lines(separate({"a": [base.to_bytes(33)], **others})))
    assert any(line.endswith("by a greedy search, perhaps not the least") for line in lines)
