# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.registry import Registry, Value
from vreader.setupapi.inf import InfError, parse_inf
from vreader.setupapi.install import install_device
from vreader.setupapi.target import TargetOS

READER_GUID = "{50DD5230-BA8A-11D1-BF5D-0000F805F530}"
IDS = [r"ROOT\VREADER"]


def told(registry):
    return [(key.path, key.values()) for root in registry.roots() for key in root.walk()]


@pytest.mark.wdk(
    "registration.service-key", "registration.group", "registration.install-reader",
    "event-log.source-key", "registration.exclusive", "name.setup-class",
)  # fmt: skip
def test_our_reader_is_installed_from_its_own_inf(our_inf):
    registry = Registry()
    inf = parse_inf(our_inf, "vreader.inf")
    done = install_device(inf, registry, IDS, instance=r"ROOT\VREADER\0000")
    assert (done.service, done.exclusive, done.interfaces) == ("vreader", True, [READER_GUID])
    assert done.event_sources == ["vreader"]
    control = r"HKLM\SYSTEM\CurrentControlSet"
    assert dict(registry.open(rf"{control}\Services\vreader").values()) == {
        "Type": Value.dword(1),
        "Start": Value.dword(2),
        "ErrorControl": Value.dword(1),
        "DisplayName": Value.sz("Virtual Smart Card Reader Driver"),
        "Group": Value.sz("SmartCardReader"),
        "ImagePath": Value.expand_sz(r"\SystemRoot\System32\drivers\vreader.sys"),
    }
    assert dict(registry.open(rf"{control}\Services\EventLog\System\vreader").values()) == {
        "EventMessageFile": Value.expand_sz(r"%SystemRoot%\System32\Drivers\vreader.sys"),
        "TypesSupported": Value.dword(7),
    }
    device = registry.open(done.hardware_key)
    assert device.get("Exclusive") == Value.dword(1)
    assert device.get("HardwareID") == Value.multi_sz(IDS)
    assert device.get("Class").decoded == "SmartCardReader"
    assert device.get("ClassGUID").decoded == READER_GUID
    assert device.get("Service").decoded == "vreader"
    assert device.get("Driver").decoded == READER_GUID + r"\0000"
    software = registry.open(done.software_key)
    assert software.get("InfSectionExt").decoded == ".NT"
    assert software.get("DriverDate").decoded == "11/25/2026"
    link = rf"{control}\Control\DeviceClasses\{READER_GUID}\##?#ROOT#VREADER#0000#{READER_GUID}"
    assert registry.open(link).get("DeviceInstance").decoded == r"ROOT\VREADER\0000"
    assert registry.find(rf"{link}\#") is not None
    assert done.settings(registry)["Start"] == 2
    assert done.files == [r"C:\Windows\System32\drivers\vreader.sys"]


def test_every_step_names_its_line(our_inf):
    lines = our_inf.splitlines()
    done = install_device(parse_inf(our_inf), Registry(), IDS, instance=r"ROOT\VREADER\0000")
    for step, part in zip(done.steps, ("ROOT", "Reader.Files", "Exclusive"), strict=False):
        assert part in lines[step.line - 1]
    assert [step.section for step in done.steps][:3] == [
        "Readers.NTamd64", "Reader.NT", "Reader.Device",
    ]  # fmt: skip


def test_a_second_device_has_keys_of_its_own(our_inf):
    registry = Registry()
    inf = parse_inf(our_inf)
    install_device(inf, registry, IDS, instance=r"ROOT\VREADER\0000")
    done = install_device(inf, registry, IDS, instance=r"ROOT\VREADER\0001")
    assert registry.open(done.software_key).name == "0001"
    assert len(registry.open(r"HKLM\SYSTEM\CurrentControlSet\Enum\ROOT\VREADER").subkeys()) == 2


def test_a_device_that_is_installed_again_keeps_its_keys(our_inf):
    registry = Registry()
    for text in (our_inf, our_inf.replace(READER_GUID, READER_GUID.lower())):
        install_device(parse_inf(text), registry, IDS, instance=r"ROOT\VREADER\0001")
        done = install_device(parse_inf(text), registry, IDS, instance=r"ROOT\VREADER\0000")
        assert registry.open(done.software_key).name == "0001"
        control = r"HKLM\SYSTEM\CurrentControlSet\Control\Class"
        assert len(registry.open(rf"{control}\{READER_GUID}").subkeys()) == 2


HEAD = f"""[Version]
Class=SmartCardReader
ClassGuid={READER_GUID}
[Manufacturer]
m=M,NTamd64
[M.NTamd64]
Reader=I,USB\\VID_1234,USB\\Class_0B
"""
DEVICE = {"instance": r"USB\VID_1234\1"}


def install(text, registry=None, **options):
    registry = registry or Registry()
    done = install_device(parse_inf(HEAD + text), registry, [r"usb\vid_1234"], **DEVICE, **options)
    return done, registry


def steps(done):
    return [step.text for step in done.steps[1:]]


def test_files_are_told_not_copied():
    done, _ = install(
        "[I]\nCopyFiles=@a.sys,Files\n[Files]\nb.sys,b.src,,2\n"
        "[DestinationDirs]\nDefaultDestDir=12\nFiles=11,sub\n"
    )
    assert done.files == [r"C:\Windows\System32\drivers\a.sys", r"C:\Windows\System32\sub\b.sys"]
    assert steps(done)[0] == r"copy a.sys to C:\Windows\System32\drivers"


def test_what_is_needed_comes_first_and_once():
    done, registry = install(
        "[I]\nInclude=other.inf\nNeeds=Base,Other.Install\nAddReg=R\n[R]\nHKR,,v,,mine\n"
        "[Base]\nNeeds=I,Base\nAddReg=B\n[B]\nHKR,,v,,base\n"
    )
    assert registry.open(done.software_key).get("v").decoded == "mine"
    assert steps(done)[:5] == [
        "include other.inf",
        "needs [Base] of this file",
        "needs [I] of this file",
        "needs [Base] of this file",
        "needs [Other.Install] of an included file, not here",
    ]


def test_what_is_needed_comes_in_the_order_it_is_named():
    done, registry = install(
        "[I]\nNeeds=A,B\nAddReg=R\n[A]\nNeeds=Deep\nAddReg=RA\n[B]\nAddReg=RB\n[Deep]\nAddReg=RD\n"
        + "".join(f"[R{n}]\nHKR,,order,0x00010008,{n or 'I'}\n" for n in ("", "A", "B", "D"))
    )
    key = registry.open(done.software_key)
    assert key.get("order") == Value.multi_sz(["D", "A", "B", "I"])


def test_services_interfaces_and_wdf_take_what_they_need_from_this_file():
    done, _ = install(
        "[I]\n[I.Services]\nNeeds=Other.Services\n[Other.Services]\nAddService=svc,2,S\n"
        "[S]\nServiceType=1\n[I.Interfaces]\nNeeds=Other.Interfaces\n"
        f"[Other.Interfaces]\nAddInterface={READER_GUID}\n"
        "[I.Wdf]\nInclude=x.inf\nNeeds=Other.Wdf\n[Other.Wdf]\nUmdfServiceOrder=x\n"
    )
    assert done.service == "svc"
    assert done.interfaces == [READER_GUID]
    assert done.wdf == {"UmdfServiceOrder": "x"}


def test_a_co_installer_s_values_are_the_driver_s():
    done, registry = install(
        "[I]\n[I.CoInstallers]\nAddReg=R\n[R]\nHKR,,CoInstallers32,0x10000,x.dll\n"
    )
    assert registry.open(done.software_key).get("CoInstallers32") == Value.multi_sz(["x.dll"])


def test_values_are_deleted_before_they_are_added():
    done, registry = install("[I]\nAddReg=R\nDelReg=D\n[R]\nHKR,,v,,x\n[D]\nHKR,,v\n")
    assert registry.open(done.software_key).get("v").decoded == "x"
    assert [text.split()[0] for text in steps(done)] == ["delete", "set"]


def test_properties_of_the_device_are_not_parameters_of_its_driver():
    done, registry = install(
        "[I]\n[I.HW]\nAddReg=R\n"
        "[R]\nHKR,,UpperFilters,0x00010008,f\nHKR,,exclusive,0x10001,1\nHKR,,Mine,,x\n"
    )
    key = registry.open(done.hardware_key)
    assert key.get("UpperFilters") == Value.multi_sz(["f"])
    assert key.open("Device Parameters").values() == [("Mine", Value.sz("x"))]
    assert done.exclusive


@pytest.mark.parametrize("value", ["HKR,,Exclusive,0x10001,0", "HKR,,Exclusive,,1"])
def test_only_a_number_one_makes_it_exclusive(value):
    assert not install(f"[I]\n[I.HW]\nAddReg=R\n[R]\n{value}\n")[0].exclusive


def test_a_service_with_everything():
    done, registry = install(
        "[I]\n[I.Services]\nAddService=svc,2,S,L,Application,Source\nAddService=filter,,F\n"
        "DelService=old\n"
        "[S]\nServiceType=0x1\nStartType=3\nErrorControl=1\nServiceBinary=%13%\\svc.sys\n"
        "Description=d\nStartName=\\Driver\\svc\nDependencies=RpcSS,+Group\nAddReg=R\n"
        "[F]\nServiceType=1\nStartType=3\nErrorControl=1\nServiceBinary=D:\\f.sys\n"
        "[R]\nHKR,Parameters,v,,x\n[L]\nAddReg=E\n[E]\nHKR,,TypesSupported,0x10001,7\n"
    )
    services = registry.open(r"HKLM\SYSTEM\CurrentControlSet\Services")
    key = services.open("svc")
    assert key.get("DependOnService") == Value.multi_sz(["RpcSS"])
    assert key.get("DependOnGroup") == Value.multi_sz(["Group"])
    assert key.get("ObjectName").decoded == r"\Driver\svc"
    assert key.get("ImagePath").decoded.startswith(r"\SystemRoot\System32\DriverStore")
    assert key.open("Parameters").get("v").decoded == "x"
    assert services.open(r"EventLog\Application\Source").get("TypesSupported").decoded == 7
    assert services.open("filter").get("ImagePath").decoded == r"D:\f.sys"
    assert done.service == "svc"
    assert done.event_sources == ["Source"]


def test_an_old_service_goes_and_noclobber_keeps():
    registry = Registry()
    services = registry.create(r"HKLM\SYSTEM\CurrentControlSet\Services")
    services.create(r"old\Parameters")
    services.create("svc").set("Start", Value.dword(4))
    install(
        "[I]\n[I.Services]\nDelService=old\nAddService=svc,0x12,S\n"
        "[S]\nServiceType=1\nStartType=3\nErrorControl=1\nServiceBinary=x\n",
        registry,
    )
    assert [key.name for key in services.subkeys()] == ["svc"]
    assert services.open("svc").get("Start").decoded == 4
    assert services.open("svc").get("Type").decoded == 1


def test_the_null_driver_has_no_service():
    done, registry = install("[I]\n[I.Services]\nAddService=,2\n")
    assert done.service == ""
    assert done.settings(registry) == {}
    assert steps(done) == ["the NULL driver"]


def test_an_interface_may_have_values():
    done, registry = install(
        f"[I]\n[I.Interfaces]\nAddInterface={READER_GUID},ref,A\n[A]\nAddReg=R\n[R]\nHKR,,v,,x\n"
    )
    path = rf"HKLM\SYSTEM\CurrentControlSet\Control\DeviceClasses\{READER_GUID}"
    (link,) = registry.open(path).subkeys()
    assert link.open(r"#ref\Device Parameters").get("v").decoded == "x"
    assert done.interfaces == [READER_GUID]


def test_driver_framework_entries_are_told():
    done, _ = install("[I.NT]\n[I.NT.Wdf]\nUmdfKernelModeClientPolicy=AllowKernelModeClients\n")
    assert done.wdf == {"UmdfKernelModeClientPolicy": "AllowKernelModeClients"}


def test_the_best_matching_model_is_taken():
    inf = parse_inf(
        "[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\na=A,x,B\nb=B,B\nc=C,B\n[A]\n[B]\n[C]\n"
    )
    done = install_device(inf, Registry(), ["b"], instance=r"X\Y\0")
    assert done.section == "B"
    registry = Registry()
    done = install_device(inf, registry, ["z"], compatible_ids=["X"], instance=r"X\Y\0")
    assert done.section == "A"
    assert registry.open(done.software_key).get("MatchingDeviceId").decoded == "x"


def test_the_id_that_matched_is_kept():
    registry = Registry()
    inf = parse_inf(HEAD.replace(r"I,USB\VID_1234,", "I,,") + "[I]\n")
    done = install_device(inf, registry, ["USB\\X"], compatible_ids=["usb\\class_0b"], **DEVICE)
    key = registry.open(done.software_key)
    assert key.get("MatchingDeviceId").decoded == r"USB\Class_0B"
    assert done.steps[0].text == r"USB\Class_0B: [I]"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 7, r"no section \[I\]"),
        ("[I]\nAddReg=R\n", 9, r"no section \[R\]"),
        ("[I]\nCopyFiles=R\n", 9, r"no section \[R\]"),
        ("[I]\nAddReg=R\n[R]\nHKXX,a\n", 11, "no root"),
        ("[I]\n[I.Services]\nAddReg=R\n[R]\nHKR,,v,,x\n", 12, "stands for nothing"),
        ("[I]\n[I.Services]\nAddService=,1\n", 10, "no service's name"),
        ("[I]\n[I.Services]\nAddService=a\\b,2,S\n", 10, "no service's name"),
        ("[I]\n[I.Services]\nAddService=a,x,S\n", 10, "flags are no number"),
        ("[I]\n[I.Services]\nAddService=a,2,S\n", 10, r"no section \[S\]"),
        ("[I]\n[I.Services]\nAddService=a,2,S\n[S]\nStartType=x\n", 12, "StartType is no number"),
        ("[I]\n[I.Services]\nAddService=a,2,S,L\n[S]\n", 10, r"no section \[L\]"),
        ("[I]\n[I.Services]\nAddService=" + "a" * 256 + ",2,S\n[S]\nStartType=1\n", 12, "1 to 255"),
        ("[I]\n[I.Services]\nAddService=a,2,S,L,b\\\\c\n[S]\n[L]\n", 10, "1 to 255"),
        ("[I]\n[I.Services]\nDelService=\n", 10, "no service's name"),
        ("[I]\n[I.Interfaces]\nAddInterface=x\n", 10, "no interface class"),
        ("[I]\nAddReg=" + "R," * 999 + "R\n[R]\n" + "HKR,,v\n" * 200, 9, "more than 100000 steps"),
    ],
)  # fmt: skip
def test_a_bad_inf_changes_nothing(text, line, problem):
    registry = Registry()
    with pytest.raises(InfError, match=problem) as error:
        install(text, registry)
    if "steps" not in problem:
        assert error.value.line == line
    assert told(registry) == told(Registry())


def test_a_key_too_deep_below_the_device_is_refused():
    registry = Registry()
    deep = "x\\" * 480 + "x"
    inf = parse_inf(
        f"[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\nd=I,{deep}\n"
        f"[I]\n[I.HW]\nAddReg=R\n[R]\nHKR,{deep[:60]}x,v\n"
    )
    with pytest.raises(InfError, match="line 9: a key lies at most 512"):
        install_device(inf, registry, [deep], instance=deep)
    assert told(registry) == told(Registry())


@pytest.mark.parametrize("model", ["x\\" * 600 + "x", "x" * 256, "x\\\\x"])
def test_a_device_that_can_have_no_key_is_refused(model):
    registry = Registry()
    inf = parse_inf(f"[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\nd=I,{model}\n[I]\n")
    with pytest.raises(InfError, match="line 4: a key"):
        install_device(inf, registry, [model], instance=rf"{model}\0")
    assert told(registry) == told(Registry())


def test_an_inf_for_another_windows_or_device_is_refused(our_inf):
    inf = parse_inf(our_inf, "vreader.inf")
    with pytest.raises(InfError, match=r"vreader\.inf: nothing in it is for X on 10\.0-amd64"):
        install_device(inf, Registry(), ["X"], instance="I")
    with pytest.raises(InfError, match=r"on 10\.0-arm"):
        install_device(inf, Registry(), IDS, instance="I", target=TargetOS("arm"))


def test_an_inf_that_deletes_what_it_writes_is_survived():
    install(
        "[I]\n[I.Services]\nAddService=svc,2,S\n[S]\nServiceType=1\nAddReg=R\n"
        "[R]\nHKLM,SYSTEM,,4\nHKR,,v,,x\n"
    )
