# SPDX-License-Identifier: Apache-2.0
"""Large and hostile packages: what they cost grows with their length, or they are refused."""

import pytest

from vreader.setupapi.calais import SMART_CARDS
from vreader.setupapi.inf import InfError, parse_inf
from vreader.setupapi.lint import lint
from vreader.setupapi.skeleton import skeleton

GOOD = skeleton(
    bytes.fromhex("3B0451FF0800"), name="Fabrikam", vendor="Fabrikam", module="fabrikamcm.dll"
)


def numbers(text):
    return {finding.rule.number for finding in lint(parse_inf(text))}


def test_a_package_of_a_megabyte():
    models, installs, cards = [], [], []
    for number in range(1700):
        key = f"HKLM,Software\\Microsoft\\Cryptography\\Calais\\SmartCards\\c{number}"
        models.append(f"%Card% = I{number},SCFILTER\\CID_{number:08x}")
        installs.append(f"[I{number}.NT]\nAddReg = C{number}\nCopyFiles=Module_amd64")
        data = number.to_bytes(4, "big").hex(",")
        cards.append(
            f"[C{number}]\n{key},ATR,1,3b,04,{data}\n{key},ATRMask,1,ff,ff,ff,ff,ff,ff\n"
            + "\n".join(f'{key},{name},,"{text}"' for name, text in (
                ("Crypto Provider", "Microsoft Base Smart Card Crypto Provider"),
                ("Smart Card Key Storage Provider", "Microsoft Smart Card Key Storage Provider"),
                ("80000001", "fabrikamcm.dll"),
            )).replace("c{number}", str(number))
        )  # fmt: skip
    text = GOOD.replace("[Cards.NTamd64.6.1]", "[Cards.NTamd64.6.1]\n" + "\n".join(models))
    text += "[Filler]\n" + "\n".join(installs + cards)
    assert len(text) > 1_000_000
    assert {324, 332} <= numbers(text)


def test_thousands_of_cards_of_one_mask_each_are_told_apart_or_not():
    """Many masks: what does not fit into the index is left out, not waited for."""
    key = "HKLM,Software\\Microsoft\\Cryptography\\Calais\\SmartCards\\c"
    lines = []
    for number in range(4000):
        mask = number.to_bytes(2, "big").hex(",")
        lines += [
            f"{key}{number},ATR,1,3b,04,00,00,0,0",
            f"{key}{number},ATRMask,1,ff,ff,{mask},1,1",
        ]
    text = GOOD.replace("[Card_Wide]", "[Card_Wide]\n" + "\n".join(lines))
    assert 336 in numbers(text)


COUNT = 9000
HEAD = "[Version]\nClass=SmartCard\n[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\n"
INSTALLS = "".join(f"d=I{number},x\n" for number in range(COUNT))
CARDS = "".join(rf"HKLM,{SMART_CARDS}\{number},ATR,1,3b,00" + "\n" for number in range(COUNT))


@pytest.mark.parametrize(
    ("text", "endless"),
    [
        (INSTALLS + "".join(f"[I{number}]\nNeeds=I{number + 1}\n" for number in range(COUNT)),
         True),
        (INSTALLS + "".join(f"[I{number}]\nNeeds=S\n" for number in range(COUNT))
         + "[S]\n" + "a=b\n" * COUNT, False),
        (INSTALLS + "".join(f"[I{number}]\nNeeds=S\nAddReg=R\n" for number in range(COUNT))
         + "[S]\nCopyFiles=F\n[F]\n" + "".join(f"f{number}\n" for number in range(COUNT))
         + f"[R]\nHKLM,{SMART_CARDS}\\x,80000001,,x\n", True),
        ("d=I,x\n[I]\n[I.Services]\n" + "AddService=a,2,S\n" * COUNT
         + "[S]\n" + "a=b\n" * COUNT, False),
        ("d=I," + ",".join(rf"SCFILTER\CID_{number:04x}" for number in range(COUNT))
         + "\n[I]\nAddReg=R\n[R]\n" + CARDS, True),
        ("d=I,x\n[I]\nAddReg=R\n[R]\n" + CARDS, False),
    ],
    ids=["chain", "all-need-one", "files", "services", "ids", "one-atr"],
)  # fmt: skip
def test_what_is_large_in_two_ways_is_linted_or_refused(text, endless):
    inf = parse_inf(HEAD + text)
    if endless:
        with pytest.raises(InfError, match="more than 100000 steps"):
            lint(inf)
    else:
        assert lint(inf)
