# SPDX-License-Identifier: Apache-2.0
import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.setupapi.inf import InfError, parse_inf
from vreader.setupapi.lint import has_errors, lint
from vreader.setupapi.rules import RULES


def numbers(text):
    return [finding.rule.number for finding in lint(parse_inf(text))]


@pytest.mark.wdk("registration.lint", "registration.inf-class")
def test_our_own_inf_is_clean(our_inf):
    assert lint(parse_inf(our_inf)) == []


def without(key):
    return (rf"(?m)^{key} .*\n", "")


def line(before, after):
    return (re.escape(before), after.replace("\\", "\\\\"))


ADD_REG = "HKR,,TypesSupported,0x00010001,7"
CHANGES = [
    (101, without("Signature")),
    (101, line('"$WINDOWS NT$"', '"$Windows 95$"')),
    (102, without("Provider")),
    (103, without("CatalogFile")),
    (104, without("DriverVer")),
    (104, line("11/25/2026,0.1.0.0", "25/11/2026,1.0")),
    (104, line("11/25/2026,0.1.0.0", "11/25/2026,1.70000")),
    (104, line("11/25/2026,0.1.0.0", "11/25/2026,1.0.0.65535")),
    (104, line("11/25/2026,0.1.0.0", "11/25/2026,0.0.0.0")),
    (104, line("11/25/2026,0.1.0.0", "02/29/2026,0.1.0.0")),
    (104, line("11/25/2026,0.1.0.0", "12/31/1899,0.1.0.0")),
    (104, line("11/25/2026,0.1.0.0", "11/25/2026,0,1,0,0")),
    (105, line("= %Vendor%\nCat", "= %Vendour%\nCat")),
    (105, line("%%SystemRoot%%", "%SystemRoot%")),
    (106, line("[Strings]", '[Strings.0407]\nVendor="x"\n[Strings]')),
    (107, line("[Reader.Device]", "[Reader.Devices]")),
    (107, line("[Readers.NTarm64]", "[Readers.NTarm]")),
    (107, line("%Reader% = Reader,", "%Reader% = Reeder,")),
    (107, line("[Reader.Service]", "[Reader.Services]")),
    (108, line(ADD_REG, ADD_REG + "\nHKR,,x,0x10001,y")),
    (108, line(ADD_REG, ADD_REG + "\nHKXX,y")),
    (109, (r"(?m)^%Reader%.*\n", "")),
    (109, line("[Manufacturer]", "[Manufacturers]")),
    (110, line("%Vendor% = Readers,NTx86,NTamd64,NTarm64", "%Vendor% = Readers.NTx86")),
    (111, line("NTamd64,NTarm64", "NTamd64,NTarm64,NTmips")),
    (112, without("DefaultDestDir")),
    (113, without("vreader.sys")),
    (114, line("[Reader.NT]\n", "[Reader.NT]\nInclude=other.inf\n")),
    (114, line("[Reader.NT]\n", "[Reader.NT]\nNeeds=Other\n")),
    (115, line("PnpLockdown = 1", "PnpLockdown = 0")),
    (116, line("11/25/2026,0.1.0.0", "11/25/2026,0.1.0")),
    (116, line("11/25/2026,0.1.0.0", "11/25/2026")),
    (117, line("CatalogFile =", "CatalogFile.NTamd64 =")),
    (118, line('Vendor  = "', 'Vendor  = "%Reader% by ')),
    (201, line("= SmartCardReader\nClassGuid", "= SmartCard\nClassGuid")),
    (201, line("ClassGuid   = {50DD5230", "ClassGuid   = {990A2BD7")),
    (201, without("Class")),
    (202, line("HKR,,Exclusive,0x00010001,1", "HKR,,Exclusive,0x00010001,0")),
    (202, line("HKR,,Exclusive,0x00010001,1", "HKR,,Exclusive,,1")),
    (202, line("[Reader.NT.HW]", "[Reader.NT.HWX]")),
    (203, line("AddService = vreader,0x00000002", "AddService = vreader,")),
    (203, line("vreader,0x00000002,Reader.Service,Reader.EventLog", ",2")),
    (203, line("[Reader.NT.Services]", "[Reader.NTamd64.Services]")),
    (204, line("ServiceType    = 1", "ServiceType = 0x10")),
    (205, line("StartType      = 2", "StartType = 4")),
    (205, without("StartType")),
    (206, line("LoadOrderGroup = SmartCardReader", "LoadOrderGroup = Base")),
    (206, without("LoadOrderGroup")),
    (207, line("ErrorControl   = 1", "ErrorControl = 0")),
    (208, without("ServiceBinary")),
    (209, line("Reader.Service,Reader.EventLog", "Reader.Service")),
    (210, line("Drivers\\vreader.sys\"", "Drivers\\vreader\"")),
    (210, line("0x00020000,", ",")),
    (210, line("Reader.Service,Reader.EventLog", "Reader.Service,Reader.EventLog,,vreader.sys")),
    (210, (r"(?m)^HKR,,EventMessageFile.*\n", "")),
    (211, line(ADD_REG, "HKR,,TypesSupported,0x00010001,1")),
    (211, line(ADD_REG + "\n", "")),
    (212, line(ADD_REG, ADD_REG + "\nHKLM,Software\\Microsoft\\Cryptography\\Calais\\Readers,,,")),
    (213, line(ADD_REG, ADD_REG
               + "\nHKLM,System\\CurrentControlSet\\Services\\SCardSvr,Start,0x00010001,2")),
    (214, line(ADD_REG, ADD_REG
               + "\nHKLM,System\\CurrentControlSet\\Services\\CertPropSvc,Start,0x00010001,2")),
    (215, line("[Strings]", "[Reader.NT.Wdf]\nUmdfServiceOrder=x\n[Strings]")),
    (215, line("AddService = vreader,", "AddService = WUDFRd,")),
    (216, line("Reader,ROOT\\VREADER", "Reader")),
    (217, line("AddInterface = {50DD5230", "AddInterface = {00000000")),
    (218, line("CopyFiles = Reader.Files", "CopyFiles = Reader.Files\nAddReg = Reader.Device")),
]  # fmt: skip


@pytest.mark.wdk(
    "registration.lint", "registration.inf-class", "registration.calais-readers",
    "registration.service-starts", "registration.group",
)  # fmt: skip
@pytest.mark.parametrize(("number", "change"), CHANGES, ids=lambda value: str(value)[:40])
def test_what_breaks_a_rule_is_found(our_inf, number, change):
    changed = re.sub(*change, our_inf)
    assert changed != our_inf
    assert number in numbers(changed)


def test_every_rule_has_a_case():
    assert {number for number, _ in CHANGES} == {number for number in RULES if number < 300}


@pytest.mark.parametrize(
    "change",
    [
        line("StartType      = 2", "StartType = 0x3"),
        line("LoadOrderGroup = SmartCardReader", 'LoadOrderGroup = "Smart Card Reader"'),
        line('"%%SystemRoot%%\\System32\\Drivers',
             '"%%SystemRoot%%\\System32\\IoLogMsg.dll;%%SystemRoot%%\\System32\\Drivers'),
        line("CatalogFile =", "CatalogFile.NTamd64 ="),
        line("[Reader.NT", "[Reader.NTamd64"),
        line("[Reader.NT.HW]\nAddReg = Reader.Device",
             "[Reader.NT.HW]\nInclude=a.inf\nNeeds=A.HW"),
        line('[Strings]\n', '[Strings.0407]\nVendor=v\nReader=r\nService=s\nDisk=d\n[Strings]\n'),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_fine_too(our_inf, change):
    changed = re.sub(*change, our_inf)
    assert changed != our_inf
    assert [n for n in numbers(changed) if RULES[n].severity == "error"] == []


UMDF = """[I.NT.Services]
Include=WUDFRD.inf
Needs=WUDFRD.NT.Services
[I.NT.Wdf]
UmdfService=r,R
{}
[Strings]"""


@pytest.mark.parametrize(
    ("policy", "found"),
    [("UmdfKernelModeClientPolicy=AllowKernelModeClients", False),
     ("UmdfKernelModeClientPolicy=RejectKernelModeClients", True), ("", True)],
)  # fmt: skip
def test_a_user_mode_driver_needs_its_policy(our_inf, policy, found):
    text = our_inf.replace("Reader,ROOT", "I,ROOT").replace("[Reader.NT]", "[I.NT]")
    text = text.replace("[Strings]", UMDF.format(policy))
    assert (215 in numbers(text)) is found
    assert not {203, 204, 205, 206, 209} & set(numbers(text))


def test_a_finding_says_where_and_what_to_do(our_inf):
    text = our_inf.replace("StartType      = 2", "StartType = 4")
    (finding,) = lint(parse_inf(text))
    assert finding.line == text.splitlines().index("StartType = 4") + 1
    assert finding.record() == {
        "number": 205,
        "severity": "error",
        "line": finding.line,
        "text": "StartType is neither 2 nor 3: 4",
        "reason": RULES[205].reason,
        "source": RULES[205].source,
        "fix": "StartType = 2, or 3 while developing",
    }
    assert has_errors([finding])


def test_a_warning_is_no_error(our_inf):
    findings = lint(parse_inf(our_inf.replace("PnpLockdown = 1", "")))
    assert [finding.rule.number for finding in findings] == [115]
    assert not has_errors(findings)


def test_findings_come_in_the_order_of_lines_each_once(our_inf):
    text = our_inf.replace("Vendor  =", "Vendour =")
    found = [(finding.line, finding.detail) for finding in lint(parse_inf(text))]
    assert found == sorted(found)
    assert len(found) == 2  # Provider and [Manufacturer], nothing twice


def test_an_empty_file_is_no_reader():
    assert {101, 102, 103, 104, 109, 201} <= set(numbers(""))


def test_endless_files_are_refused():
    text = "[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\nd=I,x\n[I]\nAddReg=" + "R," * 999
    with pytest.raises(InfError, match="more than 100000 steps"):
        lint(parse_inf(f"{text}R\n[R]\n" + "HKR,,v\n" * 200))


@given(st.data())
def test_anything_is_linted(our_inf, data):
    lines = our_inf.splitlines()
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(lines) - 1))
        other = data.draw(st.sampled_from(lines))
        lines[at] = data.draw(st.sampled_from([other, lines[at][3:], other + lines[at], ""]))
    with contextlib.suppress(InfError):
        lint(parse_inf("\n".join(lines)))
