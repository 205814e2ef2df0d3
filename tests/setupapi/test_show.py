# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
from driver_packages import HARDWARE

from vreader.errors import UsageError
from vreader.setupapi.package import make_package, read_package
from vreader.setupapi.show import SYSTEMS, outline, told

FIXTURES = Path(__file__).parent / "fixtures"


def shown(text, *systems, **options):
    package = make_package(text.encode(), "a.inf")
    return outline(package, systems or ("10.0-amd64",), **options)


@pytest.mark.parametrize(
    ("system", "device", "default"),
    [
        ("10.0-amd64", "FabrikamVendor64_61_Install.NT", "DefaultInstall.ntamd64"),
        ("6.0-amd64", "FabrikamVendor64_Install.NT", "DefaultInstall.ntamd64"),
        ("6.1-x86", "FabrikamVendor32_61_Install.NT", "DefaultInstall.NTx86"),
        ("10.0-arm64", "", "DefaultInstall"),
    ],
)
def test_what_each_windows_takes(system, device, default):
    found = outline(read_package(str(FIXTURES / "fabrikam.inf")))
    ways = {way.how: way for way in found.systems[system]}
    assert (ways["device"].section, ways["default"].section) == (device, default)


def test_cards_and_files_are_told_once_with_their_windows():
    found = outline(read_package(str(FIXTURES / "fabrikam.inf")), device=HARDWARE.lower())
    (wow64, systems), (native, everywhere) = found.cards()
    assert (wow64.label, native.label) == ("Fabrikam in Wow6432Node", "Fabrikam")
    assert systems == ["10.0-amd64", "6.1-amd64", "6.0-amd64"]
    assert everywhere == list(SYSTEMS)
    assert [(copy.source, copy.line, len(systems)) for copy, systems in found.copies()] == [
        ("Fabrikamcm64.dll", 56, 3), ("Fabrikamcm.dll", 57, 3), ("Fabrikamcm.dll", 68, 4),
    ]  # fmt: skip
    record = json.loads(json.dumps(found.record()))
    assert record["cards"][0]["atr"] == "3B0451FF0800"
    assert record["models"][0]["ids"] == [HARDWARE]
    lines = list(told(found))
    assert "    115  Fabrikam in Wow6432Node  (10.0-amd64, 6.1-amd64, 6.0-amd64)" in lines


@pytest.mark.parametrize(
    ("text", "device", "problem"),
    [
        ("", "", "no model for it"),
        ("[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\nd=I,x\n", "y", "no model for y"),
        ("[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\nd=I\n", "", "line 4: the model has no id"),
        ("[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\nd=I,x\n", "", "line 4: there is no section"),
        ("[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\nd=I,x\n[I]\nAddReg=R\n", "x", "line 6: there"),
    ],
)
def test_why_it_is_not_installed(text, device, problem):
    (way, _) = shown(text, device=device).systems["10.0-amd64"]
    assert way.problem.startswith(problem)


def test_a_section_is_tried_once():
    models = "".join(f"d=I,x{n}\n" for n in range(5000))
    text = f"[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\n{models}[I]\nAddReg=R\n[R]\n"
    found = shown(text + "HKLM,SOFTWARE\\X,v\n" * 500)
    assert len(found.systems["10.0-amd64"]) == 5001
    assert len({id(way.done) for way in found.systems["10.0-amd64"][:-1]}) == 1


def test_a_file_that_would_never_end_is_left_alone():
    installs = "".join(f"[I{n}]\nAddReg={'R,' * 40}R\n" for n in range(60))
    models = "".join(f"d=I{n},x{n}\n" for n in range(60))
    lines = "HKXX,v\n" * 10
    text = f"[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\n{models}{installs}[R]\n{lines}"
    problems = [way.problem for way in shown(text).systems["10.0-amd64"]]
    assert problems[0].startswith("line 185: 'HKXX' is no root")
    assert problems[-1] == "not looked at: the file has too many steps"


def test_no_such_windows():
    with pytest.raises(UsageError, match="'95' is no Windows"):
        shown("", "95")


def test_nothing_reaches_the_terminal_that_it_would_obey():
    assert not any("\x1b" in line for line in told(shown('[Version]\nProvider="\x1b[2J"\n')))
