# SPDX-License-Identifier: Apache-2.0
"""The sample INF of Microsoft's "Smart Card Plug and Play": what each part of it does.

The rooms' own tests go deeper; here each test is a row of the inventory.
"""

from pathlib import Path

import pytest

from vreader.pairing.question import Question, answer
from vreader.registry import Registry
from vreader.registry.view import View
from vreader.setupapi.inf import InfError, parse_inf
from vreader.setupapi.install import install_device
from vreader.setupapi.lint import lint
from vreader.setupapi.target import TargetOS
from vreader.winscard.cardtypes import CardTypes

FABRIKAM = str(Path(__file__).parents[1] / "setupapi" / "fixtures" / "fabrikam.inf")
SAMPLE = Path(FABRIKAM).read_text()
ATR = bytes.fromhex("3B0451FF0800")
ID = r"SCFILTER\CID_51FF0800"
BASE_CSP = "Microsoft Base Smart Card Crypto Provider"
KSP_NAME = "Microsoft Smart Card Key Storage Provider"
TARGETS = {
    "10.0-amd64": "FabrikamVendor64_61_Install.NT",
    "6.1-amd64": "FabrikamVendor64_61_Install.NT",
    "6.0-amd64": "FabrikamVendor64_Install.NT",
    "6.1-x86": "FabrikamVendor32_61_Install.NT",
    "6.0-x86": "FabrikamVendor32_Install.NT",
}


def install(os="10.0-amd64", text=SAMPLE):
    registry = Registry()
    done = install_device(
        parse_inf(text), registry, [ID], instance=rf"{ID}\0", target=TargetOS.parse(os)
    )
    return registry, done


def said(done):
    return " | ".join(step.text for step in done.steps)


# ---------------------------------------------------------------------- Minidriver Registration


@pytest.mark.wdk(
    "minidriver.inf-based", "minidriver.entry.module", "minidriver.entry.atr",
    "minidriver.entry.atr-mask", "minidriver.entry.capi", "minidriver.entry.cng",
)  # fmt: skip
def test_the_inf_makes_the_entry():
    registry, _ = install()
    entry = CardTypes(View(registry)).find("Fabrikam")
    assert (entry.atr, entry.mask, entry.problem) == (ATR, b"\xff" * 6, "")
    assert (entry.module, entry.csp, entry.ksp) == ("Fabrikamcm.dll", BASE_CSP, KSP_NAME)


@pytest.mark.wdk("minidriver.wow64", "package.sample.wow64")
def test_a_32_bit_program_has_an_entry_of_its_own():
    registry, _ = install()
    assert CardTypes(View(registry, 32)).find("Fabrikam").atr == ATR
    registry.delete(r"HKLM\SOFTWARE\Wow6432Node", tree=True)
    assert CardTypes(View(registry, 32)).find("Fabrikam") is None
    assert CardTypes(View(registry)).find("Fabrikam") is not None
    registry, _ = install("6.1-x86")
    assert CardTypes(View(registry, 32, 32)).find("Fabrikam") is not None
    assert registry.find(r"HKLM\SOFTWARE\Wow6432Node") is None


# ---------------------------------------------------------------------- the sample INF


@pytest.mark.wdk("package.sample.version")
def test_version():
    inf = parse_inf(SAMPLE)
    assert [
        inf.value("Version", name)
        for name in ("Signature", "Class", "Provider", "CatalogFile", "DriverVer", "PnpLockdown")
    ] == ["$Windows NT$", "SmartCard", "FabrikamVendor", "delta.cat", "10/03/2008", "1"]
    assert not {f.rule.number for f in lint(inf)} & {101, 102, 103, 104, 115, 301}
    without = parse_inf(SAMPLE.replace("PnpLockdown", "x"))
    assert 115 in {finding.rule.number for finding in lint(without)}


@pytest.mark.wdk("package.sample.models", "package.sample.ddinstall")
@pytest.mark.parametrize(("os", "section"), TARGETS.items())
def test_each_windows_has_its_section(os, section):
    _, done = install(os)
    assert done.section == section
    assert done.model.ids == [ID]


@pytest.mark.wdk("package.sample.models")
def test_a_windows_without_a_section_does_not_install_it():
    with pytest.raises(InfError):
        install("10.0-arm64")


@pytest.mark.wdk("package.sample.default-install")
@pytest.mark.parametrize(
    ("os", "bits", "name"),
    [("10.0-amd64", 64, "Fabrikam"), ("10.0-amd64", 32, "Fabrikam"), ("6.1-x86", 32, "Fabrikam")],
)
def test_default_install_has_the_closest_decoration(os, bits, name):
    question = Question(f"atr:{ATR.hex()}", installed=(FABRIKAM,), os=os, bits=bits)
    assert answer(question).card_name == name


@pytest.mark.wdk("package.sample.include")
def test_umpass_is_needed_since_6_1():
    for os, needed in (("6.0-amd64", False), ("6.1-amd64", True), ("6.1-x86", True)):
        _, done = install(os)
        for name in ("UmPass", "UmPass.Services", "UmPass.HW", "UmPass.CoInstallers",
                     "UmPass.Interfaces"):  # fmt: skip
            assert (name in said(done)) is needed, (os, name)


@pytest.mark.wdk("package.sample.copy-files")
def test_files_go_to_the_directory_of_their_bits():
    _, done = install()
    files = [path.lower() for path in done.files]
    assert files == [r"c:\windows\system32\fabrikamcm.dll", r"c:\windows\syswow64\fabrikamcm.dll"]
    _, done = install("6.1-x86")
    assert [path.lower() for path in done.files] == [r"c:\windows\system32\fabrikamcm.dll"]


@pytest.mark.wdk("package.hardware-id", "package.default-install")
def test_what_is_required_of_such_an_inf():
    assert not {f.rule.number for f in lint(parse_inf(SAMPLE))} & {302, 321, 322}
    other_id = parse_inf(SAMPLE.replace("CID_51FF0800", "CID_51FF0801"))
    assert 322 in {finding.rule.number for finding in lint(other_id)}
    without = parse_inf(SAMPLE.replace("[DefaultInstall", "[Gone"))
    assert 302 in {finding.rule.number for finding in lint(without)}
