# SPDX-License-Identifier: Apache-2.0
"""What is told of hardware ids; that it is told is tested with the other rules."""

import re

from vreader.setupapi.inf import parse_inf
from vreader.setupapi.lint import lint
from vreader.setupapi.skeleton import skeleton

ATR = bytes.fromhex("3B0451FF0800")
GOOD = skeleton(ATR, name="Card", vendor="Fabrikam", module="c.dll")


def told(text, number):
    return [found for found in lint(parse_inf(text)) if found.rule.number == number]


def test_which_id_a_card_has():
    text = GOOD.replace("CID_51ff0800", "CID_3b0451ff0800")
    assert [found.text[-41:] for found in told(text, 322)] == [
        "CID_3b0451ff0800; its cards have CID_51ff0800"[-41:]
    ] * 2
    masked = GOOD.replace("ff,ff,ff,ff,ff,ff", "ff,ff,ff,ff,ff,fe")
    text = masked.replace("CID_51ff0800", "CID_51ff0802")
    # The mask leaves two ids open.
    assert [found.text[-12:] for found in told(text, 322)] == ["CID_51ff0802"] * 2


def test_a_card_without_a_model_once_for_each_machine():
    lines = re.findall(r"(?m)^HKLM,%CardKey.*$", GOOD)
    other = {line: line.replace("%,", "%2,").replace("08,00", "08,01") for line in lines}
    text = "\n".join(
        f"{line}\n{other[line]}" if line in other else line for line in GOOD.split("\n")
    )
    numbered = text.splitlines()
    assert [numbered[found.line - 1].partition('"')[0] for found in told(text, 343)] == [
        "HKLM,%CardKey%2,", "HKLM,%CardKey%2,",
    ]  # fmt: skip
