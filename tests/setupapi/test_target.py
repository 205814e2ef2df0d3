# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.errors import UsageError
from vreader.setupapi.inf import parse_inf
from vreader.setupapi.target import (
    Decoration,
    Model,
    TargetOS,
    install_section,
    match,
    models_for,
    parse_number,
)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("10.0-amd64", ("amd64", 10, 0, 19045)),
        ("6.1-X86", ("x86", 6, 1, 19045)),
        ("10.0.22631-arm64", ("arm64", 10, 0, 22631)),
    ],
)
def test_a_windows_is_named_in_short(text, fields):
    target = TargetOS.parse(text)
    assert (target.arch, target.major, target.minor, target.build) == fields
    assert str(target) == f"{fields[1]}.{fields[2]}-{fields[0]}"


@pytest.mark.parametrize(
    "text", ["", "10", "10.0", "10.0-mips", "10.x-x86", "1.2.3.4-x86", "10-x86"]
)
def test_what_is_no_windows_is_refused(text):
    with pytest.raises(UsageError):
        TargetOS.parse(text)


@pytest.mark.parametrize(
    "text", ["", "n", "ntmips", "9x", "nt.a", "nt.1.2.3.4.5.6", "ntx86.5.1x", "nt.1_0", "nt.-1"]
)
def test_what_is_no_decoration(text):
    assert Decoration.parse(text) is None


def chosen(os, manufacturer, *sections):
    """Which Models section is chosen: its name is the install section's."""
    text = f"[Manufacturer]\n%m%={manufacturer}\n"
    text += "".join(f"[{name}]\nd={name},ID\n" for name in sections)
    return [model.install for model in models_for(parse_inf(text), TargetOS.parse(os))]


MICROSOFT = ("M,NT,NT.5,NT.5.5,NT....0x80", "M", "M.NT", "M.NT.5", "M.NT.5.5", "M.NT....0x80")
REAL = ("M,NTx86,NTamd64,NTx86.6.1,NTamd64.6.1", "M.NTx86", "M.NTamd64", "M.NTx86.6.1",
        "M.NTamd64.6.1")  # fmt: skip


@pytest.mark.parametrize(
    ("os", "lines", "section"),
    [
        ("5.1-x86", MICROSOFT, ["M.NT.5"]),  # the WDK's own example
        ("6.0-x86", MICROSOFT, ["M.NT.5.5"]),
        ("4.0-x86", MICROSOFT, ["M.NT"]),
        ("10.0-amd64", MICROSOFT, []),
        ("10.0-amd64", REAL, ["M.NTamd64.6.1"]),
        ("6.1-amd64", REAL, ["M.NTamd64.6.1"]),
        ("6.0-amd64", REAL, ["M.NTamd64"]),
        ("6.1-x86", REAL, ["M.NTx86.6.1"]),
        ("10.0-arm64", REAL, []),
        ("10.0-x86", ("M", "M"), ["M"]),
        ("10.0-amd64", ("M", "M"), []),
        ("5.1-amd64", ("M", "M"), ["M"]),
        ("10.0.14393-amd64", ("M,NTamd64.10.0...14393", "M.NTamd64.10.0...14393"),
         ["M.NTamd64.10.0...14393"]),
        ("10.0.14392-amd64", ("M,NTamd64.10.0...14393", "M.NTamd64.10.0...14393"), []),
        ("11.0.1-amd64", ("M,NTamd64.10.0...14393", "M.NTamd64.10.0...14393"),
         ["M.NTamd64.10.0...14393"]),
        ("10.0-amd64", ("M,NTamd64,NTamd64...3", "M.NTamd64", "M.NTamd64...3"), ["M.NTamd64"]),
        ("10.0-amd64", ("M,NTamd64,NTamd64...1", "M.NTamd64", "M.NTamd64...1"), ["M.NTamd64...1"]),
        ("10.0-amd64", ("M,NTamd64,NTamd64....0x100", "M.NTamd64", "M.NTamd64....0x100"),
         ["M.NTamd64....0x100"]),
        ("10.0-amd64", ("M,NTamd64,NTamd64....0x180", "M.NTamd64", "M.NTamd64....0x180"),
         ["M.NTamd64"]),  # it has one of the two suites
        ("6.0-x86", ("M,NTx86.6.0,NTx86.5.1", "M.NTx86.5.1"), []),  # an empty section prohibits
    ],
)  # fmt: skip
def test_the_closest_models_section_is_chosen(os, lines, section):
    assert chosen(os, *lines) == section


@pytest.mark.parametrize("line", ["%a%b=M,NTamd64", "m=M,NTamd64\n[M.NTamd64]\n%a%b=I,ID"])
def test_a_text_that_becomes_too_long_is_refused(line):
    """A hostile INF: each line of it would become megabytes."""
    inf = parse_inf(f"[Manufacturer]\n{line}\n[Strings]\na={'x' * 4095}\n")
    with pytest.raises(UsageError, match="more than 4095 characters"):
        models_for(inf, TargetOS())


def test_a_section_of_two_manufacturers_counts_once():
    inf = parse_inf("[Manufacturer]\na=M,NTamd64\nb=M,NTamd64\n[M.NTamd64]\nd=I,ID\n")
    assert [model.manufacturer for model in models_for(inf, TargetOS())] == ["a"]


def test_each_manufacturer_chooses_for_itself():
    inf = parse_inf(
        "[Manufacturer]\n%a%=A,NTamd64\nB\n%c%=C,NTamd64\n"
        "[A.NTamd64]\n%d% = I , x\\1, x\\2\n[B]\nd=I,x\\3\n[C.NTamd64]\nd=J,,x\\4\n"
        '[Strings]\na="A, Inc."\nd=Card\n'
    )
    a, c = models_for(inf, TargetOS())
    assert (a.manufacturer, a.description, a.install, a.ids) == (
        "A, Inc.", "Card", "I", ["x\\1", "x\\2"])  # fmt: skip
    assert (c.manufacturer, c.ids, c.line, c.models) == ("%c%", ["", "x\\4"], 10, "C.NTamd64")
    assert [model.manufacturer for model in models_for(inf, TargetOS("x86"))] == ["B"]


@pytest.mark.parametrize(
    ("there", "arch", "found"),
    [
        (["I", "I.NT", "I.ntamd64"], "amd64", "I.ntamd64"),
        (["I", "I.NT", "I.ntamd64"], "x86", "I.NT"),
        (["i"], "x86", "i"),
        (["I.NTx86"], "amd64", None),
    ],
)
def test_the_install_section_of_an_architecture(there, arch, found):
    assert install_section(parse_inf("".join(f"[{n}]\n" for n in there)), "I", arch) == found


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (["H0"], (0x0000, "H0")), (["h1"], (0x0001, "h1")), (["", "H0"], (0x1000, "H0")),
        (["x", "y", "H1"], (0x1001, "H1")), (["C0"], (0x2000, "C0")),
        (["x", "C0"], (0x3000, "C0")), (["C1", "H0"], (0x1000, "H0")),
        (["H1", "H0"], (0x0001, "H1")), (["x"], None), ([], None),
    ],
)  # fmt: skip
def test_how_ids_meet(ids, found):
    model = Model(1, "m", "d", "M", "I", ids)
    assert match(model, ["H0", "H1"], ["C0", "C1"]) == found


@pytest.mark.parametrize(
    ("device", "scores"),
    [
        ("HwID_1", (0x0000, 0x1000, 0x1000)),
        ("HwID_2", (0x0001, 0x1001, 0x1001)),
        ("CID_1", (0x2000, 0x3000, 0x3100)),
        ("CID_2", (0x2001, 0x3001, 0x3101)),
    ],
)
def test_the_example_of_microsoft(device, scores):
    """WDK "Driver Package Rank Example": its table."""
    for place, score in enumerate(scores):
        ids = ["INF_HwID_1", "INF_CID_1", "INF_CID_2"]
        ids[place] = device
        model = Model(1, "m", "d", "M", "I", ids)
        assert match(model, ["HwID_1", "HwID_2"], ["CID_1", "CID_2"]) == (score, device)


def test_no_place_makes_it_another_type_of_match():
    many = [f"X{number}" for number in range(5000)]
    assert match(Model(1, "m", "d", "M", "I", ["X4999"]), many, ()) == (0x0FFF, "X4999")
    assert match(Model(1, "m", "d", "M", "I", ["", *many]), (), ["X20"]) == (0x3FFF, "X20")


@pytest.mark.parametrize(
    ("text", "number"),
    [("10", 10), ("0x1F", 31), ("010", 10), ("0X1f", 31), ("", None), ("1_0", None), ("-1", None),
     ("٣", None), ("0x", None), ("9" * 5000, None)],
)  # fmt: skip
def test_numbers(text, number):
    assert parse_number(text) == number


def test_long_lists_of_ids_are_matched_in_one_pass():
    """A hostile INF: every id against every id would take minutes."""
    ids = [f"X{number}" for number in range(60_000)]
    model = Model(1, "M", "D", "S", "I", ids)
    assert match(model, ids[::-1], ids) == (0x0FFF, "X0")
    assert match(model, ["none"] * len(ids), ()) is None
