# SPDX-License-Identifier: Apache-2.0
"""What sections may say, whoever names them: included files, copies, what is not simulated."""

from pathlib import Path

import pytest
from driver_packages import HARDWARE, package
from hypothesis import given
from hypothesis import strategies as st

from vreader.registry import Registry, Value
from vreader.registry.names import fold
from vreader.setupapi.defaultinstall import install_default
from vreader.setupapi.inf import InfError, parse_inf
from vreader.setupapi.inffile import read_inf_file
from vreader.setupapi.install import install_device
from vreader.setupapi.rank import last_resort, search
from vreader.setupapi.target import TargetOS, models_for

FIXTURES = Path(__file__).parent / "fixtures"
INSTANCE = r"SCFILTER\CID_51FF0800\1"
SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
UMPASS = """[UmPass]
AddReg=Passed
[Passed]
HKR,,From,,%Who%
[UmPass.Services]
AddService=UmPass,2,Inst
[Inst]
ServiceType=1
StartType=3
ErrorControl=1
ServiceBinary=%12%\\umpass.sys
[Strings]
Who="umpass"
"""


def told(registry):
    return [(key.path, key.values()) for root in registry.roots() for key in root.walk()]


def default(text, arch="amd64", **options):
    registry = Registry()
    return install_default(parse_inf(text), registry, TargetOS(arch), **options), registry


def texts(done):
    return [step.text for step in done.steps]


@pytest.mark.parametrize(
    ("os", "section", "service", "files"),
    [
        ("10.0-amd64", "FabrikamVendor64_61_Install.NT", "UmPass", 2),
        ("6.1-amd64", "FabrikamVendor64_61_Install.NT", "UmPass", 2),
        ("6.0-amd64", "FabrikamVendor64_Install.NT", "", 2),
        ("6.1-x86", "FabrikamVendor32_61_Install.NT", "UmPass", 1),
    ],
)
def test_the_fabrikam_card_s_device(os, section, service, files):
    registry = Registry()
    umpass = parse_inf(UMPASS, "umpass.inf")
    done = install_device(
        read_inf_file(str(FIXTURES / "fabrikam.inf")), registry, [HARDWARE], instance=INSTANCE,
        target=TargetOS.parse(os), sources={fold("umpass.inf"): umpass},
    )  # fmt: skip
    assert (done.section, done.service, len(done.files)) == (section, service, files)
    assert (registry.find(rf"{SERVICES}\UmPass") is not None) is bool(service)
    found = [step for step in done.steps if step.source == "umpass.inf"]
    assert ({"Passed", "UmPass.Services", "Inst"} <= {step.section for step in found}) is bool(
        service
    )
    if service:
        assert registry.open(done.software_key).get("From").decoded == "umpass"
        assert "needs [UmPass] of umpass.inf" in texts(done)


def test_the_fabrikam_card_is_not_for_arm64():
    registry = Registry()
    with pytest.raises(InfError, match=r"nothing in it is for .* on 10\.0-arm64"):
        install_device(
            read_inf_file(str(FIXTURES / "fabrikam.inf")), registry, [HARDWARE],
            instance=INSTANCE, target=TargetOS("arm64"),
        )  # fmt: skip
    assert told(registry) == told(Registry())


def test_an_included_file_has_texts_and_sections_of_its_own():
    other = parse_inf(
        "[N]\nAddReg=R,Ours\n[R]\nHKLM,SOFTWARE\\X,b,,%t%\n[Strings]\nt=other\n", "o.inf"
    )
    done, registry = default(
        "[DefaultInstall]\nInclude=O.INF\nNeeds=N\nAddReg=R\n[R]\nHKLM,SOFTWARE\\X,a,,%t%\n"
        "[Ours]\nHKLM,SOFTWARE\\X,c,,%t%\n[Strings]\nt=mine\n",
        sources={"O.INF": other},
    )
    values = {name: value.decoded for name, value in registry.open(r"HKLM\SOFTWARE\X").values()}
    assert values == {"a": "mine", "b": "other", "c": "mine"}
    assert [(step.source, step.line) for step in done.steps if step.text.startswith("set")] == [
        ("o.inf", 4), ("the INF file", 8), ("the INF file", 6),
    ]  # fmt: skip


def test_an_included_file_copies_to_directories_of_its_own():
    other = parse_inf(
        "[N]\nCopyFiles=F\n[F]\n%t%.dll\n[DestinationDirs]\nF=12\n[Strings]\nt=other\n", "o.inf"
    )
    done, _ = default(
        "[DefaultInstall]\nInclude=o.inf\nNeeds=N\n[DestinationDirs]\nF=10\n[Strings]\nt=mine\n",
        sources={"O.INF": other},
    )
    assert done.files == [r"C:\Windows\System32\drivers\other.dll"]


@pytest.mark.parametrize("arch", ["x86", "arm"])
def test_a_windows_of_32_bits_has_one_view_and_one_system_directory(arch):
    done, registry = default(
        "[DefaultInstall]\nAddReg=R\nCopyFiles=F\n[R]\nHKLM,SOFTWARE\\X,v,0x4000,s\n"
        "[F]\na.dll\n[DestinationDirs]\nF=16425\n",
        arch,
    )
    assert registry.open(r"HKLM\SOFTWARE\X").get("v") == Value.sz("s")
    assert done.files == [r"C:\Windows\System32\a.dll"]


def test_a_bad_line_of_an_included_file_names_that_file():
    other = parse_inf("[N]\nAddReg=R\n[R]\nHKXX\n", "o.inf")
    with pytest.raises(InfError, match=r"o\.inf, line 4: 'HKXX' is no root"):
        default("[DefaultInstall]\nInclude=o.inf\nNeeds=N\n", sources={"O.INF": other})


def test_files_that_need_each_other_end():
    other = parse_inf("[N]\nInclude=me.inf\nNeeds=DefaultInstall,N\n", "o.inf")
    done, _ = default("[DefaultInstall]\nInclude=o.inf\nNeeds=N\n", sources={"O.INF": other})
    assert len(done.steps) == 5


@pytest.mark.parametrize(
    ("arch", "folders"),
    [
        ("amd64", [r"C:\Windows\system32", r"C:\Windows\SysWOW64", r"C:\Windows\System32\drivers"]),
        ("x86", [r"C:\Windows\system32", r"C:\Windows\System32", r"C:\Windows\System32\drivers"]),
    ],
)
def test_copies_are_pairs_of_source_and_destination(arch, folders):
    done, _ = default(
        "[DefaultInstall]\nCopyFiles=A,B,@c.sys\n[A]\na.dll,a64.dll\nplain.dll\n[B]\nb.dll,b32.dll,,2\n"
        "[DestinationDirs]\nA=10,system32\nB=16425\nDefaultDestDir=12\n",
        arch,
    )
    wide, narrow, drivers = folders
    assert [(copy.source, copy.destination) for copy in done.copies] == [
        ("a64.dll", rf"{wide}\a.dll"), ("plain.dll", rf"{wide}\plain.dll"),
        ("b32.dll", rf"{narrow}\b.dll"), ("c.sys", rf"{drivers}\c.sys"),
    ]  # fmt: skip
    assert texts(done)[0] == rf"copy a64.dll to {wide} as a.dll"


def test_files_may_stay_in_the_driver_store():
    done, _ = default("[DefaultInstall]\nCopyFiles=@a.dll\n[DestinationDirs]\nDefaultDestDir=13\n")
    assert done.files[0].startswith(r"C:\Windows\System32\DriverStore\FileRepository")


def test_a_found_driver_s_files_stay_where_its_package_is():
    vendor = package(
        "v.inf", HARDWARE, more="CopyFiles=@a.dll\n[DestinationDirs]\nDefaultDestDir=13"
    )
    (found,) = search([vendor], [HARDWARE], [], TargetOS())
    done = install_device(vendor.inf, Registry(), [HARDWARE], instance=INSTANCE, candidate=found)
    assert done.files[0].endswith(rf"\{vendor.folder('amd64')}\a.dll")


def test_what_its_steps_would_say_has_an_end():
    """A hostile INF: a few kilobytes of it would become gigabytes."""
    lines = f"HKLM,SOFTWARE\\X,v,0x10000{',%a%' * 250}\n" * 20
    with pytest.raises(InfError, match=r"line 2[0-9]: steps of more than 16777216 characters"):
        default(f"[DefaultInstall]\nAddReg=R\n[R]\n{lines}[Strings]\na={'b' * 4000}\n")


def test_what_is_not_simulated_is_told():
    done, _ = default(
        "[DefaultInstall]\nRegisterDlls=D\nBitReg=B\nUpdateInis=U\nProfileItems=P\nDelFiles=F\n"
        "[D]\n11,,card.dll,1\n16425,sub,other.dll,1\n"
    )
    system = r"C:\Windows\System32"
    assert done.register_dlls == [rf"{system}\card.dll", r"C:\Windows\SysWOW64\sub\other.dll"]
    assert [text for text in texts(done) if text.startswith("not simulated: ")] == texts(done)
    assert rf"not simulated: DllRegisterServer of {system}\card.dll" in texts(done)
    assert "not simulated: BitReg = B" in texts(done)


def test_entries_of_a_service_that_set_no_value_are_told():
    done, registry = default(
        "[DefaultInstall]\n[DefaultInstall.Services]\nAddService=s,,S\n"
        '[S]\nServiceType=0x20\nServiceSidType=1\nDelayedAutoStart=1\nSecurity="D:P"\n'
        "AddTrigger=T\n"
    )
    key = registry.open(rf"{SERVICES}\s")
    assert key.get("ServiceSidType") == Value.dword(1)
    assert key.get("DelayedAutostart") == Value.dword(1)
    assert [text for text in texts(done) if "not simulated" in text] == [
        "not simulated: Security = D:P", "not simulated: AddTrigger = T",
    ]  # fmt: skip


def test_what_was_added_is_kept_for_whoever_asks():
    done, _ = default("[DefaultInstall]\nAddReg=R\nDelReg=D\n[R]\nHKLM,S,v,,x\n[D]\nHKLM,S,w\n")
    assert [(line.line, line.name) for line in done.added] == [(5, "v")]


def test_the_found_driver_is_the_one_that_is_installed():
    vendor = package("vendor.inf", f"{HARDWARE}\ne=J,{HARDWARE}", more="[J]")
    staged = vendor._replace(published="oem7.inf")
    (found,) = search([staged], [HARDWARE], [], TargetOS())
    registry = Registry()
    done = install_device(staged.inf, registry, [HARDWARE], instance=INSTANCE, candidate=found)
    software = registry.open(done.software_key)
    assert software.get("InfPath").decoded == "oem7.inf"
    assert software.get("MatchingDeviceId").decoded == HARDWARE


def test_the_driver_of_unknown_cards_is_installed_without_an_id_that_fits():
    null = package("null.inf", "", more="[I.NT.Services]\nAddService=,2")
    registry = Registry()
    done = install_device(
        null.inf, registry, [HARDWARE], instance=INSTANCE, candidate=last_resort(null, TargetOS())
    )
    assert texts(done) == ["d: [I.NT]", "the NULL driver"]
    assert registry.open(done.hardware_key).find_value("Service") is None


# ---------------------------------------------------------------------- nothing half installed

GOOD = [path.read_bytes().decode("utf-8", "replace") for path in sorted(FIXTURES.glob("*.inf"))]
WORDS = [
    "[DefaultInstall.NTamd64]", "[AddRegDefault]", "AddReg=AddRegDefault", "Needs=UmPass",
    "HKLM,SOFTWARE\\X,v,1,0g", "HKR,,v,,x", "AddService=,2", "CopyFiles=none", "%", '"', "\\", ",",
    "=", "RegisterDlls=AddRegDefault", "HKLM,,,4", "DelReg=AddRegDefault", "HKLM," + "a\\" * 600,
]  # fmt: skip


@given(st.data())
def test_a_damaged_inf_is_installed_or_changes_nothing(data):
    lines = data.draw(st.sampled_from(GOOD)).split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        cut = data.draw(st.integers(0, len(lines[at])))
        word = data.draw(st.sampled_from(["", *WORDS, *lines]))
        lines[at] = data.draw(st.sampled_from([word, lines[at][:cut] + word, word + lines[at]]))
    target = TargetOS(data.draw(st.sampled_from(["amd64", "x86", "arm64"])))
    sources = {"UMPASS.INF": parse_inf(UMPASS, "umpass.inf")}
    try:
        inf = parse_inf("\n".join(lines))
        models = models_for(inf, target)
    except InfError:
        return
    before = Registry()
    before.create(r"HKLM\SOFTWARE\X").set("v", Value.sz("there"))
    installs = [lambda: install_default(inf, registry, target, sources=sources)] + [
        lambda ids=model.ids: install_device(
            inf, registry, ids or ["x"], instance=INSTANCE, target=target, sources=sources
        )
        for model in models[:1]
    ]
    for install in installs:
        registry = before.copy()
        try:
            install()
        except InfError:
            assert told(registry) == told(before)
