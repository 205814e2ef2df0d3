# SPDX-License-Identifier: Apache-2.0
"""The cards that files register, together."""

from pathlib import Path

import pytest
from card_patterns import FABRIKAM, H

from vreader.errors import UsageError
from vreader.pairing.matching import Matcher, Verdict, flaw
from vreader.pairing.registrations import Registered, gather
from vreader.pairing.windows import Windows

KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\{}Microsoft\Cryptography\Calais\SmartCards"
ALL = b"\xff" * 6


def reg(path: Path, *cards: str, wow64=False) -> str:
    """Write a .reg file; a card is its name and its values, a line each."""
    key = KEY.format("Wow6432Node\\" if wow64 else "")
    text = "".join(f"[{key}\\{card}\n\n" for card in cards)
    path.write_text(f"Windows Registry Editor Version 5.00\n\n{text}")
    return str(path)


FABRIKAM_REG = 'Fabrikam]\n"ATR"=hex:3b,04,51,ff,08,00\n"ATRMask"=hex:ff,ff,ff,ff,ff,ff'

# As the WDK's sample has it, made shorter: one card in both views, another device for x86.
INF = r"""
[Version]
Signature="$Windows NT$"
Class=SmartCard
ClassGuid={990A2BD7-E738-46c7-B26F-1CF8FB9F1391}
Provider=%Vendor%
[Manufacturer]
%Vendor%=Models,NTamd64,NTx86
[Models.NTamd64]
%Card%=Install64,SCFILTER\CID_51FF0800
%Card%=Install64,SCFILTER\CID_51FF0801
[Models.NTx86]
%Card%=Install32,SCFILTER\CID_51FF0800
[DefaultInstall.NTarm64]
AddReg=Narrow
[Install64.NT]
AddReg=Wide,Narrow
AddReg=Driver
[Install32.NT]
AddReg=Narrow
[Narrow]
HKLM,%Key%,"ATR",0x00000001,3b,04,51,ff,08,00
HKLM,%Key%,"ATRMask",0x00000001,ff,ff,ff,ff,ff,ff
[Wide]
HKLM,%Key64%,"ATR",1,3b,04,52,ff,08,00
[Driver]
HKR,,Setting,,1
[Strings]
Vendor="Fabrikam"
Card="A card"
Key="SOFTWARE\Microsoft\Cryptography\Calais\SmartCards\Fabrikam"
Key64="SOFTWARE\Wow6432Node\Microsoft\Cryptography\Calais\SmartCards\Fabrikam"
"""


@pytest.fixture
def inf(tmp_path):
    path = tmp_path / "card.inf"
    path.write_text(INF)
    return str(path)


def test_a_reg_file(tmp_path):
    path = reg(tmp_path / "a.reg", 'Bare]\n"ATR"=hex:3b,00', FABRIKAM_REG)
    assert gather([path]) == (
        [Registered("Bare", H("3B00"), None, path), Registered("Fabrikam", FABRIKAM, ALL, path)],
        [],
        [],
    )


@pytest.mark.parametrize(
    ("system", "bits", "atr", "mask"),
    [
        ("10.0-amd64", 0, FABRIKAM, ALL),
        ("10.0-amd64", 32, H("3B0452FF0800"), None),
        ("10.0-x86", 0, FABRIKAM, ALL),
        ("10.0-arm64", 0, FABRIKAM, ALL),  # no model, so DefaultInstall
    ],
)
def test_an_inf_as_it_is_installed(inf, system, bits, atr, mask):
    found = gather([inf], Windows.parse(system), bits=bits)
    assert found.entries == [Registered("Fabrikam", atr, mask, inf)]
    assert found.idle == []


def test_an_inf_that_registers_nothing_there(inf):
    found = gather([inf], Windows.parse("10.0-arm64"), bits=32)
    assert (found.entries, found.idle) == ([], [inf])


def test_a_hive(tmp_path):
    pytest.importorskip("regipy")
    from hives import hive

    from vreader.registry import Registry, Value

    registry = Registry()
    card = rf"{KEY.format('')}\Fabrikam"
    registry.create(card).set("ATR", Value.binary(FABRIKAM))
    path = tmp_path / "SOFTWARE"
    path.write_bytes(hive(registry.open(r"HKLM\SOFTWARE")))
    assert gather([str(path)]).entries == [Registered("Fabrikam", FABRIKAM, None, str(path))]


def test_a_later_file_writes_over_an_earlier_one(tmp_path, inf):
    one = reg(tmp_path / "one.reg", 'FABRIKAM]\n"ATR"=hex:3b,04,51,ff,00,00')
    two = reg(tmp_path / "two.reg", FABRIKAM_REG)
    found = gather([one, inf, two])
    assert found.entries == [Registered("FABRIKAM", FABRIKAM, ALL, inf)]
    (replaced,) = found.replaced
    assert (replaced.before.source, replaced.before.atr) == (one, H("3B0451FF0000"))
    assert (replaced.after.source, replaced.after.mask) == (inf, ALL)
    assert replaced.record()["before"] == {
        "name": "FABRIKAM", "atr": "3B0451FF0000", "mask": None, "source": one,
    }  # fmt: skip
    assert found.idle == [two]  # it says what is there already


def test_what_a_file_deletes_is_gone(tmp_path):
    one = reg(tmp_path / "one.reg", FABRIKAM_REG)
    two = tmp_path / "two.reg"
    two.write_text(f"REGEDIT4\n[-{KEY.format('')}\\Fabrikam]\n")
    assert gather([one, str(two)]).entries == []


def test_the_view_of_a_program(tmp_path):
    path = reg(tmp_path / "a.reg", FABRIKAM_REG, wow64=True)
    assert gather([path]).idle == [path]
    assert [entry.name for entry in gather([path], bits=32).entries] == ["Fabrikam"]


def test_values_that_are_no_bytes(tmp_path):
    path = reg(tmp_path / "a.reg", 'Text]\n"ATR"="3B00"', 'Mask]\n"ATR"=hex:3b,00\n"ATRMask"="F"')
    found = gather([path]).entries
    assert [flaw(entry)[0] for entry in found] == [Verdict.NO_ATR] * 2
    assert [flaw(entry)[2] for entry in found] == [
        "ATR is REG_SZ, not REG_BINARY",
        "ATRMask is REG_SZ, not REG_BINARY",
    ]
    assert Matcher(found).all(H("3B00")) == []


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.txt", b"3B00", "a.txt registers no cards: it is neither a .reg file nor a hive nor an"),
        ("a.reg", b"REGEDIT4\n[HKLM", "a.reg, line 2, column "),
        ("a.reg", b"nothing", "a.reg, line 1, column 1: not a .reg file"),
        ("b", b'REGEDIT4\n"a"=1', "b, line 2, column 1: a value outside of a key"),
        ("a.inf", b"[Version", "a.inf, line 1, column 1: a section's name does not end with ]"),
        ("c", "[version]\nx".encode("utf-16"), ""),
        ("d", b"\xff\xfe3", "d registers no cards"),
        ("e", None, "cannot read e: No such file or directory"),
    ],
)
def test_what_cannot_be_read(tmp_path, monkeypatch, name, content, problem):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    if not problem:
        assert gather([name]).idle == [name]
        return
    with pytest.raises(UsageError) as caught:
        gather([name])
    assert str(caught.value).startswith(problem)
    assert caught.value.hint


def test_a_bad_line_of_an_inf_is_told_with_its_place(tmp_path):
    path = tmp_path / "bad.inf"
    path.write_text(INF.replace("1,3b,04,52", "1,3b,04,5x"))
    with pytest.raises(UsageError, match=r"bad.inf, line 25.*'5x' is no byte"):
        gather([str(path)])
