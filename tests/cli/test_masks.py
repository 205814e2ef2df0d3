# SPDX-License-Identifier: Apache-2.0
"""``vreader masks``: tables, JSON and exit codes of each operation, and what is typed wrong."""

import json
from pathlib import Path

import pytest

KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography\Calais\SmartCards"


def write_reg(name: str, *cards: tuple[str, str, str]) -> None:
    """Write a .reg file of cards: name, ATR, mask."""
    lines = ["REGEDIT4"]
    for card, atr, mask in cards:
        lines += [f"[{KEY}\\{card}]"]
        for value, data in (("ATR", atr), ("ATRMask", mask)):
            lines += [f'"{value}"=hex:{bytes.fromhex(data).hex(",")}']
    Path(name).write_text("\n".join(lines))


@pytest.fixture(autouse=True)
def files(here):
    """Registered cards, one of which is in the way of another; ATRs; families."""
    write_reg(
        "good.reg",
        ("Fabrikam", "3B0451FF0800", "FFFFFFFFFFFF"),
        ("Belgium", "3B98004000A503010101AD1300", "FFFF00FF00FFFFFFFFFFFFFF00"),
    )
    write_reg(
        "bad.reg",
        ("Contoso", "3B0450000000", "FFFFF0000000"),
        ("Gnuk", "3BDA11FF81B1FE551F0300318473800180009000E4", "FF" * 20 + "00"),
    )
    Path("atrs.txt").write_text(
        "3B0451FF0800 Fabrikam\n3B9813400AA503010101AD1311 Belgian eID\n3B.. some\n3B00 other\n"
    )
    Path("families.toml").write_text(
        '[families]\nfabrikam = ["3B0451FF0800"]\nnext = ["3B0452FF0800"]\n'
        'both = ["3B98134000", "3B98134001"]\nbetween = ["3B98134000"]\n'
    )


def test_no_conflicts(cli):
    said = cli("masks", "conflicts", "good.reg")
    assert (said.code, said.err) == (0, "")
    assert said.out == "2 entries: 0 overlaps, 0 that can never match\n"


def test_conflicts(cli):
    said = cli("masks", "conflicts", "good.reg", "bad.reg")
    assert (said.code, said.err) == (1, "")
    assert said.out == (
        "never    Gnuk (bad.reg): can never match: the stored ATR has bits outside of its mask, "
        "the first byte 20 bit 7\n"
        "overlap  Contoso takes all ATRs of Fabrikam, which is never reached (bad.reg, good.reg)\n"
        "         witness 3B 04 51 FF 08 00\n"
        "4 entries: 1 overlap, 1 that can never match\n"
    )


def test_the_order_of_the_entries_decides(cli):
    said = cli("masks", "conflicts", "good.reg", "bad.reg", "--walk", "created")
    assert "overlap  Fabrikam takes some ATRs of Contoso, and no others" in said.out
    assert said.out == cli(
        "masks", "conflicts", "good.reg", "bad.reg", "--first", "fabrikam"
    ).out  # fmt: skip


def test_a_card_that_is_written_over_is_a_conflict(cli):
    write_reg("other.reg", ("FABRIKAM", "3B0452FF0800", "FFFFFFFFFFFF"))
    said = cli("masks", "conflicts", "good.reg", "other.reg")
    assert said.code == 1
    assert said.out == (
        "replaced Fabrikam: other.reg writes over\n"
        "         ATR 3B 04 51 FF 08 00 of good.reg\n"
        "2 entries: 0 overlaps, 0 that can never match, 1 replaced\n"
    )


def test_a_witness_that_no_card_sends_is_said_to_be_one(cli):
    write_reg("odd.reg", ("One", "3B04", "FFFF"), ("Two", "3B04", "FFFF"))
    said = cli("masks", "conflicts", "odd.reg")
    assert "both take the same ATRs, Two is never reached (odd.reg, odd.reg)\n" in said.out
    assert "witness 3B 04, not a well-formed ATR: none was found\n" in said.out


def test_conflicts_as_json(cli):
    said = cli("masks", "conflicts", "good.reg", "bad.reg", "--json")
    told = json.loads(said.out)
    assert said.code == 1
    assert [entry["name"] for entry in told["entries"]] == [
        "Belgium", "Contoso", "Fabrikam", "Gnuk",
    ]  # fmt: skip
    assert told["overlaps"] == [
        {
            "winner": "Contoso",
            "loser": "Fabrikam",
            "kind": "second never reached",
            "witness": "3B0451FF0800",
            "valid": True,
        }
    ]
    assert [each["name"] for each in told["unmatchable"]] == ["Gnuk"]
    assert told["replaced"] == []


def test_the_other_view_of_the_registry(cli):
    said = cli("masks", "conflicts", "good.reg", "--bits", "32")
    assert (said.code, said.out) == (0, "0 entries: 0 overlaps, 0 that can never match\n")
    assert said.err == (
        "vreader: warning: good.reg registers no card that is new for 32-bit programs on "
        "10.0-amd64\n"
    )


def test_a_hive_whose_key_is_told(cli):
    pytest.importorskip("regipy")
    from hives import hive

    from vreader.registry import Registry, Value

    registry = Registry()
    card = registry.create(KEY.replace("HKEY_LOCAL_MACHINE", "HKLM") + r"\Fabrikam")
    card.set("ATR", Value.binary(bytes.fromhex("3B0451FF0800")))
    Path("saved").write_bytes(hive(registry.open(r"HKLM\SOFTWARE\Microsoft")))
    said = cli("masks", "conflicts", "saved", "bad.reg", "--root", r"HKLM\SOFTWARE\Microsoft")
    assert "overlap  Contoso takes all ATRs of Fabrikam, which is never reached" in said.out


def test_claims(cli):
    said = cli("masks", "claims", "good.reg", "bad.reg", "--atrs", "atrs.txt")
    assert said.code == 0
    assert said.err == (
        "vreader: warning: atrs.txt: 1 ATRs left out, they are regular expressions\n"
    )
    assert said.out == (
        "ATR                                     taken by  in the shadow\n"
        "3B 04 51 FF 08 00                       Contoso   Fabrikam       Fabrikam\n"
        "3B 98 13 40 0A A5 03 01 01 01 AD 13 11  Belgium   -              Belgian eID\n"
        "\n"
        "entry     takes  shadowed  file\n"
        "Belgium   1      0         good.reg\n"
        "Contoso   1      0         bad.reg\n"
        "Fabrikam  0      1         good.reg\n"
        "Gnuk      0      0         bad.reg\n"
        "\n"
        "3 ATRs, 1 of them taken by no entry\n"
    )


def test_all_claims_and_single_atrs(cli):
    said = cli("masks", "claims", "good.reg", "--atr", "3B 00", "--atr", "3B01", "--all")
    assert "3B 00  -         -\n3B 01  -         -\n" in said.out
    told = json.loads(cli("masks", "claims", "good.reg", "--atr", "3B0451FF0800", "--json").out)
    assert told["atrs"] == [{"atr": "3B0451FF0800", "winner": "Fabrikam", "shadowed": []}]
    assert told["entries"][1] == {"name": "Fabrikam", "taken": 1, "shadowed": 0}


def test_an_atr_that_is_listed_twice_is_tried_once(cli):
    Path("twice.txt").write_text("3B0451FF0800 one\n3B0451FF0800 two\n")
    said = cli("masks", "claims", "good.reg", "--atrs", "twice.txt", "--atr", "3B0451FF0800")
    assert "3B 04 51 FF 08 00  Fabrikam  -              one; two\n" in said.out
    assert said.out.endswith("\n1 ATR, 0 of them taken by no entry\n")
    assert said.err == ""


def test_flip(cli):
    said = cli("masks", "flip", "good.reg", "bad.reg", "--entry", "contoso", "--bit", "2.0",
               "--atrs", "atrs.txt")  # fmt: skip
    assert said.code == 0
    assert said.out == (
        "Contoso: byte 2 bit 0 counts now and must be 0\n"
        "before   ATR  3B 04 50 00 00 00\n"
        "         mask FF FF F0 00 00 00\n"
        "after    ATR  3B 04 50 00 00 00\n"
        "         mask FF FF F1 00 00 00\n"
        "lost     3B 04 51 FF 08 00 Fabrikam\n"
        "         taken by Fabrikam now\n"
        "gone overlap  Contoso takes all ATRs of Fabrikam, which is never reached\n"
        "         witness 3B 04 51 FF 08 00\n"
        "0 gained, 1 lost\n"
    )


def test_flip_to_a_value_and_as_json(cli):
    words = ("masks", "flip", "bad.reg", "--entry", "Contoso", "--atr", "3B0451FF0800")
    said = cli(*words, "--bit", "2.0=1", "--json")
    told = json.loads(said.out)
    assert told["after"] == {"name": "Contoso", "atr": "3B0451000000", "mask": "FFFFF1000000"}
    assert (told["gained"], told["lost"], told["changes"]) == ([], [], [])


def test_separate(cli):
    said = cli("masks", "separate", "families.toml")
    assert (said.code, said.err) == (1, "")
    assert said.out.startswith(
        "fabrikam: 1 ATR of 6 bytes, 1 ATR of other families\n"
        "tightest ATR  3B 04 51 FF 08 00\n"
        "         mask FF FF FF FF FF FF  48 bits\n"
        "loosest  ATR  00 00 00 00 00 00\n"
        "         mask 00 00 02 00 00 00  1 bit: none does with fewer\n"
        "              byte 2 bit 1\n"
        "\n"
    )
    assert "clash    3B 98 13 40 00 of between: the same ATR is in both families\n" in said.out
    assert said.out.endswith(
        "overlaps are those of the tightest entries, in the order of the file\n"
    )


def test_separate_as_json_and_from_a_list(cli):
    Path("list.txt").write_text("3B00 zero\n3B01 one\n")
    said = cli("masks", "separate", "list.txt", "--json")
    assert said.code == 0
    assert [each["loosest"]["mask"] for each in json.loads(said.out)["separations"]] == [
        "0001", "0001",
    ]  # fmt: skip
    said = cli("masks", "separate", "list.txt", "--distance", "2")
    assert (said.code, said.out.count("others do not differ in as many bits")) == (0, 2)
    assert said.out.endswith("bits\n")


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        (
            ["conflict", "x"],
            "vreader masks has no operation 'conflict'",
            "did you mean conflicts? there are conflicts, claims, flip, separate",
        ),
        (["x", "x"], "vreader masks has no operation 'x'", "there are conflicts, claims"),
        (["conflicts"], "the following arguments are required: FILE", "see 'vreader masks --help'"),
        (["conflicts", "gone.reg"], "cannot read gone.reg: No such file", "name a .reg file"),
        (["conflicts", "atrs.txt"], "atrs.txt registers no cards", "a .reg file begins with"),
        (["conflicts", "good.reg", "--os", "x"], "'x' is no Windows", "for example 10.0-amd64"),
        (["conflicts", "good.reg", "--bits=64", "--os=10.0-x86"], "no program of 64", "take 32"),
        (
            ["conflicts", "good.reg", "--first", "Fabricam"],
            "no card is registered as",
            "did you me",
        ),
        (["conflicts", "good.reg", "--atr", "3B00"], "conflicts takes no --atr", "it takes --bits"),
        (["claims", "good.reg"], "which ATRs?", "give --atr 3B… or --atrs FILE"),
        (["claims", "good.reg", "--atr", "3Z"], "'3Z' is not a hexadecimal ATR", "write bytes as"),
        (
            ["claims", "good.reg", "--atrs", "good.reg"],
            "good.reg, line 1, column 1: 'REGEDIT4'",
            "",
        ),
        (
            ["flip", "good.reg", "--atr", "3B00"],
            "flip needs an entry and a bit",
            "for example --en",
        ),
        (
            ["flip", "good.reg", "--atr", "3B00", "--entry", "Fabrikam", "--bit", "x"],
            "'x' is no bit of an ATR",
            "write BYTE.BIT",
        ),
        (
            ["flip", "good.reg", "--atr", "3B00", "--entry", "Fabrikam", "--bit", "2.0=2"],
            "a bit is 0 or 1, not '2'",
            "write --bit 2.0=1",
        ),
        (
            ["flip", "good.reg", "--atr", "3B00", "--entry", "Fabrikam", "--bit", "6.0"],
            "Fabrikam has no byte 6 bit 0",
            "its mask has bytes 0 to 5",
        ),
        (["separate", "a", "b"], "separate reads one file", "put all families into it"),
        (["separate", "atrs.txt", "--distance", "0"], "ATRs cannot differ in 0 bits", "take 1 or"),
        (
            ["separate", "good.reg"],
            "good.reg, line 1, column 1: 'REGEDIT4'",
            "an ATR in hexadecimal",
        ),
    ],
)
def test_what_is_typed_wrong(cli, words, problem, hint):
    said = cli("masks", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("vreader: ")
    assert problem in said.err
    assert f"hint: {hint}" in said.err
