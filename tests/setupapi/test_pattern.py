# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.setupapi.pattern import AtrPattern

ATRS = st.integers(1, 12).flatmap(lambda n: st.tuples(*[st.binary(min_size=n, max_size=n)] * 3))


def pattern(atr, mask=""):
    data = bytes.fromhex(atr)
    return AtrPattern(data, bytes.fromhex(mask) if mask else b"\xff" * len(data))


def test_atr_and_mask_are_of_one_length():
    with pytest.raises(ValueError, match="2 bytes of ATR, 1 of mask"):
        AtrPattern(b"\x3b\x00", b"\xff")


@pytest.mark.parametrize(
    ("atr", "historical"),
    [
        # Cards whose ids were seen on Windows or stand in their vendors' packages.
        ("3B0451FF0800", "51ff0800"),
        ("3F6900000064018101 0C829000", "00640181010c829000"),
        ("3BFE1800008031FE454573744549442076657220312E30A8", "4573744549442076657220312e30"),
        ("3BFA1800008031FE45FE654944202F20504B4903", "fe654944202f20504b49"),
        ("3BDA18FF81B1FE751F030031C573C001400090000C", "0031c573c00140009000"),
        ("3BDA18FF81B1FE751F030031F573C001600090001C", "0031f573c00160009000"),
        ("3BFF960000813180438031806 5B0850300EF120FFF82900067", "80318065b0850300ef120fff829000"),
        ("3BFF9600008131FE4380318065B085040120120FFF829000D0", "80318065b085040120120fff829000"),
        ("3BFD1300008131FE158073C021C057597562694B657940", "8073c021c057597562694b6579"),
        ("3BF81300008131FE15597562696B657934D4", "597562696b657934"),
        ("3B8D0180FBA000000397425446590401CF", "80fba000000397425446590401"),
    ],
)
def test_the_hardware_id_of_real_cards(atr, historical):
    found = pattern(atr.replace(" ", ""))
    assert not found.problem
    assert not found.tck_problem
    assert found.historical == (bytes.fromhex(historical), b"\xff" * (len(historical) // 2))


@pytest.mark.parametrize(
    ("atr", "mask", "problem"),
    [
        ("3b", "", "it has 1 bytes; an ATR has 2 to 33"),
        ("3b" + "00" * 33, "", "it has 34 bytes"),
        ("3c0451ff0800", "", "TS is 3C; it is 3B or 3F"),
        ("3c0451ff0800", "f0ffffffffff", ""),
        ("3b0451ff0800", "fbffffffffff", ""),  # 3F without this bit is 3B
        ("3b0351ff0800", "", "T0 and TD announce 5 bytes, and it has 6"),
        ("3b0351ff0800", "ff0fffffffff", ""),
        ("3bff51ff", "", "interface bytes are announced up to byte 5, and it has 4 bytes"),
        ("3b8481", "", "interface bytes are announced up to byte 3, and it has 3 bytes"),
        ("3b84810000", "ffff00ffff", ""),  # what follows TD1 is open
    ],
)
def test_what_no_card_has(atr, mask, problem):
    assert pattern(atr, mask).problem.startswith(problem)
    assert bool(pattern(atr, mask).problem) is bool(problem)


@pytest.mark.parametrize(
    ("atr", "mask", "problem"),
    [
        ("3b840151ff0800d3", "", "D3, should be 23"),
        ("3b840151ff080023", "", ""),
        ("3b840151ff0800d3", "ffffffffffffff00", ""),
        ("3b840151ff0800d3", "fffffffffffffffe", ""),
        ("3b840151ff0800d3", "ffffffffffff00ff", ""),  # one of the bytes it is made from is open
        ("3b0451ff0800", "", ""),  # T=0 alone has none
    ],
)
def test_the_check_byte(atr, mask, problem):
    assert pattern(atr, mask).tck_problem == problem


def test_historical_bytes_are_compared_under_the_mask():
    belgium = pattern("3b98004000a503010101ad1300", "ffff00ff00ffffffffffffff00")
    assert belgium.takes_historical(bytes.fromhex("a503010101ad1310"))
    assert belgium.takes_historical(bytes.fromhex("a503010101ad1311"))
    assert not belgium.takes_historical(bytes.fromhex("a503010101ad1210"))
    assert not belgium.takes_historical(bytes.fromhex("a503010101ad13"))
    assert pattern("3b00", "ff00").takes_historical(b"anything")


@given(ATRS)
def test_what_a_pattern_takes_it_takes_under_its_mask(three):
    atr, mask, card = three
    found = AtrPattern(atr, mask)
    masked = bytes(c & m for c, m in zip(card, mask, strict=True))
    assert found.takes(card) is (masked == atr)
    assert not found.takes(card + b"\0")


@given(ATRS, st.data())
def test_two_patterns_overlap_exactly_when_one_card_is_taken_by_both(three, data):
    first, mask, card = three
    other_mask = data.draw(st.binary(min_size=len(mask), max_size=len(mask)))
    one = AtrPattern(bytes(a & m for a, m in zip(first, mask, strict=True)), mask)
    two = AtrPattern(bytes(a & m for a, m in zip(card, other_mask, strict=True)), other_mask)
    # The card that has every bit one of them asks for, and those of the other where it does not.
    witness = bytes(
        a | (b & ~m) for a, m, b in zip(one.atr, one.mask, two.atr, strict=True)
    )  # fmt: skip
    assert one.overlaps(two) is two.overlaps(one) is two.takes(witness)
    assert one.takes(witness)
