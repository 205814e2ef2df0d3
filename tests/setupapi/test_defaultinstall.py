# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from vreader.registry import Registry, Value
from vreader.setupapi.defaultinstall import install_default
from vreader.setupapi.inf import InfError, parse_inf
from vreader.setupapi.inffile import read_inf_file
from vreader.setupapi.target import TargetOS

FIXTURES = Path(__file__).parent / "fixtures"
CALAIS = r"Microsoft\Cryptography\Calais\SmartCards"
NATIVE = rf"HKLM\SOFTWARE\{CALAIS}\Fabrikam"
WOW64 = rf"HKLM\SOFTWARE\Wow6432Node\{CALAIS}\Fabrikam"


def told(registry):
    return [(key.path, key.values()) for root in registry.roots() for key in root.walk()]


def install(text, arch="amd64", registry=None, **options):
    registry = registry or Registry()
    return install_default(parse_inf(text), registry, TargetOS(arch), **options), registry


@pytest.mark.parametrize(
    ("os", "section", "both", "files"),
    [
        ("10.0-amd64", "DefaultInstall.ntamd64", True, ["system32", "syswow64"]),
        ("6.1-x86", "DefaultInstall.NTx86", False, ["system32"]),
        ("6.1-arm", "DefaultInstall", False, ["system32"]),
    ],
)
def test_the_fabrikam_card_by_right_click(os, section, both, files):
    registry = Registry()
    inf = read_inf_file(str(FIXTURES / "fabrikam.inf"))
    done = install_default(inf, registry, TargetOS.parse(os))
    assert done.section.lower() == section.lower()
    assert done.files == [rf"C:\Windows\{folder}\Fabrikamcm.dll" for folder in files]
    card = registry.open(NATIVE)
    assert card.get("ATR").data == bytes.fromhex("3B0451FF0800")
    assert card.get("80000001") == Value.sz("Fabrikamcm.dll")
    assert (registry.find(WOW64) is not None) is both
    assert registry.find(r"HKLM\SYSTEM") is None  # no device, no service
    assert {step.source for step in done.steps} == {"fabrikam.inf"}


def test_it_needs_neither_models_nor_a_device():
    done, registry = install("[DefaultInstall]\nAddReg=R\n[R]\nHKLM,SOFTWARE\\X,v,,x\n")
    assert registry.open(r"HKLM\SOFTWARE\X").get("v").decoded == "x"
    assert done.steps[0].record() == {
        "file": "the INF file",
        "line": 4,
        "section": "R",
        "text": f"set HKLM\\SOFTWARE\\X\\v = {Value.sz('x')!r}",
    }


@pytest.mark.parametrize(
    ("there", "arch", "taken"),
    [
        (["", ".NT", ".NTamd64"], "amd64", ".NTamd64"),
        (["", ".NT", ".NTamd64"], "x86", ".NT"),
        (["", ".NTamd64"], "arm64", ""),
        (["", ".NTamd64.6.1"], "amd64", ""),  # no Windows asks for that one
    ],
)
def test_the_section_of_the_architecture_wins(there, arch, taken):
    done, _ = install("".join(f"[DefaultInstall{each}]\n" for each in there), arch)
    assert done.section == f"DefaultInstall{taken}"


def test_none_for_this_windows():
    with pytest.raises(InfError, match=r"no \[DefaultInstall\] for 10\.0-amd64") as error:
        install("[DefaultInstall.NTx86]\n")
    assert error.value.hint == "add [DefaultInstall.NTamd64]"


def test_services_without_a_device():
    done, registry = install(
        "[DefaultInstall.NT]\n[DefaultInstall.NT.Services]\nAddService=flt,,S\nAddService=svc,2,S\n"
        "AddService=,2\n[S]\nServiceType=1\nStartType=3\nErrorControl=1\nServiceBinary=%12%\\f.sys\n"
    )
    services = registry.open(r"HKLM\SYSTEM\CurrentControlSet\Services")
    assert [key.name for key in services.subkeys()] == ["flt", "svc"]
    assert done.service == ""
    assert registry.find(r"HKLM\SYSTEM\CurrentControlSet\Enum") is None
    assert "no device to be driven by service svc" in [step.text for step in done.steps]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("AddReg=R\n[R]\nHKLM,SOFTWARE\\X,v,,x\nHKR,,v,,x\n", 5, "HKR stands for nothing"),
        ("AddReg=R,S\n[R]\nHKLM,SOFTWARE\\X,v,,x\n", 2, r"no section \[S\]"),
        ("CopyFiles=R\n", 2, r"no section \[R\]"),
        ("RegisterDlls=R\n", 2, r"no section \[R\]"),
        ("[DefaultInstall.Services]\nAddService=svc,,S\n", 3, r"no section \[S\]"),
    ],
)
def test_a_bad_inf_changes_nothing(text, line, problem):
    registry = Registry()
    with pytest.raises(InfError, match=problem) as error:
        install(f"[DefaultInstall]\n{text}", registry=registry)
    assert error.value.line == line
    assert told(registry) == told(Registry())
