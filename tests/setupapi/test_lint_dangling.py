# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.setupapi.inf import parse_inf
from vreader.setupapi.lint_dangling import lint_dangling
from vreader.setupapi.minidriver import find_installs

PACKAGE = """
[Manufacturer]
m=M,NTamd64
[M.NTamd64]
d=I,x
[I.NT]
CopyFiles=F
AddReg=R,%token%
[I.NT.Services]
AddService=s,2,Service,Log
[F]
[R]
[T]
[Service]
[Log]
[DefaultInstall.NTamd64]
[DefaultInstall.NTamd64.Services]
[Strings]
token=T
[Strings.0407]
token=T
"""


def dangling(text):
    inf = parse_inf(PACKAGE + text)
    found = []
    lint_dangling(inf, find_installs(inf), lambda number, line, detail: found.append(detail))
    return found


def test_a_package_in_order():
    assert dangling("") == []


@pytest.mark.parametrize(
    ("section", "meant"),
    [
        ("I.HW", "; is [I.NT.HW] meant?"),
        ("DefaultInstall.NTamd64.NT.HW", "; is [DefaultInstall.NTamd64.HW] meant?"),
        ("I.NT.Hardware", ""),
        ("J.NT.HW", ""),
        ("M.NTarm64", ""),
        ("Version2", ""),
        ("DefaultInstall.Setup", ""),
    ],
)
def test_a_section_that_nothing_leads_to(section, meant):
    assert dangling(f"[{section}]") == [f"[{section}]{meant}"]


@pytest.mark.parametrize(
    "section",
    ["I.nt.hw", "I.NT.CoInstallers", "I.NTx86", "I", "I.NTamd64", "SourceDisksFiles.amd64",
     "DefaultUninstall", "DefaultInstall.NTamd64.HW", "SignatureAttributes"],
)  # fmt: skip
def test_a_section_that_is_looked_for(section):
    assert dangling(f"[{section}]") == []
