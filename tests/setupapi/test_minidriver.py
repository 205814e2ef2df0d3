# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from vreader.setupapi.inf import parse_inf
from vreader.setupapi.minidriver import find_installs

FABRIKAM = Path(__file__).with_name("fixtures") / "fabrikam.inf"


def found(text):
    return {
        (install.section.name, install.arch, install.default, install.windows7)
        for install in find_installs(parse_inf(text))
    }


def test_the_sample_of_the_wdk():
    assert found(FABRIKAM.read_text()) == {
        ("FabrikamVendor64_Install.NT", "amd64", False, False),
        ("FabrikamVendor32_Install.NT", "x86", False, False),
        ("FabrikamVendor64_61_Install.NT", "amd64", False, True),
        ("FabrikamVendor32_61_Install.NT", "x86", False, True),
        ("DefaultInstall", "x86", True, False),
        ("DefaultInstall.ntamd64", "amd64", True, False),
        ("DefaultInstall.NTx86", "x86", True, False),
    }


@pytest.mark.parametrize(
    ("manufacturer", "models", "expected"),
    [
        ("m=M", "[M]\nd=I,x", {("I", "x86", False, False)}),  # undecorated is for x86
        ("m=M,NTamd64,NTarm64", "[M.NTamd64]\nd=I,x\n[M.NTarm64]\nd=I,y",
         {("I", "amd64", False, False), ("I", "arm64", False, False)}),
        ("m=M,NTamd64\nn=M,NTamd64", "[M.NTamd64]\nd=I,x", {("I", "amd64", False, False)}),
        ("m=M,NTamd64.6.1,NTamd64", "[M.NTamd64.6.1]\nd=I,x\n[M.NTamd64]\nd=I,x",
         {("I", "amd64", False, True)}),
        ("m=M,NTmips", "[M.NTmips]\nd=I,x", set()),
        ("m=M,NTamd64", "[M.NTamd64]\nd=Gone,x", set()),
    ],
)  # fmt: skip
def test_models(manufacturer, models, expected):
    assert found(f"[Manufacturer]\n{manufacturer}\n{models}\n[I]\n") == expected


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ([], set()),
        (["DefaultInstall"], {("DefaultInstall", "x86")}),
        (["DefaultInstall.NTamd64", "DefaultInstall.NTamd64.Services", "DefaultInstalled"],
         {("DefaultInstall.NTamd64", "amd64")}),
        (["DefaultInstall", "DefaultInstall.NT"],
         {("DefaultInstall", "x86"), ("DefaultInstall.NT", "x86")}),
    ],
)  # fmt: skip
def test_default_install(sections, expected):
    text = "".join(f"[{name}]\n" for name in sections)
    assert {(name, arch) for name, arch, _, _ in found(text)} == expected


def test_models_are_looked_at_once():
    (install,) = find_installs(
        parse_inf("[Manufacturer]\nm=M,NTamd64,ntAMD64\nn=M,NTamd64\n[M.NTamd64]\nd=I,x\n[I]\n")
    )
    assert len(install.models) == 1


def test_default_install_is_for_what_has_none_of_its_own():
    text = "[Manufacturer]\nm=M,NTx86,NTamd64,NTarm64\n"
    text += "".join(f"[M.NT{arch}]\nd=I,x\n" for arch in ("x86", "amd64", "arm64"))
    text += "[I]\n[DefaultInstall]\n[DefaultInstall.NTamd64]\n"
    assert {(name, arch) for name, arch, default, _ in found(text) if default} == {
        ("DefaultInstall.NTamd64", "amd64"), ("DefaultInstall", "x86"), ("DefaultInstall", "arm64"),
    }  # fmt: skip
